//! The history: every run, what it was over, what it spent and what it left open.
//!
//! All is noted as it happens, so that a run that was killed stands here too.

use crate::engine::journal::hold::note_holder;
use crate::engine::journal::journal::Journal;
use crate::engine::journal::journal::now;
use crate::engine::journal::store::Outlasts;
use crate::engine::journal::store::lock;
use crate::failure::Class;
use crate::failure::Failure;
use crate::name::StageId;
use crate::name::VideoId;
use rusqlite::Connection;
use rusqlite::Row;
use rusqlite::params;
use rusqlite::types::FromSql;
use rusqlite::types::FromSqlError;
use rusqlite::types::FromSqlResult;
use rusqlite::types::ToSql;
use rusqlite::types::ToSqlOutput;
use rusqlite::types::ValueRef;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

/// A run that begins.
#[derive(Clone, Debug)]
pub struct RunStart {
    /// What the user calls the recipe.
    pub recipe: String,
    /// The digest of the recipe as it is run, in hexadecimal.
    pub recipe_digest: String,
    /// Its inputs, in the order of the command line.
    pub inputs: Vec<PathBuf>,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct RunEnd {
    /// The exit code.
    pub exit_code: u8,
    /// Why it ended early, if it did.
    pub stopped: Option<String>,
}

/// What a stage has spent on a video so far.
#[derive(Clone, Debug)]
pub struct Spent {
    /// The stage.
    pub stage: StageId,
    /// The video.
    pub video: VideoId,
    /// Attempts at requests.
    pub requests: u64,
    /// How long workers ran for them, in seconds.
    pub worker_seconds: f64,
    /// What they added to the cost of the run, in US dollars; `None` where nothing is paid.
    pub cost: Option<f64>,
}

/// What became of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum InputState {
    /// The run ended before it was done.
    Open,
    /// All that was asked of it is answered.
    Done,
    /// Results were written that lack something.
    Partial,
    /// It could not be read, or its results could not be written.
    Failed,
}

/// A run of the past, or one that still goes on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PastRun {
    /// Its number.
    pub id: i64,
    /// When it began, in milliseconds since 1970.
    pub started: i64,
    /// When it ended; `None` where it goes on, or was killed.
    pub ended: Option<i64>,
    /// Whether it goes on.
    pub is_running: bool,
    /// What the user called the recipe.
    pub recipe: String,
    /// The digest of the recipe as it was run, in hexadecimal.
    pub recipe_digest: String,
    /// Its exit code; `None` as above.
    pub exit_code: Option<u8>,
    /// Why it ended early, if it did.
    pub stopped: Option<String>,
    /// Its inputs, in the order of the command line.
    pub inputs: Vec<PastInput>,
    /// Its stages that sent requests.
    pub stages: Vec<PastStage>,
    /// Answers that it noted and that are still known.
    pub answers: u64,
    /// Jobs that it left at a server and whose answers are not here.
    pub open_jobs: u64,
}

/// An input of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PastInput {
    /// The file or folder, as the user named it.
    pub path: String,
    /// What became of it.
    pub state: InputState,
    /// Why, where it is not done.
    pub why: Option<String>,
    /// Its share of the cost of the run, in US dollars; `None` where nothing was paid.
    #[serde(rename = "cost_usd")]
    pub cost: Option<f64>,
}

/// What a stage of a run spent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PastStage {
    /// The stage.
    pub stage: StageId,
    /// Attempts at requests.
    pub requests: u64,
    /// How long workers ran for it, in seconds.
    pub worker_seconds: f64,
    /// What it cost, in US dollars; `None` where nothing was paid.
    #[serde(rename = "cost_usd")]
    pub cost: Option<f64>,
}

impl PastRun {
    /// Attempts at requests, of all stages.
    pub fn requests(&self) -> u64 {
        self.stages.iter().map(|stage| stage.requests).sum()
    }

