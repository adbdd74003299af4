//! The report of a test: what became of each of its inputs, and of many tests together.

use crate::app::error::AppError;
use crate::app::run::report::RunUpdate;
use crate::engine::cassette::Misses;
use crate::output::Comparison;
use crate::output::Summary;
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;

/// An update on tests.
#[derive(Debug)]
pub enum TestUpdate {
    /// The cassette of a test is recorded anew, by a run that `Run` tells of.
    Records {
        /// The test file.
        file: PathBuf,
    },
    /// Something of such a run.
    Run(RunUpdate),
    /// A test is done. They come in the order in which they were found.
    Done(TestReport),
}

/// What became of a test.
#[derive(Debug)]
pub struct TestReport {
    /// The test file, as it was found.
    pub file: PathBuf,
    /// Its name without `.test.toml`.
    pub name: String,
    /// What became of it.
    pub outcome: TestOutcome,
    /// The cassette that was recorded for it.
    pub recorded: Option<PathBuf>,
    /// How long that took.
    pub elapsed: Duration,
}

/// What became of a test.
#[derive(Debug)]
pub enum TestOutcome {
    /// It was replayed, and its results were compared.
    Compared(Vec<InputReport>),
    /// The cassette lacks some of what it asks for.
    Missed(Misses),
    /// There is no cassette.
    NoCassette {
        /// Where it would be.
        folder: PathBuf,
    },
    /// It could not be replayed, or not be recorded.
    Failed(AppError),
    /// It was not done, since all was interrupted.
    Interrupted,
}

/// What became of an input of a test.
#[derive(Debug)]
pub struct InputReport {
    /// The input, as the test file has it.
    pub input: String,
    /// The file of its snapshot.
    pub snapshot: PathBuf,
    /// What differs from it; `None` where there is none.
    pub comparison: Option<Box<Comparison>>,
    /// Counts over what was found now.
    pub summary: Summary,
    /// Whether that is the snapshot from now on.
    pub is_accepted: bool,
}

/// What a test comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TestState {
    /// Nothing differs beyond the tolerance.
    Same,
    /// What differed is the snapshot from now on.
    Accepted,
    /// Something has no snapshot yet.
    New,
    /// Something differs.
    Differs,
    /// Something is not in the cassette.
    Missed,
    /// It was not done.
    Interrupted,
    /// The machine, a model or a server failed, or a limit was reached.
    Failed,
    /// The test or its recipe has mistakes.
    Wrong,
}

impl TestState {
    /// All of them, the good ones first.
    pub const ALL: [Self; 8] = [
        Self::Same,
        Self::Accepted,
        Self::New,
        Self::Differs,
        Self::Missed,
        Self::Interrupted,
        Self::Failed,
        Self::Wrong,
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Accepted => "accepted",
            Self::New => "new",
            Self::Differs => "differs",
            Self::Missed => "missed",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
            Self::Wrong => "wrong",
        }
    }

    /// Whether it passes.
    pub fn passes(self) -> bool {
        match self {
            Self::Same | Self::Accepted => true,
            Self::New
            | Self::Differs
            | Self::Missed
            | Self::Interrupted
            | Self::Failed
            | Self::Wrong => false,
        }
    }
}

impl TestReport {
    /// What it comes to: the worst of its inputs.
    pub fn state(&self) -> TestState {
        match &self.outcome {
            TestOutcome::Compared(inputs) => {
                let states = inputs.iter().map(InputReport::state);
                states.max().unwrap_or(TestState::Same)
            }
            TestOutcome::Missed(_) | TestOutcome::NoCassette { .. } => TestState::Missed,
            TestOutcome::Failed(AppError::Recipe(_) | AppError::Request { .. }) => TestState::Wrong,
            TestOutcome::Failed(AppError::Environment { .. } | AppError::Budget { .. }) => {
                TestState::Failed
            }
            TestOutcome::Interrupted => TestState::Interrupted,
        }
    }

    // What it alone would end the program with.
    fn exit_code(&self) -> u8 {
        match (self.state(), &self.outcome) {
            (TestState::Same | TestState::Accepted, _) => 0,
            (TestState::New | TestState::Differs | TestState::Missed, _) => DIFFERENT,
            (TestState::Interrupted, _) => INTERRUPTED,
            (_, TestOutcome::Failed(error)) => error.exit_code(),
            (TestState::Failed | TestState::Wrong, _) => 2,
        }
    }
}

impl InputReport {
    /// What it comes to.
    pub fn state(&self) -> TestState {
        match (&self.comparison, self.is_accepted) {
            (_, true) => TestState::Accepted,
            (None, false) => TestState::New,
            (Some(comparison), false) if comparison.is_same() => TestState::Same,
            (Some(_), false) => TestState::Differs,
        }
    }
}

/// The exit code where a test differs from what was accepted.
const DIFFERENT: u8 = 5;

const INTERRUPTED: u8 = 130;

/// The exit codes of tests, the worst first.
const WORST: [u8; 5] = [INTERRUPTED, 2, 3, 4, DIFFERENT];

/// Many tests together.
#[derive(Clone, Debug, Default)]
pub struct TestTotal {
    counts: [u64; TestState::ALL.len()],
    exit_codes: Vec<u8>,
}

impl TestTotal {
    /// Adds a test.
    pub fn add(&mut self, report: &TestReport) {
        let state = report.state();
        let places = TestState::ALL.iter().zip(&mut self.counts);
        places
            .filter(|(it, _)| **it == state)
            .for_each(|(_, count)| *count += 1);
        let code = report.exit_code();
        if !self.exit_codes.contains(&code) {
            self.exit_codes.push(code);
        }
    }

    /// How many there are of each state.
    pub fn counts(&self) -> impl Iterator<Item = (TestState, u64)> {
        TestState::ALL.into_iter().zip(self.counts)
    }

    /// 0 where all pass, 5 where something differs or is not there to compare with, 2 where a test is
    /// wrong, 3 and 4 where a recording failed, 130 where all was interrupted.
    pub fn exit_code(&self) -> u8 {
        let worst = WORST.into_iter().find(|it| self.exit_codes.contains(it));
        worst.unwrap_or(0)
    }
}
