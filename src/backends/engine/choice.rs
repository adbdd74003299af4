//! Which engine computes where a recipe leaves it open: ONNX Runtime where its library is, else
//! rten.

use crate::backends::engine::library::OnnxRuntime;
use crate::backends::engine::load::onnx_runtime;
use crate::backends::engine::network::EngineKind;
use crate::recipe::LocalEngine;

/// What computes the models of a backend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EngineChoice {
    /// The engine.
    pub engine: EngineKind,
    /// Whether rten may do instead, for a model that it does not take.
    pub is_free: bool,
    /// What the user should know about it: one sentence without a full stop.
    pub notice: Option<String>,
}

impl EngineChoice {
    /// What a backend computes with that asks for `wanted`. Where that is ONNX Runtime and it cannot
    /// be opened, loading a model tells why.
    pub fn of(wanted: LocalEngine) -> Self {
        let rten = |notice| Self {
            engine: EngineKind::Rten,
            is_free: false,
            notice,
        };
        let ort = |notice| Self {
            engine: EngineKind::Ort,
            is_free: wanted == LocalEngine::Auto,
            notice,
        };
        if wanted == LocalEngine::Rten {
            return rten(None);
        }
        match onnx_runtime() {
            Ok(Some(library)) => ort(Some(used(library))),
            _ if wanted == LocalEngine::Ort => ort(None),
            Ok(None) => rten(None),
            Err(error) => rten(Some(format!("models on this machine run on rten: {error}"))),
        }
    }
}

fn used(library: &OnnxRuntime) -> String {
    format!("models on this machine run on {library}")
}
