//! `test`: recipes over inputs, replayed from cassettes and compared with what was accepted.
//!
//! | file | subject |
//! |---|---|
//! | `find` | test files in folders |
//! | `case` | a test as it lies on the disk |
//! | `replay` | what it gives now |
//! | `record` | its cassette, asked for anew |
//! | `snapshots` | what was accepted |
//! | `new` | a test that is made |
//! | `report` | what became of tests |

mod case;
mod find;
pub(super) mod new;
mod record;
mod replay;
pub(super) mod report;
mod snapshots;

use crate::app::accounting::budget::Limits;
use crate::app::error::AppError;
use crate::app::interrupts::Interrupts;
use crate::app::test::case::TestCase;
use crate::app::test::record::Left;
use crate::app::test::replay::Replayed;
use crate::app::test::report::TestOutcome;
use crate::app::test::report::TestReport;
use crate::app::test::report::TestUpdate;
use crate::media;
use crate::output::OutputRoot;
use crate::output::ReadFiles;
use crate::output::Scratch;
use crate::recipe;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

/// Tests, and what is done with them.
#[derive(Clone, Debug)]
pub struct TestRequest {
    /// Test files and folders of some; the working directory where there are none.
    pub paths: Vec<PathBuf>,
    /// How they are done.
    pub mode: TestMode,
    /// How many are replayed side by side, at least one.
    pub jobs: usize,
    /// The hosts and the variables of the environment that recipes may have; all else in it is left
    /// alone.
    pub allowed: recipe::Request,
    /// The file of a report that is to be written at the end, see [`TestEnd::write_report`].
    pub report: Option<PathBuf>,
}

/// How tests are done.
#[derive(Clone, Debug)]
pub enum TestMode {
    /// They are compared.
    Compare,
    /// What they give is accepted.
    Update,
    /// Their backends are asked anew, and what they give is accepted.
    Record(RecordRequest),
}

/// How a cassette is recorded.
#[derive(Clone, Debug, Default)]
pub struct RecordRequest {
    /// The most that all tests together may take.
    pub limits: Limits,
    /// A journal whose answers are used, and that keeps those which are paid; without one all is asked
    /// anew.
    pub state_dir: Option<PathBuf>,
}

/// What is left when tests are done.
#[derive(Debug)]
pub struct TestEnd {
    /// The snapshots that are of no test.
    pub orphans: Vec<PathBuf>,
    report: Option<(OutputRoot, PathBuf)>,
}

impl TestEnd {
    /// Writes the report that was asked for, if one was.
    ///
    /// # Errors
    ///
    /// Where it cannot be written; nothing of it is left behind then.
    pub fn write_report(&self, text: &str) -> Result<(), AppError> {
        let Some((root, path)) = &self.report else {
            return Ok(());
        };
        let written = root.write(path, text.as_bytes());
        written.map_err(|error| AppError::unwritable(&error))
    }
}

/// Does tests, and gives `update` what becomes of each.
///
/// # Errors
///
/// Where there are no tests, or the report may not be written. What is wrong with a test stands in its
/// report.
pub fn test(
    request: &TestRequest,
    update: &mut dyn FnMut(TestUpdate),
) -> Result<TestEnd, AppError> {
    media::init();
    let interrupts = Interrupts::listen()?;
    let files = find::find(&request.paths)?;
    let cases = files.iter().map(|file| TestCase::read(file));
    let mut cases: Vec<Result<TestCase, AppError>> = cases.collect();
    if let TestMode::Record(_) = request.mode {
        record::check_apart(&mut cases);
    }
    let right: Vec<&TestCase> = cases.iter().flatten().collect();
    let end = TestEnd {
        orphans: snapshots::orphans(&files, &right),
        report: request
            .report
            .as_ref()
            .map(|path| prepare_report(path, &right))
            .transpose()?,
    };
    let cases: Vec<_> = files.into_iter().zip(cases).collect();
    match &request.mode {
        TestMode::Compare | TestMode::Update => side_by_side(request, cases, &interrupts, update),
        // One after the other: each has its own limits, and the money is one.
        TestMode::Record(how) => {
            let mut left = Left::new(how.limits);
            for (file, case) in cases {
                let recording = Some((how, &mut left));
                let report = report_of(file, case, &interrupts, |case| {
                    attempt(case, request, recording, &interrupts, update)
                });
                update(TestUpdate::Done(report));
            }
        }
    }
    Ok(end)
}

