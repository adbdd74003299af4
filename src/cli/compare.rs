//! What `compare` writes, for people and as JSON.
//!
//! Pure: what `app` says in, text out.

use crate::app::ComparedFile;
use crate::app::ComparedOutcome;
use crate::cli::streams::one_line;
use crate::output::Comparison;
use serde_json::Value;
use serde_json::json;

/// The most lines that are told of two results.
const MOST_LINES: usize = 20;

/// One file: what was asked differently, what differs, and how much is the same. Of many files one
/// that is the same takes one line.
pub(super) fn text(file: &ComparedFile) -> String {
    let name = file.name.as_ref().map(|name| one_line(name));
    let one_side = |side: &str| {
        let name = name.as_deref().unwrap_or_default();
        format!("{name}: only in the {side} folder\n")
    };
    match (&name, &file.outcome) {
        (None, ComparedOutcome::Both(comparison)) => page(comparison),
        (Some(name), ComparedOutcome::Both(comparison)) if comparison.is_same() => {
            format!("{name}: {}\n", comparison.verdict())
        }
        (Some(name), ComparedOutcome::Both(comparison)) => {
            format!("{name}\n{}", indented(&page(comparison)))
        }
        (_, ComparedOutcome::Lost) => one_side("old"),
        (_, ComparedOutcome::Gained) => one_side("new"),
    }
}

/// How many of several files differ.
pub(super) fn total(files: u64, different: u64) -> String {
    match different {
        0 => format!("no difference in {files} files\n"),
        different => format!("{different} of {files} files differ\n"),
    }
}

fn page(comparison: &Comparison) -> String {
    let asked = comparison.asked.iter();
    let mut lines: Vec<String> = asked.map(|it| format!("asked otherwise: {it}")).collect();
    lines.extend(comparison.lines(MOST_LINES));
    let mut text = lines.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    text + &comparison.summary()
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

/// One file, for programs.
pub(super) fn json(file: &ComparedFile) -> Value {
    let mut value = match &file.outcome {
        ComparedOutcome::Both(comparison) => json!({
            "same": comparison.is_same(),
            "word_error_rate": comparison.words.error_rate(),
            "comparison": comparison,
        }),
        ComparedOutcome::Lost => json!({ "same": false, "only_in": "old" }),
        ComparedOutcome::Gained => json!({ "same": false, "only_in": "new" }),
    };
    if let (Some(name), Value::Object(fields)) = (&file.name, &mut value) {
        fields.insert("file".to_owned(), json!(name));
    }
    value
}

/// Several files, for programs.
pub(super) fn folder_json(files: &[Value]) -> Value {
    let is_same = |file: &Value| file.get("same") == Some(&Value::Bool(true));
    json!({ "same": files.iter().all(is_same), "files": files })
}
