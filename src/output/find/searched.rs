//! What of results is searched: classes of objects, and words, with their times. All else is passed
//! over, so that a thousand files are read in a second.

use crate::disk;
use crate::output::find::words::is_same;
use crate::output::results::read::LARGEST;
use crate::output::results::read::LARGEST_NUMBER;
use crate::output::results::read::MOST_VALUES;
use crate::output::results::read::ReadError;
use crate::output::results::read::Unread;
use crate::output::results::read::check_head;
use crate::output::results::read::count_values;
use crate::output::results::read::number;
use crate::output::results::read::order;
use crate::output::results::read::place;
use crate::output::results::read::shape;
use crate::output::results::read::share;
use crate::output::results::results::FORMAT;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;

// The most samples a second that a recipe asks for.
const MOST_FPS: f64 = 1_000.0;

/// Results, as far as they are searched.
#[derive(Debug, Deserialize)]
pub struct SearchedResults {
    format: u64,
    /// The video, as the run named it.
    pub video: String,
    #[serde(default)]
    config: SearchedConfig,
    #[serde(default)]
    source: SearchedSource,
    detections: Vec<SearchedFrame>,
    #[serde(default)]
    classes: Vec<SearchedClass>,
    #[serde(default)]
    stages: BTreeMap<String, SearchedStage>,
    #[serde(default)]
    transcription: SearchedSpeech,
}

#[derive(Debug, Default, Deserialize)]
struct SearchedConfig {
    fps: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
struct SearchedSource {
    duration: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct SearchedStage {
    #[serde(default)]
    detections: Vec<SearchedFrame>,
    #[serde(default)]
    classes: Vec<SearchedClass>,
    #[serde(default)]
    transcription: SearchedSpeech,
}

/// A class that a model declares, or that was seen.
#[derive(Debug, Deserialize)]
struct SearchedClass {
    class_name: Box<str>,
}

/// A frame that was sampled.
#[derive(Debug, Deserialize)]
pub(super) struct SearchedFrame {
    frame_number: u64,
    pub(super) timestamp: f64,
    #[serde(default = "one")]
    pub(super) samples: u64,
    #[serde(default)]
    pub(super) detections: Vec<SearchedObject>,
    #[serde(default)]
    error: Option<IgnoredAny>,
    #[serde(default)]
    skipped: Option<IgnoredAny>,
}

/// What was found in it.
#[derive(Debug, Deserialize)]
pub(super) struct SearchedObject {
    pub(super) class_name: Box<str>,
    pub(super) confidence: f64,
}

#[derive(Debug, Default, Deserialize)]
struct SearchedSpeech {
    #[serde(default)]
    segments: Vec<SearchedSegment>,
    #[serde(default)]
    gaps: Vec<IgnoredAny>,
    #[serde(default)]
    error: Option<IgnoredAny>,
}

/// About a sentence.
#[derive(Debug, Deserialize)]
pub(super) struct SearchedSegment {
    pub(super) start: f64,
    pub(super) end: f64,
    pub(super) text: String,
    #[serde(default)]
    pub(super) words: Vec<SearchedWord>,
}

/// A word of it.
#[derive(Debug, Deserialize)]
pub(super) struct SearchedWord {
    pub(super) word: Box<str>,
    pub(super) start: f64,
    pub(super) end: f64,
}

impl SearchedResults {
    /// The frames of each stage that looks for boxes.
    pub(super) fn frames(&self) -> impl Iterator<Item = &[SearchedFrame]> {
        let others = self
            .stages
            .values()
            .map(|stage| stage.detections.as_slice());
        [self.detections.as_slice()].into_iter().chain(others)
    }

    /// What each stage that listens heard, a transcript each.
    pub(super) fn speeches(&self) -> impl Iterator<Item = &[SearchedSegment]> {
        let others = self.stages.values().map(|stage| &stage.transcription);
        let all = [&self.transcription].into_iter().chain(others);
        all.map(|speech| speech.segments.as_slice())
    }