// Where a report goes, of which it is proved that it can be written.
fn prepare_report(path: &Path, cases: &[&TestCase]) -> Result<(OutputRoot, PathBuf), AppError> {
    let mut reads = ReadFiles::default();
    cases.iter().for_each(|case| case.add_reads(&mut reads));
    // The user names it, so it may be anywhere.
    let above = path.parent().unwrap_or(Path::new(""));
    let root = OutputRoot::new(above.to_owned(), &Arc::new(reads));
    match root.prepare(path) {
        Ok(()) => Ok((root, path.to_owned())),
        Err(error) => Err(AppError::Request {
            message: error.to_string(),
            help: Some("write the report to another file".to_owned()),
        }),
    }
}

type Case = (PathBuf, Result<TestCase, AppError>);

// Several at once; what becomes of them is told in their order.
fn side_by_side(
    request: &TestRequest,
    cases: Vec<Case>,
    interrupts: &Interrupts,
    update: &mut dyn FnMut(TestUpdate),
) {
    let jobs = request.jobs.clamp(1, cases.len().max(1));
    let queue = Mutex::new(cases.into_iter().enumerate());
    let (done, reports) = mpsc::sync_channel(jobs);
    thread::scope(|scope| {
        for _ in 0..jobs {
            let (done, queue) = (done.clone(), &queue);
            scope.spawn(move || {
                let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                while let Some((place, (file, case))) = next() {
                    let report = report_of(file, case, interrupts, |case| {
                        attempt(case, request, None, interrupts, &mut |_| {})
                    });
                    if done.send((place, report)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(done);
        let (mut waiting, mut told) = (BTreeMap::new(), 0);
        for (place, report) in reports {
            waiting.insert(place, report);
            while let Some(report) = waiting.remove(&told) {
                update(TestUpdate::Done(report));
                told += 1;
            }
        }
    });
}

fn report_of(
    file: PathBuf,
    case: Result<TestCase, AppError>,
    interrupts: &Interrupts,
    attempt: impl FnOnce(&TestCase) -> Result<Attempt, AppError>,
) -> TestReport {
    let begun = Instant::now();
    let name = find::name_of(&file).unwrap_or_default().to_owned();
    let attempted = match case {
        _ if interrupts.came() => Ok(Attempt::of(TestOutcome::Interrupted)),
        Ok(case) => attempt(&case),
        Err(error) => Err(error),
    };
    let Attempt { outcome, recorded } =
        attempted.unwrap_or_else(|error| Attempt::of(TestOutcome::Failed(error)));
    TestReport {
        file,
        name,
        outcome,
        recorded,
        elapsed: begun.elapsed(),
    }
}

struct Attempt {
    outcome: TestOutcome,
    recorded: Option<PathBuf>,
}

impl Attempt {
    fn of(outcome: TestOutcome) -> Self {
        Self {
            outcome,
            recorded: None,
        }
    }
}

// Records a test where it is to be, and replays it.
fn attempt(
    case: &TestCase,
    request: &TestRequest,
    recording: Option<(&RecordRequest, &mut Left)>,
    interrupts: &Interrupts,
    update: &mut dyn FnMut(TestUpdate),
) -> Result<Attempt, AppError> {
    let scratch = Scratch::new().map_err(|error| AppError::environment(&error))?;
    let (folder, allowed) = (scratch.folder(), &request.allowed);
    case.check_results(&case.request(folder, allowed))?;
    let recorded = match recording {
        Some((how, left)) => match record::record(case, how, allowed, folder, left, update)? {
            None => return Ok(Attempt::of(TestOutcome::Interrupted)),
            recorded => recorded,
        },
        None => None,
    };
    let cassette = recorded.as_deref().unwrap_or(&case.cassette);
    if !cassette.exists() {
        let folder = cassette.to_owned();
        return Ok(Attempt::of(TestOutcome::NoCassette { folder }));
    }
    let found = match replay::replay(case, cassette, allowed, folder)? {
        Replayed::Found(found) => found,
        Replayed::Missed(misses) => return Ok(Attempt::of(TestOutcome::Missed(misses))),
        Replayed::Interrupted => return Ok(Attempt::of(TestOutcome::Interrupted)),
    };
    // Nothing is written by what was asked to end.
    if interrupts.came() {
        return Ok(Attempt::of(TestOutcome::Interrupted));
    }
    let recorded = match recorded {
        Some(recorded) => {
            record::put(case, &recorded)?;
            Some(case.cassette.clone())
        }
        None => None,
    };
    let accepts = !matches!(request.mode, TestMode::Compare);
    let inputs = case.inputs.iter().zip(&found);
    let inputs = inputs.map(|(input, found)| snapshots::compare(case, input, found, accepts));
    Ok(Attempt {
        outcome: TestOutcome::Compared(inputs.collect::<Result<_, _>>()?),
        recorded,
    })
}
