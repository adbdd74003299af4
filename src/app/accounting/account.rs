//! The account of a stage that asks a server: what its requests took, added up.

use crate::exchange::Exchange;
use crate::output::Requests;
use crate::output::Spread;
use crate::plan::Meter;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// What the requests of a stage took so far.
#[derive(Default)]
pub(in crate::app) struct Account {
    /// What its workers cost, where they are paid by the second.
    pub(in crate::app) meter: Option<Meter>,
    count: u64,
    bytes: u64,
    queued: Vec<Duration>,
    executed: Vec<Duration>,
    workers: BTreeSet<Arc<str>>,
    // From the first request to the last answer, since the start of the run.
    span: Option<(Duration, Duration)>,
    // Were each request sent when the one before it is answered.
    one_by_one: Duration,
}

impl Account {
    /// Takes in an exchange that ended `now`.
    pub(in crate::app) fn note(&mut self, exchange: &Exchange, now: Duration) {
        self.count += 1;
        self.bytes += exchange.sent;
        self.queued.extend(exchange.queued);
        self.executed.extend(exchange.executed);
        self.workers.extend(exchange.worker.clone());
        if exchange.answered {
            self.one_by_one += exchange.executed.unwrap_or(exchange.waited);
            let sent = now.saturating_sub(exchange.waited);
            let first = self.span.map_or(sent, |(first, _)| first.min(sent));
            self.span = Some((first, now));
        }
        if let Some(meter) = &mut self.meter {
            meter.note(exchange, now);
        }
    }

    /// The sum; `None` where nothing was asked.
    pub(in crate::app) fn requests(&self) -> Option<Requests> {
        if self.count == 0 {
            return None;
        }
        let meter = self.meter.as_ref();
        let start = meter.map(|meter| meter.fleet().cold_start.as_secs_f64());
        let executed: Duration = self.executed.iter().sum();
        Some(Requests {
            count: self.count,
            bytes_sent: self.bytes,
            queue_seconds: spread(&self.queued),
            execution_seconds: spread(&self.executed),
            workers_seen: self.workers.len() as u64,
            executed_seconds: milliseconds(executed.as_secs_f64()),
            billed_seconds: meter.map(Meter::billed),
            start_seconds: start.filter(|start| *start > 0.0),
            cost_usd: meter.map(|meter| (meter.cost() * 1e6).round() / 1e6),
            speed_up: self.speed_up(),
        })
    }

    fn speed_up(&self) -> Option<f64> {
        let (first, last) = self.span?;
        let took = last.saturating_sub(first).as_secs_f64();
        (took > 0.0).then(|| (self.one_by_one.as_secs_f64() / took * 100.0).round() / 100.0)
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
    use super::Account;
    use crate::exchange::Exchange;
    use crate::facts::FleetFacts;
    use crate::plan::Meter;
    use std::time::Duration;

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
        let mut account = Account {
            meter: Some(Meter::new(fleet)),
            ..Account::default()
        };
        assert_eq!(account.requests(), None);
        // Two workers, side by side: 20 jobs of 100 ms each, the last one of a second.
        for job in 0..20_u64 {
            let executed = if job == 19 { 1000 } else { 100 };
            let exchange = Exchange {
                frames: 16,
                sent: 1000,
                queued: Some(Duration::from_millis(job)),
                executed: Some(Duration::from_millis(executed)),
                worker: Some(format!("w{}", job % 2).into()),
                waited: Duration::from_millis(job + executed),
                answered: true,
            };
            let begun = Duration::from_millis(job / 2 * 100);
            account.note(&exchange, begun + exchange.waited);
        }
        insta::assert_json_snapshot!(account.requests(), @r#"
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
    }
}
