//! Results out of a file, which may come from anywhere: its size, its values and its numbers are
//! bounded before anybody computes with them.

use crate::disk;
use crate::output::results::known_classes;
use crate::output::results::results::Entry;
use crate::output::results::results::FORMAT;
use crate::output::results::results::Object;
use crate::output::results::results::Results;
use crate::output::results::results::Seen;
use crate::output::results::results::StageOutput;
use crate::output::results::snapshot::VARYING;
use crate::output::results::text::FleetingText;
use crate::output::results::transcription::Transcription;
use serde::Deserialize;
use serde::de::DeserializeSeed;
use serde::de::Error;
use serde::de::IgnoredAny;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;
use serde_json::Deserializer;
use serde_json::Value;
use serde_json::error::Category;
use std::cell::Cell;
use std::fmt;
use std::io;
use std::io::BufReader;
use std::path::Path;
use std::path::PathBuf;

/// The bytes of the largest file: ten hours of video with thirty objects a second have half of it.
pub(in crate::output) const LARGEST: u64 = 256 << 20;

/// The most values in a file, an object with its box being nine, and fourteen where it is tracked: a
/// list of `0` takes thirty times the memory of its text.
pub(in crate::output) const MOST_VALUES: u64 = 16_000_000;

/// The most objects in one frame.
const MOST_OBJECTS: usize = 3_000;

/// The most letters in a transcript: thirty hours of speech.
const LONGEST_TRANSCRIPT: usize = 2 << 20;

/// The largest number that is a coordinate in pixels, or a time in seconds.
pub(in crate::output) const LARGEST_NUMBER: f64 = 1e9;

/// Why a file is not read as results.
#[derive(Debug, thiserror::Error)]
#[error("{} {why}", .path.display())]
pub struct ReadError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub why: Unread,
}

/// Why a text is not read as results.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// There is no such file, or it is none of bounded size.
    #[error("cannot be read: {0}")]
    File(io::Error),
    /// There is nothing in it.
    #[error("is empty")]
    Empty,
    /// It is cut short.
    #[error("ends in the middle, at line {line}")]
    Truncated {
        /// The last line.
        line: usize,
    },
    /// It is not JSON.
    #[error("is not JSON: {0}")]
    Syntax(serde_json::Error),
    /// It is JSON, and no results.
    #[error("is not the results of a video: it has no `{missing}`")]
    Other {
        /// A key that all results have.
        missing: &'static str,
    },
    /// A later version of this program wrote it.
    #[error("has the format {0}, and this version of vpipe reads format {FORMAT}")]
    Newer(u64),
    /// A key is missing, or its value is of another kind.
    #[error("is not whole: {0}")]
    Shape(String),
    /// It has more than is read.
    #[error("has too much in it: {0}")]
    TooMuch(String),
    /// A number is none that a run writes.
    #[error("holds a number that no run writes: {0}")]
    Number(String),
    /// Its entries are not in the order of their frames, or two are of one frame.
    #[error("has two entries in the wrong order: {0}")]
    Order(String),
}

impl ReadError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self.why {
            Unread::File(_) | Unread::Empty | Unread::Other { .. } | Unread::Syntax(_) => {
                "name a file that `vpipe run` has written, such as output/clip_results.json"
            }
            Unread::Truncated { .. } => {
                "the rest of it is lost: run the recipe again, or copy the file anew"
            }
            Unread::Newer(_) => "update vpipe to read it",
            Unread::TooMuch(_) => "take a part of the video: `vpipe run` takes --first 10m",
            Unread::Shape(_) | Unread::Number(_) | Unread::Order(_) => {
                "it was changed since `vpipe run` wrote it; run the recipe again"
            }
        }
    }
}

/// The results in a file, or the snapshot of some.
///
/// # Errors
///
/// Where there are none, they are not whole, a later version wrote them, or they hold more than
/// bounds allow or numbers that no run writes.
pub fn read_results(path: &Path) -> Result<Results, ReadError> {
    let text = disk::read_plain(path, LARGEST).map_err(Unread::File);
    text.and_then(parse).map_err(|why| ReadError {
        path: path.to_owned(),
        why,
    })
}

