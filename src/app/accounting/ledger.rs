//! The ledger of a run: what became of each video and what each stage took, kept from events.

use crate::app::accounting::spending::Spending;
use crate::app::accounting::spending::StageSpending;
use crate::app::inputs::Inputs;
use crate::app::run::report::RunReport;
use crate::app::run::report::StageSummary;
use crate::app::run::report::VideoReport;
use crate::app::saving;
use crate::app::saving::SavedTally;
use crate::engine::StopReason;
use crate::engine::cassette::Misses;
use crate::event::Event;
use crate::facts::StreamFacts;
use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Found;
use crate::item::Record;
use crate::item::Saved;
use crate::name::StageId;
use crate::name::VideoId;
use crate::output::FailedItem;
use crate::output::Requests;
use crate::output::Results;
use crate::output::RunFacts;
use crate::output::StageRun;
use crate::output::Summary;
use crate::plan::Execution;
use crate::plan::Plan;
use crate::plan::StagePlan;
use crate::plan::Step;
use crate::recipe::StageKind;
use jiff::ZonedDateTime;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

/// The events of a run so far, added up.
pub(in crate::app) struct Ledger {
    start: Instant,
    spending: Arc<Spending>,
    processed_at: String,
    videos: BTreeMap<VideoId, VideoReport>,
    // Which stages read which videos to the end.
    read: BTreeSet<(VideoId, StageId)>,
    unread: BTreeMap<VideoId, Vec<(StageId, Failure)>>,
    streams: BTreeMap<VideoId, StreamFacts>,
    stages: BTreeMap<StageId, StageTally>,
    files: SavedTally,
}

/// What became of the files of one video's results.
pub(in crate::app) struct WriteOutcome {
    /// Where they are.
    pub(in crate::app) path: Option<PathBuf>,
    /// Whether that is a partial file.
    pub(in crate::app) partial: bool,
    /// Which files of earlier runs stay because they know more, a sentence each.
    pub(in crate::app) kept: Vec<String>,
    /// What could not be written to its place.
    pub(in crate::app) unwritten: Option<String>,
}

#[derive(Default)]
struct StageTally {
    frames: u64,
    known: u64,
    retries: u64,
    splits: u64,
    at_work: u32,
    busy: Duration,
    since: Duration,
}

impl StageTally {
    // The time since the last change, once for each item that was at work in it.
    fn clock(&mut self, now: Duration) {
        self.busy += now.saturating_sub(self.since) * self.at_work;
        self.since = now;
    }
}

impl Ledger {
    /// That of a command that began at `start`.
    pub(in crate::app) fn open(start: Instant, paths: &[PathBuf], inputs: &Inputs) -> Self {
        let video = |(id, path): (VideoId, &PathBuf)| {
            let outcome = VideoReport {
                id,
                path: path.clone(),
                results: None,
                partial: false,
                kept: Vec::new(),
                summary: Summary::default(),
                failures: 0,
                unanswered: 0,
                requests_spared: 0,
                saved: Vec::new(),
                is_unwritten: false,
                error: inputs.unreadable.get(&id).cloned(),
            };
            (id, outcome)
        };
        let is_input = |(id, _): &(VideoId, &PathBuf)| {
            inputs.videos.contains_key(id) || inputs.unreadable.contains_key(id)
        };
        Self {
            start,
            spending: Arc::new(Spending::new(start)),
            processed_at: ZonedDateTime::now()
                .strftime("%Y-%m-%d %H:%M:%S")
                .to_string(),
            videos: VideoId::number(paths).filter(is_input).map(video).collect(),
            read: BTreeSet::new(),
            unread: BTreeMap::new(),
            streams: BTreeMap::new(),
            stages: BTreeMap::new(),
            files: SavedTally::default(),
        }
    }

    /// What is spent, for a budget.
    pub(in crate::app) fn spending(&self) -> &Arc<Spending> {
        &self.spending
    }

    fn requests(&self, stage: &StageId) -> Option<Requests> {
        let requests = |spending: &mut StageSpending| spending.requests();
        self.spending.with(stage, requests)
    }

    pub(in crate::app) fn note(&mut self, event: &Event) {
        let now = self.start.elapsed();
        let mut tally = |stage: &StageId, change: &dyn Fn(&mut StageTally)| {
            let tally = self.stages.entry(stage.clone()).or_default();
            tally.clock(now);
            change(tally);
        };
        match event {
            Event::Started { stage, .. } => tally(stage, &|tally| tally.at_work += 1),
            Event::Paused { stage, .. } => {
                tally(stage, &|tally| {
                    tally.at_work = tally.at_work.saturating_sub(1);
                });
            }
            Event::Finished { stage, frames } => {
                tally(stage, &|tally| tally.frames += frames);
            }
            Event::Recalled { stage, frames } => tally(stage, &|tally| tally.known += frames),
            Event::Retrying { stage, .. } => tally(stage, &|tally| tally.retries += 1),
            Event::Split { stage, .. } => tally(stage, &|tally| tally.splits += 1),
            Event::VideoRead { video, stage } => {
                self.read.insert((*video, stage.clone()));
            }
            Event::StreamRead { video, stream } => {
                let known = self.streams.entry(*video).or_default();
                known.length = stream.length.or(known.length);
                known.damaged = known.damaged.or_more(stream.damaged);
            }
            Event::VideoFailed {
                video,
                stage,
                failure,
            } => {
                let failures = self.unread.entry(*video).or_default();
                failures.push((stage.clone(), failure.clone()));
                // Whichever was read first.
                failures.sort_by(|(one, _), (other, _)| one.cmp(other));
                if let Some(outcome) = self.videos.get_mut(video) {
                    outcome.error = failures.first().map(|(_, first)| first.message.clone());
                }
            }
            _ => {}
        }
    }

