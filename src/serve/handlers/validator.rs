//! The input of RunPod's own faster-whisper worker: its keys and their types, and what is said of
//! others in the words of RunPod's validator.

use crate::serve::handlers::keys::Keys;
use crate::serve::job::JobError;
use serde_json::Value;

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Text,
    Flag,
    Whole,
    Real,
}

/// The keys of the worker; and `stream`, which asks for segments as they come.
const SCHEMA: [(&str, Kind); 22] = [
    ("audio", Kind::Text),
    ("audio_base64", Kind::Text),
    ("model", Kind::Text),
    ("transcription", Kind::Text),
    ("translate", Kind::Flag),
    ("translation", Kind::Text),
    ("language", Kind::Text),
    ("temperature", Kind::Real),
    ("best_of", Kind::Whole),
    ("beam_size", Kind::Whole),
    ("patience", Kind::Real),
    ("length_penalty", Kind::Real),
    ("suppress_tokens", Kind::Text),
    ("initial_prompt", Kind::Text),
    ("condition_on_previous_text", Kind::Flag),
    ("temperature_increment_on_fallback", Kind::Real),
    ("compression_ratio_threshold", Kind::Real),
    ("logprob_threshold", Kind::Real),
    ("no_speech_threshold", Kind::Real),
    ("enable_vad", Kind::Flag),
    ("word_timestamps", Kind::Flag),
    ("stream", Kind::Flag),
];

/// The most messages about one input.
const MOST_MESSAGES: usize = 40;

/// Refuses an input that RunPod's validator refuses; what it says of each key is one line.
pub(super) fn validate(keys: Keys<'_>) -> Result<(), JobError> {
    let is_known = |key: &str| SCHEMA.iter().any(|(known, _)| *known == key);
    let unexpected = keys
        .all()
        .filter(|(key, _)| !is_known(key))
        .map(|(key, _)| {
            let key: String = key.chars().take(60).collect();
            format!("Unexpected input. {key} is not a valid input option.")
        });
    let of_other_type = SCHEMA.iter().filter_map(|(key, kind)| {
        let value = keys.value(key).filter(|value| !kind.holds(value))?;
        let (wanted, found) = (kind.python(), python(value));
        Some(format!("{key} should be {wanted} type, not {found}."))
    });
    let mut messages = unexpected.chain(of_other_type);
    let few: Vec<String> = messages.by_ref().take(MOST_MESSAGES).collect();
    let more = messages.count();
    match (few.is_empty(), more) {
        (true, _) => Ok(()),
        (false, 0) => Err(JobError(few.join("\n"))),
        (false, more) => Err(JobError(format!("{}\n... and {more} more", few.join("\n")))),
    }
}

impl Kind {
    // A flag is a whole number in Python, and a whole number does for a real one.
    fn holds(self, value: &Value) -> bool {
        match self {
            Self::Text => value.is_string(),
            Self::Flag => value.is_boolean(),
            Self::Whole => value.is_i64() || value.is_u64() || value.is_boolean(),
            Self::Real => value.is_number(),
        }
    }

    fn python(self) -> &'static str {
        match self {
            Self::Text => "<class 'str'>",
            Self::Flag => "<class 'bool'>",
            Self::Whole => "<class 'int'>",
            Self::Real => "<class 'float'>",
        }
    }
}

fn python(value: &Value) -> &'static str {
    match value {
        Value::Null => "<class 'NoneType'>",
        Value::Bool(_) => Kind::Flag.python(),
        Value::Number(number) if number.is_f64() => Kind::Real.python(),
        Value::Number(_) => Kind::Whole.python(),
        Value::String(_) => Kind::Text.python(),
        Value::Array(_) => "<class 'list'>",
        Value::Object(_) => "<class 'dict'>",
    }
}
