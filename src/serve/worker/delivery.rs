//! Delivery: an answer on its way, until the control plane takes it or nobody wants it any more.
//!
//! What is refused for its size or its content is answered by a small error, so that nobody sees a
//! job that is completed and has no output.

use crate::failure::Class;
use crate::failure::Failure;
use crate::serve::worker::held::HeldJob;
use crate::serve::worker::message;
use crate::serve::worker::message::Answer;
use crate::serve::worker::message::LARGEST_ANSWER;
use crate::serve::worker::note::NoteLevel;
use crate::serve::worker::note::Notes;
use crate::serve::worker::pauses::Pace;
use crate::serve::worker::plane::ControlPlane;
use crate::serve::worker::plane::Posted;
use bytes::Bytes;
use serde_json::Value;
use std::sync::Arc;
use tokio::time::Instant;
use tokio::time::sleep;

/// An answer that is smaller was not refused for its size.
const SMALL: usize = 1 << 20;

/// How the work on a job ended.
#[derive(Debug)]
pub(super) struct Finished {
    /// The output, or why there is none.
    pub(super) output: Result<Value, String>,
    /// Whether the output was told in parts.
    pub(super) streams: bool,
    /// Whether RunPod begins the worker anew after this job.
    pub(super) is_last: bool,
}

/// What brings answers to the control plane.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    pub(super) plane: Arc<ControlPlane>,
    pub(super) pace: Pace,
    pub(super) notes: Notes,
}

/// What became of a body.
enum Sent {
    Taken,
    Refused(String),
    // Nobody wants it, or it was tried for as long as anybody did.
    GivenUp,
}

impl Delivery {
    /// Delivers what came of a job. Whether it was taken.
    pub(super) async fn finish(&self, job: &HeldJob, finished: Finished) -> bool {
        let (streams, is_last) = (finished.streams, finished.is_last);
        let error = |why: &str| Answer::error(why).last(is_last).bytes();
        let body = match &finished.output {
            Ok(output) => Answer::output(output).last(is_last).bytes(),
            Err(why) => error(why),
        };
        let body = match body.len() {
            bytes if bytes > LARGEST_ANSWER => {
                let why = message::too_large(bytes);
                self.note(NoteLevel::Error, job.id(), why.clone());
                error(&why)
            }
            _ => body,
        };
        // What waits to be delivered is in memory once.
        drop(finished);
        job.is_answered(body.len());
        let sent = self.until_taken(
            job.id(),
            |body| self.plane.done(job.id(), body, streams),
            body,
        );
        let why = match sent.await {
            Sent::Taken => return true,
            Sent::GivenUp => return false,
            Sent::Refused(why) => why,
        };
        let body = error(&why);
        job.is_answered(body.len());
        let sent = self.until_taken(
            job.id(),
            |body| self.plane.done(job.id(), body, streams),
            body,
        );
        match sent.await {
            Sent::Taken | Sent::GivenUp => {}
            Sent::Refused(why) => {
                let message = format!("its error is refused too and is lost: {why}");
                self.note(NoteLevel::Error, job.id(), message);
            }
        }
        false
    }

    /// Delivers a part of an answer.
    ///
    /// # Errors
    ///
    /// Why it is not taken.
    pub(super) async fn chunk(&self, job: &str, part: &Value) -> Result<(), String> {
        let body = Answer::output(part).bytes();
        let sent = self.until_taken(job, |body| self.plane.chunk(job, body), body);
        match sent.await {
            Sent::Taken => Ok(()),
            Sent::Refused(why) => Err(why),
            Sent::GivenUp => Err("a part of the output could not be delivered".to_owned()),
        }
    }

    /// Tells how far a job is, once: the next one says it better.
    pub(super) async fn progress(&self, job: &str, progress: &Value) {
        let body = Answer::progress(progress).bytes();
        let told = self.plane.done(job, body, false).await;
        match told {
            Ok(Posted::Taken) => {}
            Ok(_) => self.note(NoteLevel::Warn, job, "how far it is was not taken"),
            Err(failure) => self.note(NoteLevel::Warn, job, not_delivered("progress", &failure)),
        }
    }

    async fn until_taken<F, P>(&self, job: &str, post: F, body: Bytes) -> Sent
    where
        F: Fn(Bytes) -> P,
        P: Future<Output = Result<Posted, Failure>>,
    {
        let until = Instant::now() + self.pace.wanted;
        let mut pauses = self.pace.failed.begin();
        let mut may_be_taken = false;
        loop {
            let failure = match post(body.clone()).await {
                Ok(Posted::Taken) => return Sent::Taken,
                // The line broke after the body went out, and now there is no such job to answer:
                // the body had been taken.
                Ok(Posted::Refused(_)) if may_be_taken && body.len() < SMALL => return Sent::Taken,
                Ok(Posted::Gone) if may_be_taken => return Sent::Taken,
                Ok(Posted::Gone) => {
                    self.note(NoteLevel::Warn, job, "nobody waits for its answer any more");
                    return Sent::GivenUp;
                }
                Ok(Posted::TooLarge) => return self.refused(job, message::too_large(body.len())),
                Ok(Posted::Refused(said)) => return self.refused(job, refusal(&said, body.len())),
                Err(failure) => failure,
            };
            may_be_taken |= failure.class == Class::Network;
            let own = pauses.next();
            let pause = own.max(failure.retry_after.unwrap_or_default());
            if Instant::now() + pause > until {
                let message = format!("its answer is given up: {}", failure.message);
                self.note(NoteLevel::Error, job, message);
                return Sent::GivenUp;
            }
            self.note(NoteLevel::Warn, job, not_delivered("answer", &failure));
            sleep(pause).await;
        }
    }

    fn refused(&self, job: &str, why: String) -> Sent {
        self.note(NoteLevel::Error, job, why.clone());
        Sent::Refused(why)
    }

    fn note(&self, level: NoteLevel, job: &str, message: impl Into<String>) {
        self.notes.tell_of(level, job, message);
    }
}

fn not_delivered(what: &str, failure: &Failure) -> String {
    format!("its {what} is not delivered yet: {}", failure.message)
}

// RunPod says of an answer that is too large that it is a bad one.
fn refusal(said: &str, bytes: usize) -> String {
    match bytes < SMALL {
        true if said.is_empty() => "RunPod refuses the output of the job".to_owned(),
        true => format!("RunPod refuses the output of the job: {said}"),
        false => message::too_large(bytes),
    }
}
