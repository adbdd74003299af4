//! The clock of a job: how long it may lie in the queue, run, and be asked for.
//!
//! A job that the platform queues again starts anew: its attempt before was not its own fault.

use super::outcome::Attempt;
use std::time::Duration;
use tokio::time::Instant;

/// A job is given up after the time of so many attempts, however often it is queued again. RunPod
/// itself queues a job again once.
const MOST_ATTEMPTS: u32 = 4;

/// How long a job may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Until a worker takes it.
    pub(super) queue: Duration,
    /// Until that worker is done.
    pub(super) execution: Duration,
}

/// Which limit a job has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passed {
    /// No worker has taken it in time.
    Queue,
    /// The worker was not done in time.
    Execution,
    /// It was queued again and again.
    Attempts,
}

/// The clock of one job.
#[derive(Debug)]
pub(super) struct JobClock {
    limits: Limits,
    submitted: Instant,
    queued: Instant,
    running: Option<(Instant, Attempt)>,
}

impl JobClock {
    /// The clock of a job that was submitted just now.
    pub(super) fn start(limits: Limits) -> Self {
        let now = Instant::now();
        Self {
            limits,
            submitted: now,
            queued: now,
            running: None,
        }
    }

    /// The server says that the job lies in its queue.
    pub(super) fn queued(&mut self) -> Option<Passed> {
        if self.running.take().is_some() {
            self.queued = Instant::now();
        }
        let passed = self.queued.elapsed() > self.limits.queue;
        passed.then_some(Passed::Queue).or(self.attempts())
    }

    /// The server says that a worker has the job. Another worker than before, or one more retry of
    /// the platform, is another attempt, also where nobody saw the job in the queue between them.
    pub(super) fn running(&mut self, attempt: Attempt) -> Option<Passed> {
        let running = self.running.take();
        let (since, attempt) = match running.filter(|(_, earlier)| !attempt.follows(earlier)) {
            Some((since, earlier)) => (since, attempt.or(earlier)),
            None => (Instant::now(), attempt),
        };
        self.running = Some((since, attempt));
        let passed = since.elapsed() > self.limits.execution;
        passed.then_some(Passed::Execution).or(self.attempts())
    }

    /// How long a job whose state nobody can tell is still asked for.
    pub(super) fn left(&self) -> Duration {
        let patience = self.limits.queue + self.limits.execution;
        patience.saturating_sub(self.submitted.elapsed())
    }

    fn attempts(&self) -> Option<Passed> {
        let most = (self.limits.queue + self.limits.execution) * MOST_ATTEMPTS;
        (self.submitted.elapsed() > most).then_some(Passed::Attempts)
    }
}

#[cfg(test)]
mod tests {
    use super::JobClock;
    use super::Limits;
    use super::Passed;
    use crate::backends::remote::runpod::outcome::Attempt;
    use std::time::Duration;

    fn clock() -> JobClock {
        JobClock::start(Limits {
            queue: Duration::from_secs(60),
            execution: Duration::from_secs(10),
        })
    }

    fn plain() -> Attempt {
        Attempt::default()
    }

    fn of(worker: &str, retries: u64) -> Attempt {
        Attempt {
            worker: Some(worker.into()),
            retries: Some(retries),
        }
    }

    async fn seconds(seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_that_is_queued_again_has_its_time_anew() {
        let mut clock = clock();
        seconds(50).await;
        assert_eq!(clock.queued(), None);
        assert_eq!(clock.running(plain()), None);
        seconds(9).await;
        assert_eq!(clock.queued(), None);
        seconds(59).await;
        assert_eq!(clock.queued(), None);
        assert_eq!(clock.running(plain()), None);
        seconds(9).await;
        assert_eq!(clock.running(plain()), None);
        seconds(2).await;
        assert_eq!(clock.running(plain()), Some(Passed::Execution));
    }

    #[tokio::test(start_paused = true)]
    async fn another_worker_or_one_more_retry_is_another_attempt() {
        for second in [of("b", 0), of("a", 1)] {
            let (mut clock, first) = (clock(), of("a", 0));
            clock.running(first.clone());
            seconds(9).await;
            assert_eq!(clock.running(first.clone()), None);
            seconds(9).await;
            assert_eq!(clock.running(second.clone()), None);
            seconds(9).await;
            assert_eq!(clock.running(second.clone()), None);
            seconds(9).await;
            assert_eq!(clock.running(second.clone()), Some(Passed::Execution));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_job_is_queued_again_for_ever() {
        let mut clock = clock();
        for _ in 0..280 / 5 {
            seconds(5).await;
            assert_eq!(clock.queued(), None);
            assert_eq!(clock.running(plain()), None);
        }
        seconds(5).await;
        assert_eq!(clock.queued(), Some(Passed::Attempts));
    }
}
