//! How far one stage of a run is, how fast it goes, and how long it will go on.
//!
//! Pure: times are given, from the start of the run.

use crate::app::StageRow;
use crate::duration::spelled_roughly;
use crate::name::StageId;
use std::time::Duration;

/// The state of a stage.
#[derive(Debug)]
pub(super) struct StageProgress {
    pub(super) id: StageId,
    /// Frames, or seconds of sound, that will pass it; `None` where that is not known.
    pub(super) total: Option<u64>,
    /// What has passed it.
    pub(super) done: u64,
    /// What of that had an answer from before.
    pub(super) known: u64,
    /// Where a stage says it: the slots that are taken.
    pub(super) at_work: Option<u64>,
    /// Requests that were sent again.
    pub(super) retries: u64,
    /// Items without an answer.
    pub(super) failed: u64,
    /// Items that were not looked at, since the run was stopped.
    pub(super) skipped: u64,
    /// Since when its backend does not answer.
    pub(super) silent_since: Option<Duration>,
    limit: usize,
    // Whether it asks a model, so that nobody can know when it ends before it has answers.
    infers: bool,
    // When it will be done, if all goes as forecast.
    forecast: Option<Duration>,
    began: Option<Duration>,
    pace: Pace,
}

// Answers by time. The first ones, one a slot, come together after as long as the first takes, and
// with a worker that starts for it; they say nothing of those that follow.
#[derive(Debug, Default)]
struct Pace {
    answers: usize,
    asked: u64,
    latest: Duration,
    // How much was asked when each slot had its answer, and when that was.
    settled: Option<(u64, Duration)>,
}

impl Pace {
    fn rate(&self, frames: u64, from: Duration) -> Option<f64> {
        let seconds = self.latest.saturating_sub(from).as_secs_f64();
        (frames > 1 && seconds > 0.2).then(|| frames as f64 / seconds)
    }
}

impl StageProgress {
    /// The stage before anything is done. `forecast` is how long it is expected to take from `now` on.
    pub(super) fn new(row: &StageRow, forecast: Option<Duration>, now: Duration) -> Self {
        Self {
            id: row.id.clone(),
            total: row.total,
            done: 0,
            known: 0,
            at_work: None,
            retries: 0,
            failed: 0,
            skipped: 0,
            silent_since: None,
            limit: row.limit,
            infers: !row.place.is_empty(),
            forecast: forecast.map(|forecast| now + forecast),
            began: None,
            pace: Pace::default(),
        }
    }

    /// A slot is taken.
    pub(super) fn start(&mut self, now: Duration) {
        self.began.get_or_insert(now);
        *self.at_work.get_or_insert(0) += 1;
    }

    /// A slot is given back.
    pub(super) fn pause(&mut self) {
        let at_work = self.at_work.as_mut();
        at_work
            .into_iter()
            .for_each(|slots| *slots = slots.saturating_sub(1));
    }

    /// So much is done.
    pub(super) fn finish(&mut self, frames: u64, now: Duration) {
        self.began.get_or_insert(now);
        self.done += frames;
        let asked = self.done.saturating_sub(self.known);
        if asked <= self.pace.asked {
            return;
        }
        self.pace.asked = asked;
        self.pace.latest = now;
        self.pace.answers += 1;
        if self.pace.answers >= self.limit.max(1) {
            self.pace.settled.get_or_insert((asked, now));
        }
    }

    // Frames a second since the first answers; `None` until that means anything.
    fn settled_rate(&self) -> Option<f64> {
        let (asked, from) = self.pace.settled?;
        self.pace.rate(self.pace.asked - asked, from)
    }

    // The same since it began, with whatever it waited for. What was known took no time.
    fn mean_rate(&self) -> Option<f64> {
        self.pace.rate(self.pace.asked, self.began?)
    }

    /// How long it will go on: as its own answers say, and before there are any as was forecast.
    pub(super) fn remaining(&self, now: Duration) -> Remaining {
        let Some(total) = self.total else {
            return Remaining::Unknown;
        };
        let left = total.saturating_sub(self.done);
        if left == 0 {
            return Remaining::Known(Duration::ZERO);
        }
        let at = |rate: f64| Duration::try_from_secs_f64(left as f64 / rate).ok();
        let forecast = || {
            self.forecast?
                .checked_sub(now)
                .filter(|left| !left.is_zero())
        };
        let settled = self.settled_rate().and_then(at).or_else(forecast);
        match settled.or_else(|| self.mean_rate().and_then(at)) {
            Some(time) => Remaining::Known(time),
            None if self.infers => Remaining::Open,
            None => Remaining::Unknown,
        }
    }

    /// What is said of it beside its bar, what matters most first.
    pub(super) fn words(&self) -> Vec<String> {
        let mut words = vec![match self.total {
            Some(total) => format!("{}/{total}", self.done),
            None => self.done.to_string(),
        }];
        let silent = |since| format!("no answer from {} on", spelled_roughly(since));
        words.extend(self.silent_since.map(silent));
        let mut count = |number: u64, one: &str, many: &str| match number {
            0 => {}
            1 => words.push(format!("1 {one}")),
            number => words.push(format!("{number} {many}")),
        };
        count(self.failed, "failed", "failed");
        count(self.skipped, "skipped", "skipped");
        count(self.retries, "retry", "retries");
        let rate = self.settled_rate().or_else(|| self.mean_rate());
        words.extend(rate.map(|rate| format!("{rate:.1}/s")));
        let at_work = |slots| format!("{slots} of {} at work", self.limit);
        words.extend(self.at_work.map(at_work));
        words.extend((self.known > 0).then(|| format!("{} known", self.known)));
        words
    }
}

/// How long a stage will go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remaining {
    /// So long.
    Known(Duration),
    /// Nobody knows, and it waits for others: they say how long it takes.
    Unknown,
    /// Nobody knows, and the others cannot say it.
    Open,
}
