//! Snapshots of tests: compared with what was found, accepted, and those of no test.

use crate::app::error::AppError;
use crate::app::test::case::DIVIDER;
use crate::app::test::case::SNAPSHOTS;
use crate::app::test::case::TestCase;
use crate::app::test::case::TestInput;
use crate::app::test::find;
use crate::app::test::report::InputReport;
use crate::output;
use crate::output::Comparison;
use crate::output::ReadError;
use crate::output::Results;
use crate::output::Snapshot;
use crate::output::Unread;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;

/// Compares what was `found` in an input of `case` with its snapshot. Where it `accepts`, that is the
/// snapshot from now on.
pub(super) fn compare(
    case: &TestCase,
    input: &TestInput,
    found: &Snapshot,
    accepts: bool,
) -> Result<InputReport, AppError> {
    let old = match accepted(&input.snapshot) {
        // One that is damaged is replaced.
        Err(_) if accepts => None,
        old => old.map_err(|error| AppError::Request {
            message: error.to_string(),
            help: Some(format!(
                "`vpipe test {} --update` makes it anew",
                case.file.display()
            )),
        })?,
    };
    let compare = |old: Results| output::compare(&old, found.results(), &case.tolerance());
    let comparison: Option<Comparison> = old.map(compare);
    let is_accepted = match accepts {
        true => accept(case, input, found)?,
        false => false,
    };
    Ok(InputReport {
        input: input.written.clone(),
        snapshot: input.snapshot.clone(),
        comparison: comparison.map(Box::new),
        summary: found.results().summary.clone(),
        is_accepted,
    })
}

// What was accepted, if anything was.
fn accepted(path: &Path) -> Result<Option<Results>, ReadError> {
    match output::read_results(path) {
        Ok(results) => Ok(Some(results)),
        Err(ReadError {
            why: Unread::File(error),
            ..
        }) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

// Whether there was anything to write.
fn accept(case: &TestCase, input: &TestInput, found: &Snapshot) -> Result<bool, AppError> {
    let text = found
        .text()
        .map_err(|error| AppError::environment(&error))?;
    // Git may have changed the ends of lines.
    let is_there = fs::read(&input.snapshot).is_ok_and(|old| {
        let lines = |text: &[u8]| -> Vec<u8> {
            let bytes = text.iter().copied();
            bytes.filter(|byte| *byte != b'\r').collect()
        };
        lines(&old) == lines(&text)
    });
    if is_there {
        return Ok(false);
    }
    let written = case.root().write(&input.snapshot, &text);
    written.map_err(|error| AppError::unwritable(&error))?;
    Ok(true)
}

/// The snapshots beside the tests in `files` that are of no test, or of no input of one of `cases`.
pub(super) fn orphans(files: &[PathBuf], cases: &[&TestCase]) -> Vec<PathBuf> {
    let folders: BTreeSet<&Path> = files.iter().filter_map(|file| file.parent()).collect();
    let mut all = BTreeSet::new();
    for folder in folders {
        let entries = fs::read_dir(folder.join(SNAPSHOTS)).into_iter().flatten();
        for entry in entries.flatten() {
            let snapshot = folder.join(SNAPSHOTS).join(entry.file_name());
            if is_orphan(&snapshot, folder, cases) {
                all.insert(snapshot);
            }
        }
    }
    all.into_iter().collect()
}

fn is_orphan(snapshot: &Path, folder: &Path, cases: &[&TestCase]) -> bool {
    let Some(name) = snapshot.file_name().and_then(|name| name.to_str()) else {
        return false;
    };
    let Some((test, _)) = name
        .strip_suffix(".json")
        .and_then(|name| name.split_once(DIVIDER))
    else {
        return false;
    };
    let file = folder.join(format!("{test}{}", find::ENDING));
    match cases.iter().find(|case| case.file == file) {
        Some(case) => !case.inputs.iter().any(|input| input.snapshot == snapshot),
        // It may be one that was not asked for, or that has mistakes.
        None => !file.exists(),
    }
}
