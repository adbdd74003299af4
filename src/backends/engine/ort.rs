//! ONNX Runtime: the fast engine, opened at run time from a library that the user brings.
//!
//! Each session loads the model anew, from bytes that all share. Knows nothing of frames or sound.

use crate::backends::engine::halves;
use crate::backends::engine::header::FLOAT16;
use crate::backends::engine::header::Header;
use crate::backends::engine::heap::Account;
use crate::backends::engine::library::ADVICE;
use crate::backends::engine::library::OnnxRuntime;
use crate::backends::engine::network::EngineError;
use crate::backends::engine::network::Input;
use crate::backends::engine::network::Network;
use crate::backends::engine::network::Onnx;
use crate::backends::engine::network::Session;
use crate::backends::engine::network::Tensor;
use crate::backends::engine::network::guarded;
use crate::backends::engine::ort_device;
use crate::backends::engine::ort_heap;
use crate::backends::transport::excerpt::excerpt;
use crate::recipe::Device;
use ::ort::environment::Environment;
use ::ort::logging::LogLevel;
use ::ort::session::OutputSelector;
use ::ort::session::RunOptions;
use ::ort::session::Session as Inner;
use ::ort::session::SessionInputValue;
use ::ort::session::builder::AutoDevicePolicy;
use ::ort::value::DynValue;
use ::ort::value::Shape;
use ::ort::value::TensorElementType;
use ::ort::value::TensorRef;
use ::ort::value::Value;
use half::f16;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;

/// The library and its one environment; `None` where there is none. ONNX Runtime has exactly one of
/// each in a process and cannot make another after the first is gone, so this is the library's
/// state, not ours.
static OPENED: OnceLock<Option<Result<Opened, EngineError>>> = OnceLock::new();

struct Opened {
    environment: Environment,
    library: OnnxRuntime,
}

/// What is not done to a graph: to compute with it before it is run, from memory that is charged to
/// nobody; and to widen weights in half precision ahead, which fails where a branch uses them.
const DISABLED: &str = "ConstantFolding;FuseFp16InitializerToFp32NodeTransformer";

struct OrtNetwork {
    graph: Vec<u8>,
    weights: Vec<(String, Arc<[u8]>)>,
    /// The inputs that are in half precision.
    halves: Arc<BTreeSet<String>>,
    threads: usize,
    device: Device,
    /// The session that showed that the model can be loaded; the first to ask gets it.
    first: Mutex<Option<OrtSession>>,
}

struct OrtSession {
    inner: Inner,
    halves: Arc<BTreeSet<String>>,
}

/// Opens the library and loads the model that `header` describes.
pub(in crate::backends) fn load(
    header: &Header,
    onnx: Onnx,
    threads: usize,
    device: Device,
) -> Result<Box<dyn Network>, EngineError> {
    let inputs = header.inputs.iter();
    let halves = inputs.filter(|input| input.element == FLOAT16);
    let halves: BTreeSet<String> = halves.map(|input| input.name.clone()).collect();
    let mut network = OrtNetwork {
        graph: onnx.graph,
        weights: onnx
            .weights
            .into_iter()
            .map(|(name, weights)| (name, weights.into()))
            .collect(),
        halves: halves.into(),
        threads,
        device,
        first: Mutex::default(),
    };
    network.first = Mutex::new(Some(network.another()?));
    Ok(Box::new(network))
}

/// The library of ONNX Runtime, opened once a process; `None` where none is found.
///
/// # Errors
///
/// Where one is found that cannot be opened, such as one that is too old.
pub(super) fn onnx_runtime() -> Result<Option<&'static OnnxRuntime>, EngineError> {
    match opened() {
        None => Ok(None),
        Some(Ok(opened)) => Ok(Some(&opened.library)),
        Some(Err(error)) => Err(error.clone()),
    }
}

fn opened() -> Option<&'static Result<Opened, EngineError>> {
    let open = || OnnxRuntime::find().map(|library| guarded(|| open(library)));
    OPENED.get_or_init(open).as_ref()
}

/// Tries whether the library, which must be open, computes on `device`.
pub(super) fn start(device: Device) -> Result<(), EngineError> {
    guarded(|| ort_device::start(environment()?, device))
}

fn open(library: OnnxRuntime) -> Result<Opened, EngineError> {
    let environment = ::ort::init_from(&library.path)
        .map_err(|cause| {
            EngineError(format!(
                "ONNX Runtime could not be opened: {cause}; {ADVICE}"
            ))
        })?
        .with_name("vpipe")
        .with_telemetry(false)
        .build()
        .map_err(EngineError::new)?;
    ort_heap::register(&environment)?;
    Ok(Opened {
        environment,
        library,
    })
}

