//! Progress: from what a run says to what a screen shows. A pure state, so that it can be tested
//! without a screen or a clock: every time is given, from the start of the run.
//!
//! Knows nothing of terminals.

mod layout;
mod stage;

use crate::app;
use crate::app::RunHeader;
use crate::app::RunUpdate;
use crate::cli::bars::LiveRow;
use crate::cli::forecast;
use crate::cli::money::dollars;
use crate::cli::plan;
use crate::cli::progress::layout::StageRow;
use crate::cli::progress::stage::Remaining;
use crate::cli::progress::stage::StageProgress;
use crate::cli::streams::visible;
use crate::duration::spelled_roughly;
use crate::event::Event;
use crate::failure::Class;
use crate::failure::Failure;
use crate::failure::Verdict;
use crate::name::StageId;
use crate::name::VideoId;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

/// How often it is said how far a run is, where nothing is drawn.
const BULLETIN: Duration = Duration::from_secs(30);

// What is left is rounded up: nothing takes no time.
const ALMOST_A_SECOND: Duration = Duration::from_millis(999);

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

/// What is known of a run while it goes on.
#[derive(Debug, Default)]
pub(super) struct Progress {
    stages: Vec<StageProgress>,
    // As the user named them.
    videos: BTreeMap<VideoId, PathBuf>,
    opened: BTreeSet<VideoId>,
    done: BTreeSet<VideoId>,
    // US dollars, where anything is paid.
    spent: Option<f64>,
    // When it was last said how far the run is, where nothing is drawn.
    told: Duration,
    // Troubles that were shown; more of the same are only counted.
    shown: BTreeSet<(Trouble, StageId, Class)>,
    // Whether no new work is begun.
    stopping: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    Retry,
    Failed,
    Skipped,
}

impl Progress {
    /// Takes in what a run says, `now` after its start, and gives the lines that are to stay.
    pub(super) fn update(&mut self, update: &RunUpdate, now: Duration) -> Vec<Line> {
        match update {
            RunUpdate::Begins(header) => self.plan(header, now),
            RunUpdate::Event(event) => self.event(event, now).into_iter().collect(),
            RunUpdate::Saved { path, partial, .. } => {
                let what = if *partial {
                    "partial results"
                } else {
                    "results"
                };
                vec![line(Weight::Step, format!("{what}: {}", path.display()))]
            }
            RunUpdate::Spent { dollars } => {
                self.spent = Some(*dollars);
                Vec::new()
            }
        }
    }

    /// The live rows in a window of so many columns; none before the run begins.
    pub(super) fn rows(&self, now: Duration, width: usize) -> Vec<LiveRow> {
        if self.stages.is_empty() {
            return Vec::new();
        }
        let row = |stage: &StageProgress| StageRow {
            name: stage.id.to_string(),
            done: stage.done,
            total: stage.total,
            words: stage.words(),
        };
        let rows: Vec<StageRow> = self.stages.iter().map(row).collect();
        let mut rows = layout::stages(&rows, width);
        let place = Some(self.place(width)).filter(|place| !place.is_empty());
        rows.extend(place.map(LiveRow::of));
        let mut words = vec![clock(now)];
        words.extend(self.outlook(now));
        rows.push(LiveRow::of(layout::fitting(&words, width)));
        rows
    }

    /// How far the run is, in a line; at most every [`BULLETIN`].
    pub(super) fn bulletin(&mut self, now: Duration) -> Option<Line> {
        if self.stages.is_empty() || now < self.told + BULLETIN {
            return None;
        }
        self.told = now;
        let stage = |stage: &StageProgress| {
            let words = stage.words();
            format!("{} {}", stage.id, words.join(", "))
        };
        let stages: Vec<String> = self.stages.iter().map(stage).collect();
        let place = Some(self.place(usize::MAX)).filter(|place| !place.is_empty());
        let parts = place.into_iter().chain(stages).chain(self.outlook(now));
        let parts: Vec<String> = parts.collect();
        let text = format!("after {}: {}", clock(now), parts.join("; "));
        Some(line(Weight::Step, text))
    }

