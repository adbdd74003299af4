//! Billing: what workers cost that are paid by the second, from the jobs that they ran.
//!
//! The rule of RunPod Serverless: a worker is paid from its start until it has stopped, rounded up
//! to whole seconds: its start, its jobs, the gaps between them, and the idle tail after the last
//! one. A gap as long as the tail has the worker stop in it and start again. When a worker
//! started is nowhere told, so its start is in the bill only as long as the recipe says it takes.

use crate::exchange::Exchange;
use crate::facts::FleetFacts;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The bill of one fleet, kept from the exchanges with it.
#[derive(Clone, Debug)]
pub struct Meter {
    fleet: FleetFacts,
    workers: BTreeMap<Worker, Uptimes>,
    executed: Duration,
}

// A worker by the name that its server has for it. Jobs whose worker is not told are put on as
// few as could have run them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Worker {
    Named(Arc<str>),
    Nameless(usize),
}

// The times that a worker was there: the last one, and how long each of those before it was.
#[derive(Clone, Debug)]
struct Uptimes {
    earlier: Vec<Duration>,
    from: Duration,
    to: Duration,
}

impl Meter {
    /// Nothing has been run yet.
    pub fn new(fleet: FleetFacts) -> Self {
        Self {
            fleet,
            workers: BTreeMap::new(),
            executed: Duration::ZERO,
        }
    }

    /// Takes in an exchange that ended `now` after the start of the run. One without a time of
    /// execution is not known to have cost anything.
    pub fn note(&mut self, exchange: &Exchange, now: Duration) {
        let Some(executed) = exchange.executed else {
            return;
        };
        self.executed += executed;
        // From the queue where it is told: the client learns of the end only when it asks.
        let sent = now.saturating_sub(exchange.waited);
        let latest = now.saturating_sub(executed);
        let from = exchange
            .queued
            .map_or(latest, |queued| (sent + queued).min(latest));
        let to = from + executed;
        let worker = match &exchange.worker {
            Some(name) => Worker::Named(Arc::clone(name)),
            None => self.free_at(from),
        };
        let stays = self.workers.entry(worker).or_insert(Uptimes {
            earlier: Vec::new(),
            from,
            to,
        });
        if from > stays.to + self.fleet.idle_timeout {
            stays.earlier.push(stays.to - stays.from);
            stays.from = from;
        }
        stays.from = stays.from.min(from);
        stays.to = stays.to.max(to);
    }

    /// Worker time that jobs ran.
    pub fn executed(&self) -> Duration {
        self.executed
    }

    /// Worker time from first jobs to last ones, with the gaps between.
    pub fn busy(&self) -> Duration {
        let stays = self.workers.values();
        stays
            .map(|stays| stays.earlier.iter().sum::<Duration>() + (stays.to - stays.from))
            .sum()
    }

    /// Workers that are known to have run something.
    pub fn workers(&self) -> usize {
        self.workers.len()
    }

    /// Paid seconds of all workers, if nothing more is sent.
    pub fn billed(&self) -> u64 {
        let start = self.fleet.cold_start;
        let stays = self.workers.values();
        let billed = stays.map(|stays| self.paid(stays, stays.to, start));
        billed.sum()
    }

    /// Workers that are there `now`, at work or idle; and paid seconds of all workers if each of
    /// these is kept until now by work that is not back yet, and took `start` to start.
    pub fn kept(&self, now: Duration, start: Duration) -> (usize, u64) {
        let (mut there, mut billed) = (0, 0);
        for stays in self.workers.values() {
            let is_there = now <= stays.to + self.fleet.idle_timeout;
            there += usize::from(is_there);
            let to = if is_there {
                stays.to.max(now)
            } else {
                stays.to
            };
            billed += self.paid(stays, to, start);
        }
        (there, billed)
    }

    /// The same as [`Meter::billed`] in US dollars.
    pub fn cost(&self) -> f64 {
        self.billed() as f64 * self.fleet.price_per_second
    }

    /// What the recipe says of the fleet.
    pub fn fleet(&self) -> &FleetFacts {
        &self.fleet
    }

    // Paid seconds of a worker whose last stay lasts until `to`.
    fn paid(&self, stays: &Uptimes, to: Duration, start: Duration) -> u64 {
        let last = to.saturating_sub(stays.from);
        let busy = stays.earlier.iter().chain([&last]);
        busy.map(|busy| paid(start, *busy, self.fleet.idle_timeout))
            .sum()
    }

