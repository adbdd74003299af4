//! The keeper of a run: has its journal, holds its results, and notes what became of it.

use crate::app::accounting::spending::Spending;
use crate::app::compile::Compiled;
use crate::app::contents;
use crate::app::contents::Contents;
use crate::app::error::AppError;
use crate::app::inputs::Inputs;
use crate::app::run::header::KnownStage;
use crate::app::run::report::RunReport;
use crate::app::run::report::VideoReport;
use crate::app::state::State;
use crate::engine::Answers;
use crate::engine::StopReason;
use crate::engine::Unkept;
use crate::engine::journal::Held;
use crate::engine::journal::Hold;
use crate::engine::journal::InputState;
use crate::engine::journal::Journal;
use crate::engine::journal::RunEnd;
use crate::engine::journal::RunStart;
use crate::engine::journal::Spent;
use crate::exchange::Exchange;
use crate::facts::KnownVideo;
use crate::failure::Failure;
use crate::name::StageId;
use crate::name::VideoId;
use crate::stages;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

/// The journal of a run, and the results and videos that are its own meanwhile. A replay has none.
pub(super) struct Keeper {
    journal: Option<Arc<Journal>>,
    contents: Contents,
    _holds: Vec<Hold>,
}

impl Keeper {
    /// Opens the journal, and takes the results and the videos of the run. Inputs that turn out not to
    /// be readable are taken out.
    pub(super) fn open(state: &State, inputs: &mut Inputs) -> Result<Self, AppError> {
        let journal = Arc::new(state.open()?);
        let mut contents = Contents::find(&journal, inputs)?;
        let holds = holds(&journal, inputs, &contents)?;
        contents.begin(&journal)?;
        Ok(Self {
            journal: Some(journal),
            contents,
            _holds: holds,
        })
    }

    /// Keeps nothing.
    pub(super) fn without_journal(inputs: &Inputs) -> Self {
        Self {
            journal: None,
            contents: Contents::known(inputs),
            _holds: Vec::new(),
        }
    }

    /// Begins the run; one that is `fresh` knows nothing of what was asked before.
    pub(super) fn begin(&self, start: &RunStart, fresh: bool) -> Result<(), AppError> {
        let Some(journal) = &self.journal else {
            return Ok(());
        };
        journal.begin(start)?;
        if fresh {
            journal.ask_anew()?;
        }
        Ok(())
    }

    /// Where the answers of the run are.
    pub(super) fn answers(&self) -> Arc<dyn Answers> {
        match &self.journal {
            Some(journal) => Arc::clone(journal) as Arc<dyn Answers>,
            None => Arc::new(Unkept),
        }
    }

    /// Which video each input is.
    pub(super) fn contents(&self) -> &Contents {
        &self.contents
    }

    /// What the user should know of the journal.
    pub(super) fn notice(&self) -> Option<String> {
        let journal = self.journal.as_ref()?;
        let aside = journal.set_aside()?;
        Some(format!(
            "the journal {} was damaged: it is now {}, and a new one is begun",
            journal.path().display(),
            aside.display()
        ))
    }

    /// What is known already, by stage. It is noted among the facts of `compiled`, where it leaves
    /// less to ask of a server or to write.
    pub(super) fn known(&self, compiled: &mut Compiled) -> Result<Vec<KnownStage>, AppError> {
        let saves = !compiled.plan.file_views().is_empty();
        if saves || !compiled.placements.calls.is_empty() {
            compiled.facts.known = known_work(&self.answers(), compiled)?;
        }
        match &self.journal {
            Some(journal) => known(journal, compiled),
            None => Ok(Vec::new()),
        }
    }

    /// Notes what an attempt at a request of `stage` has added to what was spent.
    pub(super) fn spent(&self, stage: &StageId, exchange: &Exchange, spending: &Spending) {
        let Some((journal, video)) = self.journal.as_ref().zip(exchange.video) else {
            return;
        };
        let share = spending.with(stage, |spending| spending.share(video));
        told(journal.spend(&Spent {
            stage: stage.clone(),
            video,
            requests: share.requests,
            worker_seconds: share.executed.as_secs_f64(),
            cost: share.cost,
        }));
    }

    /// Notes what became of a video.
    pub(super) fn settle(&self, video: VideoId, state: InputState, why: Option<&str>) {
        if let Some(journal) = &self.journal {
            told(journal.settle(video, state, why));
        }
    }