    /// How the run went so far, for the results of `video`.
    pub(in crate::app) fn run_facts(
        &self,
        video: VideoId,
        plan: &Plan,
        stopped: Option<StopReason>,
    ) -> RunFacts {
        let mut stages: BTreeMap<StageId, StageRun> = BTreeMap::new();
        for (_, step) in plan.steps().filter(|(_, step)| step.stands_for_stage()) {
            let tally = self.stages.get(&step.stage);
            let run = StageRun {
                workers: step.limit.max,
                retries: tally.map_or(0, |tally| tally.retries),
                splits: tally.map_or(0, |tally| tally.splits),
                requests: self.requests(&step.stage),
            };
            stages.insert(step.stage.clone(), run);
        }
        RunFacts {
            processed_at: self.processed_at.clone(),
            elapsed: self.start.elapsed(),
            stopped: stopped.map(|reason| reason.to_string()),
            stages,
            cost: self.spending.cost_of(video),
            unread: self.unread.get(&video).cloned().unwrap_or_default(),
            stream: self.streams.get(&video).copied().unwrap_or_default(),
            digest: String::new(),
            range: None,
        }
    }

    /// There are no results of a video.
    pub(in crate::app) fn fail(&mut self, video: VideoId, why: String) {
        if let Some(report) = self.videos.get_mut(&video) {
            report.error = Some(why);
        }
    }

    /// Whether a record lacks something because the run was `stopped`. A run that was stopped for a
    /// failure is to blame for whatever has no answer.
    pub(in crate::app) fn is_partial(
        &self,
        record: &Record,
        plan: &Plan,
        stopped: &StopReason,
    ) -> bool {
        let has_failed = matches!(stopped, StopReason::Failed(_));
        let mut found = record.detections.values().flatten();
        let mut sources = plan
            .steps()
            .filter(|(_, step)| step.execution == Execution::Source);
        let is_read = |step: &Step| self.read.contains(&(record.video, step.stage.clone()));
        let said = record.transcripts.values();
        let mut gaps = said
            .filter_map(|it| it.said.as_ref().ok())
            .flat_map(|it| &it.gaps);
        sources.any(|(_, step)| !is_read(step))
            || gaps.any(|gap| has_failed || gap.failure.class == Class::Stopped)
            || found.any(|detections| match &detections.found {
                Found::Skipped(_) => true,
                Found::Error(_) => has_failed,
                Found::Objects(_) | Found::Fields(_) => false,
            })
    }

    /// A frame that a stage has written, or not.
    pub(in crate::app) fn file(&mut self, saved: &Saved) {
        self.files.add(saved);
    }

    /// The requests that repeated frames of a record have saved.
    pub(in crate::app) fn repeats(&mut self, record: &Record, plan: &Plan) {
        let frames = record.detections.iter();
        // What is told of a frame is told again where it is tracked.
        let frames: BTreeMap<_, _> = frames
            .map(|(stage, frames)| (plan.looks(stage), frames))
            .collect();
        let spared = frames.into_iter().map(|(stage, frames)| {
            let mut steps = plan.steps();
            let step = steps.find(|(_, step)| step.stage == *stage);
            let size = step.map_or(1, |(index, _)| plan.frames_per_request(index) as u64);
            let all = frames.len() as u64;
            let looked_at = frames.iter().filter(|it| it.same_as.is_none()).count() as u64;
            all.div_ceil(size) - looked_at.div_ceil(size)
        });
        if let Some(outcome) = self.videos.get_mut(&record.video) {
            outcome.requests_spared = spared.sum();
        }
    }

    /// The results of a video, and what became of their files.
    pub(in crate::app) fn results(
        &mut self,
        video: VideoId,
        results: Results,
        outcome: WriteOutcome,
    ) {
        if let Some(report) = self.videos.get_mut(&video) {
            report.results = outcome.path;
            report.partial = outcome.partial;
            report.kept = outcome.kept;
            report.summary = results.summary;
            report.failures = results.failures.len();
            let unanswered = results.failures.iter();
            let is_of_backend = |item: &&FailedItem| item.class != Class::Media;
            report.unanswered = unanswered.filter(is_of_backend).count();
            report.is_unwritten = outcome.unwritten.is_some();
            report.error = outcome.unwritten.or(report.error.take());
        }
    }

    pub(in crate::app) fn close(
        mut self,
        stages: &[StagePlan],
        stopped: Option<StopReason>,
        demo: bool,
    ) -> RunReport {
        let merges = stages.iter().any(|stage| stage.kind == StageKind::Merge);
        for (id, outcome) in &mut self.videos {
            outcome.saved = self.files.of(*id);
            if !merges {
                outcome.summary = saving::summary(&outcome.saved);
                let is_read = self.read.iter().any(|(video, _)| video == id);
                let unread = stopped.is_some() && !is_read;
                outcome.partial = unread || outcome.summary.skipped > 0;
            }
        }
        let mut tallies = std::mem::take(&mut self.stages);
        let summaries = stages.iter().filter_map(|stage| {
            let tally = tallies.remove(&stage.id)?;
            let requests = self.requests(&stage.id);
            Some(StageSummary {
                id: stage.id.clone(),
                frames: tally.frames,
                known: tally.known,
                busy: tally.busy,
                retries: tally.retries,
                splits: tally.splits,
                requests,
            })
        });
        let summaries = summaries.collect();
        RunReport {
            stages: summaries,
            videos: self.videos.into_values().collect(),
            elapsed: self.start.elapsed(),
            stopped,
            demo,
            recorded: None,
            misses: Misses::default(),
        }
    }
}
