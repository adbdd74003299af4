//! Progress: from what a run says to what a screen shows. A pure state, so that it can be tested
//! without a screen or a clock.
//!
//! Knows nothing of terminals.

use crate::app::RunHeader;
use crate::app::RunUpdate;
use crate::app::StageRow;
use crate::cli::duration::spell_roughly;
use crate::cli::forecast;
use crate::cli::plan;
use crate::event::Event;
use crate::failure::Class;
use crate::failure::Failure;
use crate::failure::Verdict;
use crate::name::StageId;
use crate::name::VideoId;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;

const DEMO: &str = "no model is given: the built-in demo models know six drawn shapes and 60 English words about them";

/// How much a line matters, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// What live bars show better.
    Step,
    /// What the user should know.
    Notice,
    /// What went wrong.
    Trouble,
}

/// A line that stays on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) weight: Weight,
    pub(super) text: String,
}

fn line(weight: Weight, text: impl Into<String>) -> Line {
    let text = text.into();
    Line { weight, text }
}

/// One live row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) done: u64,
    /// `None` where it is not known.
    pub(super) total: Option<u64>,
    /// Counts and rates, in words.
    pub(super) text: String,
}

/// What is known of a run while it goes on.
#[derive(Debug, Default)]
pub(super) struct Progress {
    stages: Vec<Stage>,
    videos: BTreeMap<VideoId, String>,
    opened: BTreeSet<VideoId>,
    // Troubles that were shown; more of the same are only counted.
    shown: BTreeSet<(Trouble, StageId, Class)>,
    // Whether no new work is begun.
    stopping: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    Retry,
    Failed,
}

#[derive(Debug)]
struct Stage {
    id: StageId,
    limit: usize,
    total: Option<u64>,
    done: u64,
    // What of it had an answer from before.
    known: u64,
    // Where a stage says it: the slots that are taken.
    at_work: Option<u64>,
    retries: u64,
    failed: u64,
    // Since when its backend does not answer.
    silent_since: Option<Duration>,
    // When it began, and when it last got something done.
    began: Option<Duration>,
    latest: Duration,
}

impl Stage {
    fn new(row: &StageRow) -> Self {
        Self {
            id: row.id.clone(),
            limit: row.limit,
            total: row.total,
            done: 0,
            known: 0,
            at_work: None,
            retries: 0,
            failed: 0,
            silent_since: None,
            began: None,
            latest: Duration::ZERO,
        }
    }

    // Frames a second since its first, once that means anything. What was known took no time.
    fn rate(&self) -> Option<f64> {
        let seconds = self.latest.saturating_sub(self.began?).as_secs_f64();
        let asked = self.done.saturating_sub(self.known);
        (asked > 1 && seconds > 0.2).then(|| asked as f64 / seconds)
    }

    fn remaining(&self) -> Option<Duration> {
        let left = self.total?.saturating_sub(self.done);
        Duration::try_from_secs_f64(left as f64 / self.rate()?).ok()
    }

    fn row(&self) -> Row {
        let mut parts = vec![match self.total {
            Some(total) => format!("{}/{total}", self.done),
            None => self.done.to_string(),
        }];
        parts.extend((self.known > 0).then(|| format!("{} known", self.known)));
        parts.extend(self.rate().map(|rate| format!("{rate:.1}/s")));
        let at_work = |slots| format!("{slots} of {} at work", self.limit);
        parts.extend(self.at_work.map(at_work));
        let mut count = |number: u64, one: &str, many: &str| match number {
            0 => {}
            1 => parts.push(format!("1 {one}")),
            number => parts.push(format!("{number} {many}")),
        };
        count(self.retries, "retry", "retries");
        count(self.failed, "failed", "failed");
        let silent = |since| format!("no answer from {} on", spell_roughly(since));
        parts.extend(self.silent_since.map(silent));
        Row {
            name: self.id.to_string(),
            done: self.done,
            total: self.total,
            text: parts.join("  "),
        }
    }
}

