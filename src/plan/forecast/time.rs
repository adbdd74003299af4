//! How long workers take for requests of one size, and what they are paid for it.
//!
//! Requests come as fast as frames are read, and each worker takes the next one when it is free.
//! Knows nothing of what is asked.

use crate::facts::FleetFacts;
use crate::plan::forecast::billing::paid;
use crate::plan::forecast::forecast::Bill;
use crate::plan::step::LONGEST_ALONE;
use std::time::Duration;

// A job that is done so nearly is done, whatever its time was rounded to.
const ROUNDING: f64 = 1e-6;

/// One way that a stage may go. Times are in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    /// Workers with something to do.
    pub(super) workers: u64,
    pub(super) requests: u64,
    /// Of all requests together.
    pub(super) execution: f64,
    /// Of one worker.
    pub(super) start: f64,
    /// Of a worker after each request.
    pub(super) gap: f64,
    /// Until the last request is there to be sent.
    pub(super) reading: f64,
    /// The share of that until the first one is.
    pub(super) ahead: f64,
}

impl Case {
    // Of a request, and the gap after it.
    fn turn(&self) -> f64 {
        self.execution / self.requests.max(1) as f64 + self.gap
    }

    // Until the first request is there to be sent.
    fn first(&self) -> f64 {
        self.reading * self.ahead
    }

    // Until so many requests are there; they come evenly after the first one.
    fn arrival(&self, requests: u64) -> f64 {
        let after = self.requests.saturating_sub(1).max(1) as f64;
        let share = requests.saturating_sub(1) as f64 / after;
        self.first() + share * (self.reading - self.first())
    }

    /// Until the last answer is there.
    pub(super) fn wall(&self) -> f64 {
        if self.requests == 0 {
            return self.reading;
        }
        // The last request cannot be answered before it is there.
        let arriving = self.arrival(self.requests) + self.turn() - self.gap;
        self.working().max(arriving).max(self.reading)
    }

    // Until the workers are done that begin as early as they can. The first request goes alone
    // for a while; the last of the other workers begins when that is over and there is a request
    // for it, and finds what the first worker has left.
    fn working(&self) -> f64 {
        let (workers, turn) = (self.workers.max(1), self.turn());
        let until = |begins: f64, turns: u64| begins + turns as f64 * turn - self.gap;
        let first = self.first() + self.start;
        let alone = (self.start + turn - self.gap).min(LONGEST_ALONE.as_secs_f64());
        let others = self.arrival(workers).max(self.first() + alone) + self.start;
        let done = ((others - first) / turn.max(f64::EPSILON) + ROUNDING).floor() as u64;
        if workers == 1 || done >= self.requests {
            return until(first, self.requests);
        }
        until(others, (self.requests - done).div_ceil(workers))
    }

    /// The same, where one thing is done after the other.
    pub(super) fn one_by_one(&self) -> f64 {
        let start = if self.requests == 0 { 0.0 } else { self.start };
        self.reading + start + self.execution + self.requests.saturating_sub(1) as f64 * self.gap
    }

    /// The same, where nobody waits for anything.
    pub(super) fn ideal(&self) -> f64 {
        self.execution / self.workers.max(1) as f64
    }

    /// What the workers are paid. They stay where they wait for requests.
    pub(super) fn paid(&self, fleet: &FleetFacts) -> Bill {
        if self.workers == 0 {
            return Bill::default();
        }
        let workers = self.workers as f64;
        let turns = self.requests as f64 / workers;
        let working = turns * self.turn() - self.gap;
        let waiting = self.arrival(self.requests) - self.first() - self.start;
        let arriving = waiting + self.turn() - self.gap;
        let stay = working.max(arriving);
        let start = Duration::try_from_secs_f64(self.start).unwrap_or_default();
        let busy = Duration::try_from_secs_f64(stay).unwrap_or_default();
        let billed = self.workers * paid(start, busy, fleet.idle_timeout);
        Bill {
            execution: self.execution,
            start: workers * self.start,
            gaps: (workers * stay - self.execution).max(0.0),
            idle: workers * fleet.idle_timeout.as_secs_f64(),
            billed,
            cost: billed as f64 * fleet.price_per_second,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Bill;
    use super::Case;
    use crate::facts::FleetFacts;
    use std::time::Duration;

    fn fleet() -> FleetFacts {
        FleetFacts {
            workers: 3,
            vram_gb: None,
            price_per_second: 0.0004,
            idle_timeout: Duration::from_secs(5),
            cold_start: Duration::ZERO,
            frame_time: None,
            sound_time: None,
            job_gap: None,
        }
    }

    // 36 batches of 0.2 s on three warm workers: 2.4 s of work, and 5 s of idle tail each.
    const WARM: Case = Case {
        workers: 3,
        requests: 36,
        execution: 7.2,
        start: 0.0,
        gap: 0.0,
        reading: 0.0,
        ahead: 1.0 / 36.0,
    };

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn an_estimate_is_paid_in_whole_seconds_of_each_worker() {
        let warm = WARM.paid(&fleet());
        assert_eq!(warm.billed, 3 * 8);
        assert!(near(warm.cost, 0.0096) && near(warm.gaps, 0.0));
        let cold = Case {
            start: 10.0,
            ..WARM
        };
        assert_eq!(cold.paid(&fleet()).billed, 3 * 18);
        let none = Case {
            workers: 0,
            requests: 0,
            execution: 0.0,
            ..WARM
        };
        assert_eq!(none.paid(&fleet()), Bill::default());
    }

    #[test]
    fn the_slower_of_readers_and_workers_sets_the_pace() {
        // One alone, and then 35 on three workers, of which two have twelve each.
        assert!(near(WARM.wall(), 2.6) && near(WARM.ideal(), 2.4) && near(WARM.one_by_one(), 7.2));
        let uneven = Case {
            requests: 38,
            execution: 7.6,
            ..WARM
        };
        assert!(near(uneven.wall(), 2.8), "one worker has one more");
        let reading = Case {
            reading: 36.0,
            ..WARM
        };
        assert!(
            near(reading.wall(), 36.2),
            "the last batch is ready after 36 s"
        );
        assert_eq!(
            reading.paid(&fleet()).billed,
            3 * 41,
            "they are paid for waiting"
        );
        let few = Case {
            workers: 2,
            requests: 2,
            execution: 0.4,
            start: 2.0,
            reading: 1.5,
            ahead: 0.6,
            ..WARM
        };
        assert!(
            near(few.wall(), 3.3),
            "the second batch waits for the answer to the first, and its worker is there then"
        );
        let slow = Case { gap: 0.8, ..WARM };
        assert!(
            near(slow.wall(), 11.4),
            "the first job, and then twelve jobs and eleven gaps"
        );
    }

    #[test]
    fn a_cold_worker_is_waited_for_five_seconds_before_the_others_start() {
        // The first worker is there at 10 s and the others at 15 s; by then 25 requests are done,
        // and the last eleven take four turns.
        let cold = Case {
            start: 10.0,
            ..WARM
        };
        assert!(near(cold.wall(), 15.8), "{}", cold.wall());
        let alone = Case { workers: 1, ..cold };
        assert!(near(alone.wall(), 17.2), "{}", alone.wall());
        // Three long jobs on three workers: the first begins at 10 s, the others at 15 s.
        let long = Case {
            requests: 3,
            execution: 90.0,
            ..cold
        };
        assert!(near(long.wall(), 45.0), "{}", long.wall());
    }
}
