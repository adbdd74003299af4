//! Forecasts: what a plan will ask of workers that are paid by the second, and what that costs.
//!
//! Pure over the plan and the facts it was made from. How long a worker takes is not known before
//! a run, so there are three figures; those that nobody measured are documented defaults and
//! named as such.

use super::billing::paid;
use super::step::Plan;
use super::step::Step;
use super::step::StepIndex;
use super::step::StepKind;
use crate::facts::Facts;
use crate::facts::FleetFacts;
use crate::name::StageId;
use serde::Serialize;
use std::time::Duration;

// Seconds that a worker with 24 GB takes for a picture of 1280 px: as the handler's documents
// promise (0.2 s for 16), as they measure (0.85 s), and as slow as they say it gets (1.2 s).
const A_PICTURE: [f64; 3] = [0.2 / 16.0, 0.85 / 16.0, 1.2 / 16.0];

// Seconds until a worker takes its first job, where the recipe does not say: from a snapshot,
// from a container that is on its host, and from one that is not.
const A_START: [f64; 3] = [0.5, 10.0, 60.0];

/// What the stages of a run will cost that send pictures to paid workers.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Forecast {
    /// In the order of the plan.
    pub stages: Vec<StageForecast>,
}

/// What one stage will ask and cost.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StageForecast {
    /// The stage.
    pub stage: StageId,
    /// The host that gets the pictures.
    pub host: String,
    /// What it calls the endpoint.
    pub endpoint: String,
    /// Pictures; `None` where a video does not say how long it is, and then nothing is estimated.
    pub pictures: Option<u64>,
    /// Requests, if none is sent again.
    pub requests: u64,
    /// Workers that can have something to do.
    pub workers: u64,
    /// US dollars a second of one of them.
    pub price_per_second: f64,
    /// All goes as well as it can.
    pub low: Estimate,
    /// As it usually goes.
    pub expected: Estimate,
    /// All goes slowly.
    pub high: Estimate,
    /// Whether the time until a worker starts is a documented default and not the recipe's.
    pub start_is_default: bool,
}

/// Worker time by what it is paid for, all workers together, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Estimate {
    /// For pictures.
    pub execution: f64,
    /// Until the first job.
    pub start: f64,
    /// After the last one.
    pub idle: f64,
    /// Paid: the sum, rounded up for each worker.
    pub billed: u64,
    /// US dollars.
    pub cost: f64,
    /// From the first request to the last answer, with all workers at work.
    pub wall: f64,
}

impl Forecast {
    /// The three costs of all stages together: low, expected, high.
    pub fn costs(&self) -> [f64; 3] {
        let sum = |cost: fn(&StageForecast) -> f64| self.stages.iter().map(cost).sum();
        [
            sum(|stage| stage.low.cost),
            sum(|stage| stage.expected.cost),
            sum(|stage| stage.high.cost),
        ]
    }
}

/// Seconds that a picture is expected to take, before any was measured.
pub fn usual_seconds_a_picture() -> f64 {
    A_PICTURE[1]
}

/// How long a worker of `fleet` is expected to start, and is paid for it.
pub fn usual_start(fleet: &FleetFacts) -> Duration {
    if fleet.cold_start.is_zero() {
        Duration::from_secs_f64(A_START[1])
    } else {
        fleet.cold_start
    }
}

/// What `plan`, made from `facts`, will cost.
pub fn forecast(plan: &Plan, facts: &Facts) -> Forecast {
    let stages = plan
        .steps()
        .filter_map(|(index, step)| stage(plan, facts, index, step));
    Forecast {
        stages: stages.collect(),
    }
}

fn stage(plan: &Plan, facts: &Facts, index: StepIndex, step: &Step) -> Option<StageForecast> {
    let StepKind::Request { place, .. } = &step.kind else {
        return None;
    };
    let fleet = place.fleet.as_ref()?;
    let videos = || facts.videos.iter().map(|video| video.expected_pictures);
    let pictures = videos().sum::<Option<u64>>();
    let size = plan.pictures_a_request(index) as u64;
    // The last request of a video is not filled up from the next one.
    let requests = videos().flatten().map(|of_one| of_one.div_ceil(size)).sum();
    let limit = step.limit.max.min(fleet.workers) as u64;
    let workers = limit.min(requests);
    let start_is_default = fleet.cold_start.is_zero();
    let own = fleet.cold_start.as_secs_f64();
    let starts = if start_is_default {
        A_START
    } else {
        [0.0, own, own]
    };
    let figure = |which: usize| {
        let busy = pictures.unwrap_or_default() as f64 * A_PICTURE[which];
        estimate(fleet, workers, busy, starts[which])
    };
    Some(StageForecast {
        stage: step.stage.clone(),
        host: place.host.clone(),
        endpoint: place.model.clone(),
        pictures,
        requests,
        workers,
        price_per_second: fleet.price_per_second,
        low: figure(0),
        expected: figure(1),
        high: figure(2),
        start_is_default,
    })
}

fn estimate(fleet: &FleetFacts, workers: u64, execution: f64, start: f64) -> Estimate {
    if workers == 0 {
        return Estimate::default();
    }
    let share = execution / workers as f64;
    let fleet = FleetFacts {
        cold_start: Duration::from_secs_f64(start),
        ..fleet.clone()
    };
    let billed = workers * paid(&fleet, Duration::from_secs_f64(share));
    Estimate {
        execution,
        start: workers as f64 * start,
        idle: workers as f64 * fleet.idle_timeout.as_secs_f64(),
        billed,
        cost: billed as f64 * fleet.price_per_second,
        wall: start + share,
    }
}

#[cfg(test)]
mod tests {
    use super::estimate;
    use crate::facts::FleetFacts;
    use std::time::Duration;

    #[test]
    fn an_estimate_is_paid_in_whole_seconds_of_each_worker() {
        let fleet = FleetFacts {
            workers: 3,
            vram_gb: None,
            price_per_second: 0.0004,
            idle_timeout: Duration::from_secs(5),
            cold_start: Duration::ZERO,
        };
        // 36 batches of 0.2 s on three warm workers: 2.4 s of work, and 5 s of idle tail each.
        let warm = estimate(&fleet, 3, 7.2, 0.0);
        assert_eq!(warm.billed, 3 * 8);
        assert!((warm.cost - 0.0096).abs() < 1e-12);
        assert!((warm.wall - 2.4).abs() < 1e-12);
        assert_eq!(estimate(&fleet, 3, 7.2, 10.0).billed, 3 * 18);
        assert_eq!(estimate(&fleet, 0, 0.0, 10.0), super::Estimate::default());
    }
}