impl Progress {
    /// Takes in what a run says, `now` after its start, and gives the lines that are to stay.
    pub(super) fn update(&mut self, update: &RunUpdate, now: Duration) -> Vec<Line> {
        match update {
            RunUpdate::Begins(header) => self.plan(header),
            RunUpdate::Event(event) => self.event(event, now).into_iter().collect(),
            RunUpdate::Saved { path, partial, .. } => {
                let what = if *partial {
                    "partial results"
                } else {
                    "results"
                };
                vec![line(Weight::Step, format!("{what}: {}", path.display()))]
            }
        }
    }

    /// The live rows, one a stage that runs.
    pub(super) fn rows(&self) -> Vec<Row> {
        self.stages.iter().map(Stage::row).collect()
    }

    /// How long it will go on: as long as its slowest stage needs.
    pub(super) fn remaining(&self) -> Option<Duration> {
        self.stages.iter().filter_map(Stage::remaining).max()
    }

    fn plan(&mut self, header: &RunHeader) -> Vec<Line> {
        let runs = |row: &&StageRow| row.skipped.is_none();
        self.stages = header.stages.iter().filter(runs).map(Stage::new).collect();
        self.videos = header
            .videos
            .iter()
            .map(|video| (video.id, video.path.display().to_string()))
            .collect();
        let inputs = plan::over(header);
        let mut lines = vec![line(
            Weight::Step,
            format!("running {} over {inputs}", header.recipe),
        )];
        lines.extend(header.stages.iter().filter_map(fate));
        let shares = header.hosts.iter();
        lines.extend(shares.map(|share| line(Weight::Notice, plan::sent(share, false))));
        let known = header.known.iter().filter_map(plan::known);
        lines.extend(known.map(|text| line(Weight::Notice, text)));
        let costs = header.forecast.stages.iter().flat_map(forecast::lines);
        lines.extend(costs.map(|text| line(Weight::Notice, text)));
        if header.demo {
            lines.push(line(Weight::Notice, DEMO));
        }
        let notices = header.notices.iter();
        lines.extend(notices.map(|text| line(Weight::Notice, text.clone())));
        lines
    }

    fn event(&mut self, event: &Event, now: Duration) -> Option<Line> {
        match event {
            Event::VideoOpened { video } => {
                let first = self.opened.insert(*video);
                first.then(|| line(Weight::Step, format!("{}: started", self.name(*video))))
            }
            Event::VideoRead { .. } | Event::StreamRead { .. } => None,
            Event::VideoDone { video } => {
                Some(line(Weight::Step, format!("{}: done", self.name(*video))))
            }
            Event::Started { .. }
            | Event::Paused { .. }
            | Event::Recalled { .. }
            | Event::Finished { .. } => {
                self.count(event, now);
                None
            }
            Event::Retrying {
                stage,
                pause,
                failure,
                ..
            } => {
                self.stage(stage)?.retries += 1;
                let text = || format!("{failure}; trying again in {}", spell_roughly(*pause));
                self.show_once(Trouble::Retry, stage, failure, text)
            }
            Event::ItemFailed {
                stage,
                video,
                item,
                failure,
            } => {
                self.stage(stage)?.failed += 1;
                // They are told at the end, by reason.
                if failure.class == Class::NotRecorded {
                    return None;
                }
                self.item_failed(stage, *video, item, failure)
            }
            Event::VideoFailed { failure, .. } => {
                let is_shown = self.is_shown(failure);
                (!is_shown).then(|| line(Weight::Trouble, failure.to_string()))
            }
            Event::OutageBegan { .. }
            | Event::OutageEnded { .. }
            | Event::Collecting { .. }
            | Event::Collected { .. } => self.backend(event, now),
            Event::Split { .. } | Event::Exchanged { .. } => None,
            Event::Notice { text } => Some(line(Weight::Notice, text.clone())),
            Event::Stopping { why, help } => {
                self.stopping = Some(why.clone());
                let help = help.iter().map(|help| format!("\n{help}"));
                let text = help.fold(format!("stopping: {why}"), |text, help| text + &help);
                Some(line(Weight::Trouble, text))
            }
        }
    }

