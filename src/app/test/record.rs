//! A test, recorded: its backends are asked, and the cassette lies in a folder that nobody keeps until
//! it is known that it can be replayed.

use crate::app::accounting::budget::Limits;
use crate::app::error::AppError;
use crate::app::run;
use crate::app::run::RunRequest;
use crate::app::run::report::Recorded;
use crate::app::run::report::RunReport;
use crate::app::run::report::RunUpdate;
use crate::app::test::RecordRequest;
use crate::app::test::case::TestCase;
use crate::app::test::report::TestUpdate;
use crate::engine::StopReason;
use crate::engine::cassette;
use crate::recipe;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::time::Instant;

/// What is left of the limits of a recording over several tests.
pub(super) struct Left {
    limits: Limits,
    begun: Instant,
}

impl Left {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            begun: Instant::now(),
        }
    }

    fn limits(&self) -> Limits {
        let left = |time: std::time::Duration| time.saturating_sub(self.begun.elapsed());
        Limits {
            time: self.limits.time.map(left),
            ..self.limits
        }
    }

    fn spend(&mut self, report: &RunReport) {
        let requests = report.stages.iter().filter_map(|it| it.requests.as_ref());
        let spent: f64 = requests.filter_map(|it| it.cost_usd).sum();
        let left = |cost: f64| (cost - spent).max(0.0);
        self.limits.cost = self.limits.cost.map(left);
    }
}

/// Puts a mistake in the place of each test whose cassette is that of one before it: the one would be
/// recorded over the other.
pub(super) fn check_apart(cases: &mut [Result<TestCase, AppError>]) {
    let mut taken: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
    for place in cases {
        let Ok(case) = place else {
            continue;
        };
        let cassette = case.cassette.clone();
        match taken.get(&cassette) {
            Some(other) => {
                let (other, cassette) = (other.display(), cassette.display());
                let message = format!("{cassette} is recorded for {other} too");
                let help = "give each test a cassette of its own, or record one of them alone";
                let mistake = case.spec.mistake("cassette", message, help.to_owned());
                *place = Err(mistake.into());
            }
            None => drop(taken.insert(cassette, case.file.clone())),
        }
    }
}

/// Records `case` within `scratch`. The cassette that it gives; `None` where it was interrupted.
pub(super) fn record(
    case: &TestCase,
    how: &RecordRequest,
    allowed: &recipe::Request,
    scratch: &Path,
    left: &mut Left,
    update: &mut dyn FnMut(TestUpdate),
) -> Result<Option<PathBuf>, AppError> {
    // Before anything is paid.
    case.check_cassette()?;
    let prepared = case
        .root()
        .prepare_folder(&case.cassette, &cassette::is_part);
    prepared.map_err(|error| AppError::unwritable(&error))?;
    let folder = scratch.join("cassette");
    let request = RunRequest {
        recipe: case.request(scratch, allowed),
        inputs: case.inputs.iter().map(|input| input.path.clone()).collect(),
        first: case.spec.first,
        limits: left.limits(),
        // A journal that the user names has what was paid already.
        fresh: how.state_dir.is_none(),
        state_dir: Some(how.state_dir.clone().unwrap_or(scratch.join("state"))),
        record: Some(folder.clone()),
        ..RunRequest::default()
    };
    let file = case.file.clone();
    update(TestUpdate::Records { file });
    let report = run::run(&request, &mut |it| match it {
        // What is written there is kept nowhere.
        RunUpdate::Saved { .. } => {}
        it => update(TestUpdate::Run(it)),
    })?;
    left.spend(&report);
    let why = match (report.stopped, report.recorded) {
        (Some(StopReason::Interrupted), _) => return Ok(None),
        (Some(reason @ (StopReason::Budget | StopReason::Deadline)), _) => {
            return Err(AppError::Budget {
                message: format!("it is not recorded: {reason}"),
                help: Some(
                    "give more with --max-cost or --deadline; with --state-dir DIR what was paid is kept"
                        .to_owned(),
                ),
            });
        }
        (_, Some(Recorded::Written { .. })) => return Ok(Some(folder)),
        (_, Some(Recorded::Incomplete { why, .. } | Recorded::Unwritten { why })) => why,
        (_, None) => {
            let unread = report.videos.into_iter().find_map(|video| video.error);
            unread.unwrap_or_else(|| "nothing was run".to_owned())
        }
    };
    Err(AppError::Environment {
        message: format!("it is not recorded: {why}"),
        help: Some("`vpipe run` with the same recipe and inputs says more".to_owned()),
    })
}

/// Puts the cassette in `recorded` where the test has its own.
pub(super) fn put(case: &TestCase, recorded: &Path) -> Result<(), AppError> {
    let read = || -> io::Result<Vec<(String, Vec<u8>)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(recorded)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            files.push((name, fs::read(entry.path())?));
        }
        Ok(files)
    };
    let files = read().map_err(|error| AppError::environment(&error))?;
    let written = case
        .root()
        .write_folder(&case.cassette, &files, &cassette::is_part);
    written.map_err(|error| AppError::unwritable(&error))
}
