//! What `test` writes, for people and as JSON.
//!
//! Pure: what `app` says in, text out.

pub(super) mod junit;

use crate::app::AppError;
use crate::app::InputReport;
use crate::app::TestOutcome;
use crate::app::TestReport;
use crate::app::TestState;
use crate::app::TestTotal;
use crate::cli::cassette;
use crate::cli::mistake;
use crate::cli::money::number;
use crate::cli::streams::one_line;
use crate::cli::summary;
use serde_json::Value;
use serde_json::json;
use std::path::Path;
use std::path::PathBuf;

/// The most lines that are told of a test.
const MOST_LINES: usize = 20;

/// A test: its state and its file, then what there is to say of it.
pub(super) fn text(report: &TestReport) -> String {
    let (state, file) = (report.state().word(), shown(&report.file));
    let mut text = format!("{state:<8}  {file}\n");
    for line in lines(report) {
        text += &format!("  {line}\n");
    }
    text
}

/// What there is to say of a test, in at most 20 lines.
pub(super) fn lines(report: &TestReport) -> Vec<String> {
    let mut lines = match &report.outcome {
        TestOutcome::Compared(inputs) => compared(inputs),
        TestOutcome::Missed(misses) => cassette::misses(misses),
        TestOutcome::NoCassette { folder } => vec![format!(
            "there is no cassette {}; --record asks the backends for one",
            shown(folder)
        )],
        TestOutcome::Failed(error) => vec![one_line(&error.to_string())],
        TestOutcome::Interrupted => Vec::new(),
    };
    let recorded = report.recorded.as_deref();
    lines.extend(recorded.map(|folder| format!("recorded: {}", shown(folder))));
    lines
}

// The lines are shared among the inputs, those that come first having more.
fn compared(inputs: &[InputReport]) -> Vec<String> {
    let told = inputs.iter().filter(|it| it.state() != TestState::Same);
    let told: Vec<&InputReport> = told.collect();
    let mut lines = Vec::new();
    for (place, input) in told.iter().enumerate() {
        let rest = told.len() - place - 1;
        let room = MOST_LINES.saturating_sub(lines.len() + 1);
        // One line at least is left for those that come after.
        if room == 0 && rest > 0 {
            let more = number(rest as u64 + 1, "more input", "more inputs");
            lines.push(format!("{more} like that"));
            break;
        }
        let name = match inputs.len() {
            1 => String::new(),
            _ => format!("{}: ", one_line(&input.input)),
        };
        lines.extend(of_input(&name, input, room.saturating_sub(rest.min(room))));
    }
    lines
}

// A line about all of it, and at most `room` more.
fn of_input(name: &str, input: &InputReport, room: usize) -> Vec<String> {
    let snapshot = shown(&input.snapshot);
    let Some(comparison) = &input.comparison else {
        let found = summary::found(&input.summary);
        return vec![match input.is_accepted {
            true => format!("{name}accepted as {snapshot}: {found}"),
            false => {
                format!("{name}there is no snapshot {snapshot}; --update accepts {found}")
            }
        }];
    };
    let verdict = comparison.verdict();
    let mut lines = vec![match input.is_accepted {
        true => format!("{name}accepted as {snapshot}: {verdict}"),
        false => format!("{name}{verdict}"),
    }];
    let asked = comparison.asked.iter();
    let asked = asked
        .map(|it| format!("asked otherwise: {it}"))
        .take(room / 2);
    let asked: Vec<String> = asked.collect();
    let room = room - asked.len();
    lines.extend(asked);
    lines.extend(comparison.lines(room));
    lines
}

/// All tests in one line.
pub(super) fn total(total: &TestTotal) -> String {
    let counts: Vec<_> = total.counts().filter(|(_, count)| *count > 0).collect();
    let all = counts.iter().map(|(_, count)| count).sum();
    let parts: Vec<String> = counts
        .iter()
        .map(|(state, count)| format!("{count} {}", state.word()))
        .collect();
    format!("{}: {}\n", number(all, "test", "tests"), parts.join(", "))
}

/// The snapshots that are of no test, a line each; of many the first ones.
pub(super) fn orphans(orphans: &[PathBuf]) -> Vec<String> {
    let shown_all = orphans.len() <= MOST_LINES;
    let count = match shown_all {
        true => orphans.len(),
        false => MOST_LINES - 1,
    };
    let named = orphans.iter().take(count);
    let mut lines: Vec<String> = named
        .map(|path| format!("{} is of no test; remove it", shown(path)))
        .collect();
    let more = (orphans.len() - count) as u64;
    if more > 0 {
        lines.push(format!(
            "{} of no test",
            number(more, "more snapshot is", "more snapshots are")
        ));
    }
    lines
}

/// A test whose backends are about to be asked.
pub(super) fn records(file: &Path) -> String {
    format!("recording {}", shown(file))
}

/// A test that is to be made of nothing.
pub(super) fn unnamed() -> AppError {
    AppError::Request {
        message: "a new test needs a recipe and inputs".to_owned(),
        help: Some("write `vpipe test --new NAME RECIPE INPUT`".to_owned()),
    }
}

/// What was made, and what to do with it.
pub(super) fn made(report: &TestReport) -> String {
    let file = shown(&report.file);
    let mut text = format!("{file}: the test\n");
    if let Some(cassette) = &report.recorded {
        text += &format!("{}: its cassette\n", shown(cassette));
    }
    if let TestOutcome::Compared(inputs) = &report.outcome {
        for input in inputs {
            let (snapshot, found) = (shown(&input.snapshot), summary::found(&input.summary));
            text += &format!("{snapshot}: what was found, {found}\n");
        }
    }
    text + &format!("`vpipe test {file}` says what has changed since\n")
}

fn shown(path: &Path) -> String {
    one_line(&path.display().to_string())
}

/// A test, for programs.
pub(super) fn json(report: &TestReport) -> Value {
    let mut value = json!({
        "file": report.file.display().to_string(),
        "name": report.name,
        "state": report.state(),
        "recorded": report.recorded.as_ref().map(|it| it.display().to_string()),
    });
    let (key, said) = match &report.outcome {
        TestOutcome::Compared(inputs) => ("inputs", inputs.iter().map(input_json).collect()),
        TestOutcome::Missed(misses) => ("misses", cassette::misses_json(misses)),
        TestOutcome::NoCassette { folder } => ("no_cassette", json!(folder.display().to_string())),
        TestOutcome::Failed(error) => ("mistake", mistake::json(error, None)),
        TestOutcome::Interrupted => return value,
    };
    if let Value::Object(fields) = &mut value {
        fields.insert(key.to_owned(), said);
    }
    value
}

fn input_json(input: &InputReport) -> Value {
    json!({
        "input": input.input,
        "snapshot": input.snapshot.display().to_string(),
        "state": input.state(),
        "same": input.comparison.as_ref().map(|it| it.is_same()),
        "comparison": input.comparison,
    })
}

/// All tests, for programs.
pub(super) fn total_json(tests: &[Value], total: &TestTotal, orphans: &[PathBuf]) -> Value {
    let counts = total
        .counts()
        .map(|(state, count)| (state.word().to_owned(), json!(count)));
    let orphans = orphans.iter().map(|it| it.display().to_string());
    json!({
        "tests": tests,
        "total": Value::Object(counts.collect()),
        "orphans": orphans.collect::<Vec<_>>(),
    })
}
