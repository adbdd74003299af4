//! What a stage takes of what its inputs give: keys that several kinds of stages have.
//!
//! Knows nothing of how frames are picked or cut.

use crate::facts::VideoFacts;
use crate::item::Detection;
use crate::recipe::load::value;
use crate::recipe::recipe::values_of_video;
use crate::template::Condition;
use crate::time::Ratio;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// What a stage takes of what its inputs give.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct TakeSpec {
    /// Facts of a video without which the stage is skipped for it.
    #[serde(deserialize_with = "value::condition")]
    #[schemars(with = "Option<String>")]
    pub when: Option<Condition>,
    /// One frame in so many is taken.
    #[serde(deserialize_with = "value::every")]
    pub every: u32,
    /// A test on each box that frames are cut around.
    #[serde(deserialize_with = "value::condition")]
    #[schemars(with = "Option<String>")]
    pub filter: Option<Condition>,
    /// How much is cut around a box on each side, as a share of its own.
    #[serde(deserialize_with = "value::share")]
    pub padding: f32,
}

impl Default for TakeSpec {
    fn default() -> Self {
        Self {
            when: None,
            every: 1,
            filter: None,
            padding: 0.0,
        }
    }
}

impl TakeSpec {
    /// Whether everything is taken.
    pub fn is_all(&self) -> bool {
        self.when.is_none() && self.every == 1 && self.filter.is_none()
    }
}

/// What `when` may name: `video.duration`, `video.width` and so on.
pub fn values_of_facts(facts: &VideoFacts) -> Map<String, Value> {
    let mut video = values_of_video(&facts.path);
    let known = json!({
        "width": facts.size.width,
        "height": facts.size.height,
        "duration": facts.duration,
        "fps": facts.fps.map(Ratio::to_f64),
        "codec": facts.codec,
        "rotation": facts.rotation,
        "has_sound": facts.has_sound,
        "frames": facts.expected_frames,
    });
    if let Value::Object(known) = known {
        video.extend(known);
    }
    Map::from_iter([("video".to_owned(), Value::Object(video))])
}

/// What a request to a server may name of a video: as [`values_of_facts`], but for where it lies on
/// this machine.
pub fn values_for_requests(facts: &VideoFacts) -> Map<String, Value> {
    let mut values = values_of_facts(facts);
    let mut video = match values.remove("video") {
        Some(Value::Object(video)) => video,
        _ => Map::new(),
    };
    video.retain(|name, _| !["path", "folder"].contains(&name.as_str()));
    video
}

/// What `filter` may name of a box; its sides are in pixels of the source.
pub fn values_of_box(found: &Detection) -> Map<String, Value> {
    let [x1, y1, x2, y2] = found.bbox;
    let (width, height) = (x2 - x1, y2 - y1);
    let values = json!({
        "class": found.class,
        "class_name": found.class_name,
        "confidence": found.confidence,
        "bbox": found.bbox,
        "width": width,
        "height": height,
        "area": width * height,
    });
    match values {
        Value::Object(values) => values,
        _ => Map::new(),
    }
}
