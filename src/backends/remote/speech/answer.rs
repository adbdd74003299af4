//! Answers of speech servers, in all spellings that are known, read with suspicion.
//!
//! | who | segments | words | language |
//! |---|---|---|---|
//! | a handler of one's own | `transcription`, with `confidence` | in each segment | `language` |
//! | RunPod's faster-whisper | `segments`; `translation` is text | `word_timestamps` | `detected_language` |
//! | OpenAI and its like | `segments` | `words` | `language`, a name or a code |
//! | Transformers' pipelines | `chunks`, with `timestamp` | as `chunks` | - |
//! | whisper.cpp | `transcription`, with `timestamps` | - | - |
//!
//! A text alone is a transcript as well, and so are subtitles. Times may be missing, be text, or be
//! in another unit than seconds. Does not know how an answer came.

use super::subtitles;
use super::timing::settle;
use crate::backends::transport::json;
use crate::failure::Class;
use crate::failure::Failure;
use crate::speech::Recognition;
use crate::speech::Segment;
use crate::speech::Word;
use crate::speech::align;
use crate::speech::join;
use crate::speech::language_code;
use crate::speech::sentences;
use serde_json::Value;

// More than anybody says in a chunk.
const MOST_SEGMENTS: usize = 100_000;

/// The sound that an answer is about, as far as it decides how the answer is read.
#[derive(Clone, Copy, Debug)]
pub struct SentSound {
    /// How long it is.
    pub seconds: f64,
    /// Whether its English translation was asked for.
    pub translate: bool,
}

/// What an answer about `sent` says.
///
/// # Errors
///
/// Of class `bad-answer` where it holds no transcript, or times that make no sense.
pub fn recognition(output: &Value, sent: &SentSound) -> Result<Recognition, Failure> {
    if let Some(inner) = unwrapped(output) {
        return recognition(&inner, sent);
    }
    let mut named = ["language", "detected_language"].iter();
    let language = named.find_map(|name| output.get(name)?.as_str());
    let (segments, words) = match translation(output, sent)? {
        Some(translation) => (translated(translation, output, sent)?, Vec::new()),
        None => transcribed(output)?,
    };
    if segments.len().max(words.len()) > MOST_SEGMENTS {
        return Err(bad(format!("it has {} segments", segments.len())));
    }
    Ok(Recognition {
        language: language.and_then(language_code),
        language_probability: share(output.get("language_probability")),
        segments: settle(segments, words, sent.seconds)?,
    })
}

/// The answer that a body which is not JSON stands for: a text, where it is one.
pub(in crate::backends::remote) fn text_of(body: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(body).ok()?;
    let is_markup = text.trim_start().starts_with('<');
    let is_broken_json = text.trim_start().starts_with(['{', '[']);
    let is_plain = !text.chars().any(|c| c.is_control() && !c.is_whitespace());
    let is_text = is_plain && !is_markup && !is_broken_json && !text.trim().is_empty();
    (is_text || subtitles::segments(text).is_some()).then(|| Value::from(text))
}

// JSON in a text, and a list of one answer.
fn unwrapped(output: &Value) -> Option<Value> {
    match output {
        Value::String(text) => {
            let inner = json::parse(text.as_bytes()).ok()?;
            (inner.is_object() || inner.is_array()).then_some(inner)
        }
        Value::Array(list) => match list.as_slice() {
            [one @ Value::Object(fields)] if !is_timed(one) => {
                let is_answer = ["text", "segments", "transcription", "chunks"]
                    .iter()
                    .any(|name| fields.contains_key(*name));
                is_answer.then(|| one.clone())
            }
            [one @ Value::String(_)] => Some(one.clone()),
            _ => None,
        },
        _ => None,
    }
}

// RunPod's faster-whisper has the translation as text beside segments that are not translated.
fn translation<'a>(output: &'a Value, sent: &SentSound) -> Result<Option<&'a str>, Failure> {
    match output.get("translation").filter(|_| sent.translate) {
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Null) if output.get("detected_language").is_some() => Err(bad(
            "a translation was asked for, and its `translation` is null",
        )),
        _ => Ok(None),
    }
}

// The segments of a translation. One without times takes the time of all that is said.
fn translated(text: &str, output: &Value, sent: &SentSound) -> Result<Vec<Segment>, Failure> {
    if let Some(segments) = subtitles::segments(text) {
        return Ok(segments);
    }
    let (segments, _) = transcribed(output)?;
    let spoken = settle(segments, Vec::new(), sent.seconds)?;
    let mut translated = whole(text);
    for segment in &mut translated {
        segment.start = spoken.first().map_or(f64::NAN, |first| first.start);
        segment.end = spoken.iter().map(|it| it.end).fold(f64::NAN, f64::max);
    }
    Ok(translated)
}

