//! The budget of a run: money and time, as a gate that every request passes.
//!
//! What is sent is paid, so the gate closes while the requests in flight still fit. Until a request
//! is answered its time and cost are those of the forecast.

use crate::app::accounting::spending::Spending;
use crate::app::accounting::spending::StageSpending;
use crate::engine::Gate;
use crate::engine::StopReason;
use crate::exchange::Exchange;
use crate::name::StageId;
use crate::plan;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
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
    stages: Mutex<BTreeMap<StageId, InFlight>>,
}

// The requests of a stage that are sent and not yet answered.
#[derive(Default)]
struct InFlight {
    requests: u64,
    frames: u64,
    // Seconds of a worker for a frame or a second of sound, until one is measured.
    forecast: f64,
}

impl Budget {
    /// A budget for what is noted in `spending`. `forecasts` are the stages whose workers are paid by
    /// the second, and the seconds that a frame or a second of sound is expected to take one.
    pub(in crate::app) fn new<'a>(
        limits: Limits,
        spending: Arc<Spending>,
        forecasts: impl Iterator<Item = (&'a StageId, f64)>,
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
            stages: Mutex::new(stages.collect()),
        }
    }

    fn admit_at(&self, stage: &StageId, frames: u64, now: Duration) -> Result<(), StopReason> {
        let mut stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        let in_flight = stages.entry(stage.clone()).or_default();
        let wait = self
            .spending
            .with(stage, |spending| in_flight.wait(spending, frames));
        if self.limits.time.is_some_and(|time| now + wait > time) {
            return Err(StopReason::Deadline);
        }
        in_flight.requests += 1;
        in_flight.frames += frames;
        let committed = stages.iter().map(|(stage, in_flight)| {
            let committed = |spending: &mut StageSpending| in_flight.committed(spending, now);
            self.spending.with(stage, committed)
        });
        let cost: f64 = committed.sum();
        if self.limits.cost.is_some_and(|most| cost > most) {
            if let Some(in_flight) = stages.get_mut(stage) {
                in_flight.take_back(frames);
            }
            return Err(StopReason::Budget);
        }
        Ok(())
    }

    fn settle_at(&self, stage: &StageId, exchange: &Exchange, now: Duration) {
        let mut stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        let in_flight = stages.entry(stage.clone()).or_default();
        in_flight.take_back(exchange.frames);
        self.spending.note(stage, exchange, now);
    }
}

impl Gate for Budget {
    fn admit(&self, stage: &StageId, frames: u64) -> Result<(), StopReason> {
        self.admit_at(stage, frames, self.spending.elapsed())
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
        frames as f64 * spending.execution_of_one().unwrap_or(self.forecast)
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
    use crate::app::accounting::spending::Spending;
    use crate::app::accounting::spending::StageSpending;
    use crate::engine::StopReason;
    use crate::exchange::Exchange;
    use crate::facts::FleetFacts;
    use crate::name::StageId;
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
        let usual = 0.85 / 16.0;
        let spending = Spending::new(Instant::now());
        spending.charge(&stage(), &fleet);
        Budget::new(limits, Arc::new(spending), [(&stage(), usual)].into_iter())
    }

    fn stage() -> StageId {
        "yolo".into()
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
    fn spend(budget: &Budget, workers: usize) -> (u64, StopReason, f64) {
        let mut sent = 0;
        loop {
            let now = Duration::from_secs(sent);
            if let Err(reason) = budget.admit_at(&stage(), FRAMES, now) {
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
        assert_eq!((sent, reason), (13, StopReason::Budget));
        assert!(cost <= 0.020 && cost > 0.018, "{cost}");
        let (_, _, cost) = spend(&budget(Some(0.050), None), 3);
        assert!(cost <= 0.050, "{cost}");
    }

    #[test]
    fn what_is_on_its_way_counts_before_it_comes_back() {
        // Three workers may start for three requests: 7 s each, and their expected execution.
        let budget = budget(Some(0.0235), None);
        let admitted = (0..10)
            .take_while(|_| budget.admit_at(&stage(), FRAMES, Duration::ZERO).is_ok())
            .count();
        assert_eq!(admitted, 2, "a third would cost 21 s and 3 x 0.85 s");
        // One that came back faster than expected makes room.
        let mut quick = exchange(1);
        quick.executed = Some(Duration::from_millis(100));
        budget.settle_at(&stage(), &quick, Duration::from_secs(1));
        assert!(budget.admit_at(&stage(), FRAMES, Duration::ZERO).is_ok());
    }

    #[test]
    fn a_budget_for_nothing_sends_nothing() {
        let budget = budget(Some(0.001), None);
        let refused = budget.admit_at(&stage(), 1, Duration::ZERO);
        assert_eq!(refused, Err(StopReason::Budget));
    }

    #[test]
    fn nothing_is_sent_that_would_come_back_too_late() {
        let (sent, reason, _) = spend(&budget(None, Some(10)), 3);
        assert_eq!((sent, reason), (10, StopReason::Deadline));
    }
}