    fn free_at(&self, from: Duration) -> Worker {
        let busy = |number: &usize| {
            let stays = self.workers.get(&Worker::Nameless(*number));
            stays.is_some_and(|stays| stays.to > from)
        };
        let free = (0..self.workers.len()).find(|number| !busy(number));
        Worker::Nameless(free.unwrap_or(self.workers.len()))
    }
}

/// Paid seconds of a worker that takes `start` to start, is at work, with gaps, for `busy`, and stays
/// for `idle`.
pub(in crate::plan) fn paid(start: Duration, busy: Duration, idle: Duration) -> u64 {
    let there = start + busy + idle;
    // Rounded to whole milliseconds first: a nanosecond is no second.
    (there.as_millis() as u64).div_ceil(1000)
}

#[cfg(test)]
mod tests {
    use super::Meter;
    use crate::exchange::Exchange;
    use crate::facts::FleetFacts;
    use std::time::Duration;

    fn fleet(cold_start: u64) -> FleetFacts {
        FleetFacts {
            workers: 3,
            vram_gb: None,
            price_per_second: 0.0004,
            idle_timeout: Duration::from_secs(5),
            cold_start: Duration::from_secs(cold_start),
            frame_time: None,
            sound_time: None,
            job_gap: None,
        }
    }

    // Jobs as (worker, first millisecond, milliseconds), told a little after their end.
    fn bill(cold_start: u64, jobs: &[(&str, u64, u64)]) -> Meter {
        let mut meter = Meter::new(fleet(cold_start));
        for &(worker, from, executed) in jobs {
            let exchange = Exchange {
                queued: Some(Duration::from_millis(from)),
                executed: Some(Duration::from_millis(executed)),
                worker: (!worker.is_empty()).then(|| worker.into()),
                waited: Duration::from_millis(from + executed + 30),
                ..Exchange::default()
            };
            meter.note(&exchange, exchange.waited);
        }
        meter
    }

    #[test]
    fn three_workers_of_three_seconds_are_paid_for_eight_each() {
        let meter = bill(0, &[("a", 0, 3000), ("b", 0, 3000), ("c", 0, 3000)]);
        assert_eq!(meter.billed(), 3 * (3 + 5));
        assert!((meter.cost() - 0.0096).abs() < 1e-12);
        assert_eq!(meter.executed(), Duration::from_secs(9));
    }

    #[test]
    fn a_short_gap_is_paid_and_a_long_one_is_a_new_stay() {
        let short = bill(0, &[("a", 0, 1000), ("a", 4000, 1000)]);
        assert_eq!(short.billed(), 5 + 5);
        let long = bill(0, &[("a", 0, 1000), ("a", 60_000, 1000)]);
        assert_eq!(long.billed(), 2 * (1 + 5));
        let with_start = bill(10, &[("a", 0, 1000), ("a", 60_000, 1000)]);
        assert_eq!(with_start.billed(), 2 * (10 + 1 + 5));
    }

    #[test]
    fn a_part_of_a_second_is_paid_as_a_whole_one() {
        assert_eq!(bill(0, &[("a", 0, 1)]).billed(), 6);
        assert_eq!(bill(0, &[("a", 0, 1000)]).billed(), 6);
        assert_eq!(bill(0, &[]).billed(), 0);
    }

    #[test]
    fn jobs_of_nameless_workers_are_on_as_few_as_could_have_run_them() {
        let meter = bill(0, &[("", 0, 1000), ("", 500, 1000), ("", 1200, 500)]);
        assert_eq!(meter.workers(), 2);
        assert_eq!(meter.billed(), 7 + 6);
    }

    #[test]
    fn a_start_that_is_not_known_can_be_assumed() {
        // Two stays of a second and 5 s of idle tail, each with a start of 10 s.
        let meter = bill(0, &[("a", 0, 1000), ("a", 60_000, 1000)]);
        let now = Duration::from_secs(61);
        assert_eq!(meter.kept(now, Duration::ZERO), (1, 2 * 6));
        assert_eq!(meter.kept(now, Duration::from_secs(10)), (1, 2 * 16));
        assert_eq!(meter.billed(), 2 * 6);
    }
}
