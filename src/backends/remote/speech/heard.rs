//! Answers of servers that listen, in all spellings that are known, read with suspicion.
//!
//! | who | segments | words | language |
//! |---|---|---|---|
//! | a handler of one's own | `transcription`, with `confidence` | in each segment | `language` |
//! | RunPod's faster-whisper | `segments` | `word_timestamps` | `detected_language` |
//! | OpenAI and its like | `segments` | `words` | `language`, a name or a code |
//!
//! Does not know how an answer came.

use crate::backends::remote::speech::languages;
use crate::failure::Class;
use crate::failure::Failure;
use crate::speech::Heard;
use crate::speech::Segment;
use crate::speech::Word;
use serde_json::Value;

// More than anybody says in a chunk.
const MOST_SEGMENTS: usize = 100_000;

/// What was heard in sound of this many seconds.
///
/// # Errors
///
/// Of class `bad-answer` where the answer is none of these, or has a time that is no number.
pub fn heard(output: &Value, length: f64) -> Result<Heard, Failure> {
    let list = |name: &str| output.get(name).and_then(Value::as_array);
    let segments = list("segments").or_else(|| list("transcription"));
    let words = list("word_timestamps").or_else(|| list("words"));
    let mut segments: Vec<Segment> = match (segments, text(output)) {
        (Some(segments), _) if segments.len() > MOST_SEGMENTS => {
            return Err(bad(format!("it has {} segments", segments.len())));
        }
        (Some(segments), _) => segments.iter().map(segment).collect::<Result<_, _>>()?,
        // A server that tells no times; the whole is one segment.
        (None, Some(text)) => whole(text, length),
        (None, None) => return Err(bad("it has no list of segments")),
    };
    segments.sort_by(|a, b| a.start.total_cmp(&b.start));
    if let Some(words) = words {
        let words = words.iter().map(word).collect::<Result<Vec<_>, _>>()?;
        give(&mut segments, words);
    }
    let language = output.get("language").or(output.get("detected_language"));
    Ok(Heard {
        language: language.and_then(Value::as_str).and_then(languages::code),
        language_probability: share(output.get("language_probability")),
        segments,
    })
}

fn text(output: &Value) -> Option<&str> {
    let text = output.get("text").or(output.get("transcription"));
    text.and_then(Value::as_str)
}

fn whole(text: &str, length: f64) -> Vec<Segment> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    vec![Segment {
        end: length,
        text: text.to_owned(),
        ..Segment::default()
    }]
}

fn segment(value: &Value) -> Result<Segment, Failure> {
    let (start, end) = times(value)?;
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
    let (start, end) = times(value)?;
    let text = string(value, "word").or_else(|failure| string(value, "text").map_err(|_| failure));
    Ok(Word {
        start,
        end,
        word: text?.to_owned(),
        probability: share(value.get("probability").or(value.get("score"))),
    })
}

fn times(value: &Value) -> Result<(f64, f64), Failure> {
    let time = |name: &str| {
        let time = number(value.get(name));
        time.ok_or_else(|| bad(format!("something that was said has no `{name}`")))
    };
    let (start, end) = (time("start")?, time("end")?);
    Ok((start, end.max(start)))
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

// Each word to the segment in which it is, or the last that began before it.
fn give(segments: &mut [Segment], words: Vec<Word>) {
    if segments.iter().any(|segment| !segment.words.is_empty()) {
        return;
    }
    for word in words {
        let centre = f64::midpoint(word.start, word.end);
        let after = segments.partition_point(|segment| segment.start <= centre);
        if let Some(segment) = segments.get_mut(after.saturating_sub(1)) {
            segment.words.push(word);
        }
    }
}

fn bad(why: impl AsRef<str>) -> Failure {
    let message = format!("the answer cannot be used: {}", why.as_ref());
    Failure::new(Class::BadAnswer, message)
}

#[cfg(test)]
mod tests {
    use super::heard;
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
        let first = heard(&handler, 11.0).unwrap();
        assert_eq!(first.segments[0].words.len(), 2);
        assert_eq!(first.segments[0].avg_logprob, Some(-0.25));
        assert_eq!(first.language.as_deref(), Some("en"));
        assert_eq!(heard(&official, 11.0).unwrap(), first);
        assert_eq!(heard(&openai, 11.0).unwrap(), first);
    }

    #[test]
    fn little_is_little_and_nothing_is_no_answer() {
        let bare = heard(&json!({"text": "Hi."}), 4.0).unwrap();
        assert_eq!((bare.segments[0].start, bare.segments[0].end), (0.0, 4.0));
        assert!(
            heard(&json!({"text": " "}), 4.0)
                .unwrap()
                .segments
                .is_empty()
        );
        let silent = json!({"segments": [], "detected_language": "cy", "transcription": ""});
        assert!(heard(&silent, 4.0).unwrap().segments.is_empty());
        for wrong in [
            json!(null),
            json!("words"),
            json!([]),
            json!({"segments": "words"}),
            json!({"segments": [{"start": 0, "end": 1}]}),
            json!({"segments": [{"start": "NaN", "end": 1, "text": "a"}]}),
            json!({"segments": [{"start": 0, "text": "a"}]}),
            json!({"segments": [{"start": 0, "end": 1, "text": 7}]}),
            json!({"segments": [{"start": 0, "end": 1, "text": "a", "words": [{"start": 0}]}]}),
            json!({"segments": [], "words": [7]}),
        ] {
            let failure = heard(&wrong, 4.0).unwrap_err();
            assert!(failure.to_string().contains("cannot be used"), "{wrong}");
        }
    }
}
