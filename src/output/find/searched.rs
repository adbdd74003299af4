//! What of results is searched: classes of objects, and words, with their times. All else is passed
//! over, so that a thousand files are read in a second.

use crate::disk;
use crate::output::results::read::LARGEST;
use crate::output::results::read::LARGEST_NUMBER;
use crate::output::results::read::MOST_VALUES;
use crate::output::results::read::ReadError;
use crate::output::results::read::Unread;
use crate::output::results::read::count_values;
use crate::output::results::read::shape;
use crate::output::results::results::FORMAT;
use serde::Deserialize;
use serde_json::error::Category;
use std::collections::BTreeMap;
use std::path::Path;

/// Results, as far as they are searched.
#[derive(Debug, Deserialize)]
pub struct SearchedResults {
    format: u64,
    /// The video, as the run named it.
    pub video: String,
    #[serde(default)]
    config: SearchedConfig,
    detections: Vec<SearchedFrame>,
    #[serde(default)]
    stages: BTreeMap<String, SearchedStage>,
    #[serde(default)]
    transcription: SearchedSpeech,
}

#[derive(Debug, Default, Deserialize)]
struct SearchedConfig {
    fps: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct SearchedStage {
    #[serde(default)]
    detections: Vec<SearchedFrame>,
}

/// A frame that was looked at.
#[derive(Debug, Deserialize)]
pub(super) struct SearchedFrame {
    pub(super) timestamp: f64,
    #[serde(default = "one")]
    pub(super) samples: u64,
    #[serde(default)]
    pub(super) detections: Vec<SearchedObject>,
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

    /// What is said.
    pub(super) fn segments(&self) -> &[SearchedSegment] {
        &self.transcription.segments
    }

    /// Seconds between two samples.
    pub(super) fn apart(&self) -> f64 {
        let fps = self.config.fps.filter(|fps| *fps > 0.0);
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
    // A list would be read as the fields of a struct in their order.
    if *first.ok_or(Unread::Empty)? != b'{' {
        let missing = "detections";
        return Err(Unread::Other { missing });
    }
    count_values(text, MOST_VALUES)?;
    let mut results: SearchedResults =
        serde_json::from_slice(text).map_err(|error| match error.classify() {
            Category::Eof => Unread::Truncated { line: error.line() },
            Category::Io | Category::Syntax => Unread::Syntax(error),
            Category::Data => shape(&error),
        })?;
    match results.format {
        format if format == u64::from(FORMAT) => {}
        format if format > u64::from(FORMAT) => return Err(Unread::Newer(format)),
        _ => return Err(Unread::Shape(format!("its `format` is not {FORMAT}"))),
    }
    let is_time = |time: f64| time.abs() <= LARGEST_NUMBER;
    let others = results.stages.values_mut().map(|it| &mut it.detections);
    for frames in [&mut results.detections].into_iter().chain(others) {
        frames.retain(|frame| is_time(frame.timestamp));
        frames.sort_by(|a, b| a.timestamp.total_cmp(&b.timestamp));
    }
    let segments = &mut results.transcription.segments;
    segments.retain(|it| is_time(it.start) && is_time(it.end));
    for segment in segments {
        segment
            .words
            .retain(|it| is_time(it.start) && is_time(it.end));
    }
    Ok(results)
}

fn one() -> u64 {
    1
}
