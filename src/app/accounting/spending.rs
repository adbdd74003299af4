//! Spending: what the requests of a run took and cost so far, by stage.
//!
//! Each attempt at a request is noted once, when it is over. The budget, the summary and the
//! results read these sums and keep none of their own.

use crate::exchange::Exchange;
use crate::facts::FleetFacts;
use crate::name::StageId;
use crate::name::VideoId;
use crate::output::Requests;
use crate::output::Spread;
use crate::plan::Meter;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

/// The spending of all stages of a run.
pub(in crate::app) struct Spending {
    start: Instant,
    stages: Mutex<BTreeMap<StageId, StageSpending>>,
}

impl Spending {
    /// Nothing is spent of a run that began at `start`.
    pub(in crate::app) fn new(start: Instant) -> Self {
        Self {
            start,
            stages: Mutex::default(),
        }
    }

    /// How long the run has gone on.
    pub(in crate::app) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Has the requests of `stage` paid by the second of the workers of `fleet`.
    pub(in crate::app) fn charge(&self, stage: &StageId, fleet: &FleetFacts) {
        let meter = Meter::new(fleet.clone());
        self.with(stage, |spending| spending.meter = Some(meter));
    }

    /// Notes an attempt of `stage` that ended `now` after the start of the run.
    pub(in crate::app) fn note(&self, stage: &StageId, exchange: &Exchange, now: Duration) {
        self.with(stage, |spending| spending.note(exchange, now));
    }

    /// The share of one video in the cost of all stages, in US dollars; `None` where nothing of it was
    /// paid. The shares of all videos are the cost of the run.
    pub(in crate::app) fn cost_of(&self, video: VideoId) -> Option<f64> {
        let stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        let shares = stages.values().filter_map(|stage| stage.share(video).cost);
        shares.reduce(|one, other| one + other)
    }

    /// The cost of all stages so far, in US dollars; `None` where nobody is paid.
    pub(in crate::app) fn cost(&self) -> Option<f64> {
        let stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        let costs = stages.values().filter_map(StageSpending::meter);
        costs.map(Meter::cost).reduce(|one, other| one + other)
    }

    /// Reads or changes the spending of one stage.
    pub(in crate::app) fn with<T>(
        &self,
        stage: &StageId,
        act: impl FnOnce(&mut StageSpending) -> T,
    ) -> T {
        let mut stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        act(stages.entry(stage.clone()).or_default())
    }
}

/// The spending of one stage.
#[derive(Default)]
pub(in crate::app) struct StageSpending {
    meter: Option<Meter>,
    requests: u64,
    bytes: u64,
    queued: Vec<Duration>,
    executed: Vec<Duration>,
    // Of the requests whose execution time is known: their frames, and that time.
    measured: u64,
    busy: Duration,
    workers: BTreeSet<Arc<str>>,
    answered: u32,
    // How long the client waited for the requests that were answered, all together.
    waited: Duration,
    // From the first request to the last answer, since the start of the run.
    span: Option<(Duration, Duration)>,
    // The time of the same requests, each sent when the one before it is answered.
    sequential: Duration,
    shares: BTreeMap<VideoId, Share>,
}

/// The part of a stage's spending that was for one video.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::app) struct Share {
    /// Attempts at requests.
    pub(in crate::app) requests: u64,
    /// How long workers ran for it, as far as that is known.
    pub(in crate::app) executed: Duration,
    /// What its requests added to the bill, in US dollars; `None` where nothing is paid.
    pub(in crate::app) cost: Option<f64>,
}

impl StageSpending {
    fn note(&mut self, exchange: &Exchange, now: Duration) {
        let cost_before = self.meter.as_ref().map(Meter::cost);
        self.requests += 1;
        self.bytes += exchange.sent;
        self.queued.extend(exchange.queued);
        self.workers.extend(exchange.worker.clone());
        if let Some(executed) = exchange.executed {
            self.executed.push(executed);
            self.measured += exchange.frames;
            self.busy += executed;
        }
        if exchange.answered {
            self.answered += 1;
            self.waited += exchange.waited;
            self.sequential += exchange.executed.unwrap_or(exchange.waited);
            let sent = now.saturating_sub(exchange.waited);
            let first = self.span.map_or(sent, |(first, _)| first.min(sent));
            self.span = Some((first, now));
        }
        if let Some(meter) = &mut self.meter {
            meter.note(exchange, now);
        }
        let cost = self.meter.as_ref().map(Meter::cost);
        let added = cost.zip(cost_before).map(|(after, before)| after - before);
        if let Some(video) = exchange.video {
            let share = self.shares.entry(video).or_default();
            share.requests += 1;
            share.executed += exchange.executed.unwrap_or_default();
            share.cost = added.map(|added| share.cost.unwrap_or(0.0) + added);
        }
    }

    /// What was for one video.
    pub(in crate::app) fn share(&self, video: VideoId) -> Share {
        self.shares.get(&video).copied().unwrap_or_default()
    }