    /// How long workers ran for it, in seconds.
    pub fn worker_seconds(&self) -> f64 {
        self.stages.iter().map(|stage| stage.worker_seconds).sum()
    }

    /// What it cost, in US dollars; `None` where nothing was paid.
    pub fn cost(&self) -> Option<f64> {
        let costs = self.stages.iter().filter_map(|stage| stage.cost);
        costs.reduce(|one, other| one + other)
    }

    /// How many of its inputs are in `state`.
    pub fn count(&self, state: InputState) -> usize {
        let inputs = self.inputs.iter();
        inputs.filter(|input| input.state == state).count()
    }
}

impl Journal {
    /// Begins a run, which notes are of from here on, and gives its number.
    ///
    /// # Errors
    ///
    /// Where it cannot be kept.
    pub fn begin(&self, start: &RunStart) -> Result<i64, Failure> {
        let mut hold = Ok(None);
        let begun = self.store.write(Outlasts::Process, |change| {
            change.execute(
                "INSERT INTO runs (started, recipe, recipe_digest) VALUES (?1, ?2, ?3)",
                params![now(), start.recipe, start.recipe_digest],
            )?;
            let run = change.last_insert_rowid();
            for (video, path) in VideoId::number(&start.inputs) {
                change.execute(
                    "INSERT INTO run_inputs (run, place, path, state) VALUES (?1, ?2, ?3, ?4)",
                    params![run, video.0, path.to_string_lossy(), InputState::Open],
                )?;
            }
            // Whoever sees the run sees that it goes on.
            hold = self.lock_place(&sign(run));
            note_holder(change, &sign(run))?;
            Ok(run)
        });
        let run = begun.map_err(|error| self.unwritten(&error))?;
        self.run.store(run, Ordering::Relaxed);
        let hold = hold?.ok_or_else(|| {
            let message = format!("run {run} of the journal is taken, and it has just begun");
            Failure::new(Class::Internal, message)
        })?;
        *lock(&self.sign_of_life) = Some(hold);
        Ok(run)
    }

