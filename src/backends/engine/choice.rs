//! Which engine computes, and on which device, where a recipe leaves it open: ONNX Runtime where its
//! library is, else rten; a GPU where it has one that works, else the CPU.

use crate::backends::engine::library::OnnxRuntime;
use crate::backends::engine::network::EngineError;
use crate::backends::engine::network::EngineKind;
use crate::backends::engine::ort;
use crate::backends::engine::ort_device;
use crate::recipe::Device;
use crate::recipe::LocalDevice;
use crate::recipe::LocalEngine;

/// What is tried where the recipe leaves it open, the best first. TensorRT takes minutes to begin,
/// CoreML computes in half precision by itself, and OpenVINO, which is on the CPU too, does not take
/// Whisper: whoever wants them says so.
const GUESSES: [Device; 2] = [Device::Cuda(0), Device::Directml];

/// What computes the models of a backend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EngineChoice {
    /// The engine.
    pub engine: EngineKind,
    /// What it computes on.
    pub device: Device,
    /// What may do instead, for a model that it does not take.
    pub otherwise: Vec<(EngineKind, Device)>,
    /// What the user should know about it: sentences without a full stop.
    pub notices: Vec<String>,
}

/// Why nothing computes as a backend asks for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    /// Engine and device do not go together.
    #[error("rten computes on the CPU alone, not on {0}")]
    Rten(Device),
    /// The device is not to be had.
    #[error("models cannot be computed on {device}: {cause}")]
    Device {
        /// The device.
        device: Device,
        /// Why not.
        cause: EngineError,
    },
}

impl ChoiceError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Rten(_) => "say `engine = \"ort\"`, or leave the engine out",
            Self::Device { device, .. } => ort_device::advice(*device),
        }
    }
}

impl EngineChoice {
    /// What a backend computes with that asks for `engine` on `device`. Where that is ONNX Runtime
    /// on the CPU and it cannot be opened, loading a model tells why.
    ///
    /// # Errors
    ///
    /// Where it asks for a device that is not to be had.
    pub fn of(engine: LocalEngine, device: LocalDevice) -> Result<Self, ChoiceError> {
        match (engine, device) {
            (LocalEngine::Rten, LocalDevice::Auto | LocalDevice::On(Device::Cpu)) => {
                Ok(Self::default())
            }
            (LocalEngine::Rten, LocalDevice::On(device)) => Err(ChoiceError::Rten(device)),
            (_, LocalDevice::On(Device::Cpu)) => Ok(Self::on_cpu(engine)),
            (_, LocalDevice::On(device)) => {
                let library = started(device);
                let library = library.map_err(|cause| ChoiceError::Device { device, cause })?;
                Ok(Self::on(device, library))
            }
            (_, LocalDevice::Auto) => Ok(Self::guessed(engine)),
        }
    }

    fn guessed(engine: LocalEngine) -> Self {
        let mut refused = Vec::new();
        if let Ok(Some(_)) = ort::onnx_runtime() {
            for device in GUESSES
                .into_iter()
                .filter(|it| ort_device::is_provided(*it))
            {
                match started(device) {
                    Ok(library) => {
                        let mut choice = Self::on(device, library);
                        choice.otherwise = [vec![CPU], instead(engine)].concat();
                        choice.notices.extend(refused);
                        return choice;
                    }
                    Err(cause) => {
                        refused.push(format!("{device} is there and does not work: {cause}"));
                    }
                }
            }
        }
        let mut choice = Self::on_cpu(engine);
        choice.notices.extend(refused);
        choice
    }

    fn on(device: Device, library: &OnnxRuntime) -> Self {
        Self {
            engine: EngineKind::Ort,
            device,
            otherwise: Vec::new(),
            notices: vec![format!(
                "models on this machine run on {device}, by {library}"
            )],
        }
    }

    fn on_cpu(engine: LocalEngine) -> Self {
        let rten = |notices| Self {
            notices,
            ..Self::default()
        };
        let ort = |notices| Self {
            engine: EngineKind::Ort,
            device: Device::Cpu,
            otherwise: instead(engine),
            notices,
        };
        match ort::onnx_runtime() {
            Ok(Some(library)) => ort(vec![format!("models on this machine run on {library}")]),
            _ if engine == LocalEngine::Ort => ort(Vec::new()),
            Ok(None) => rten(Vec::new()),
            Err(error) => rten(vec![format!("models on this machine run on rten: {error}")]),
        }
    }
}

const CPU: (EngineKind, Device) = (EngineKind::Ort, Device::Cpu);

/// What may do where ONNX Runtime does not take a model.
fn instead(engine: LocalEngine) -> Vec<(EngineKind, Device)> {
    match engine {
        LocalEngine::Auto => vec![(EngineKind::Rten, Device::Cpu)],
        LocalEngine::Rten | LocalEngine::Ort => Vec::new(),
    }
}

/// What ONNX Runtime can compute on here, and why not where it was built for a device that does not
/// work; nothing where there is no library that can be opened.
pub fn devices() -> Vec<(Device, Result<(), EngineError>)> {
    let Ok(Some(_)) = ort::onnx_runtime() else {
        return Vec::new();
    };
    let all = [
        Device::Cpu,
        Device::Cuda(0),
        Device::Tensorrt(0),
        Device::Openvino,
        Device::Coreml,
        Device::Directml,
    ];
    all.into_iter()
        .filter(|device| ort_device::is_provided(*device))
        .map(|device| (device, ort::start(device)))
        .collect()
}

/// The library, where it computes on `device`.
fn started(device: Device) -> Result<&'static OnnxRuntime, EngineError> {
    let Some(library) = ort::onnx_runtime()? else {
        return Err(EngineError::new("there is no library of ONNX Runtime"));
    };
    match ort_device::is_provided(device) {
        true => ort::start(device).map(|()| library),
        false => Err(EngineError(format!("{library} was built without it"))),
    }
}
