//! The parameters of `extract`: which frames of a video are looked at.
//!
//! Knows nothing of how they are come by.

use crate::diag::Diagnostic;
use crate::diag::Span;
use crate::item::ItemKind;
use crate::recipe::load::value;
use crate::recipe::stages::moment;
use crate::recipe::stages::parameters::InputCount;
use crate::recipe::stages::parameters::Ports;
use crate::recipe::stages::parameters::StageFacts;
use crate::recipe::stages::parameters::StageParameters;
use crate::recipe::stages::parameters::StageTable;
use crate::recipe::stages::ranges;
use crate::recipe::stages::ranges::RANGES;
use crate::time::Ratio;
use crate::time::TimeRange;
use crate::time::TimeRanges;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// What holds of every stage of the kind.
pub(in crate::recipe) const FACTS: StageFacts = StageFacts {
    word: "extract",
    take_keys: &[],
    keys_by_input: &[],
    rendered_later: &[],
    paths: &[],
    takes_sound: false,
    is_mapped: false,
    finds_backend: false,
    is_outcome: false,
    input_help: "",
};

/// Parameters of `extract`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExtractSpec {
    /// Frames that are sampled from a second of video.
    #[serde(deserialize_with = "value::fps")]
    #[schemars(with = "f64")]
    pub fps: Ratio,
    /// The longer side of a frame, in pixels, at most; larger frames are scaled down.
    #[serde(deserialize_with = "value::max_side")]
    pub max_side: u32,
    /// JPEG quality of frames that leave the machine, 1 to 100.
    #[serde(deserialize_with = "value::quality")]
    pub quality: u8,
    /// Whether a frame that shows nothing new is left out and has the answer of the frame that it
    /// repeats.
    #[serde(deserialize_with = "value::flag")]
    pub dedup: bool,
    /// Levels of luma, of 255, by which one cell of a grid must change for a frame to be new; where
    /// all cells change on average, a quarter of that is enough.
    #[serde(deserialize_with = "value::levels")]
    pub dedup_threshold: f32,
    /// Which frames can be sampled.
    pub mode: ExtractMode,
    /// Where frames and sound begin, counted from the first frame of a video; also as `"1:02:03"` or
    /// `"90s"`.
    #[serde(deserialize_with = "moment::moment")]
    #[schemars(with = "f64")]
    pub start: Duration,
    /// Where they end; the end of the video where absent.
    #[serde(deserialize_with = "moment::optional")]
    #[schemars(with = "Option<f64>")]
    pub end: Option<Duration>,
    /// The parts that are looked at and listened to, such as `["10:00-12:00", "1:02:03-1:03:00"]`,
    /// in place of `start` and `end`; each is sampled from its own beginning on.
    #[serde(deserialize_with = "ranges::ranges")]
    #[schemars(with = "Vec<String>")]
    pub ranges: Vec<TimeRange>,
    /// Decoders that work on one video; as many as the machine has cores where absent.
    #[serde(deserialize_with = "value::decoders")]
    pub concurrency: Option<usize>,
}

impl Default for ExtractSpec {
    fn default() -> Self {
        Self {
            fps: Ratio::ONE,
            max_side: 1280,
            quality: 85,
            dedup: false,
            dedup_threshold: 12.0,
            mode: ExtractMode::Exact,
            start: Duration::ZERO,
            end: None,
            ranges: Vec::new(),
            concurrency: None,
        }
    }
}

impl ExtractSpec {
    pub(in crate::recipe) fn read(table: StageTable<'_>, wrong: &mut Vec<Diagnostic>) -> Self {
        let written = table.written;
        let ranges = ranges::written(&table.keys);
        let spec: Self = table.read(&FACTS, &[], wrong);
        wrong.extend(ranges::overlap(&ranges));
        wrong.extend(spec.said_twice(written));
        let (Some(end), Some(&span)) = (spec.end, written.get("end")) else {
            return spec;
        };
        if end <= spec.start {
            let (start, end) = (spec.start.as_secs_f64(), end.as_secs_f64());
            let message = format!("`end` is {end} s, which is not after `start`");
            let mistake = Diagnostic::error(span, message);
            let mistake = match written.get("start") {
                Some(span) => mistake.also(*span, format!("{start} s")),
                None => mistake,
            };
            wrong.push(mistake.help(
                "both count from the first frame of the video; leave `end` out to go on to its end",
            ));
        }
        spec
    }

    // `ranges` beside what says the same of all of them; a `start` of nothing says nothing.
    fn said_twice(&self, written: &BTreeMap<String, Span>) -> Option<Diagnostic> {
        let span = written.get(RANGES).filter(|_| !self.ranges.is_empty())?;
        let start = written.get("start").filter(|_| !self.start.is_zero());
        let end = written.get("end").filter(|_| self.end.is_some());
        let (key, other) = start
            .map(|it| ("start", it))
            .or(end.map(|it| ("end", it)))?;
        let message = format!("`{RANGES}` cannot stand beside `{key}`");
        Some(Diagnostic::error(*span, message).also(*other, "").help(format!(
            "leave `{key}` out: each range says where it begins and ends; `{RANGES} = []` leaves out \
             those of a recipe that is extended"
        )))
    }

    /// The parts of a video that are wanted, no more than the `first` of them where that is given.
    pub fn wanted(&self, first: Option<Duration>) -> TimeRanges {
        let whole = TimeRange {
            start: self.start,
            end: self.end,
        };
        let ranges = TimeRanges::new(self.ranges.clone()).unwrap_or(whole.into());
        match first {
            Some(first) => ranges.first(first),
            None => ranges,
        }
    }
}

impl StageParameters for ExtractSpec {
    fn ports(&self) -> Ports {
        Ports {
            takes: &[],
            inputs: InputCount::None,
            gives: &[ItemKind::Frame, ItemKind::Sound],
        }
    }
}

/// Which frames can be sampled.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ExtractMode {
    /// Any frame: the one on screen at each sample.
    #[default]
    Exact,
    /// Keyframes alone: the nearest to each sample, with its own time; nothing else is decoded.
    Keyframes,
}
