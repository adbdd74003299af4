//! Where in the answer of a server is what it found: expressions, each over what others gave.
//!
//! Knows nothing of servers, nor how expressions are computed.

use crate::recipe::load::value;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::Serialize;

/// What is read out of an answer.
#[derive(Clone, Debug)]
pub enum AnswerShape {
    /// Objects with boxes.
    Detections(AnswerSpec),
    /// Fields of the recipe's own naming.
    Record(RecordSpec),
    /// What was said.
    Transcript(TranscriptSpec),
}

impl Default for AnswerShape {
    fn default() -> Self {
        Self::Detections(AnswerSpec::default())
    }
}

/// A record for each frame: fields with names of the recipe's own.
#[derive(Clone, Debug)]
pub struct RecordSpec {
    /// In `output`, the list with one entry for each frame that was sent, in its order.
    pub images: String,
    /// The name of each field and, in `image`, its value.
    pub fields: Vec<(String, String)>,
}

/// What was said in a chunk of sound. Where `segments` is absent, an answer is read in every
/// spelling that handlers and servers are known to have.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TranscriptSpec {
    /// In `output`, the list of segments.
    #[serde(deserialize_with = "value::some_expression")]
    pub segments: Option<String>,
    /// In `segment`, an entry of that list, the second of the sound at which it begins.
    #[serde(deserialize_with = "value::expression")]
    pub start: String,
    /// In `segment`, the second at which it ends.
    #[serde(deserialize_with = "value::expression")]
    pub end: String,
    /// In `segment`, its text.
    #[serde(deserialize_with = "value::expression")]
    pub text: String,
    /// In `output`, the language: a code of ISO 639-1, its English name, or none.
    #[serde(deserialize_with = "value::expression")]
    pub language: String,
}

impl Default for TranscriptSpec {
    fn default() -> Self {
        Self {
            segments: None,
            start: "segment.start".to_owned(),
            end: "segment.end".to_owned(),
            text: "segment.text".to_owned(),
            language: "output.language | default(none)".to_owned(),
        }
    }
}

/// Where the objects are in an answer: expressions, each over the results of those above it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AnswerSpec {
    /// In `output`, the list with one entry for each frame that was sent, in its order.
    #[serde(deserialize_with = "value::expression")]
    pub images: String,
    /// In `image`, an entry of that list, the list of its objects.
    #[serde(deserialize_with = "value::expression")]
    pub objects: String,
    /// In `object`, an entry of that list, its box: a list of four numbers.
    #[serde(deserialize_with = "value::expression")]
    pub bbox: String,
    /// What the four numbers are.
    pub bbox_format: BoxFormat,
    /// What they are measured in.
    pub bbox_unit: BoxUnit,
    /// Whose pixels they are.
    pub bbox_of: BoxOf,
    /// In `object`, the number of its class.
    #[serde(deserialize_with = "value::expression")]
    pub class: String,
    /// In `object`, the name of its class.
    #[serde(deserialize_with = "value::expression")]
    pub class_name: String,
    /// In `object`, its confidence, from 0 to 1.
    #[serde(deserialize_with = "value::expression")]
    pub confidence: String,
}

impl Default for AnswerSpec {
    fn default() -> Self {
        Self {
            images: "output.detections | default(output.results) | default(output)".to_owned(),
            objects: "image.detections | default(image)".to_owned(),
            bbox: "object.bbox".to_owned(),
            bbox_format: BoxFormat::default(),
            bbox_unit: BoxUnit::default(),
            bbox_of: BoxOf::default(),
            class: "object.class".to_owned(),
            class_name: "object.class_name | default(object.class)".to_owned(),
            confidence: "object.confidence".to_owned(),
        }
    }
}

/// What the four numbers of a box are.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BoxFormat {
    /// Left, top, right, bottom.
    #[default]
    Xyxy,
    /// Left, top, width, height.
    Xywh,
    /// The centre, width, height.
    Cxcywh,
}

/// What boxes are measured in.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BoxUnit {
    /// Pixels.
    #[default]
    Pixels,
    /// Shares of the frame's width and height.
    Normalised,
}

/// Whose pixels a box is measured in.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BoxOf {
    /// Those of the frame that was sent.
    #[default]
    Sent,
    /// Those of the video's own frames.
    Source,
}
