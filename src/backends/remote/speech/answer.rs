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

use super::languages;
use super::subtitles;
use super::timing::settle;
use crate::failure::Class;
use crate::failure::Failure;
use crate::speech::Recognition;
use crate::speech::Segment;
use crate::speech::Word;
use crate::speech::align;
use crate::speech::join;
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
        language: language.and_then(languages::code),
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
            let inner: Value = serde_json::from_str(text).ok()?;
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
mod tests {
    use super::SentSound;
    use super::recognition;
    use super::text_of;
    use serde_json::Value;
    use serde_json::json;

    #[test]
    fn every_spelling_says_the_same() {
        let handler = json!({
            "transcription": [
                {"start": 0.0, "end": 2.5, "text": "Hello there.", "confidence": -0.25,
                 "words": [{"word": " Hello", "start": 0.1, "end": 0.9, "probability": 0.5},
                           {"word": " there.", "start": 1, "end": 2.4, "probability": 0.5}]},
                {"start": 3, "end": 4, "text": "Bye.", "confidence": -0.25,
                 "words": [{"word": " Bye.", "start": 3, "end": 3.9, "probability": 0.5}]},
            ],
            "language": "en", "language_probability": 0.75, "duration": 10.5, "processing_time": 1,
        });
        let segments = json!([
            {"id": 1, "seek": 0, "start": 0.0, "end": 2.5, "text": "Hello there.", "tokens": [1],
             "temperature": 0.0, "avg_logprob": -0.25, "compression_ratio": 0.5},
            {"id": 2, "seek": 0, "start": 3.0, "end": 4.0, "text": "Bye.", "tokens": [],
             "temperature": 0.0, "avg_logprob": -0.25, "compression_ratio": 0.5},
        ]);
        let words = json!([
            {"word": " Hello", "start": 0.1, "end": 0.9, "probability": 0.5},
            {"word": " there.", "start": 1.0, "end": 2.4, "probability": 0.5},
            {"word": " Bye.", "start": "3.0", "end": "3.9", "probability": 0.5},
        ]);
        let official = json!({
            "segments": segments, "detected_language": "en", "language_probability": 0.75,
            "transcription": "Hello there. Bye.", "translation": null, "device": "cuda",
            "model": "turbo", "word_timestamps": words,
        });
        let openai = json!({
            "task": "transcribe", "language": "english", "duration": "10.5", "text": "Hello",
            "segments": segments, "words": words, "language_probability": 0.75,
            "usage": {"type": "duration", "seconds": 11},
        });
        let sent = SentSound {
            seconds: 11.0,
            translate: false,
        };
        let first = recognition(&handler, &sent).unwrap();
        assert_eq!(first.segments[0].words.len(), 2);
        assert_eq!(first.segments[0].avg_logprob, Some(-0.25));
        assert_eq!(first.language.as_deref(), Some("en"));
        assert_eq!(recognition(&official, &sent).unwrap(), first);
        assert_eq!(recognition(&openai, &sent).unwrap(), first);
    }

    fn told(output: &Value, seconds: f64) -> Vec<(f64, f64, String)> {
        let sent = SentSound {
            seconds,
            translate: false,
        };
        let segments = recognition(output, &sent).unwrap().segments.into_iter();
        segments.map(|it| (it.start, it.end, it.text)).collect()
    }

    fn one(start: f64, end: f64, text: &str) -> (f64, f64, String) {
        (start, end, text.to_owned())
    }

    #[test]
    fn a_text_alone_is_a_transcript() {
        let whole = vec![one(0.0, 4.0, "Hi there.")];
        for output in [
            json!({"text": "Hi there."}),
            json!({"text": " Hi there.\n", "segments": [], "language": "en"}),
            json!({"text": "Hi there.", "segments": null, "words": null}),
            json!({"segments": [{"id": 0, "text": "Hi there."}]}),
            json!({"segments": [{"start": null, "end": "NaN", "text": "Hi there."}, {"text": " "}]}),
            json!("Hi there."),
            json!(["Hi there."]),
            json!([{"text": "Hi there."}]),
            json!("{\"text\": \"Hi there.\"}"),
            json!("1\n00:00:00,000 --> 00:00:04,000\nHi there.\n"),
            json!({"text": "WEBVTT\n\n00:00.000 --> 00:04.000\nHi there.\n"}),
            json!({"text": "Hi there.", "chunks": [{"timestamp": [0.0, null], "text": "Hi there."}]}),
            json!({"transcription": [{"timestamps": {"from": "00:00:00,000", "to": "00:00:04,000"},
                   "offsets": {"from": 0, "to": 4000}, "text": "Hi there."}]}),
            json!([{"start": "0", "end": "0:04.000", "text": "Hi there."}]),
        ] {
            assert_eq!(told(&output, 4.0), whole, "{output}");
        }
        for nothing in [
            json!({"text": " "}),
            json!({"segments": [], "detected_language": "cy", "transcription": ""}),
            json!({"segments": [{"start": 0, "end": 1, "text": ""}]}),
        ] {
            assert_eq!(told(&nothing, 4.0), [], "{nothing}");
        }
    }

