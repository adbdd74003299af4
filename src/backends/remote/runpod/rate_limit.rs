//! Rate limits: so many calls of one kind at once, and so many in any ten seconds, as the API
//! documents them for one endpoint. The stages on an endpoint share them.
//!
//! A call that has to wait is sent late instead of being refused by the server.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

const WINDOW: Duration = Duration::from_secs(10);

/// The limits of all endpoints of a run; clones are the same.
#[derive(Clone, Debug, Default)]
pub struct RateLimits(Arc<Mutex<HashMap<String, Arc<EndpointLimits>>>>);

impl RateLimits {
    /// Those of the endpoint with this id at `host`, whoever asks for them.
    pub(super) fn of(&self, host: &str, id: &str) -> Arc<EndpointLimits> {
        let mut limits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(limits.entry(format!("{host}/{id}")).or_default())
    }
}

/// The limits of one endpoint, by what is called.
#[derive(Debug)]
pub(super) struct EndpointLimits {
    /// `/run`.
    pub(super) runs: RateLimit,
    /// `/runsync`.
    pub(super) sync_runs: RateLimit,
    /// `/status`.
    pub(super) polls: RateLimit,
    /// `/cancel`.
    pub(super) cancels: RateLimit,
}

impl Default for EndpointLimits {
    fn default() -> Self {
        Self {
            runs: RateLimit::new(200, 1000),
            sync_runs: RateLimit::new(400, 2000),
            polls: RateLimit::new(400, 2000),
            cancels: RateLimit::new(20, 100),
        }
    }
}

/// A limit on calls of one kind.
#[derive(Debug)]
pub(in crate::backends) struct RateLimit {
    at_once: Semaphore,
    in_window: usize,
    // When the last calls began, the oldest first; those of the last window and no more.
    begun: Mutex<VecDeque<Instant>>,
}

impl RateLimit {
    /// At most `at_once` calls together, and `in_window` in any ten seconds.
    pub(in crate::backends) fn new(at_once: usize, in_window: usize) -> Self {
        Self {
            at_once: Semaphore::new(at_once),
            in_window: in_window.max(1),
            begun: Mutex::default(),
        }
    }

    /// Makes `call` when its turn has come.
    pub(in crate::backends) async fn run<T>(&self, call: impl Future<Output = T>) -> T {
        // Never closed; a call that got no permit all the same is only paced less.
        let _permit = self.at_once.acquire().await;
        while let Some(until) = self.full_until() {
            tokio::time::sleep_until(until).await;
        }
        call.await
    }

    // Takes a place in the window, or says when the next one is free.
    fn full_until(&self) -> Option<Instant> {
        let now = Instant::now();
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        while begun.front().is_some_and(|&first| first + WINDOW <= now) {
            begun.pop_front();
        }
        if begun.len() < self.in_window {
            begun.push_back(now);
            return None;
        }
        begun.front().map(|&first| first + WINDOW)
    }
}

#[cfg(test)]
mod tests {
    use super::RateLimit;
    use super::RateLimits;
    use super::WINDOW;
    use futures_util::future::join_all;
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering;
    use std::time::Duration;
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn no_ten_seconds_see_more_calls_than_documented() {
        let limit = RateLimit::new(20, 100);
        let start = Instant::now();
        let calls = (0..250).map(|_| limit.run(async { start.elapsed() }));
        let mut begun = join_all(calls).await;
        begun.sort();
        assert_eq!(begun[99], Duration::ZERO);
        assert!(
            begun
                .windows(101)
                .all(|calls| calls[100] - calls[0] >= WINDOW)
        );
        assert!(begun[249] < 3 * WINDOW, "it waits no longer than it must");
    }

    // A hundred in ten seconds: of 150 by two stages on one endpoint, 50 wait; those to another do not.
    #[tokio::test(start_paused = true)]
    async fn stages_on_one_endpoint_share_its_limits() {
        let limits = RateLimits::default();
        let (one, same, other) = (
            limits.of("api.runpod.ai", "detect"),
            limits.clone().of("api.runpod.ai", "detect"),
            limits.of("api.runpod.ai", "listen"),
        );
        let start = Instant::now();
        let calls = (0..75).flat_map(|_| [&one, &same]);
        let calls = calls.map(|limits| limits.cancels.run(async { start.elapsed() }));
        let begun = join_all(calls).await;
        let at_once = begun.iter().filter(|begun| begun.is_zero()).count();
        assert_eq!(at_once, 100);
        assert!(
            begun
                .iter()
                .all(|begun| begun.is_zero() || *begun >= WINDOW)
        );
        let start = Instant::now();
        let calls = (0..100).map(|_| other.cancels.run(async { start.elapsed() }));
        assert!(join_all(calls).await.iter().all(Duration::is_zero));
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_calls_than_documented_are_made_at_once() {
        let limit = RateLimit::new(20, 10_000);
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let calls = (0..100).map(|_| {
            limit.run(async {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(50)).await;
                now.fetch_sub(1, Ordering::SeqCst);
            })
        });
        join_all(calls).await;
        assert_eq!(most.into_inner(), 20);
    }
}
