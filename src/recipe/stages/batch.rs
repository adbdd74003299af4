//! Parameters of `batch`: how many frames a request takes.

use crate::item::ItemKind;
use crate::recipe::load::value;
use crate::recipe::stages::parameters::InputCount;
use crate::recipe::stages::parameters::Ports;
use crate::recipe::stages::parameters::StageFacts;
use crate::recipe::stages::parameters::StageParameters;
use schemars::JsonSchema;
use serde::Deserialize;

/// What holds of every stage of the kind.
pub(in crate::recipe) const FACTS: StageFacts = StageFacts {
    word: "batch",
    take_keys: &[],
    keys_by_input: &[],
    rendered_later: &[],
    paths: &[],
    takes_sound: false,
    is_mapped: false,
    finds_backend: false,
    is_outcome: false,
    input_help: "name the stage that gives frames, such as `extract`",
};

/// Parameters of `batch`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BatchSpec {
    /// Frames in one request.
    #[serde(deserialize_with = "value::batch_size")]
    pub size: usize,
}

impl Default for BatchSpec {
    fn default() -> Self {
        Self { size: 16 }
    }
}

impl StageParameters for BatchSpec {
    fn ports(&self) -> Ports {
        Ports {
            takes: &[ItemKind::Frame, ItemKind::Crop],
            inputs: InputCount::One,
            gives: &[ItemKind::Batch],
        }
    }
}
