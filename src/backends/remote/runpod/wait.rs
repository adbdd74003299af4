//! Waiting for a job: asking where it is until its output is there or will never be.
//!
//! What goes wrong on the way is asked again here, since the job is paid and its answer can still
//! be fetched. What cannot be read after a few tries never becomes another job.

use super::clock::JobClock;
use super::clock::Limits;
use super::clock::Passed;
use super::endpoint::Endpoint;
use super::health;
use super::outcome::JobState;
use super::outcome::JobStatus;
use super::outcome::StatusError;
use crate::backends::transport::reply::Reply;
use crate::duration::spelled;
use crate::exchange::Exchange;
use crate::failure::Class;
use crate::failure::Failure;
use crate::failure::Verdict;
use crate::name::Ticket;
use crate::recipe::RunpodDialect;
use bytes::Bytes;
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// How often in a row a job is asked for whose answers cannot be read.
const MOST_UNREADABLE: u32 = 5;

/// How often in a row a job is not found before it counts as lost: what was submitted a moment ago
/// may not be known everywhere yet.
const MOST_MISSING: u32 = 2;

/// How often in a row nobody answers before somebody else decides how long that goes on.
const MOST_SILENT: u32 = 3;

/// After the first question in vain; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// Questions about one job that brought nothing, in a row.
#[derive(Default)]
struct InVain {
    silent: u32,
    unreadable: u32,
    missing: u32,
    all: u32,
}

impl Endpoint {
    /// Waits for the output of a job and notes in `exchange` what is told of it; calls `heard`
    /// with when it asked, whenever something is.
    ///
    /// # Errors
    ///
    /// Of class `network` or `server-error` where nothing is told several times in a row: the job
    /// may be waited for again; of class `lost` where the job may be submitted anew, `out-of-memory` where it may be
    /// halved, `bad-answer` and `timed-out` where its answer is paid and cannot be had.
    pub async fn wait(
        &self,
        ticket: &Ticket,
        exchange: &mut Exchange,
        heard: &(dyn Fn(Instant) + Sync),
    ) -> Result<Value, Failure> {
        let _one_more = self.polling.wait();
        self.issued.awaited(ticket);
        let mut clock = JobClock::start(Limits {
            queue: self.spec.queue_timeout,
            execution: self.spec.execution_timeout,
        });
        let mut in_vain = InVain::default();
        // From one poll's sending to the next one's: a line with a long way loses no time to both.
        let mut due = Instant::now() + self.polling.first();
        loop {
            tokio::time::sleep_until(due).await;
            let asked = Instant::now();
            due = asked + self.polling.interval();
            let answer = self.ask(ticket).await.and_then(|job| {
                self.note(&job, exchange);
                let attempt = job.attempt();
                job.state().map(|state| (state, attempt))
            });
            // Whoever shares its id may be the one that was answered.
            self.issued.is_unique(ticket)?;
            if !matches!(answer, Err(StatusError::Passing(_))) {
                heard(asked);
            }
            let passed = match answer {
                Ok((JobState::Done(output), _)) => return Ok(output),
                Ok((JobState::Queued, _)) => clock.queued(),
                Ok((JobState::Running, attempt)) => clock.running(attempt),
                Err(none) => {
                    let pause = self.pause(none, &mut in_vain, ticket, &clock).await?;
                    due = Instant::now() + pause;
                    continue;
                }
            };
            in_vain = InVain::default();
            if let Some(passed) = passed {
                return Err(self.out_of_time(ticket, passed).await);
            }
        }
    }

    // Until a job is asked for again whose state was not told.
    async fn pause(
        &self,
        none: StatusError,
        in_vain: &mut InVain,
        ticket: &Ticket,
        clock: &JobClock,
    ) -> Result<Duration, Failure> {
        let doubled = FIRST_PAUSE * 2_u32.saturating_pow(in_vain.all.min(16));
        in_vain.all += 1;
        let (failure, is_over) = match none {
            StatusError::Failed(failure) => return Err(failure),
            StatusError::Missing(failure) => {
                in_vain.missing += 1;
                (failure, in_vain.missing >= MOST_MISSING)
            }
            StatusError::Unreadable(failure) => {
                in_vain.unreadable += 1;
                (failure, in_vain.unreadable >= MOST_UNREADABLE)
            }
            StatusError::Passing(failure) => {
                in_vain.silent += u32::from(failure.class != Class::Busy);
                let is_silent = in_vain.silent >= MOST_SILENT;
                (failure, is_silent)
            }
        };
        if is_over {
            return Err(failure);
        }
        let left = clock.left();
        if left.is_zero() {
            self.send_cancel(ticket).await;
            let why = format!("the answer to a job could not be fetched in time: {failure}");
            return Err(Failure::new(Class::TimedOut, why));
        }
        // A server that asks for no pause is not asked without one.
        let asked = failure.retry_after.unwrap_or_default();
        Ok(doubled.min(LONGEST_PAUSE).max(asked).min(left))
    }

    /// Takes a job back; gives whether the server did. With `running` false only a job that no
    /// worker has taken.
    pub async fn cancel(&self, ticket: &Ticket, running: bool) -> bool {
        let queued = || async {
            matches!(
                self.ask(ticket).await.and_then(JobStatus::state),
                Ok(JobState::Queued)
            )
        };
        (running || queued().await) && self.send_cancel(ticket).await
    }

    async fn send_cancel(&self, ticket: &Ticket) -> bool {
        let path = self.path(&format!("cancel/{ticket}"));
        let reply = self.server.post(&path, Bytes::from_static(b"{}"));
        let reply = self.limits.cancels.run(reply).await;
        reply.is_ok_and(|Reply { status, .. }| (200..300).contains(&status))
    }

    async fn ask(&self, ticket: &Ticket) -> Result<JobStatus, StatusError> {
        let path = self.path(&format!("status/{ticket}"));
        let reply = match self.spec.dialect {
            RunpodDialect::Cloud => self.limits.polls.run(self.server.get(&path)).await,
            // It runs the job when it is asked for it, before it answers.
            RunpodDialect::DevServer => {
                let (nothing, longer) = (Bytes::from_static(b"{}"), self.spec.execution_timeout);
                self.server.post_and_wait(&path, nothing, longer).await
            }
        };
        let reply = reply.map_err(|failure| match failure.class.verdict() {
            Verdict::Retry => StatusError::Passing(failure),
            _ => StatusError::Failed(failure),
        })?;
        JobStatus::asked(&reply, &ticket.to_string(), &self.spec.api_key_env)
    }

    async fn out_of_time(&self, ticket: &Ticket, passed: Passed) -> Failure {
        self.send_cancel(ticket).await;
        match passed {
            Passed::Queue => {
                let reply = self.server.get(&self.path("health")).await.ok();
                let (class, why) = health::stuck(reply.as_ref().map(|reply| &*reply.body));
                let time = spelled(self.spec.queue_timeout);
                let id = self.id();
                let why = format!("no worker of {id} took the job in {time}: {why}");
                Failure::new(class, why)
            }
            Passed::Execution => {
                let time = spelled(self.spec.execution_timeout);
                let why = format!("the worker was not done in {time}; see `execution_timeout`");
                Failure::new(Class::TimedOut, why)
            }
            Passed::Attempts => {
                let why =
                    "the server queued the job again and again; look at the logs of its workers";
                Failure::new(Class::TimedOut, why)
            }
        }
    }
}
