//! ONNX Runtime: the fast engine, opened at run time from a library that the user brings.
//!
//! Each session loads the model anew, from bytes that all share. Knows nothing of pictures.

use super::engine::EngineError;
use super::engine::Network;
use super::engine::Session;
use super::engine::Tensor;
use super::header::FLOAT16;
use super::header::Header;
use ::ort::environment::Environment;
use ::ort::logging::LogLevel;
use ::ort::session::Session as Inner;
use ::ort::value::TensorRef;
use std::env;
use std::env::consts::DLL_PREFIX;
use std::env::consts::DLL_SUFFIX;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::OnceLock;

/// The library and its one environment. ONNX Runtime has exactly one of each in a process and
/// cannot make another after the first is gone, so this is the library's state, not ours.
static ENVIRONMENT: OnceLock<Result<Environment, EngineError>> = OnceLock::new();

struct OrtNetwork {
    onnx: Vec<u8>,
    threads: usize,
    /// The session that showed that the model can be loaded; the first to ask gets it.
    first: Mutex<Option<OrtSession>>,
}

struct OrtSession {
    inner: Inner,
}

/// Opens the library and loads the model that `header` describes and whose file has the content
/// `onnx`.
pub(super) fn load(
    header: &Header,
    onnx: Vec<u8>,
    threads: usize,
) -> Result<Box<dyn Network>, EngineError> {
    if header.inputs.iter().any(|input| input.element == FLOAT16) {
        return Err(EngineError::new(
            "its input is in half precision; export it in single precision, or use \
             engine = \"rten\"",
        ));
    }
    let first = session(&onnx, threads)?;
    Ok(Box::new(OrtNetwork {
        onnx,
        threads,
        first: Mutex::new(Some(first)),
    }))
}

fn environment() -> Result<&'static Environment, EngineError> {
    let opened = ENVIRONMENT.get_or_init(|| {
        let path = env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty());
        let path = path.map_or_else(
            || PathBuf::from(format!("{DLL_PREFIX}onnxruntime{DLL_SUFFIX}")),
            PathBuf::from,
        );
        ::ort::init_from(&path)
            .map_err(|cause| {
                EngineError(format!(
                    "ONNX Runtime could not be opened: {cause}; set ORT_DYLIB_PATH to its library, \
                     which `pip download onnxruntime --no-deps` brings inside a wheel (a zip) \
                     under onnxruntime/capi"
                ))
            })?
            .with_name("vpipe")
            .with_telemetry(false)
            .build()
            .map_err(EngineError::new)
    });
    opened.as_ref().map_err(Clone::clone)
}

fn session(onnx: &[u8], threads: usize) -> Result<OrtSession, EngineError> {
    let inner = Inner::builder(environment()?)
        .map_err(EngineError::new)?
        .with_intra_threads(threads)
        .map_err(EngineError::new)?
        .with_log_level(LogLevel::Error)
        .map_err(EngineError::new)?
        .commit_from_memory(onnx)
        .map_err(EngineError::new)?;
    if inner.inputs().len() != 1 || inner.outputs().is_empty() {
        return Err(EngineError::new("it has not one input and an output"));
    }
    Ok(OrtSession { inner })
}

impl Network for OrtNetwork {
    fn session(&self) -> Result<Box<dyn Session>, EngineError> {
        let first = self.first.lock().ok().and_then(|mut first| first.take());
        let session = match first {
            Some(first) => first,
            None => session(&self.onnx, self.threads)?,
        };
        Ok(Box::new(session))
    }
}

impl Session for OrtSession {
    fn run(&mut self, shape: [usize; 4], data: &[f32]) -> Result<Tensor, EngineError> {
        let input = TensorRef::from_array_view((shape, data)).map_err(EngineError::new)?;
        let outputs = self
            .inner
            .run(::ort::inputs![input])
            .map_err(EngineError::new)?;
        let (shape, data) = outputs[0]
            .try_extract_tensor::<f32>()
            .map_err(EngineError::new)?;
        Ok(Tensor {
            shape: shape
                .iter()
                .map(|&side| usize::try_from(side).unwrap_or(0))
                .collect(),
            data: data.to_vec(),
        })
    }
}
