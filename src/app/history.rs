//! `history` and `clean`: what runs did, and forgetting what none has used for long.

use crate::app::error::AppError;
use crate::app::state::State;
use crate::engine::journal::Forgotten;
use crate::engine::journal::Journal;
use crate::engine::journal::PastRun;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

/// The runs of an output folder.
#[derive(Clone, Debug)]
pub struct History {
    /// The journal that they stand in.
    pub journal: PathBuf,
    /// The latest first.
    pub runs: Vec<PastRun>,
}

/// All runs, or the one with the number `only`, of the journal in `state_dir` or where results
/// usually go.
///
/// # Errors
///
/// Where there is no journal or no such run, or the journal cannot be read.
pub fn history(only: Option<i64>, state_dir: Option<&Path>) -> Result<History, AppError> {
    let journal = existing(state_dir)?;
    let runs = journal.history(only)?;
    if let (Some(number), true) = (only, runs.is_empty()) {
        let path = journal.path().display();
        return Err(AppError::Request {
            message: format!("there is no run {number} in {path}"),
            help: Some("`vpipe history` lists the runs with their numbers".to_owned()),
        });
    }
    Ok(History {
        journal: journal.path().to_owned(),
        runs,
    })
}

/// Forgets the answers that no run has used for `age`, and says how much that was.
///
/// # Errors
///
/// Where there is no journal, a run goes on, or the journal cannot be written.
pub fn clean(age: Duration, state_dir: Option<&Path>) -> Result<(PathBuf, Forgotten), AppError> {
    let journal = existing(state_dir)?;
    match journal.forget(age)? {
        Ok(forgotten) => Ok((journal.path().to_owned(), forgotten)),
        Err(run) => Err(AppError::Request {
            message: format!(
                "run {run} still goes on and uses {}",
                journal.path().display()
            ),
            help: Some("clean when it is done".to_owned()),
        }),
    }
}

fn existing(state_dir: Option<&Path>) -> Result<Journal, AppError> {
    let state = State::usual(state_dir);
    let journal = state.open_existing()?;
    journal.ok_or_else(|| AppError::Request {
        message: format!("there is no journal in {}", state.folder().display()),
        help: Some(
            "a run makes one in .vpipe of its output folder; --state-dir DIR says where that is"
                .to_owned(),
        ),
    })
}
