//! What is said, column by column, and what servers said of frames.
//!
//! Pure. Times are whole milliseconds.

use crate::output::page::frames::milliseconds;
use crate::output::results::results::Entry;
use crate::output::results::results::Results;
use crate::output::results::results::Seen;
use crate::output::results::results::StageOutput;
use crate::output::results::transcription::SegmentEntry;
use crate::output::results::transcription::TranscriptEntry;
use crate::output::results::transcription::Transcription;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;

/// What one stage heard.
#[derive(Default, Serialize)]
pub(super) struct SpeechColumns {
    stage: String,
    /// Why there is no transcript; empty where there is one.
    absent: String,
    language: String,
    starts: Vec<i64>,
    ends: Vec<i64>,
    texts: Vec<String>,
    /// Of each segment, when its words begin, counted from its start; empty where the words that
    /// have times are not those of the text.
    words: Vec<Vec<i64>>,
}

/// What a stage says of frames.
#[derive(Default, Serialize)]
pub(super) struct RecordColumns {
    stage: String,
    times: Vec<i64>,
    texts: Vec<String>,
}

/// The transcripts of all stages that listen; the one at the top comes first.
pub(super) fn speeches(results: &Results) -> Vec<SpeechColumns> {
    let others = results
        .stages
        .iter()
        .filter_map(|(id, output)| match output {
            StageOutput::Transcribed { transcription } => Some((id.as_str(), transcription)),
            StageOutput::Detected(_) | StageOutput::Recorded { .. } => None,
        });
    let mut speeches: Vec<SpeechColumns> = others.map(|(id, said)| speech(id, said)).collect();
    if speeches.is_empty() {
        speeches.push(speech("", &results.transcription));
    }
    speeches
}

fn speech(stage: &str, transcription: &Transcription) -> SpeechColumns {
    let absent = |absent: String| SpeechColumns {
        stage: stage.to_owned(),
        absent,
        ..SpeechColumns::default()
    };
    match transcription {
        Transcription::Transcribed(said) => transcript(stage, said),
        Transcription::Skipped { skipped } => absent(skipped.clone()),
        Transcription::Error { error } => absent(format!("it failed: {error}")),
    }
}

fn transcript(stage: &str, said: &TranscriptEntry) -> SpeechColumns {
    let segments = said.segments.iter();
    SpeechColumns {
        stage: stage.to_owned(),
        absent: String::new(),
        language: said.language.clone().unwrap_or_default(),
        starts: segments.clone().map(|it| milliseconds(it.start)).collect(),
        ends: segments.clone().map(|it| milliseconds(it.end)).collect(),
        texts: segments.clone().map(|it| it.text.clone()).collect(),
        words: segments.map(word_starts).collect(),
    }
}

fn word_starts(segment: &SegmentEntry) -> Vec<i64> {
    let is_same = segment.text.split_whitespace().count() == segment.words.len();
    let words = segment.words.iter().filter(|_| is_same);
    let from = |start: f64| milliseconds(start) - milliseconds(segment.start);
    words.map(|word| from(word.start)).collect()
}

/// What the stages say that give records.
pub(super) fn records(results: &Results) -> Vec<RecordColumns> {
    let stages = results.stages.iter();
    stages
        .filter_map(|(id, output)| match output {
            StageOutput::Recorded { records, .. } => Some(record_columns(id.as_str(), records)),
            StageOutput::Detected(_) | StageOutput::Transcribed { .. } => None,
        })
        .collect()
}

fn record_columns(stage: &str, entries: &[Entry]) -> RecordColumns {
    let mut columns = RecordColumns {
        stage: stage.to_owned(),
        ..RecordColumns::default()
    };
    for entry in entries {
        let texts: Vec<String> = match &entry.seen {
            Seen::Record { record } => vec![told(record)],
            Seen::Crops { crops } => crops.iter().map(|crop| told(&crop.record)).collect(),
            Seen::Objects { .. } | Seen::Error { .. } | Seen::Skipped { .. } => continue,
        };
        columns.times.push(milliseconds(entry.timestamp));
        columns.texts.push(texts.join(" · "));
    }
    columns
}

fn told(record: &Map<String, Value>) -> String {
    let fields = record.iter().map(|(name, value)| match value {
        Value::String(text) => format!("{name}: {text}"),
        value => format!("{name}: {value}"),
    });
    fields.collect::<Vec<String>>().join(", ")
}
