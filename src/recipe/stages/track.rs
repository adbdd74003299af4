//! Parameters of `track`: which boxes are one thing, and how long it is looked for.

use crate::diag::Diagnostic;
use crate::item::ItemKind;
use crate::recipe::load::value;
use crate::recipe::stages::classes;
use crate::recipe::stages::classes::ClassRef;
use crate::recipe::stages::parameters::InputCount;
use crate::recipe::stages::parameters::Ports;
use crate::recipe::stages::parameters::StageFacts;
use crate::recipe::stages::parameters::StageParameters;
use crate::recipe::stages::parameters::StageTable;
use crate::recipe::stages::places;
use crate::template::Line;
use crate::template::Region;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What holds of every stage of the kind.
pub(in crate::recipe) const FACTS: StageFacts = StageFacts {
    word: "track",
    take_keys: &[],
    keys_by_input: &[],
    rendered_later: &[],
    paths: &[],
    takes_sound: false,
    is_mapped: false,
    finds_backend: false,
    is_outcome: false,
    input_help: "name a stage that finds boxes, such as `yolo`",
};

/// Parameters of `track`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TrackSpec {
    /// How a box is known to be of a thing that was seen before.
    pub method: TrackMethod,
    /// The confidence from which a box is put to a track first.
    #[serde(deserialize_with = "value::share")]
    pub high: f32,
    /// The confidence from which a box may be of a thing that is known already; below it, a box is of
    /// no track.
    #[serde(deserialize_with = "value::share")]
    pub low: f32,
    /// The confidence from which a box may be a new thing.
    #[serde(deserialize_with = "value::share")]
    pub new: f32,
    /// How unlike what is expected a box may be, from 0 to 1. With `bytetrack`, what its overlap,
    /// times its confidence, lacks of 1.
    #[serde(deserialize_with = "value::share")]
    pub r#match: f32,
    /// How long a thing is looked for that is not seen, in seconds.
    #[serde(deserialize_with = "value::time")]
    #[schemars(with = "f64")]
    pub buffer: Duration,
    /// The frames that a thing must be seen in before it has a track.
    #[serde(deserialize_with = "value::every")]
    pub min_frames: u32,
    /// Of how many frames in a row, from the one on in which a thing has a track, the best sight is
    /// `first` for a `filter`: the one of the largest box times its confidence. Where a `filter` asks
    /// for it, frames wait until that is known.
    #[serde(deserialize_with = "value::frames_in_a_row")]
    pub best_of: u32,
    /// Lines across the frame, by names of your own, for tests such as `crossed("gate")` and for
    /// counts in the results: two points or more, each `[x, y]` from 0 to 1, as shares of the
    /// frame's width and height.
    #[serde(deserialize_with = "places::lines")]
    #[schemars(with = "BTreeMap<String, Vec<[f64; 2]>>")]
    pub lines: Arc<BTreeMap<String, Line>>,
    /// Parts of a frame, likewise, for tests such as `entered("door")` and for counts: the corners
    /// of a polygon.
    #[serde(deserialize_with = "places::regions")]
    #[schemars(with = "BTreeMap<String, Vec<[f64; 2]>>")]
    pub regions: Arc<BTreeMap<String, Region>>,
    /// The point of a box that crosses lines and enters regions.
    pub point: TrackPoint,
    /// The classes that are tracked, by name or by number; all where empty.
    #[serde(deserialize_with = "classes::classes")]
    pub classes: Vec<ClassRef>,
}

impl Default for TrackSpec {
    fn default() -> Self {
        Self {
            method: TrackMethod::default(),
            high: 0.25,
            low: 0.1,
            new: 0.25,
            r#match: 0.8,
            buffer: Duration::from_secs(5),
            min_frames: 2,
            best_of: 5,
            lines: Arc::default(),
            regions: Arc::default(),
            point: TrackPoint::default(),
            classes: Vec::new(),
        }
    }
}

/// How a box is known to be of a thing that was seen before.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum TrackMethod {
    /// What is best at the rate of frames: `motion`, from 1 frame a second to 30.
    #[default]
    Auto,
    /// By where it should be by now, if it went on as before; boxes need not overlap.
    Motion,
    /// By overlap from frame to frame, as ByteTrack was published; for 10 frames a second and more.
    Bytetrack,
}

/// The point of a box that stands for where the thing is.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum TrackPoint {
    /// Its centre.
    #[default]
    Centre,
    /// The middle of its lower side: where a thing stands.
    Foot,
}

impl TrackSpec {
    pub(in crate::recipe) fn read(table: StageTable<'_>, wrong: &mut Vec<Diagnostic>) -> Self {
        let written = |key| table.keys.get(key).map(|entry| entry.node.span);
        let span = written("low").or_else(|| written("high"));
        let spec: Self = table.read(&FACTS, &[], wrong);
        if let Some(span) = span.filter(|_| spec.low > spec.high) {
            let message = format!("`low` is {}, and `high` only {}", spec.low, spec.high);
            wrong.push(
                Diagnostic::error(span, message)
                    .help("boxes from `low` to `high` are looked at after those from `high`"),
            );
        }
        spec
    }
}

impl StageParameters for TrackSpec {
    fn ports(&self) -> Ports {
        Ports {
            takes: &[ItemKind::Detections],
            inputs: InputCount::One,
            gives: &[ItemKind::Detections],
        }
    }
}