    /// Notes how the run ended, as `report` says.
    pub(super) fn end(mut self, report: RunReport) -> RunReport {
        self.contents.end(report.stopped.is_some());
        for video in &report.videos {
            let (state, why) = (outcome(video), video.error.as_deref());
            self.settle(video.id, state, why);
        }
        if let Some(journal) = &self.journal {
            told(journal.end(&RunEnd {
                exit_code: report.exit_code(),
                stopped: report.stopped.as_ref().map(StopReason::to_string),
            }));
        }
        report
    }
}

// What a journal knows of the videos of a run, by stage.
fn known(journal: &Journal, compiled: &Compiled) -> Result<Vec<KnownStage>, AppError> {
    let kept = journal.kept()?;
    let known = compiled.plan.stages().iter().filter_map(|stage| {
        let kept = kept.get(&compiled.plan.digest(&stage.id)?)?;
        Some(KnownStage {
            stage: stage.id.clone(),
            answers: kept.answers,
            open_jobs: kept.tickets,
        })
    });
    Ok(known.collect())
}

// How much of its videos a run need not ask about. What a server has is collected only where it
// would be asked now.
fn known_work(
    answers: &Arc<dyn Answers>,
    compiled: &Compiled,
) -> Result<BTreeMap<VideoId, KnownVideo>, Failure> {
    let Compiled { plan, facts, .. } = compiled;
    let calls = compiled.placements.calls.iter();
    let addresses: BTreeSet<_> = calls
        .map(|(stage, call)| (plan.digest(stage), call.address()))
        .collect();
    let mut open = answers.open_tickets()?;
    open.retain(|open| addresses.contains(&(Some(open.stage), open.address.clone())));
    stages::known_work(plan, answers, &facts.videos, &open)
}

/// What a run that begins now would know already; a plan changes nothing and makes no journal. It
/// is noted among the facts of `compiled`.
pub(in crate::app) fn already_known(
    state: &State,
    inputs: &Inputs,
    compiled: &mut Compiled,
) -> Result<Vec<KnownStage>, AppError> {
    let Some(journal) = state.open_existing()? else {
        return Ok(Vec::new());
    };
    for (id, (input, _)) in &inputs.videos {
        let stamp = inputs.stamps.get(id);
        let digest = input
            .as_ref()
            .map(|input| contents::look(&journal, input, stamp));
        if let Some(digest) = digest.transpose()?.flatten() {
            journal.find_video(*id, &digest)?;
        }
    }
    let journal = Arc::new(journal);
    let answers = Arc::clone(&journal) as Arc<dyn Answers>;
    compiled.facts.known = known_work(&answers, compiled)?;
    known(&journal, compiled)
}

// What cannot be noted of a run does not end it: its answers are noted by others, who say so.
fn told(noted: Result<(), Failure>) {
    if let Err(failure) = noted {
        tracing::warn!(%failure, "the history lacks something");
    }
}

fn outcome(video: &VideoReport) -> InputState {
    match (&video.error, video.partial) {
        (Some(_), _) if video.results.is_none() || video.is_unwritten => InputState::Failed,
        (Some(_), _) | (None, true) => InputState::Partial,
        (None, false) => InputState::Done,
    }
}

// The files of results and their videos, each once, and what the user calls it.
fn holds(journal: &Journal, inputs: &Inputs, contents: &Contents) -> Result<Vec<Hold>, AppError> {
    let mut places: BTreeMap<String, PathBuf> = BTreeMap::new();
    for (id, (_, facts)) in &inputs.videos {
        // Frames alone may be written by several: each has a name of its own.
        if let Some(place) = inputs.places.get(id) {
            if let Some(Ok(digest)) = contents.digest(*id) {
                places.insert(contents::place(&digest), facts.path.clone());
            }
            let results = place.complete();
            let whole = std::path::absolute(&results).unwrap_or_else(|_| results.clone());
            places.insert(format!("results {}", whole.display()), results);
        }
    }
    let mut holds = Vec::new();
    for (place, name) in places {
        match journal.hold(&place)? {
            Ok(hold) => holds.push(hold),
            Err(held) => {
                let what = name.display();
                return Err(AppError::Request {
                    message: format!("another vpipe is at work on {what}{}", holder(&held)),
                    help: Some(
                        "wait for it or stop it, or give this run another --output-dir".to_owned(),
                    ),
                });
            }
        }
    }
    Ok(holds)
}

fn holder(held: &Held) -> String {
    let (Some(pid), Some(host)) = (held.pid, &held.host) else {
        return String::new();
    };
    let since = held
        .since
        .and_then(|since| Timestamp::from_millisecond(since).ok());
    let since = since.map(|since| {
        let since = since.to_zoned_datetime(TimeZone::system());
        format!(" since {}", since.strftime("%Y-%m-%d %H:%M:%S"))
    });
    let since = since.unwrap_or_default();
    format!(": process {pid} on {host}{since}")
}