    // Which video it is at, and how many are done.
    fn place(&self, width: usize) -> String {
        let under_way = self.opened.difference(&self.done);
        let names: Vec<String> = under_way.map(|video| self.file_name(*video)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let count = match self.videos.len() {
            0 | 1 => String::new(),
            all => format!("{} of {all} done", self.done.len()),
        };
        match (count.is_empty(), names.is_empty()) {
            (true, _) => layout::names(&names, width),
            (false, true) => count,
            (false, false) => {
                let count = count + ", now ";
                let names = layout::names(&names, width.saturating_sub(count.len()));
                count + &names
            }
        }
    }

    // What it costs so far and how long it will go on, what matters most first.
    fn outlook(&self, now: Duration) -> impl Iterator<Item = String> {
        let spent = self.spent.map(|spent| format!("{} so far", dollars(spent)));
        let ends = match &self.stopping {
            Some(_) => Some("stopping".to_owned()),
            None => self
                .remaining(now)
                .map(|left| format!("about {} left", clock(left + ALMOST_A_SECOND))),
        };
        spent.into_iter().chain(ends)
    }

    /// How long it will go on: as long as its slowest stage needs. `None` where nobody knows.
    fn remaining(&self, now: Duration) -> Option<Duration> {
        let mut longest = Duration::ZERO;
        for stage in &self.stages {
            match stage.remaining(now) {
                Remaining::Known(time) => longest = longest.max(time),
                Remaining::Unknown => {}
                Remaining::Open => return None,
            }
        }
        Some(longest).filter(|longest| !longest.is_zero())
    }

    fn plan(&mut self, header: &RunHeader, now: Duration) -> Vec<Line> {
        let runs = header.stages.iter().filter(|row| row.skipped.is_none());
        let stage = |row| StageProgress::new(row, expected(header, row), now);
        self.stages = runs.map(stage).collect();
        let videos = header.videos.iter();
        self.videos = videos.map(|video| (video.id, video.path.clone())).collect();
        let inputs = plan::over(header);
        let mut lines = vec![line(
            Weight::Step,
            format!("running {} over {inputs}", header.recipe),
        )];
        let is_demo = |row: &&app::StageRow| header.demo.iter().any(|(id, _)| *id == row.id);
        let named = header.stages.iter().filter(|row| !is_demo(row));
        lines.extend(named.filter_map(fate));
        let demo = plan::demo(&header.demo);
        lines.extend(demo.map(|text| line(Weight::Notice, text)));
        let shares = header.hosts.iter();
        lines.extend(shares.map(|share| line(Weight::Notice, plan::sent(share, false))));
        let known = header.known.iter().filter_map(plan::known);
        lines.extend(known.map(|text| line(Weight::Notice, text)));
        let costs = header.forecast.stages.iter().flat_map(forecast::lines);
        lines.extend(costs.map(|text| line(Weight::Notice, text)));
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
            Event::VideoDone { video } => Some(self.video_done(*video)),
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
                let text = || format!("{failure}; trying again in {}", spelled_roughly(*pause));
                self.show_once(Trouble::Retry, stage, failure, text)
            }
            Event::ItemFailed {
                stage,
                video,
                item,
                failure,
            } => self.without_answer(stage, *video, item, failure),
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

    fn video_done(&mut self, video: VideoId) -> Line {
        self.done.insert(video);
        let count = match self.videos.len() {
            0 | 1 => String::new(),
            all => format!(" ({} of {all})", self.done.len()),
        };
        line(Weight::Step, format!("{}: done{count}", self.name(video)))
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
                let longest = spelled_roughly(*longest);
                let text = format!(
                    "{stage}: its backend does not answer ({failure}); nothing more is sent until it \
                     does, for up to {longest}"
                );
                Some(line(Weight::Trouble, text))
            }
            Event::OutageEnded { stage, lasted } => {
                self.stage(stage)?.silent_since = None;
                let lasted = spelled_roughly(*lasted);
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
                self.stage(stage)?.start(now);
            }
            Event::Paused { stage, .. } => self.stage(stage)?.pause(),
            Event::Recalled { stage, frames } => self.stage(stage)?.known += frames,
            Event::Finished { stage, frames } => self.stage(stage)?.finish(*frames, now),
            _ => {}
        }
        Some(())
    }

    fn without_answer(
        &mut self,
        stage: &StageId,
        video: VideoId,
        item: &str,
        failure: &Failure,
    ) -> Option<Line> {
        let counts = self.stage(stage)?;
        match failure.class {
            Class::Stopped => counts.skipped += 1,
            _ => counts.failed += 1,
        }
        // They are told at the end, by reason.
        if failure.class == Class::NotRecorded || self.is_shown(failure) {
            return None;
        }
        let (trouble, what) = match failure.class {
            Class::Stopped => (Trouble::Skipped, "is skipped"),
            _ => (Trouble::Failed, "failed"),
        };
        let text = format!("{item} of {} {what}: {failure}", self.name(video));
        self.show_once(trouble, stage, failure, || text)
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

    fn stage(&mut self, id: &StageId) -> Option<&mut StageProgress> {
        self.stages.iter_mut().find(|stage| stage.id == *id)
    }

    fn name(&self, video: VideoId) -> String {
        let known = self.videos.get(&video);
        known.map_or_else(|| video.to_string(), |path| path.display().to_string())
    }

    fn file_name(&self, video: VideoId) -> String {
        let name = self.videos.get(&video).and_then(|path| path.file_name());
        let name = name.map(|name| visible(&name.to_string_lossy()).into_owned());
        name.unwrap_or_else(|| self.name(video))
    }
}

fn spell_jobs(count: usize) -> String {
    match count {
        1 => "1 job".to_owned(),
        count => format!("{count} jobs"),
    }
}

// In whole seconds.
fn clock(now: Duration) -> String {
    spelled_roughly(Duration::from_secs(now.as_secs()))
}

// How long a stage takes, as was forecast.
fn expected(header: &RunHeader, row: &app::StageRow) -> Option<Duration> {
    let mut forecasts = header.forecast.stages.iter();
    let forecast = forecasts.find(|forecast| forecast.stage == row.id)?;
    Duration::try_from_secs_f64(forecast.times.as_ref()?.parallel.expected).ok()
}

fn fate(row: &app::StageRow) -> Option<Line> {
    let text = match &row.skipped {
        Some(why) => format!("{} is skipped: {why}", row.id),
        None if row.place.is_empty() => return None,
        None => format!("{}: {}, {} at once", row.id, row.place, row.limit),
    };
    Some(line(Weight::Notice, text))
}

#[cfg(test)]
mod tests;