    /// The bill of its workers, where they are paid by the second.
    pub(in crate::app) fn meter(&self) -> Option<&Meter> {
        self.meter.as_ref()
    }

    /// Seconds of a worker for a frame or a second of sound, as measured so far.
    pub(in crate::app) fn execution_of_one(&self) -> Option<f64> {
        (self.measured > 0).then(|| self.busy.as_secs_f64() / self.measured as f64)
    }

    /// Seconds that paid workers stay for a frame or a second of sound, gaps between jobs included,
    /// as measured so far.
    pub(in crate::app) fn stay_of_one(&self) -> Option<f64> {
        let stay = self.meter.as_ref()?.busy();
        (self.measured > 0).then(|| stay.as_secs_f64() / self.measured as f64)
    }

    /// How long a request waits for its answer on average.
    pub(in crate::app) fn wait_of_one(&self) -> Option<Duration> {
        self.waited.checked_div(self.answered)
    }

    /// The sums, for people and for results; `None` where no request was sent.
    pub(in crate::app) fn requests(&self) -> Option<Requests> {
        if self.requests == 0 {
            return None;
        }
        let meter = self.meter.as_ref();
        let start = meter.map(|meter| meter.fleet().cold_start.as_secs_f64());
        Some(Requests {
            count: self.requests,
            bytes_sent: self.bytes,
            queue_seconds: spread(&self.queued),
            execution_seconds: spread(&self.executed),
            workers_seen: self.workers.len() as u64,
            executed_seconds: milliseconds(self.busy.as_secs_f64()),
            billed_seconds: meter.map(Meter::billed),
            start_seconds: start.filter(|start| *start > 0.0),
            cost_usd: meter.map(|meter| (meter.cost() * 1e6).round() / 1e6),
            speed_up: self.speed_up(),
        })
    }

    fn speed_up(&self) -> Option<f64> {
        let (first, last) = self.span?;
        let took = last.saturating_sub(first).as_secs_f64();
        (took > 0.0).then(|| (self.sequential.as_secs_f64() / took * 100.0).round() / 100.0)
    }
}

// By nearest rank.
fn spread(times: &[Duration]) -> Option<Spread> {
    let mut times = times.to_vec();
    times.sort_unstable();
    let rank = |percent: usize| {
        let time = times.get((times.len() * percent).div_ceil(100).checked_sub(1)?)?;
        Some(milliseconds(time.as_secs_f64()))
    };
    Some(Spread {
        p50: rank(50)?,
        p95: rank(95)?,
    })
}

fn milliseconds(seconds: f64) -> f64 {
    (seconds * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::Spending;
    use crate::exchange::Exchange;
    use crate::facts::FleetFacts;
    use crate::name::StageId;
    use crate::name::VideoId;
    use std::time::Duration;
    use std::time::Instant;

    #[test]
    fn requests_are_added_up() {
        let fleet = FleetFacts {
            workers: 2,
            vram_gb: None,
            price_per_second: 0.0004,
            idle_timeout: Duration::from_secs(5),
            cold_start: Duration::ZERO,
            frame_time: None,
            sound_time: None,
            job_gap: None,
        };
        let (spending, stage) = (Spending::new(Instant::now()), StageId::from("yolo"));
        spending.charge(&stage, &fleet);
        let requests = || spending.with(&stage, |spending| spending.requests());
        assert_eq!(requests(), None);
        // Two workers, side by side: 20 jobs of 100 ms each, the last one of a second.
        for job in 0..20_u64 {
            let executed = if job == 19 { 1000 } else { 100 };
            let exchange = Exchange {
                video: Some(VideoId((job / 15) as u32)),
                frames: 16,
                sent: 1000,
                queued: Some(Duration::from_millis(job)),
                executed: Some(Duration::from_millis(executed)),
                worker: Some(format!("w{}", job % 2).into()),
                waited: Duration::from_millis(job + executed),
                answered: true,
            };
            let begun = Duration::from_millis(job / 2 * 100);
            spending.note(&stage, &exchange, begun + exchange.waited);
        }
        insta::assert_json_snapshot!(requests(), @r#"
        {
          "count": 20,
          "bytes_sent": 20000,
          "queue_seconds": {
            "p50": 0.009,
            "p95": 0.018
          },
          "execution_seconds": {
            "p50": 0.1,
            "p95": 0.1
          },
          "workers_seen": 2,
          "executed_seconds": 2.9,
          "billed_seconds": 14,
          "start_seconds": null,
          "cost_usd": 0.0056,
          "speed_up": 1.51
        }
        "#);
        // 15 requests for the one, 5 for the other.
        let shares = [0, 1].map(|video| spending.cost_of(VideoId(video)).unwrap());
        assert!((shares[0] + shares[1] - 0.0056).abs() < 1e-12, "{shares:?}");
        assert!(shares.iter().all(|share| *share > 0.0), "{shares:?}");
        assert_eq!(spending.cost_of(VideoId(2)), None);
        let share = spending.with(&stage, |spending| spending.share(VideoId(1)));
        assert_eq!((share.requests, share.executed.as_millis()), (5, 1400));
    }
}
