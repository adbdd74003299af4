//! The budget of a run: money and time, as a gate that every request passes.
//!
//! What was sent is paid, so the gate closes while what is on its way still fits. Until a request
//! came back its time and cost are those of the forecast.

use crate::engine::Gate;
use crate::engine::StopReason;
use crate::exchange::Exchange;
use crate::facts::FleetFacts;
use crate::name::StageId;
use crate::plan;
use crate::plan::Meter;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

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
    start: Instant,
    limits: Limits,
    stages: Mutex<BTreeMap<StageId, Spending>>,
}

// What a stage has spent, and what of it is on its way.
#[derive(Default)]
struct Spending {
    meter: Option<Meter>,
    // Seconds of a worker for a frame or a second of sound, until one was measured.
    usual: f64,
    requests: u64,
    frames: u64,
    // Of those that came back with a time: frames and worker time.
    measured: u64,
    executed: Duration,
    // Of all that came back with an answer.
    answered: u32,
    waited: Duration,
}

impl Budget {
    /// A budget that nothing was spent of when the run began, at `start`. `fleets` are the stages
    /// whose workers are paid by the second, and how many of them a frame or a second of sound
    /// is expected to take.
    pub(in crate::app) fn new<'a>(
        start: Instant,
        limits: Limits,
        fleets: impl Iterator<Item = (&'a StageId, &'a FleetFacts, f64)>,
    ) -> Self {
        let fleets = fleets.map(|(stage, fleet, usual)| {
            let fleet = FleetFacts {
                cold_start: plan::usual_start(fleet),
                ..fleet.clone()
            };
            let spending = Spending {
                meter: Some(Meter::new(fleet)),
                usual,
                ..Spending::default()
            };
            (stage.clone(), spending)
        });
        Self {
            start,
            limits,
            stages: Mutex::new(fleets.collect()),
        }
    }

    fn admit_at(&self, stage: &StageId, frames: u64, now: Duration) -> Result<(), StopReason> {
        let mut stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        let spending = stages.entry(stage.clone()).or_default();
        let late = |time| now + spending.wait(frames) > time;
        if self.limits.time.is_some_and(late) {
            return Err(StopReason::Deadline);
        }
        spending.requests += 1;
        spending.frames += frames;
        let cost: f64 = stages
            .values()
            .map(|spending| spending.committed(now))
            .sum();
        if self.limits.cost.is_some_and(|most| cost > most) {
            if let Some(spending) = stages.get_mut(stage) {
                spending.take_back(frames);
            }
            return Err(StopReason::Budget);
        }
        Ok(())
    }

    fn settle_at(&self, stage: &StageId, exchange: &Exchange, now: Duration) {
        let mut stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        let spending = stages.entry(stage.clone()).or_default();
        spending.take_back(exchange.frames);
        if let Some(executed) = exchange.executed {
            spending.measured += exchange.frames;
            spending.executed += executed;
        }
        if exchange.answered {
            spending.answered += 1;
            spending.waited += exchange.waited;
        }
        if let Some(meter) = &mut spending.meter {
            meter.note(exchange, now);
        }
    }
}

impl Gate for Budget {
    fn admit(&self, stage: &StageId, frames: u64) -> Result<(), StopReason> {
        self.admit_at(stage, frames, self.start.elapsed())
    }

    fn settle(&self, stage: &StageId, exchange: &Exchange) {
        self.settle_at(stage, exchange, self.start.elapsed());
    }
}

impl Spending {
    fn take_back(&mut self, frames: u64) {
        self.requests = self.requests.saturating_sub(1);
        self.frames = self.frames.saturating_sub(frames);
    }

    // Worker time for `frames`, as those so far took it.
    fn execution(&self, frames: u64) -> f64 {
        let a_frame = match self.measured {
            0 => self.usual,
            measured => self.executed.as_secs_f64() / measured as f64,
        };
        frames as f64 * a_frame
    }

    // How long a request is waited for.
    fn wait(&self, frames: u64) -> Duration {
        match self.waited.checked_div(self.answered) {
            Some(usual) => usual,
            None => Duration::from_secs_f64(self.execution(frames)),
        }
    }

    // US dollars if nothing more is sent: the bill so far with the gaps that end now, what is on
    // its way, and the workers that may be starting for it.
    fn committed(&self, now: Duration) -> f64 {
        let Some(meter) = &self.meter else { return 0.0 };
        let fleet = meter.fleet();
        let wanted = self.requests.min(fleet.workers as u64);
        let (there, billed) = meter.kept(now);
        let starting = wanted.saturating_sub(there as u64);
        let around = (fleet.cold_start + fleet.idle_timeout).as_secs_f64();
        let seconds = billed as f64 + self.execution(self.frames) + starting as f64 * around.ceil();
        seconds * fleet.price_per_second
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;
    use super::Limits;
    use crate::engine::StopReason;
    use crate::exchange::Exchange;
    use crate::facts::FleetFacts;
    use crate::name::StageId;
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
        Budget::new(
            Instant::now(),
            limits,
            [(&stage(), &fleet, usual)].into_iter(),
        )
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
                let stages = budget.stages.lock().unwrap();
                let meter = stages[&stage()].meter.as_ref().unwrap();
                return (sent, reason, meter.cost());
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