fn environment() -> Result<&'static Environment, EngineError> {
    match opened() {
        Some(Ok(opened)) => Ok(&opened.environment),
        Some(Err(error)) => Err(error.clone()),
        None => Err(EngineError(format!(
            "there is no library of ONNX Runtime; {ADVICE}"
        ))),
    }
}

impl OrtNetwork {
    fn another(&self) -> Result<OrtSession, EngineError> {
        let mut builder = Inner::builder(environment()?)
            .map_err(EngineError::new)?
            .with_intra_threads(self.threads)
            .map_err(EngineError::new)?
            // What fails is told by us.
            .with_log_level(LogLevel::Fatal)
            .map_err(EngineError::new)?
            .with_env_allocators()
            .map_err(EngineError::new)?
            .with_disabled_optimizers(DISABLED)
            .map_err(EngineError::new)?
            // Its own choice may be a device of the machine, whatever was asked for.
            .with_auto_device(AutoDevicePolicy::PreferCPU)
            .map_err(EngineError::new)?;
        builder = ort_device::on(builder, self.device, self.threads)?;
        for (name, weights) in &self.weights {
            builder = builder
                .with_external_initializer_file_in_memory(name, Arc::clone(weights))
                .map_err(EngineError::new)?;
        }
        let inner = builder
            .commit_from_memory(&self.graph)
            // It may name every operator.
            .map_err(|cause| EngineError(excerpt(&cause.to_string())))?;
        Ok(OrtSession {
            inner,
            halves: Arc::clone(&self.halves),
        })
    }
}

impl Network for OrtNetwork {
    // What it takes is charged to the account of the thread that asks.
    fn session(&self, _: &'static Account) -> Result<Box<dyn Session>, EngineError> {
        let first = self.first.lock().ok().and_then(|mut first| first.take());
        let session = match first {
            Some(first) => first,
            None => self.another()?,
        };
        Ok(Box::new(session))
    }
}

impl Session for OrtSession {
    fn run(
        &mut self,
        inputs: Vec<(String, Input)>,
        outputs: Vec<String>,
    ) -> Result<Vec<Tensor>, EngineError> {
        let mut given = Vec::with_capacity(inputs.len());
        for (name, input) in &inputs {
            let is_half = self.halves.contains(name);
            given.push((name.as_str(), value(input, is_half)?));
        }
        let wanted = outputs
            .iter()
            .fold(OutputSelector::no_default(), |wanted, name| {
                wanted.with(name.as_str())
            });
        let options = RunOptions::new()
            .map_err(EngineError::new)?
            .with_outputs(wanted);
        let made = self
            .inner
            .run_with_options(given, &options)
            .map_err(EngineError::new)?;
        let made = |name: &String| {
            let made = made
                .get(name)
                .ok_or_else(|| EngineError(format!("it has no output `{name}`")))?;
            tensor(made)
        };
        outputs.iter().map(made).collect()
    }
}

fn tensor(made: &DynValue) -> Result<Tensor, EngineError> {
    let side = |&side: &i64| usize::try_from(side).unwrap_or(0);
    let of = |shape: &Shape, data| Tensor {
        shape: shape.iter().map(side).collect(),
        data,
    };
    match made.dtype().tensor_type() {
        Some(TensorElementType::Float16) => {
            let made = made.try_extract_tensor::<f16>().map_err(EngineError::new)?;
            Ok(of(made.0, halves::widened(made.1)))
        }
        _ => {
            let made = made.try_extract_tensor::<f32>().map_err(EngineError::new)?;
            Ok(of(made.0, made.1.to_vec()))
        }
    }
}

fn value(input: &Input, is_half: bool) -> Result<SessionInputValue<'_>, EngineError> {
    let whole = |numbers: &[i32]| numbers.iter().copied().map(i64::from).collect::<Vec<_>>();
    Ok(match input {
        Input::Floats(tensor) if is_half => {
            let narrowed = halves::narrowed(&tensor.data);
            Value::from_array((tensor.shape.clone(), narrowed))
                .map_err(EngineError::new)?
                .into()
        }
        Input::Floats(tensor) => {
            TensorRef::from_array_view((tensor.shape.as_slice(), tensor.data.as_slice()))
                .map_err(EngineError::new)?
                .into()
        }
        Input::Ids(shape, ids) => Value::from_array((*shape, whole(ids)))
            .map_err(EngineError::new)?
            .into(),
        Input::Places(places) => Value::from_array(([places.len()], whole(places)))
            .map_err(EngineError::new)?
            .into(),
        Input::Flag(flag) => Value::from_array(([1], vec![*flag]))
            .map_err(EngineError::new)?
            .into(),
    })
}
