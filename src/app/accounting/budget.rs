//! The budget of a run: money and time, as a gate that every request passes.
//!
//! What is sent is paid, so the gate closes while the requests in flight still fit. Until a request
//! is answered its time and cost are those of the forecast. A video is begun only where it fits as a
//! whole, beside what is left of those before it.

use crate::app::accounting::reserve::Reserve;
use crate::app::accounting::spending::Spending;
use crate::app::accounting::spending::StageSpending;
use crate::engine::Denial;
use crate::engine::Gate;
use crate::engine::StopReason;
use crate::exchange::Exchange;
use crate::name::StageId;
use crate::name::VideoId;
use crate::plan;
use crate::plan::Estimate;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

/// The most that a run may take; `None` for as much as it needs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// US dollars, the start and the idle tail of every worker included.
    pub cost: Option<f64>,
    /// From the start to the last answer.
    pub time: Option<Duration>,
}

/// The gate.
pub(in crate::app) struct Budget {
    limits: Limits,
    spending: Arc<Spending>,
    requests: Mutex<Requests>,
}

// What is asked and not yet answered, and what is not yet asked.
struct Requests {
    stages: BTreeMap<StageId, InFlight>,
    reserve: Reserve,
}

// The requests of a stage that are sent and not yet answered.
#[derive(Default)]
struct InFlight {
    requests: u64,
    frames: u64,
    // Seconds of a worker for a frame or a second of sound, until one is measured.
    forecast: Estimate<f64>,
}

impl Budget {
    /// A budget for what is noted in `spending`. `forecasts` are the stages whose workers are paid by
    /// the second, and the seconds that a frame or a second of sound takes one; `reserve` is what
    /// they have to ask.
    pub(in crate::app) fn new<'a>(
        limits: Limits,
        spending: Arc<Spending>,
        forecasts: impl Iterator<Item = (&'a StageId, Estimate<f64>)>,
        reserve: Reserve,
    ) -> Self {
        let stages = forecasts.map(|(stage, forecast)| {
            let in_flight = InFlight {
                forecast,
                ..InFlight::default()
            };
            (stage.clone(), in_flight)
        });
        Self {
            limits,
            spending,
            requests: Mutex::new(Requests {
                stages: stages.collect(),
                reserve,
            }),
        }
    }

    /// Whether nothing is asked of `video` any more.
    pub(in crate::app) fn is_closed(&self, video: VideoId) -> bool {
        self.requests().reserve.is_closed(video)
    }

    /// Nothing more will be asked of `video`. Gives why the run is over, where that was the last one
    /// that there was money for.
    pub(in crate::app) fn done(&self, video: VideoId) -> Option<StopReason> {
        let is_over = self.requests().reserve.done(video);
        is_over.then_some(StopReason::Budget)
    }

    fn requests(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admit_at(
        &self,
        stage: &StageId,
        video: VideoId,
        frames: u64,
        now: Duration,
    ) -> Result<(), Denial> {
        let mut requests = self.requests();
        let Requests { stages, reserve } = &mut *requests;
        let in_flight = stages.entry(stage.clone()).or_default();
        let wait = self
            .spending
            .with(stage, |spending| in_flight.wait(spending, frames));
        if self.limits.time.is_some_and(|time| now + wait > time) {
            return Err(Denial::Run(StopReason::Deadline));
        }
        in_flight.requests += 1;
        in_flight.frames += frames;
        reserve.take(video, stage, frames as f64);
        let cost = stages.iter().map(|(stage, in_flight)| {
            let left = reserve.until(video, stage);
            self.spending.with(stage, |spending| {
                in_flight.committed(spending, now) + in_flight.reserved(spending, left)
            })
        });
        let cost: f64 = cost.sum();
        let is_over = self.limits.cost.is_some_and(|most| cost > most);
        if !is_over && !reserve.is_closed(video) {
            return Ok(());
        }
        if let Some(in_flight) = stages.get_mut(stage) {
            in_flight.take_back(frames);
        }
        reserve.give_back(video, stage, frames as f64);
        Err(match reserve.close_from(video) {
            true => Denial::Video(StopReason::Budget),
            false => Denial::Run(StopReason::Budget),
        })
    }

    fn settle_at(&self, stage: &StageId, exchange: &Exchange, now: Duration) {
        let mut requests = self.requests();
        let Requests { stages, reserve } = &mut *requests;
        let in_flight = stages.entry(stage.clone()).or_default();
        in_flight.take_back(exchange.frames);
        if let Some(video) = exchange.video.filter(|_| !exchange.answered) {
            reserve.give_back(video, stage, exchange.frames as f64);
        }
        self.spending.note(stage, exchange, now);
    }
}

impl Gate for Budget {
    fn admit(&self, stage: &StageId, video: VideoId, frames: u64) -> Result<(), Denial> {
        self.admit_at(stage, video, frames, self.spending.elapsed())
    }