    /// Notes what a stage has spent on a video so far.
    ///
    /// # Errors
    ///
    /// Where it cannot be kept.
    pub fn spend(&self, spent: &Spent) -> Result<(), Failure> {
        let run = self.run.load(Ordering::Relaxed);
        let noted = self.store.write(Outlasts::Process, |change| {
            let mut add = change.prepare_cached(
                "INSERT OR REPLACE INTO spending
                    (run, place, stage, requests, worker_seconds, cost)
                    VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            add.execute(params![
                run,
                spent.video.0,
                spent.stage.as_str(),
                spent.requests.cast_signed(),
                spent.worker_seconds,
                spent.cost
            ])
        });
        noted.map(drop).map_err(|error| self.unwritten(&error))
    }

    /// Notes what became of an input.
    ///
    /// # Errors
    ///
    /// Where it cannot be kept.
    pub fn settle(
        &self,
        video: VideoId,
        state: InputState,
        why: Option<&str>,
    ) -> Result<(), Failure> {
        let run = self.run.load(Ordering::Relaxed);
        let noted = self.store.write(Outlasts::Process, |change| {
            change.execute(
                "UPDATE run_inputs SET state = ?3, why = ?4 WHERE run = ?1 AND place = ?2",
                params![run, video.0, state, why],
            )
        });
        noted.map(drop).map_err(|error| self.unwritten(&error))
    }

    /// Notes how the run ended.
    ///
    /// # Errors
    ///
    /// Where it cannot be kept.
    pub fn end(&self, end: &RunEnd) -> Result<(), Failure> {
        let run = self.run.load(Ordering::Relaxed);
        let noted = self.store.write(Outlasts::Process, |change| {
            change.execute(
                "UPDATE runs SET ended = ?2, exit_code = ?3, stopped = ?4 WHERE id = ?1",
                params![run, now(), end.exit_code, end.stopped],
            )
        });
        if lock(&self.sign_of_life).take().is_some() {
            self.forget_hold(&sign(run));
        }
        noted.map(drop).map_err(|error| self.unwritten(&error))
    }

    /// All runs, the latest first; or the one with this number.
    ///
    /// # Errors
    ///
    /// Where they cannot be read.
    pub fn history(&self, only: Option<i64>) -> Result<Vec<PastRun>, Failure> {
        let runs = self.store.read(|connection| {
            let mut select = connection.prepare(
                "SELECT id, started, ended, recipe, recipe_digest, exit_code, stopped FROM runs
                    WHERE ?1 IS NULL OR id = ?1 ORDER BY id DESC",
            )?;
            let runs = select.query_map([only], past_run)?;
            let runs: Result<Vec<PastRun>, _> = runs.collect();
            let mut runs = runs?;
            let answers = answers_by_run(connection)?;
            for run in &mut runs {
                run.answers = answers
                    .iter()
                    .find(|(id, _)| *id == run.id)
                    .map_or(0, |it| it.1);
                fill(run, connection)?;
            }
            Ok(runs)
        });
        let mut runs = runs.map_err(|error| self.unread(&error))?;
        for run in &mut runs {
            run.is_running = run.ended.is_none() && self.is_held(&sign(run.id));
        }
        Ok(runs)
    }
}

/// The place that a run holds while it goes on.
pub(super) fn sign(run: i64) -> String {
    format!("run {run}")
}

fn past_run(row: &Row<'_>) -> rusqlite::Result<PastRun> {
    Ok(PastRun {
        id: row.get(0)?,
        started: row.get(1)?,
        ended: row.get(2)?,
        is_running: false,
        recipe: row.get(3)?,
        recipe_digest: row.get(4)?,
        exit_code: row.get(5)?,
        stopped: row.get(6)?,
        inputs: Vec::new(),
        stages: Vec::new(),
        answers: 0,
        open_jobs: 0,
    })
}

fn answers_by_run(connection: &Connection) -> rusqlite::Result<Vec<(i64, u64)>> {
    let mut select = connection.prepare("SELECT run, count(*) FROM answers GROUP BY run")?;
    let counts = select.query_map([], |row| Ok((row.get(0)?, count(row, 1)?)))?;
    counts.collect()
}

fn fill(run: &mut PastRun, connection: &Connection) -> rusqlite::Result<()> {
    let mut inputs = connection.prepare_cached(
        "SELECT path, state, why,
            (SELECT sum(cost) FROM spending
                WHERE spending.run = run_inputs.run AND spending.place = run_inputs.place)
            FROM run_inputs WHERE run = ?1 ORDER BY place",
    )?;
    let inputs = inputs.query_map([run.id], |row| {
        Ok(PastInput {
            path: row.get(0)?,
            state: row.get(1)?,
            why: row.get(2)?,
            cost: row.get(3)?,
        })
    })?;
    run.inputs = inputs.collect::<Result<_, _>>()?;
    let mut stages = connection.prepare_cached(
        "SELECT stage, sum(requests), sum(worker_seconds), sum(cost) FROM spending
            WHERE run = ?1 GROUP BY stage ORDER BY stage",
    )?;
    let stages = stages.query_map([run.id], |row| {
        Ok(PastStage {
            stage: row.get::<_, String>(0)?.into(),
            requests: count(row, 1)?,
            worker_seconds: row.get(2)?,
            cost: row.get(3)?,
        })
    })?;
    run.stages = stages.collect::<Result<_, _>>()?;
    let mut open = connection.prepare_cached("SELECT count(*) FROM tickets WHERE run = ?1")?;
    run.open_jobs = open.query_row([run.id], |row| count(row, 0))?;
    Ok(())
}

fn count(row: &Row<'_>, place: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(place).map(i64::unsigned_abs)
}

impl ToSql for InputState {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let number = match self {
            Self::Open => 0_i64,
            Self::Done => 1,
            Self::Partial => 2,
            Self::Failed => 3,
        };
        Ok(number.into())
    }
}

