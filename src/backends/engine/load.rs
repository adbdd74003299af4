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

/// Loads the model that `header` describes, for sessions of `threads` threads each.
///
/// `packs_weights`: whether weights are laid out for products with a few rows once and not each
/// time, at the price of a second copy of them.
pub(in crate::backends) fn load(
    kind: EngineKind,
    header: &Header,
    onnx: Onnx,
    threads: usize,
    packs_weights: bool,
) -> Result<WatchedNetwork, EngineError> {
    header.check_weights(&onnx.weights)?;
    watched::load(header, onnx, move |header, onnx, account| match kind {
        EngineKind::Rten => rten::load(header, onnx, threads, packs_weights, account),
        // It packs them by itself.
        EngineKind::Ort => ort::load(header, onnx, threads),
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
