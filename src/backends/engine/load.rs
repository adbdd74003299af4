//! Loading a model with the engine of one's choice.

use crate::backends::engine::header::Header;
use crate::backends::engine::library::OnnxRuntime;
use crate::backends::engine::network::EngineError;
use crate::backends::engine::network::EngineKind;
use crate::backends::engine::network::Onnx;
use crate::backends::engine::ort;
use crate::backends::engine::rten;
use crate::backends::engine::watched;
use crate::backends::engine::watched::WatchedNetwork;
use crate::recipe::Device;

/// How a model is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LoadOptions {
    /// The library that computes.
    pub engine: EngineKind,
    /// What it computes on; rten has the CPU alone.
    pub device: Device,
    /// Threads of one session; at least 1.
    pub threads: usize,
    /// Whether a decoder's weights are laid out for several texts at once, and not each time, at the
    /// price of a second copy of them; rten alone asks.
    pub packs_weights: bool,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            engine: EngineKind::default(),
            device: Device::default(),
            threads: 1,
            packs_weights: false,
        }
    }
}

/// Loads the model that `header` describes.
pub(in crate::backends) fn load(
    options: LoadOptions,
    header: &Header,
    onnx: Onnx,
) -> Result<WatchedNetwork, EngineError> {
    header.check_weights(&onnx.weights)?;
    let threads = options.threads.max(1);
    watched::load(header, onnx, move |header, onnx, account| {
        match options.engine {
            EngineKind::Rten => rten::load(header, onnx, threads, options.packs_weights, account),
            // It packs them by itself.
            EngineKind::Ort => ort::load(header, onnx, threads, options.device),
        }
    })
}

/// The library of ONNX Runtime, opened once a process; `None` where none is found.
///
/// # Errors
///
/// Where one is found that cannot be opened, such as one that is too old.
pub fn onnx_runtime() -> Result<Option<&'static OnnxRuntime>, EngineError> {
    ort::onnx_runtime()
}
