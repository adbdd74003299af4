//! Polling: when a job is asked for, so that an answer is there soon and no limit of the API is
//! met.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(2);

// All jobs that are waited for are asked about a hundred times a second together: half of what the
// API takes is left for whoever else uses the endpoint.
const SHARE: Duration = Duration::from_millis(10);

/// What is known of the jobs of an endpoint.
#[derive(Debug, Default)]
pub(super) struct Polling {
    // Jobs that are waited for.
    waiting: AtomicU32,
    // What the last jobs took, in milliseconds: the first poll of the next one is due then.
    usual: AtomicU64,
}

impl Polling {
    /// Counts one job until what it gives is dropped.
    pub(super) fn wait(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(&self.waiting)
    }

    /// From the submission of a job to the first poll.
    pub(super) fn first(&self) -> Duration {
        self.usual().max(SHORTEST)
    }

    /// From one poll of a job to the next: a quarter of what jobs take, less often where many are
    /// waited for.
    pub(super) fn interval(&self) -> Duration {
        let share = SHARE * self.waiting.load(Ordering::Relaxed);
        (self.usual() / 4).clamp(SHORTEST, LONGEST).max(share)
    }

    /// A job took so long. A quarter of the news counts: one slow job does not slow the polls of
    /// the next ones down.
    pub(super) fn learn(&self, execution: Duration) {
        let news = u64::try_from(execution.as_millis()).unwrap_or(u64::MAX);
        let old = self.usual.load(Ordering::Relaxed);
        let usual = match old {
            0 => news,
            old => old / 4 * 3 + news / 4,
        };
        self.usual.store(usual, Ordering::Relaxed);
    }

    fn usual(&self) -> Duration {
        Duration::from_millis(self.usual.load(Ordering::Relaxed)).min(LONGEST)
    }
}

/// One job that is waited for.
pub(super) struct Waiting<'a>(&'a AtomicU32);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
