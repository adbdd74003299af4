//! An answer as a line of JSON.
//!
//! What is usual is left out, and every number comes back to its last bit. A line ends in a short
//! checksum that covers what it is about too, so that one that was changed, or comes out of another
//! cassette, is told.

use crate::answer::Sample;
use crate::facts::StreamFacts;
use crate::failure::Failure;
use crate::item::Detection;
use crate::item::Fields;
use crate::item::Size;
use crate::speech::Recognition;
use crate::speech::Segment;
use crate::time::Pts;
use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde::de;
use serde::ser::SerializeSeq;
use std::fmt;
use std::sync::Arc;

/// What stands before the checksum of a line.
const CHECK: &str = ",\"check\":\"";

/// Letters of a checksum.
const LETTERS: usize = 4;

/// A line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Line {
    /// Which of the videos of the cassette, from 0.
    #[serde(skip_serializing_if = "is_first")]
    pub(super) video: usize,
    /// The time stamp of a frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pts: Option<Pts>,
    /// The object that was cut around, where that is not the whole frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) crop: Option<u32>,
    /// The first sample of a chunk of sound, and the one after its last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) samples: Option<[u64; 2]>,
    /// A frame that was sampled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) frame: Option<SampleLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sampled: Option<EndLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) objects: Option<Vec<ObjectLine>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fields: Option<Vec<Fields>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recognition: Option<Recognition>,
    /// The end of the sound of a video, in samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) heard: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) transcript: Option<TranscriptLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) segment: Option<Segment>,
}

/// A sampled frame; its place among them is that of its line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SampleLine {
    number: u64,
    seconds: f64,
    #[serde(default = "one", skip_serializing_if = "is_one")]
    samples: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    same_as: Option<u64>,
    // Where it is not that of the video.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<[u32; 2]>,
    // Where it is not that of the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<[u32; 2]>,
    // Why it could not be decoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
}

/// How reading came to its end.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndLine {
    pub(super) notices: Vec<String>,
    pub(super) stream: StreamFacts,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) failure: Option<Failure>,
}

/// A transcript without its segments, which have lines of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TranscriptLine {
    pub(super) language: Option<String>,
    pub(super) language_probability: Option<f32>,
    pub(super) duration: f64,
    pub(super) seams: Vec<f64>,
}

/// An object as a list: its box, its confidence, its class, the name of that, and of one that was
/// found in a crop the object that was cut around.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ObjectLine(pub(super) Detection);

impl SampleLine {
    /// The line of `sample`, where the video has the size `shown`.
    pub(super) fn of(sample: &Sample, shown: Size) -> Self {
        let pair = |size: Size| [size.width, size.height];
        Self {
            number: sample.frame_number,
            seconds: sample.seconds,
            samples: sample.samples,
            same_as: sample.same_as,
            source: (sample.source != shown).then(|| pair(sample.source)),
            size: (sample.size != sample.source).then(|| pair(sample.size)),
            failure: sample.failure.clone(),
        }
    }

    /// The sample that it is, the `index`th of a video of this size.
    pub(super) fn sample(&self, index: u64, pts: Pts, shown: Size) -> Sample {
        let size = |[width, height]: [u32; 2]| Size { width, height };
        let source = self.source.map_or(shown, size);
        Sample {
            index,
            frame_number: self.number,
            pts,
            seconds: self.seconds,
            samples: self.samples,
            part: None,
            source,
            size: self.size.map_or(source, size),
            same_as: self.same_as,
            failure: self.failure.clone(),
        }
    }
}

impl Line {
    /// The text of the line, without an end; `about` is what its stage and video are known by.
    pub(super) fn text(&self, about: &[u8]) -> Option<String> {
        let mut text = serde_json::to_string(self).ok()?;
        let check = checksum(about, &text);
        text.pop();
        // A line that says nothing but its check.
        let check = match text.len() {
            1 => format!("\"check\":\"{check}\"}}"),
            _ => format!("{CHECK}{check}\"}}"),
        };
        Some(text + &check)
    }

    /// The line in a text, whose checksum is still to be compared.
    pub(super) fn read(text: &str) -> Result<CheckedLine<'_>, String> {
        let end = LETTERS + "\"}".len();
        let split = text.len().checked_sub(CHECK.len() + end);
        let parts = split.and_then(|at| text.split_at_checked(at));
        let parts = parts.and_then(|(content, check)| {
            let check = check.strip_prefix(CHECK)?.strip_suffix("\"}")?;
            Some((content, check))
        });
        let Some((content, check)) = parts else {
            return Err("it does not end in a `check`: it was cut or changed".to_owned());
        };
        let content = format!("{content}}}");
        let line = serde_json::from_str(&content)
            .map_err(|error| format!("it is not a line of a cassette: {}", place(&error)))?;
        Ok(CheckedLine {
            line,
            content,
            check,
        })
    }
}

/// A line that was read.
pub(super) struct CheckedLine<'a> {
    pub(super) line: Line,
    content: String,
    check: &'a str,
}

impl CheckedLine<'_> {
    /// Whether it is what was written of `about`.
    pub(super) fn is_of(&self, about: &[u8]) -> bool {
        checksum(about, &self.content) == self.check
    }
}

// No value that stands in a file is told: it may be anything.
fn place(error: &serde_json::Error) -> String {
    match error.is_data() {
        true => format!("a value of another kind at column {}", error.column()),
        false => format!("no JSON at column {}", error.column()),
    }
}

fn checksum(about: &[u8], text: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(about).update(text.as_bytes());
    hasher.finalize().to_hex().chars().take(LETTERS).collect()
}

fn is_first(video: &usize) -> bool {
    *video == 0
}

fn one() -> u64 {
    1
}

fn is_one(count: &u64) -> bool {
    *count == 1
}

impl Serialize for ObjectLine {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let object = &self.0;
        let mut list = serializer.serialize_seq(None)?;
        for number in object.bbox.iter().chain([&object.confidence]) {
            list.serialize_element(number)?;
        }
        list.serialize_element(&object.class)?;
        list.serialize_element(&object.class_name)?;
        if let Some(parent) = object.parent {
            list.serialize_element(&parent)?;
        }
        list.end()
    }
}

impl<'de> Deserialize<'de> for ObjectLine {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> de::Visitor<'de> for ObjectVisitor {
    type Value = ObjectLine;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object: four numbers, a confidence, a class and its name")
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<ObjectLine, A::Error> {
        let short = || de::Error::custom("an object has seven values");
        let mut numbers = [0.0_f32; 5];
        for number in &mut numbers {
            // JSON writes what is not a number as null.
            let value: Option<f32> = list.next_element()?.ok_or_else(short)?;
            *number = value.unwrap_or(f32::NAN);
        }
        let [x1, y1, x2, y2, confidence] = numbers;
        let class = list.next_element()?.ok_or_else(short)?;
        let class_name: Arc<str> = list.next_element()?.ok_or_else(short)?;
        let parent = list.next_element()?;
        if list.next_element::<de::IgnoredAny>()?.is_some() {
            return Err(de::Error::custom("an object has at most eight values"));
        }
        Ok(ObjectLine(Detection {
            bbox: [x1, y1, x2, y2],
            class,
            class_name,
            confidence,
            parent,
            sight: None,
        }))
    }
}
