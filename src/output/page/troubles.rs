//! Where a video has no answer: frames that failed or that nobody looked at, and gaps in its speech,
//! as stretches of time with their reason.
//!
//! Pure. Times are whole milliseconds.

use crate::output::page::frames::Layer;
use crate::output::page::frames::milliseconds;
use crate::output::results::results::Entry;
use crate::output::results::results::Results;
use crate::output::results::results::Seen;
use crate::output::results::results::StageOutput;
use crate::output::results::transcription::Transcription;
use serde::Serialize;

/// A stretch of time without an answer.
#[derive(Serialize)]
pub(super) struct Trouble {
    kind: TroubleKind,
    stage: String,
    why: String,
    start: i64,
    end: i64,
}

#[derive(Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum TroubleKind {
    Failed,
    Skipped,
    Gap,
}

/// All of them; a frame stands for the time until the next one, the last for `period` seconds.
pub(super) fn troubles(results: &Results, layers: &[Layer<'_>], period: f64) -> Vec<Trouble> {
    let mut troubles = Vec::new();
    for layer in layers.iter().filter(|layer| was_looked_at(results, layer)) {
        of_frames(layer.stage, layer.entries, period, &mut troubles);
    }
    let mut is_heard = false;
    for (id, output) in &results.stages {
        match output {
            StageOutput::Detected(_) => {}
            StageOutput::Recorded { records, .. } => {
                of_frames(id.as_str(), records, period, &mut troubles);
            }
            StageOutput::Transcribed { transcription } => {
                is_heard = true;
                of_speech(id.as_str(), transcription, &mut troubles);
            }
        }
    }
    if !is_heard {
        of_speech("", &results.transcription, &mut troubles);
    }
    troubles.sort_by_key(|trouble| trouble.start);
    troubles
}

// Where all stages ask for records, the layer at the top says of each frame that nobody was to find
// boxes.
fn was_looked_at(results: &Results, layer: &Layer<'_>) -> bool {
    let gives_records = |output: &StageOutput| matches!(output, StageOutput::Recorded { .. });
    let is_skipped = |entry: &Entry| matches!(entry.seen, Seen::Skipped { .. });
    let is_of_records = layer.stage.is_empty() && results.stages.values().any(gives_records);
    !(is_of_records && layer.entries.iter().all(is_skipped))
}

fn of_frames(stage: &str, entries: &[Entry], period: f64, troubles: &mut Vec<Trouble>) {
    // Whether the frame before belongs to the trouble that was told last.
    let mut goes_on = false;
    for (at, entry) in entries.iter().enumerate() {
        let (kind, why) = match &entry.seen {
            Seen::Error { error } => (TroubleKind::Failed, error.to_string()),
            Seen::Skipped { skipped } => (TroubleKind::Skipped, skipped.clone()),
            Seen::Objects { .. } | Seen::Record { .. } | Seen::Crops { .. } => {
                goes_on = false;
                continue;
            }
        };
        let next = entries.get(at + 1).map(|next| next.timestamp);
        let end = milliseconds(next.unwrap_or(entry.timestamp + period));
        match troubles.last_mut() {
            Some(last) if goes_on && last.kind == kind && last.why == why => last.end = end,
            _ => troubles.push(Trouble {
                kind,
                stage: stage.to_owned(),
                why,
                start: milliseconds(entry.timestamp),
                end,
            }),
        }
        goes_on = true;
    }
}

fn of_speech(stage: &str, transcription: &Transcription, troubles: &mut Vec<Trouble>) {
    let Transcription::Transcribed(said) = transcription else {
        return;
    };
    troubles.extend(said.gaps.iter().map(|gap| Trouble {
        kind: TroubleKind::Gap,
        stage: stage.to_owned(),
        why: match (&gap.error, &gap.skipped) {
            (Some(error), _) => error.to_string(),
            (None, Some(skipped)) => skipped.clone(),
            (None, None) => String::new(),
        },
        start: milliseconds(gap.start),
        end: milliseconds(gap.end),
    }));
}