// The results in a text.
fn parse(mut text: Vec<u8>) -> Result<Results, Unread> {
    // Saved by an editor of Windows.
    if text.starts_with(b"\xef\xbb\xbf") {
        text.drain(..3);
    }
    if text.trim_ascii().is_empty() {
        return Err(Unread::Empty);
    }
    count_values(&text, MOST_VALUES)?;
    check_head(&text)?;
    let text = BufReader::new(FleetingText::of(text));
    let mut results: Results = serde_json::from_reader(text).map_err(|error| shape(&error))?;
    check(&results)?;
    known_classes::complete(&mut results);
    Ok(results)
}

/// Whether a JSON text is results of this version, and those of a video at all.
pub(in crate::output) fn check_head(text: &[u8]) -> Result<(), Unread> {
    let other = Unread::Other {
        missing: "detections",
    };
    // A list would be read as the fields of a struct in their order.
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    let head: Head = match first {
        Some(b'{') => serde_json::from_slice(text).map_err(|_| other)?,
        _ => return Err(other),
    };
    for (is_missing, missing) in [
        (head.detections.is_none(), "detections"),
        (head.format.is_none(), "format"),
    ] {
        if is_missing {
            return Err(Unread::Other { missing });
        }
    }
    match head.format.as_ref().and_then(Value::as_u64) {
        Some(format) if format == u64::from(FORMAT) => {}
        Some(format) if format > u64::from(FORMAT) => return Err(Unread::Newer(format)),
        _ => return Err(Unread::Shape(format!("its `format` is not {FORMAT}"))),
    }
    head.check_varying()
}

// What says whether a text is results; all else is passed over.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    format: Option<Value>,
    #[serde(default)]
    detections: Option<IgnoredAny>,
    #[serde(default)]
    processed_at: Option<IgnoredAny>,
    #[serde(default)]
    processing_time: Option<IgnoredAny>,
    #[serde(default)]
    run: Option<IgnoredAny>,
}

impl Head {
    // A snapshot has none of them, and results have all.
    fn check_varying(&self) -> Result<(), Unread> {
        let lacks = [&self.processed_at, &self.processing_time, &self.run].map(Option::is_none);
        match VARYING
            .iter()
            .zip(lacks)
            .find(|(_, is_lacking)| *is_lacking)
        {
            Some((key, _)) if lacks.contains(&false) => {
                Err(Unread::Shape(format!("missing field `{key}`")))
            }
            _ => Ok(()),
        }
    }
}

/// Why JSON is not that of results.
pub(in crate::output) fn shape(error: &serde_json::Error) -> Unread {
    let what = error.to_string();
    // The names of types say nothing to a user; those of keys do.
    let of_key = ["missing field", "duplicate field"];
    let is_of_key = of_key.iter().any(|it| what.starts_with(it));
    Unread::Shape(match is_of_key {
        true => what,
        false => format!(
            "what stands there is of another kind than results hold, at line {} column {}",
            error.line(),
            error.column()
        ),
    })
}

fn check(results: &Results) -> Result<(), Unread> {
    entries("", &results.detections)?;
    transcription("", &results.transcription)?;
    for (id, output) in &results.stages {
        match output {
            StageOutput::Detected(detected) => entries(id.as_str(), &detected.detections)?,
            StageOutput::Recorded { records, .. } => entries(id.as_str(), records)?,
            StageOutput::Transcribed { transcription: it } => transcription(id.as_str(), it)?,
        }
    }
    Ok(())
}

fn entries(stage: &str, entries: &[Entry]) -> Result<(), Unread> {
    for entry in entries {
        let place = || place(stage, &format!("frame {}", entry.frame_number));
        number(place, "timestamp", entry.timestamp)?;
        if let Seen::Objects { detections, .. } = &entry.seen {
            if detections.len() > MOST_OBJECTS {
                let count = detections.len();
                return Err(Unread::TooMuch(format!(
                    "{} has {count} objects, and at most {MOST_OBJECTS} are read",
                    place()
                )));
            }
            detections.iter().try_for_each(|it| object(place, it))?;
        }
    }
    let times = entries.iter().map(|it| (it.frame_number, it.timestamp));
    order(stage, times)
}

