//! Parameters of a `local` backend: what runs the models of this machine.

use crate::diag::Diagnostic;
use crate::recipe::backends::device::LocalDevice;
use crate::recipe::backends::device::device;
use crate::recipe::backends::facts::AUTO;
use crate::recipe::backends::facts::BackendFacts;
use crate::recipe::backends::facts::BackendTable;
use crate::recipe::load::read::read;
use crate::recipe::load::value;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::Serialize;

/// What holds of every backend of the kind.
pub(in crate::recipe) const FACTS: BackendFacts = BackendFacts {
    word: "local",
    rendered_later: &[],
};

/// Parameters of a `local` backend.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LocalSpec {
    /// The engine that runs the models.
    pub engine: LocalEngine,
    /// What it computes on: `cpu`, `cuda:0`, `tensorrt:0`, `openvino`, `coreml` or `directml`; `auto` is a
    /// GPU where ONNX Runtime has one that works, else the CPU.
    #[serde(deserialize_with = "device")]
    #[schemars(with = "String", default = "auto_device")]
    pub device: LocalDevice,
    /// Threads of one session.
    #[serde(deserialize_with = "value::threads")]
    pub threads: usize,
    /// Sessions of all stages together.
    #[serde(deserialize_with = "value::limit")]
    pub concurrency: Option<usize>,
}

fn auto_device() -> &'static str {
    AUTO
}

impl Default for LocalSpec {
    fn default() -> Self {
        Self {
            engine: LocalEngine::Auto,
            device: LocalDevice::Auto,
            threads: 1,
            concurrency: None,
        }
    }
}

impl LocalSpec {
    pub(in crate::recipe) fn read(table: BackendTable<'_>, wrong: &mut Vec<Diagnostic>) -> Self {
        read(table.keys, &["kind"], wrong)
    }
}

/// What runs a local model.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LocalEngine {
    /// ONNX Runtime where its library is found, else rten.
    #[default]
    Auto,
    /// Part of this program.
    Rten,
    /// ONNX Runtime: faster; its library is opened at run time.
    Ort,
}

impl LocalEngine {
    /// The engine of this name.
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "auto" => Some(Self::Auto),
            "rten" => Some(Self::Rten),
            "ort" => Some(Self::Ort),
            _ => None,
        }
    }
}
