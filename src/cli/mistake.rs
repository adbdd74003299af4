//! A mistake for programs: in one shape, whichever command was asked for JSON.
//!
//! Pure: what `app` says in, JSON out. Places are counted from 1, columns in characters.

use crate::app::AppError;
use crate::cli::mask::masked_words;
use crate::diag::Diagnostic;
use crate::diag::MOST_TOLD;
use crate::diag::Report;
use crate::diag::Severity;
use crate::diag::SourceMap;
use crate::diag::Span;
use serde_json::Value;
use serde_json::json;

/// Why a command did nothing, and with which exit code; `meant` is the command that it seems to
/// mean. What has no place in a text has no `places`.
pub(super) fn json(error: &AppError, meant: Option<&str>) -> Value {
    let diagnostics = match error {
        AppError::Recipe(report) => diagnostics(report),
        AppError::Request { message, help }
        | AppError::Environment { message, help }
        | AppError::Budget { message, help } => {
            let meant = meant.map(|meant| format!("`{meant}`"));
            vec![unplaced(message, meant.or_else(|| help.clone()).as_deref())]
        }
    };
    whole(&diagnostics, error.exit_code())
}

/// Words that are no command; `said` is what is said about them to people.
pub(super) fn of_words(said: &str, meant: Option<&str>, exit_code: u8) -> Value {
    let mut parts = said.trim().splitn(2, "\n\n");
    let message = parts.next().unwrap_or_default();
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let meant = meant.map(|meant| format!("`{meant}`"));
    let help = meant.or_else(|| parts.next().map(|help| help.trim().to_owned()));
    whole(&[unplaced(message, help.as_deref())], exit_code)
}

// The first mistake stands at the top as well, for those who show one.
fn whole(diagnostics: &[Value], exit_code: u8) -> Value {
    let first = |key| diagnostics.first().and_then(|first| first.get(key));
    json!({
        "error": first("message"),
        "help": first("help"),
        "exit_code": exit_code,
        "diagnostics": diagnostics,
    })
}

fn unplaced(message: &str, help: Option<&str>) -> Value {
    json!({
        "severity": "error",
        "message": message,
        "help": help,
        "places": [],
    })
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