impl FromSql for InputState {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_i64()? {
            0 => Ok(Self::Open),
            1 => Ok(Self::Done),
            2 => Ok(Self::Partial),
            3 => Ok(Self::Failed),
            other => Err(FromSqlError::OutOfRange(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::InputState;
    use super::RunEnd;
    use super::Spent;
    use crate::engine::answers::Answers;
    use crate::engine::journal::journal::Journal;
    use crate::engine::journal::tests::samples;
    use crate::name::VideoId;
    use tempfile::tempdir;

    fn spend(journal: &Journal, stage: &str, video: u32, seconds: f64, cost: Option<f64>) {
        let spent = Spent {
            requests: 2,
            stage: stage.into(),
            video: VideoId(video),
            worker_seconds: seconds,
            cost,
        };
        journal.spend(&spent).unwrap();
    }

    #[test]
    fn the_shares_of_its_inputs_are_what_a_run_cost() {
        let folder = tempdir().unwrap();
        let journal = samples::journal(folder.path());
        spend(&journal, "yolo", 0, 1.5, Some(0.25));
        spend(&journal, "yolo", 1, 0.5, Some(0.5));
        spend(&journal, "yolo", 0, 2.5, Some(0.375));
        spend(&journal, "whisper", 0, 4.0, None);
        journal.settle(VideoId(0), InputState::Done, None).unwrap();
        let why = Some("it ends too early");
        journal.settle(VideoId(1), InputState::Failed, why).unwrap();
        journal
            .end(&RunEnd {
                exit_code: 1,
                stopped: None,
            })
            .unwrap();
        let runs = journal.history(Some(1)).unwrap();
        let run = &runs[0];
        assert_eq!((run.requests(), run.worker_seconds()), (6, 7.0));
        assert_eq!(run.cost(), Some(0.875));
        let shares: Vec<_> = run.inputs.iter().map(|input| input.cost).collect();
        assert_eq!(shares, [Some(0.375), Some(0.5)]);
        assert_eq!(run.stages[0].cost, None, "{:?}", run.stages[0]);
        assert_eq!(run.exit_code, Some(1));
        assert!(!run.is_running && run.ended >= Some(run.started));
        assert_eq!(run.count(InputState::Done), 1);
        assert_eq!(run.inputs[1].why.as_deref(), why);
        assert_eq!(run.inputs[1].path, "clips/b.mp4");
        assert_eq!(journal.history(Some(2)).unwrap(), []);
    }

    #[test]
    fn a_run_that_was_killed_stands_there_with_what_it_left_open() {
        let folder = tempdir().unwrap();
        let killed = samples::journal(folder.path());
        spend(&killed, "yolo", 0, 1.0, Some(0.5));
        killed.note_ticket(&samples::ticket("a", &[0, 30])).unwrap();
        let answer = samples::noted(samples::frame_key(1, 60), samples::objects(60));
        killed.note_answers(&[answer]).unwrap();
        let reader = Journal::open_existing(folder.path()).unwrap().unwrap();
        let run = || reader.history(None).unwrap().remove(0);
        assert!(run().is_running);
        drop(killed);
        let run = run();
        assert!(!run.is_running);
        assert_eq!((run.ended, run.exit_code), (None, None));
        assert_eq!((run.open_jobs, run.answers), (1, 1));
        assert_eq!(run.cost(), Some(0.5));
        assert_eq!(run.count(InputState::Open), 2);
        // The next has a number of its own, and stands before it.
        samples::journal(folder.path());
        let ids: Vec<_> = reader
            .history(None)
            .unwrap()
            .iter()
            .map(|run| run.id)
            .collect();
        assert_eq!(ids, [2, 1]);
    }
}
