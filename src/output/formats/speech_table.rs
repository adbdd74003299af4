//! The table of what is said: a row a segment, and a row for each part of the sound without an answer.

use super::table::Cell;
use super::table::Column;
use super::table::ColumnKind;
use crate::name::StageId;
use crate::output::results::results::Results;
use crate::output::results::results::StageOutput;
use crate::output::results::transcription::TranscriptEntry;
use crate::output::results::transcription::Transcription;
use crate::recipe::StageKind;
use serde_json::Map;
use serde_json::Value;

/// Its columns.
pub(super) const COLUMNS: [Column; 9] = [
    Column::full("video", ColumnKind::Text),
    Column::partial("start", ColumnKind::Number),
    Column::partial("end", ColumnKind::Number),
    Column::partial("stage", ColumnKind::Text),
    Column::partial("language", ColumnKind::Text),
    Column::partial("text", ColumnKind::Text),
    Column::partial("avg_logprob", ColumnKind::Number),
    Column::partial("no_speech_prob", ColumnKind::Number),
    Column::full("status", ColumnKind::Text),
];

/// Its rows, stage by stage, each in order of time.
pub(super) fn rows(results: &Results) -> impl Iterator<Item = [Cell<'_>; 9]> {
    let top = &results.transcription;
    let stages = results.stages.iter();
    let heard: Vec<(Cell<'_>, &Transcription)> = stages
        .filter_map(|(id, output)| match output {
            StageOutput::Transcribed { transcription } => {
                Some((Cell::Text(id.as_str()), transcription))
            }
            StageOutput::Detected(_) | StageOutput::Recorded { .. } => None,
        })
        .collect();
    // Of several stages, the one at the top is there too.
    let alone = heard
        .is_empty()
        .then(|| (Cell::text(listener(results)), top));
    let heard = heard.into_iter().chain(alone);
    heard.flat_map(|(stage, transcription)| {
        let row = |status| Row {
            video: &results.video,
            stage,
            language: None,
            status,
        };
        match transcription {
            Transcription::Transcribed(said) => of_transcript(&row, said),
            Transcription::Error { .. } => vec![row("failed").without_text(None)],
            Transcription::Skipped { .. } => vec![row("skipped").without_text(None)],
        }
    })
}

// The stage that listened, where there is one of the kind.
fn listener(results: &Results) -> Option<&str> {
    let listens = |(id, keys): &(&StageId, &Map<String, Value>)| {
        let kind = keys.get("kind").and_then(Value::as_str);
        kind.unwrap_or(id.as_str()) == StageKind::Whisper.word()
    };
    let mut listeners = results.recipe.settings.iter().filter(listens);
    let (first, second) = (listeners.next(), listeners.next());
    first
        .filter(|_| second.is_none())
        .map(|(id, _)| id.as_str())
}

// What all rows of a stage have.
struct Row<'a> {
    video: &'a str,
    stage: Cell<'a>,
    language: Option<&'a str>,
    status: &'static str,
}

impl<'a> Row<'a> {
    fn without_text(self, times: Option<(f64, f64)>) -> [Cell<'a>; 9] {
        self.with(times, [Cell::Null; 3])
    }

    fn with(self, times: Option<(f64, f64)>, said: [Cell<'a>; 3]) -> [Cell<'a>; 9] {
        let [text, avg_logprob, no_speech_prob] = said;
        [
            Cell::Text(self.video),
            Cell::number(times.map(|(start, _)| start)),
            Cell::number(times.map(|(_, end)| end)),
            self.stage,
            Cell::text(self.language),
            text,
            avg_logprob,
            no_speech_prob,
            Cell::Text(self.status),
        ]
    }
}

fn of_transcript<'a>(
    row: &dyn Fn(&'static str) -> Row<'a>,
    said: &'a TranscriptEntry,
) -> Vec<[Cell<'a>; 9]> {
    let row = |status| Row {
        language: said.language.as_deref(),
        ..row(status)
    };
    let segments = said.segments.iter().map(|segment| {
        let said = [
            Cell::Text(&segment.text),
            Cell::number(segment.avg_logprob),
            Cell::number(segment.no_speech_prob),
        ];
        let times = Some((segment.start, segment.end));
        (segment.start, row("said").with(times, said))
    });
    let gaps = said.gaps.iter().map(|gap| {
        let status = if gap.error.is_some() {
            "failed"
        } else {
            "skipped"
        };
        let times = Some((gap.start, gap.end));
        (gap.start, row(status).without_text(times))
    });
    let mut rows: Vec<_> = segments.chain(gaps).collect();
    rows.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    match rows.is_empty() {
        true => vec![row("empty").without_text(None)],
        false => rows.into_iter().map(|(_, row)| row).collect(),
    }
}