    #[test]
    fn sentences_take_the_times_of_their_words() {
        let words = json!([
            {"word": "it", "start": 0.5, "end": 0.7}, {"word": "stops", "start": 0.8, "end": 1.5},
            {"word": "now"}, {"word": "it", "start": 2.5, "end": 2.7},
            {"word": "moves", "start": 2.8, "end": 3.5},
        ]);
        let output = json!({"text": "It stops. Now it moves.", "words": words});
        let wanted = [one(0.5, 1.5, "It stops."), one(1.5, 3.5, "Now it moves.")];
        assert_eq!(told(&output, 4.0), wanted);
        // A word is where its text is, whatever its time; one without times is between the others.
        let segments = json!([
            {"start": 0.0, "end": 0.6, "text": "It stops."},
            {"start": 0.6, "end": 3.5, "text": "Now it moves."},
        ]);
        let sent = SentSound {
            seconds: 4.0,
            translate: false,
        };
        let output = json!({"segments": segments, "words": words});
        let segments = recognition(&output, &sent).unwrap().segments;
        let words: Vec<_> = segments[1]
            .words
            .iter()
            .map(|it| (it.start, it.end))
            .collect();
        assert_eq!(segments[0].words.len(), 2);
        assert_eq!(words, [(1.5, 2.5), (2.5, 2.7), (2.8, 3.5)]);
    }

    #[test]
    fn times_are_read_in_their_unit_or_refused() {
        let output = |unit: f64| {
            json!({"segments": [
                {"start": 1.5 * unit, "end": 3.0 * unit, "text": "two"},
                {"start": 0, "end": 1.5 * unit, "text": "one"},
                {"start": 3.5 * unit, "end": 3.2 * unit, "text": "three"},
            ]})
        };
        let wanted = [
            one(0.0, 1.5, "one"),
            one(1.5, 3.0, "two"),
            one(3.5, 3.5, "three"),
        ];
        for unit in [1.0, 1e2, 1e3, 1e6, 1e9] {
            assert_eq!(told(&output(unit), 3.73), wanted, "{unit}");
        }
        let sent = SentSound {
            seconds: 3.73,
            translate: false,
        };
        for unit in [20.0, 1e12, 1e300] {
            let failure = recognition(&output(unit), &sent).unwrap_err().to_string();
            assert!(
                failure.contains("and 3.7 s of sound were sent"),
                "{failure}"
            );
        }
    }

    #[test]
    fn a_translation_is_what_was_asked_for() {
        let output = |translation: Value| {
            json!({
                "segments": [{"start": 1.0, "end": 1.5, "text": "Der Kreis"},
                             {"start": 1.5, "end": 3.0, "text": "ist rot."}],
                "word_timestamps": [{"word": "Der", "start": 1.0, "end": 1.2}],
                "transcription": "Der Kreis ist rot.", "detected_language": "de",
                "translation": translation,
            })
        };
        let sent = SentSound {
            seconds: 4.0,
            translate: true,
        };
        let told = |translation: Value| {
            let segments = recognition(&output(translation), &sent)
                .unwrap()
                .segments
                .into_iter();
            segments
                .map(|it| (it.start, it.end, it.text))
                .collect::<Vec<_>>()
        };
        let plain = json!("The circle is red.");
        assert_eq!(told(plain), [one(1.0, 3.0, "The circle is red.")]);
        let srt = json!(
            "1\n00:00:01,200 --> 00:00:02,000\nThe circle\n\n2\n00:00:02,000 --> 00:00:03,000\nis red.\n\n"
        );
        assert_eq!(
            told(srt),
            [one(1.2, 2.0, "The circle"), one(2.0, 3.0, "is red.")]
        );
        assert_eq!(told(json!("")), []);
        let failure = recognition(&output(Value::Null), &sent).unwrap_err();
        assert!(
            failure.to_string().contains("`translation` is null"),
            "{failure}"
        );
        // Who did not ask for it gets what was said.
        let sent = SentSound {
            translate: false,
            ..sent
        };
        let said = recognition(&output(json!("The circle is red.")), &sent).unwrap();
        assert_eq!(said.segments[1].text, "ist rot.");
    }

    #[test]
    fn what_is_no_answer_is_told() {
        let sent = SentSound {
            seconds: 4.0,
            translate: false,
        };
        for wrong in [
            json!(null),
            json!([]),
            json!({}),
            json!({"segments": "words"}),
            json!({"segments": [{"start": 0, "end": 1}]}),
            json!({"segments": [{"start": 0, "end": 1, "text": 7}]}),
            json!({"segments": [{"start": 0, "end": 1, "text": "a", "words": [{"start": 0}]}]}),
            json!({"segments": [], "words": [7]}),
        ] {
            let failure = recognition(&wrong, &sent).unwrap_err();
            assert!(failure.to_string().contains("cannot be used"), "{wrong}");
        }
    }

    #[test]
    fn a_body_may_be_text_and_is_not_a_page() {
        for text in ["Hi there.", "WEBVTT\n", "[00:00.000 --> 00:01.000] Hi"] {
            assert_eq!(text_of(text.as_bytes()), Some(json!(text)));
        }
        for other in ["", " \n", "<html>", "{\"text\":", "[1,", "a\u{0}b"] {
            assert_eq!(text_of(other.as_bytes()), None, "{other}");
        }
        assert_eq!(text_of(b"\xff\xfe"), None);
    }
}
