//! Answers of speech servers as they are met in the field, and what is read of them.

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