// The segments of an answer, and the words that are listed beside them.
fn transcribed(output: &Value) -> Result<(Vec<Segment>, Vec<Word>), Failure> {
    let list = |names: &[&str]| {
        let mut lists = names.iter().filter_map(|name| output.get(name)?.as_array());
        lists.next()
    };
    let words = match list(&["word_timestamps", "words"]) {
        Some(words) => words.iter().map(word).collect::<Result<Vec<_>, _>>()?,
        None => Vec::new(),
    };
    let listed = output
        .as_array()
        .filter(|list| !list.is_empty())
        .or_else(|| list(&["segments", "transcription", "chunks"]));
    let segments = match listed {
        Some(segments) => segments
            .iter()
            .map(segment)
            .collect::<Result<Vec<_>, _>>()?,
        None => Vec::new(),
    };
    let segments: Vec<Segment> = segments
        .into_iter()
        .filter(|segment| !segment.text.trim().is_empty())
        .collect();
    if !segments.is_empty() {
        return Ok((segments, words));
    }
    match text(output) {
        Some(text) => match subtitles::segments(text) {
            Some(segments) => Ok((segments, words)),
            None if words.is_empty() => Ok((whole(text), words)),
            None => Ok((by_sentences(text, words), Vec::new())),
        },
        None if !words.is_empty() => {
            let text = join(words.iter().map(|word| word.word.as_str()));
            Ok((by_sentences(&text, words), Vec::new()))
        }
        None if listed.is_some() => Ok((segments, words)),
        None => Err(bad("it has neither segments nor a text")),
    }
}

fn text(output: &Value) -> Option<&str> {
    let named = ["text", "transcription", "transcript"].iter();
    let mut named = named.filter_map(|name| output.get(name)?.as_str());
    output.as_str().or_else(|| named.next())
}

// A text without times.
fn whole(text: &str) -> Vec<Segment> {
    match text.trim() {
        "" => Vec::new(),
        text => vec![untimed(text)],
    }
}

fn untimed(text: &str) -> Segment {
    Segment {
        start: f64::NAN,
        end: f64::NAN,
        text: text.to_owned(),
        ..Segment::default()
    }
}

// A text without segments whose words have times: a segment a sentence.
fn by_sentences(text: &str, words: Vec<Word>) -> Vec<Segment> {
    let text = text.trim();
    let ranges = sentences(text);
    let mut segments: Vec<Segment> = ranges
        .iter()
        .map(|range| untimed(text.get(range.clone()).unwrap_or_default().trim()))
        .collect();
    let places = align(text, words.iter().map(|word| word.word.as_str()));
    let mut at = 0;
    for (word, place) in words.into_iter().zip(places) {
        if let Some(place) = place {
            at = ranges.partition_point(|range| range.end <= place.start);
        }
        let Some(segment) = segments.get_mut(at) else {
            continue;
        };
        if segment.words.is_empty() {
            segment.start = word.start;
        }
        segment.end = segment.end.max(word.end);
        segment.words.push(word);
    }
    segments
}

// Whether a value states when something is said.
fn is_timed(value: &Value) -> bool {
    ["start", "timestamp", "timestamps"]
        .iter()
        .any(|name| value.get(name).is_some())
}

fn segment(value: &Value) -> Result<Segment, Failure> {
    let (start, end) = times(value);
    let words = value.get("words").and_then(Value::as_array);
    let words = words.map(|words| words.iter().map(word).collect::<Result<Vec<_>, _>>());
    // A probability has no sign; the mean of logarithms that some call confidence has.
    let confidence = number(value.get("confidence")).filter(|it| *it <= 0.0);
    Ok(Segment {
        start,
        end,
        text: string(value, "text")?.to_owned(),
        avg_logprob: number(value.get("avg_logprob"))
            .or(confidence)
            .map(|it| it as f32),
        no_speech_prob: share(value.get("no_speech_prob")),
        words: words.transpose()?.unwrap_or_default(),
    })
}

fn word(value: &Value) -> Result<Word, Failure> {
    let (start, end) = times(value);
    let text = string(value, "word").or_else(|failure| string(value, "text").map_err(|_| failure));
    Ok(Word {
        start,
        end,
        word: text?.to_owned(),
        probability: share(value.get("probability").or(value.get("score"))),
    })
}

// What is stated of the times of something; NaN where it is not.
fn times(value: &Value) -> (f64, f64) {
    let pair = value.get("timestamp");
    let range = value.get("timestamps");
    let time = |name: &str, index: usize, end: &str| {
        let stated = value.get(name);
        let stated = stated.or_else(|| pair?.get(index));
        let stated = stated.or_else(|| range?.get(end));
        let clock = |value: &Value| subtitles::clock(value.as_str()?);
        number(stated)
            .or_else(|| stated.and_then(clock))
            .unwrap_or(f64::NAN)
    };
    (time("start", 0, "from"), time("end", 1, "to"))
}

// Some servers write numbers as text.
fn number(value: Option<&Value>) -> Option<f64> {
    let number = match value? {
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_f64(),
    };
    number.filter(|number| number.is_finite())
}

fn share(value: Option<&Value>) -> Option<f32> {
    let share = number(value).filter(|share| (0.0..=1.0).contains(share));
    share.map(|share| share as f32)
}

fn string<'a>(value: &'a Value, name: &str) -> Result<&'a str, Failure> {
    let text = value.get(name).and_then(Value::as_str);
    text.ok_or_else(|| bad(format!("something that was said has no `{name}`")))
}

fn bad(why: impl AsRef<str>) -> Failure {
    let message = format!("the answer cannot be used: {}", why.as_ref());
    Failure::new(Class::BadAnswer, message)
}

#[cfg(test)]
mod tests;