/// Whether frames, by their numbers and times, are in order.
pub(in crate::output) fn order(
    stage: &str,
    mut frames: impl Iterator<Item = (u64, f64)>,
) -> Result<(), Unread> {
    let Some(mut last) = frames.next() else {
        return Ok(());
    };
    for next in frames {
        if last.0 >= next.0 || last.1 > next.1 {
            let place = place(stage, &format!("frame {}", next.0));
            return Err(Unread::Order(format!(
                "{place} comes after frame {}",
                last.0
            )));
        }
        last = next;
    }
    Ok(())
}

fn object(place: impl Fn() -> String + Copy, object: &Object) -> Result<(), Unread> {
    for side in object.bbox {
        number(place, "bbox", side)?;
    }
    share(place, object.confidence)
}

/// Whether a confidence is one.
pub(in crate::output) fn share(place: impl Fn() -> String, confidence: f64) -> Result<(), Unread> {
    match (0.0..=1.0).contains(&confidence) {
        true => Ok(()),
        false => Err(Unread::Number(format!(
            "{}, confidence: {confidence}",
            place()
        ))),
    }
}

fn transcription(stage: &str, transcription: &Transcription) -> Result<(), Unread> {
    let Transcription::Transcribed(said) = transcription else {
        return Ok(());
    };
    let place = || place(stage, "transcription");
    let letters = said.segments.iter().map(|segment| segment.text.len());
    if letters.sum::<usize>() > LONGEST_TRANSCRIPT {
        return Err(Unread::TooMuch(format!(
            "its {} has more than {LONGEST_TRANSCRIPT} letters",
            place()
        )));
    }
    number(place, "duration", said.duration)?;
    let segments = said.segments.iter().flat_map(|segment| {
        let words = segment.words.iter().flat_map(|it| [it.start, it.end]);
        [segment.start, segment.end].into_iter().chain(words)
    });
    let gaps = said.gaps.iter().flat_map(|gap| [gap.start, gap.end]);
    let mut times = segments.chain(gaps);
    times.try_for_each(|time| number(place, "time", time))
}

/// Where something stands, in the output of a stage or at the top.
pub(in crate::output) fn place(stage: &str, place: &str) -> String {
    match stage {
        "" => place.to_owned(),
        stage => format!("{place} of {stage}"),
    }
}

/// Whether a number is one that may be computed with.
pub(in crate::output) fn number(
    place: impl Fn() -> String,
    key: &str,
    value: f64,
) -> Result<(), Unread> {
    match value.abs() <= LARGEST_NUMBER {
        true => Ok(()),
        false => Err(Unread::Number(format!("{}, {key}: {value:e}", place()))),
    }
}

// Passes over a text and counts its values, so that none is made of one that has too many.
pub(in crate::output) fn count_values(text: &[u8], most: u64) -> Result<(), Unread> {
    let left = Cell::new(Some(most));
    let mut json = Deserializer::from_slice(text);
    let counted = Counted(&left).deserialize(&mut json);
    let counted = counted.and_then(|()| json.end());
    if left.get().is_none() {
        return Err(Unread::TooMuch(format!("more than {most} values")));
    }
    counted.map_err(|error| match error.classify() {
        Category::Eof => Unread::Truncated { line: error.line() },
        Category::Io | Category::Syntax | Category::Data => Unread::Syntax(error),
    })
}

#[derive(Clone, Copy)]
struct Counted<'a>(&'a Cell<Option<u64>>);

impl Counted<'_> {
    fn one<E: Error>(self) -> Result<(), E> {
        let left = self.0.get().and_then(|left| left.checked_sub(1));
        self.0.set(left);
        left.map(|_| ()).ok_or_else(|| E::custom("too many values"))
    }
}

impl<'de> DeserializeSeed<'de> for Counted<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Counted<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.one()
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.one()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.one()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.one()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.one()
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        self.one()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.one()?;
        while items.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        self.one()?;
        while fields.next_key::<IgnoredAny>()?.is_some() {
            fields.next_value_seed(self)?;
        }
        Ok(())
    }
}
