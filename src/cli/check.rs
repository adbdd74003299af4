//! `check --json`: what is wrong with a recipe, and what a right one would do, for editors.
//!
//! Pure: what `app` says in, JSON out. Places are counted from 1, columns in characters.

use crate::app::AppError;
use crate::app::CheckReport;
use crate::app::StageRow;
use crate::cli::mask::masked_words;
use crate::diag::Diagnostic;
use crate::diag::MOST_TOLD;
use crate::diag::Report;
use crate::diag::Severity;
use crate::diag::SourceMap;
use crate::diag::Span;
use serde_json::Value;
use serde_json::json;

/// What a recipe would do, and what of it will disappoint.
pub(super) fn right(checked: &CheckReport) -> Value {
    let row = |row: &StageRow| {
        json!({
            "id": row.id,
            "kind": row.kind,
            "place": row.place,
            "at_once": row.limit,
            "skipped": row.skipped,
        })
    };
    json!({
        "right": true,
        "recipe": checked.recipe,
        "stages": checked.stages.iter().map(row).collect::<Vec<_>>(),
        "peak": checked.peak,
        "diagnostics": checked.warnings.as_ref().map_or_else(Vec::new, diagnostics),
    })
}

/// Why a recipe cannot be run. What has no place in a text has no `places`.
pub(super) fn wrong(error: &AppError) -> Value {
    let diagnostics = match error {
        AppError::Recipe(report) => diagnostics(report),
        AppError::Request { message, help }
        | AppError::Environment { message, help }
        | AppError::Budget { message, help } => {
            vec![json!({
                "severity": "error",
                "message": message,
                "help": help,
                "places": [],
            })]
        }
    };
    json!({ "right": false, "diagnostics": diagnostics })
}

/// The diagnostics of a report, each with its places; of very many the first ones.
pub(super) fn diagnostics(report: &Report) -> Vec<Value> {
    let diagnostics = report.diagnostics.iter().take(MOST_TOLD);
    diagnostics
        .map(|diagnostic| one(diagnostic, &report.sources))
        .collect()
}

fn one(diagnostic: &Diagnostic, sources: &SourceMap) -> Value {
    let places = diagnostic.labels.iter();
    let places = places.filter_map(|(span, label)| place(*span, label, sources));
    json!({
        "severity": match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "message": masked_words(&diagnostic.message),
        "help": diagnostic.help.as_deref().map(masked_words),
        "places": places.collect::<Vec<_>>(),
    })
}

fn place(span: Span, label: &str, sources: &SourceMap) -> Option<Value> {
    let start = sources.place(span)?;
    let last = Span::from(span.end..span.end);
    // Where a span ends its text, the next byte is none of that text.
    let end = sources
        .place(last)
        .filter(|end| end.source.name == start.source.name);
    let end = end.unwrap_or_else(|| start.clone());
    Some(json!({
        "source": start.source.name,
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
        "label": label,
    }))
}
