//! A test, replayed: all answers from its cassette, what is written to a folder that nobody keeps.

use crate::app::error::AppError;
use crate::app::run;
use crate::app::run::RunRequest;
use crate::app::run::report::RunReport;
use crate::app::run::report::VideoReport;
use crate::app::test::case::TestCase;
use crate::app::test::case::TestInput;
use crate::engine::StopReason;
use crate::engine::cassette::Misses;
use crate::output;
use crate::output::Snapshot;
use crate::recipe;
use std::path::Path;

/// What a replay gives.
pub(super) enum Replayed {
    /// What was found in each input, in their order.
    Found(Vec<Snapshot>),
    /// The cassette lacks something.
    Missed(Misses),
    /// It was interrupted.
    Interrupted,
}

/// Replays `case` from `cassette`. The recipe may have what `allowed` says, and writes to `scratch`.
pub(super) fn replay(
    case: &TestCase,
    cassette: &Path,
    allowed: &recipe::Request,
    scratch: &Path,
) -> Result<Replayed, AppError> {
    let request = RunRequest {
        recipe: case.request(scratch, allowed),
        inputs: case.inputs.iter().map(|input| input.path.clone()).collect(),
        first: case.spec.first,
        replay: Some(cassette.to_owned()),
        ..RunRequest::default()
    };
    let report = run::run(&request, &mut |_| {})?;
    if let Some(reason) = &report.stopped {
        return match reason {
            StopReason::Interrupted => Ok(Replayed::Interrupted),
            reason => Err(failed(reason.to_string())),
        };
    }
    if !report.misses.is_empty() {
        return Ok(Replayed::Missed(report.misses));
    }
    found(case, &report, scratch).map(Replayed::Found)
}

fn found(case: &TestCase, report: &RunReport, scratch: &Path) -> Result<Vec<Snapshot>, AppError> {
    if report.videos.len() != case.inputs.len() {
        let message = "a digest stands for several inputs of the cassette".to_owned();
        let help = "name each by the name that it had".to_owned();
        return Err(case.spec.mistake("inputs", message, help).into());
    }
    let each = case.inputs.iter().zip(&report.videos);
    each.map(|(input, video)| of_video(input, video, scratch))
        .collect()
}

fn of_video(input: &TestInput, video: &VideoReport, scratch: &Path) -> Result<Snapshot, AppError> {
    let Some(path) = video.results.as_ref().filter(|_| !video.is_unwritten) else {
        let why = video.error.clone();
        return Err(failed(
            why.unwrap_or_else(|| "there are no results".to_owned()),
        ));
    };
    let results = output::read_results(path).map_err(|error| AppError::environment(&error))?;
    Ok(Snapshot::of(results, &input.written, scratch))
}

fn failed(message: String) -> AppError {
    AppError::Environment {
        message,
        help: None,
    }
}
