//! Pauses: how long a worker waits between two calls, so that it neither loses time nor ever calls
//! without a pause.

use backon::BackoffBuilder;
use backon::ExponentialBackoff;
use backon::ExponentialBuilder;
use std::time::Duration;

/// How long a worker waits for what.
#[derive(Clone, Debug)]
pub struct Pace {
    /// From one question that nothing came of to the next. The time that the question itself took
    /// counts, so one that the control plane holds open is followed by another at once.
    pub nothing: Pauses,
    /// After a call that failed, growing, and different for each of many workers.
    pub failed: Pauses,
    /// After a call that was one too many (HTTP 429) where the control plane asks for no other pause.
    pub refused: Duration,
    /// How long the control plane may hold a question open.
    pub poll: Duration,
    /// How long one attempt to deliver an answer may take.
    pub post: Duration,
    /// How long an answer is wanted: it is tried again until then.
    pub wanted: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        let milliseconds = |shortest, longest| Pauses {
            shortest: Duration::from_millis(shortest),
            longest: Duration::from_millis(longest),
        };
        Self {
            nothing: milliseconds(100, 1_000),
            failed: milliseconds(500, 30_000),
            refused: Duration::from_secs(5),
            // The limit of RunPod's own workers.
            poll: Duration::from_secs(90),
            post: Duration::from_secs(120),
            // RunPod keeps the result of a job for so long.
            wanted: Duration::from_secs(30 * 60),
        }
    }
}

/// Pauses that grow, each about twice as long as the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pauses {
    /// The first.
    pub shortest: Duration,
    /// None is longer, but for a share by chance.
    pub longest: Duration,
}

impl Pauses {
    /// The pauses, one after the other, without an end.
    pub(super) fn begin(self) -> Growing {
        Growing {
            pauses: ExponentialBuilder::default()
                .with_min_delay(self.shortest)
                .with_max_delay(self.longest)
                .without_max_times()
                .with_jitter()
                .build(),
            longest: self.longest,
        }
    }
}

/// Pauses that were begun.
#[derive(Debug)]
pub(super) struct Growing {
    pauses: ExponentialBackoff,
    longest: Duration,
}

impl Growing {
    /// The next one.
    pub(super) fn next(&mut self) -> Duration {
        self.pauses.next().unwrap_or(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;
    use std::time::Duration;

    #[test]
    fn pauses_grow_to_the_longest_and_have_no_end() {
        let mut pauses = Pace::default().failed.begin();
        let taken: Vec<Duration> = (0..100).map(|_| pauses.next()).collect();
        let (first, last) = (taken[0], taken[99]);
        assert!(first >= Duration::from_millis(500), "{first:?}");
        assert!(first < Duration::from_secs(2), "{first:?}");
        assert!(last >= Duration::from_secs(30), "{last:?}");
        assert!(last <= Duration::from_secs(60), "{last:?}");
    }
}