    // What a backend does that is about no single item.
    fn backend(&mut self, event: &Event, now: Duration) -> Option<Line> {
        match event {
            Event::OutageBegan {
                stage,
                failure,
                longest,
            } => {
                self.stage(stage)?.silent_since = Some(now);
                let longest = spell_roughly(*longest);
                let text = format!(
                    "{stage}: its backend does not answer ({failure}); nothing more is sent until it \
                     does, for up to {longest}"
                );
                Some(line(Weight::Trouble, text))
            }
            Event::OutageEnded { stage, lasted } => {
                self.stage(stage)?.silent_since = None;
                let lasted = spell_roughly(*lasted);
                let text = format!("{stage}: its backend is asked again, after {lasted}");
                Some(line(Weight::Notice, text))
            }
            Event::Collecting { jobs } => {
                let text = format!("waiting for {} of an earlier run", spell_jobs(*jobs));
                Some(line(Weight::Notice, text))
            }
            Event::Collected { gone, .. } if *gone > 0 => {
                let (jobs, were) = (spell_jobs(*gone), if *gone == 1 { "was" } else { "were" });
                let text = format!("{jobs} of an earlier run {were} gone: asked anew");
                Some(line(Weight::Notice, text))
            }
            _ => None,
        }
    }

    // Whether a failure stopped the run, or is a consequence: the reason was shown when it stopped.
    fn is_shown(&self, failure: &Failure) -> bool {
        let stops = failure.class.verdict() == Verdict::StopRun;
        self.stopping.as_ref().is_some_and(|why| {
            stops || failure.class == Class::Stopped || why.contains(&failure.message)
        })
    }

    // The frames that are done, and the slots that are at work.
    fn count(&mut self, event: &Event, now: Duration) -> Option<()> {
        match event {
            Event::Started { stage, .. } => {
                let stage = self.stage(stage)?;
                stage.began.get_or_insert(now);
                *stage.at_work.get_or_insert(0) += 1;
            }
            Event::Paused { stage, .. } => {
                let at_work = self.stage(stage)?.at_work.as_mut()?;
                *at_work = at_work.saturating_sub(1);
            }
            Event::Recalled { stage, frames } => self.stage(stage)?.known += frames,
            Event::Finished { stage, frames } => {
                let stage = self.stage(stage)?;
                stage.began.get_or_insert(now);
                stage.latest = now;
                stage.done += frames;
            }
            _ => {}
        }
        Some(())
    }

    fn item_failed(
        &mut self,
        stage: &StageId,
        video: VideoId,
        item: &str,
        failure: &Failure,
    ) -> Option<Line> {
        if self.is_shown(failure) {
            return None;
        }
        let text = format!("{item} of {} failed: {failure}", self.name(video));
        self.show_once(Trouble::Failed, stage, failure, || text)
    }

    fn show_once(
        &mut self,
        trouble: Trouble,
        stage: &StageId,
        failure: &Failure,
        text: impl FnOnce() -> String,
    ) -> Option<Line> {
        let first = self.shown.insert((trouble, stage.clone(), failure.class));
        first.then(|| {
            let text = format!("{stage}: {} (more of these are only counted)", text());
            line(Weight::Trouble, text)
        })
    }

    fn stage(&mut self, id: &StageId) -> Option<&mut Stage> {
        self.stages.iter_mut().find(|stage| stage.id == *id)
    }

    fn name(&self, video: VideoId) -> String {
        let known = self.videos.get(&video).cloned();
        known.unwrap_or_else(|| video.to_string())
    }
}

fn spell_jobs(count: usize) -> String {
    match count {
        1 => "1 job".to_owned(),
        count => format!("{count} jobs"),
    }
}

fn fate(row: &StageRow) -> Option<Line> {
    let text = match &row.skipped {
        Some(why) => format!("{} is skipped: {why}", row.id),
        None if row.place.is_empty() => return None,
        None => format!("{}: {}, {} at once", row.id, row.place, row.limit),
    };
    Some(line(Weight::Notice, text))
}

#[cfg(test)]
mod tests;