    /// Whether a model knows a class of this name, case and accents aside, or one was seen.
    pub fn knows(&self, class: &str) -> bool {
        let declared = self.stages.values().flat_map(|stage| &stage.classes);
        let mut declared = self.classes.iter().chain(declared);
        let seen = self.frames().flatten();
        let mut seen = seen.flat_map(|frame| &frame.detections);
        declared.any(|it| is_same(&it.class_name, class))
            || seen.any(|it| is_same(&it.class_name, class))
    }

    /// Frames without an answer of a stage that looks for boxes, each once.
    pub fn unanswered_frames(&self) -> u64 {
        let is_unanswered =
            |frame: &&SearchedFrame| frame.error.is_some() || frame.skipped.is_some();
        let unanswered = self.frames().flatten().filter(is_unanswered);
        let numbers: BTreeSet<u64> = unanswered.map(|frame| frame.frame_number).collect();
        numbers.len() as u64
    }

    /// Parts of the sound without an answer.
    pub fn unanswered_sound(&self) -> u64 {
        let of = |speech: &SearchedSpeech| speech.gaps.len() + usize::from(speech.error.is_some());
        let others = self.stages.values().map(|stage| of(&stage.transcription));
        others.chain([of(&self.transcription)]).max().unwrap_or(0) as u64
    }

    /// Seconds, where the video says how long it is.
    pub(super) fn duration(&self) -> Option<f64> {
        self.source.duration
    }

    /// Seconds between two samples.
    pub(super) fn apart(&self) -> f64 {
        let allowed = LARGEST_NUMBER.recip()..=MOST_FPS;
        let fps = self.config.fps.filter(|fps| allowed.contains(fps));
        fps.map_or(1.0, f64::recip)
    }
}

/// What is searched of the results in a file.
///
/// # Errors
///
/// Where there are none, a later version wrote them, or they hold more than bounds allow.
pub fn read_searched(path: &Path) -> Result<SearchedResults, ReadError> {
    let text = disk::read_plain(path, LARGEST).map_err(Unread::File);
    text.and_then(|text| parse(&text)).map_err(|why| ReadError {
        path: path.to_owned(),
        why,
    })
}

/// What is searched of the results in a text.
pub(super) fn parse(text: &[u8]) -> Result<SearchedResults, Unread> {
    // Saved by an editor of Windows.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    let first = *first.ok_or(Unread::Empty)?;
    count_values(text, MOST_VALUES)?;
    // A list would be read as the fields of a struct in their order.
    if first != b'{' {
        let missing = "detections";
        return Err(Unread::Other { missing });
    }
    let results = serde_json::from_slice(text);
    let results: SearchedResults = results.map_err(|error| match check_head(text) {
        Ok(()) => shape(&error),
        Err(why) => why,
    })?;
    if results.format != u64::from(FORMAT) {
        check_head(text)?;
    }
    check(&results)?;
    Ok(results)
}

// The same bounds as where all of the results are read.
fn check(results: &SearchedResults) -> Result<(), Unread> {
    frames("", &results.detections)?;
    speech("", &results.transcription)?;
    for (id, stage) in &results.stages {
        frames(id, &stage.detections)?;
        speech(id, &stage.transcription)?;
    }
    let duration = results.source.duration.unwrap_or_default();
    number(|| "source".to_owned(), "duration", duration)
}

fn frames(stage: &str, frames: &[SearchedFrame]) -> Result<(), Unread> {
    for frame in frames {
        let place = || place(stage, &format!("frame {}", frame.frame_number));
        number(place, "timestamp", frame.timestamp)?;
        let mut objects = frame.detections.iter();
        objects.try_for_each(|it| share(place, it.confidence))?;
    }
    let times = frames.iter().map(|it| (it.frame_number, it.timestamp));
    order(stage, times)
}

fn speech(stage: &str, speech: &SearchedSpeech) -> Result<(), Unread> {
    let mut times = speech.segments.iter().flat_map(|segment| {
        let words = segment.words.iter().flat_map(|it| [it.start, it.end]);
        [segment.start, segment.end].into_iter().chain(words)
    });
    times.try_for_each(|time| number(|| place(stage, "transcription"), "time", time))
}

fn one() -> u64 {
    1
}
