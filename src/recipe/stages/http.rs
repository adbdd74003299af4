//! Parameters of an `http` stage: what it asks a server of one's own, and what it makes of the
//! answers.
//!
//! Where the server is and how it is reached is a matter of its backend.

use crate::name::BackendName;
use crate::recipe::http::answer::Answer;
use crate::recipe::http::mapping::MappingSpec;
use crate::recipe::http::mapping::Subject;
use crate::recipe::load::value;
use crate::recipe::recipe::WhisperSpec;
use crate::speech::Codec;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use std::num::NonZero;

/// Parameters of an `http` stage.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HttpStageSpec {
    /// A name under `[backends]`, of kind `http`.
    #[serde(deserialize_with = "value::text")]
    #[schemars(with = "String")]
    pub backend: BackendName,
    /// What the server calls its model: `params.model` in requests.
    #[serde(deserialize_with = "value::optional")]
    pub model: Option<String>,
    /// Requests in flight.
    #[serde(deserialize_with = "value::concurrency")]
    pub concurrency: usize,
    /// Whether a request is about one frame or about those of a `batch`.
    pub each: Each,
    /// The number of the sound track, from 1; where absent, what a player would choose.
    #[serde(deserialize_with = "value::track")]
    #[schemars(with = "Option<usize>")]
    pub track: Option<NonZero<usize>>,
    /// The longest sound, in seconds, of one request; where absent, the duration over
    /// `concurrency`, from 30 to 300.
    #[serde(deserialize_with = "value::chunk")]
    pub chunk: Option<u32>,
    /// How sound is coded: `flac`, `wav` or `opus`.
    #[schemars(with = "String")]
    pub codec: Codec,
    /// Whether silence is dropped before anybody listens.
    #[serde(deserialize_with = "value::flag")]
    pub vad_filter: bool,
    /// What is asked, and what is made of the answer.
    #[serde(skip)]
    pub mapping: MappingSpec,
}

impl Default for HttpStageSpec {
    fn default() -> Self {
        let sound = WhisperSpec::default();
        Self {
            backend: BackendName::from(""),
            model: None,
            concurrency: 5,
            each: Each::default(),
            track: None,
            chunk: None,
            codec: Codec::default(),
            vad_filter: sound.vad_filter,
            mapping: MappingSpec::default(),
        }
    }
}

impl HttpStageSpec {
    /// Whether it takes sound; it takes frames where it does not.
    pub fn listens(&self) -> bool {
        self.mapping.about == Subject::Sound
    }

    /// Whether it gives records, in place of detections.
    pub fn records(&self) -> bool {
        matches!(self.mapping.answer, Answer::Record(_))
    }

    /// What a request may say of the stage.
    pub fn params(&self) -> Map<String, Value> {
        let model = self.model.clone().map_or(Value::Null, Value::from);
        Map::from_iter([("model".to_owned(), model)])
    }

    /// How it goes through the sound of a video.
    pub fn listening(&self) -> WhisperSpec {
        WhisperSpec {
            backend: self.backend.clone(),
            model: self.model.clone(),
            concurrency: self.concurrency,
            track: self.track,
            chunk: self.chunk,
            codec: self.codec,
            vad_filter: self.vad_filter,
            word_timestamps: false,
            ..WhisperSpec::default()
        }
    }
}

/// What one request is about.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Each {
    /// A frame, a crop or a chunk of sound.
    #[default]
    Item,
    /// The frames or crops of a batch.
    Batch,
}