    fn settle(&self, stage: &StageId, exchange: &Exchange) {
        self.settle_at(stage, exchange, self.spending.elapsed());
    }
}

impl InFlight {
    fn take_back(&mut self, frames: u64) {
        self.requests = self.requests.saturating_sub(1);
        self.frames = self.frames.saturating_sub(frames);
    }

    // Worker seconds for `frames`, as those so far took.
    fn execution(&self, spending: &StageSpending, frames: u64) -> f64 {
        let one = spending.execution_of_one();
        frames as f64 * one.unwrap_or(self.forecast.expected)
    }

    // US dollars for so many frames that are not asked yet, gaps between jobs included: as those so
    // far took, or as little as it may be.
    fn reserved(&self, spending: &StageSpending, left: f64) -> f64 {
        let price = spending.meter().map(|meter| meter.fleet().price_per_second);
        let one = spending.stay_of_one().unwrap_or(self.forecast.low);
        left * one * price.unwrap_or(0.0)
    }

    // How long a request will wait for its answer.
    fn wait(&self, spending: &StageSpending, frames: u64) -> Duration {
        let forecast = || Duration::from_secs_f64(self.execution(spending, frames));
        spending.wait_of_one().unwrap_or_else(forecast)
    }

    // US dollars if nothing more is sent: the bill so far with the gaps that end now, the requests in
    // flight, and the workers that may be starting for them. A start of unknown length counts as
    // long as it usually takes.
    fn committed(&self, spending: &StageSpending, now: Duration) -> f64 {
        let Some(meter) = spending.meter() else {
            return 0.0;
        };
        let fleet = meter.fleet();
        let start = plan::usual_start(fleet);
        let wanted = self.requests.min(fleet.workers as u64);
        let (there, billed) = meter.kept(now, start);
        let starting = wanted.saturating_sub(there as u64);
        let around = (start + fleet.idle_timeout).as_secs_f64();
        let seconds =
            billed as f64 + self.execution(spending, self.frames) + starting as f64 * around.ceil();
        seconds * fleet.price_per_second
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;
    use super::Limits;
    use crate::app::accounting::reserve::Reserve;
    use crate::app::accounting::spending::Spending;
    use crate::app::accounting::spending::StageSpending;
    use crate::engine::Denial;
    use crate::engine::StopReason;
    use crate::exchange::Exchange;
    use crate::facts::FleetFacts;
    use crate::name::StageId;
    use crate::name::VideoId;
    use crate::plan::Estimate;
    use std::sync::Arc;
    use std::time::Duration;
    use std::time::Instant;

    const FRAMES: u64 = 16;

    fn budget(cost: Option<f64>, time: Option<u64>) -> Budget {
        let fleet = FleetFacts {
            workers: 3,
            vram_gb: None,
            price_per_second: 0.001,
            idle_timeout: Duration::from_secs(5),
            cold_start: Duration::from_secs(2),
            frame_time: None,
            sound_time: None,
            job_gap: None,
        };
        let limits = Limits {
            cost,
            time: time.map(Duration::from_secs),
        };
        let usual = Estimate {
            low: 0.2 / 16.0,
            expected: 0.85 / 16.0,
            high: 1.2 / 16.0,
        };
        let spending = Spending::new(Instant::now());
        spending.charge(&stage(), &fleet);
        let stage = stage();
        let forecasts = [(&stage, usual)].into_iter();
        Budget::new(limits, Arc::new(spending), forecasts, Reserve::default())
    }

    fn stage() -> StageId {
        "yolo".into()
    }

    fn admit(budget: &Budget, video: u32, frames: u64) -> Result<(), Denial> {
        budget.admit_at(&stage(), VideoId(video), frames, Duration::ZERO)
    }

    // A request that one of three workers takes, sent and answered a second later.
    fn exchange(worker: usize) -> Exchange {
        Exchange {
            frames: FRAMES,
            queued: Some(Duration::ZERO),
            executed: Some(Duration::from_secs(1)),
            worker: Some(format!("w{worker}").into()),
            waited: Duration::from_secs(1),
            answered: true,
            ..Exchange::default()
        }
    }

    // Requests one after the other until the gate closes: how many, why, and what they cost.
    fn spend(budget: &Budget, workers: usize) -> (u64, Denial, f64) {
        let mut sent = 0;
        loop {
            let now = Duration::from_secs(sent);
            if let Err(reason) = budget.admit_at(&stage(), VideoId::FIRST, FRAMES, now) {
                let cost = |spending: &mut StageSpending| spending.meter().unwrap().cost();
                return (sent, reason, budget.spending.with(&stage(), cost));
            }
            sent += 1;
            let exchange = exchange(sent as usize % workers);
            budget.settle_at(&stage(), &exchange, Duration::from_secs(sent));
        }
    }

    #[test]
    fn the_gate_closes_before_the_money_is_spent() {
        // One worker: 2 s of start, 1 s a request, 5 s of tail.
        let (sent, reason, cost) = spend(&budget(Some(0.020), None), 1);
        assert_eq!((sent, reason), (13, Denial::Run(StopReason::Budget)));
        assert!(cost <= 0.020 && cost > 0.018, "{cost}");
        let (_, _, cost) = spend(&budget(Some(0.050), None), 3);
        assert!(cost <= 0.050, "{cost}");
    }

    #[test]
    fn what_is_on_its_way_counts_before_it_comes_back() {
        // Three workers may start for three requests: 7 s each, and their expected execution.
        let budget = budget(Some(0.0235), None);
        let admitted = (0..10)
            .take_while(|_| admit(&budget, 0, FRAMES).is_ok())
            .count();
        assert_eq!(admitted, 2, "a third would cost 21 s and 3 x 0.85 s");
        // One that came back faster than expected makes room.
        let mut quick = exchange(1);
        quick.executed = Some(Duration::from_millis(100));
        budget.settle_at(&stage(), &quick, Duration::from_secs(1));
        assert!(admit(&budget, 0, FRAMES).is_ok());
    }

    #[test]
    fn a_budget_for_nothing_sends_nothing() {
        let budget = budget(Some(0.001), None);
        let refused = admit(&budget, 0, 1);
        assert_eq!(refused, Err(Denial::Run(StopReason::Budget)));
    }

    // Four videos of three requests, on one worker: 2 s of start, 5 s of tail, and 3 s a video.
    fn budget_for_four(cost: f64) -> Budget {
        let amount = Estimate {
            low: 3.0 * FRAMES as f64,
            expected: 3.0 * FRAMES as f64,
            high: 3.0 * FRAMES as f64,
        };
        let open = (0..4).map(|video| (VideoId(video), [(stage(), amount)].into()));
        let budget = budget(Some(cost), None);
        budget.requests().reserve = Reserve::new(open.collect());
        budget
    }

    // The requests of each video that were sent, and how the next was refused.
    fn spend_by_video(budget: &Budget) -> ([u64; 4], Option<Denial>) {
        let mut sent = [0; 4];
        for request in 0..12 {
            let (video, now) = (request as usize / 3, Duration::from_secs(request));
            let id = VideoId(video as u32);
            if let Err(refusal) = budget.admit_at(&stage(), id, FRAMES, now) {
                return (sent, Some(refusal));
            }
            sent[video] += 1;
            let exchange = Exchange {
                video: Some(id),
                ..exchange(0)
            };
            budget.settle_at(&stage(), &exchange, now + Duration::from_secs(1));
        }
        (sent, None)
    }

    #[test]
    fn no_video_is_begun_that_does_not_fit() {
        // Three would cost 16 s.
        let budget = budget_for_four(0.0155);
        let (sent, refusal) = spend_by_video(&budget);
        assert_eq!(sent, [3, 3, 0, 0]);
        let stopped = StopReason::Budget;
        assert_eq!(refusal, Some(Denial::Video(stopped.clone())));
        let closed = (0..4).map(|video| budget.is_closed(VideoId(video)));
        assert_eq!(Vec::from_iter(closed), [false, false, true, true]);
        // The run goes on until those that fit are done.
        assert_eq!(budget.done(VideoId(0)), None);
        assert_eq!(budget.done(VideoId(1)), Some(stopped));
        assert_eq!(spend_by_video(&budget_for_four(0.0165)).0, [3, 3, 3, 0]);
        assert_eq!(spend_by_video(&budget_for_four(0.02)), ([3; 4], None));
        // The first is begun in any case: nobody knows yet what it takes.
        let (sent, refusal) = spend_by_video(&budget_for_four(0.0095));
        assert_eq!(
            (sent[0], refusal),
            (2, Some(Denial::Run(StopReason::Budget)))
        );
    }

    #[test]
    fn what_is_asked_again_is_reserved_again() {
        let budget = budget_for_four(0.0165);
        let first = budget.admit_at(&stage(), VideoId(0), FRAMES, Duration::ZERO);
        assert_eq!(first, Ok(()));
        let failed = Exchange {
            video: Some(VideoId(0)),
            answered: false,
            ..exchange(0)
        };
        budget.settle_at(&stage(), &failed, Duration::from_secs(1));
        // Of the third video nothing fits any more: a second was lost.
        let third = budget.admit_at(&stage(), VideoId(2), FRAMES, Duration::from_secs(1));
        assert_eq!(third, Err(Denial::Video(StopReason::Budget)));
    }

    #[test]
    fn nothing_is_sent_that_would_come_back_too_late() {
        let (sent, reason, _) = spend(&budget(None, Some(10)), 3);
        assert_eq!((sent, reason), (10, Denial::Run(StopReason::Deadline)));
    }
}
