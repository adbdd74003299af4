//! Parameters of a `local` backend: what runs the models of this machine.

use crate::diag::Diagnostic;
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
    /// Threads of one session.
    #[serde(deserialize_with = "value::threads")]
    pub threads: usize,
    /// Sessions of all stages together.
    #[serde(deserialize_with = "value::limit")]
    pub concurrency: Option<usize>,
}

impl Default for LocalSpec {
    fn default() -> Self {
        Self {
            engine: LocalEngine::Auto,
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
