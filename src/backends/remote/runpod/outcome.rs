//! Outcomes: what the API's answers mean for a job, in one place and without a network.
//!
//! The API reports a failure in several forms: a text, JSON in a text, an object inside a job that
//! is completed, or a completed job without any output because its result was too large to be kept.
//! Fields are read one by one: one that is not what it should be is unknown and spoils no other.

use crate::backends::transport::json;
use crate::backends::transport::redaction::Redaction;
use crate::backends::transport::redaction::start;
use crate::backends::transport::reply::Reply;
use crate::failure::Class;
use crate::failure::Failure;
use serde_json::Map;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// No job runs longer than RunPod allows: seven days.
const LONGEST_JOB_MS: f64 = 7.0 * 24.0 * 3600.0 * 1000.0;

/// Bytes of an error that are looked at.
const MOST_BYTES: usize = 256 << 10;

/// Where a job is.
#[derive(Debug, PartialEq)]
pub(super) enum JobState {
    /// No worker has taken it.
    Queued,
    /// A worker has it.
    Running,
    /// Its output.
    Done(Value),
}

/// Why an answer about a job does not say where it is.
#[derive(Debug)]
pub(super) enum StatusError {
    /// The line or the server fails: the same question may be answered later.
    Passing(Failure),
    /// The server does not know the job.
    Missing(Failure),
    /// The answer is not one of the API, or is about another job.
    Unreadable(Failure),
    /// The job has no output and will have none.
    Failed(Failure),
}

impl From<StatusError> for Failure {
    fn from(none: StatusError) -> Self {
        match none {
            StatusError::Passing(failure)
            | StatusError::Missing(failure)
            | StatusError::Unreadable(failure)
            | StatusError::Failed(failure) => failure,
        }
    }
}

/// What the API says of a job.
#[derive(Debug)]
pub(super) struct JobStatus {
    id: Option<String>,
    status: Option<String>,
    output: Option<Value>,
    error: Option<Value>,
    execution: Option<Duration>,
    delay: Option<Duration>,
    attempt: Attempt,
    // Takes keys out of what is told of it.
    redaction: Redaction,
}

/// One attempt of the platform's at a job; what is not told is not known.
#[derive(Clone, Debug, Default)]
pub(super) struct Attempt {
    /// The worker that has or had the job.
    pub(super) worker: Option<Arc<str>>,
    /// How often the job was queued again before.
    pub(super) retries: Option<u64>,
}

impl Attempt {
    /// Whether this is another attempt than an earlier one.
    pub(super) fn follows(&self, earlier: &Self) -> bool {
        let workers = self.worker.as_ref().zip(earlier.worker.as_ref());
        let moved = workers.is_some_and(|(now, then)| now != then);
        moved || self.retries.unwrap_or(0) > earlier.retries.unwrap_or(0)
    }

    /// This attempt, with what only an earlier answer told of it.
    pub(super) fn or(self, earlier: Self) -> Self {
        Self {
            worker: self.worker.or(earlier.worker),
            retries: self.retries.or(earlier.retries),
        }
    }
}

impl JobStatus {
    fn of(mut fields: Map<String, Value>, redaction: &Redaction) -> Self {
        let worker = text(fields.get("workerId"));
        let worker = worker.filter(|id| is_plain(id) && !redaction.is_in(id));
        Self {
            id: text(fields.get("id")),
            status: fields
                .get("status")
                .and_then(Value::as_str)
                .map(str::to_owned),
            execution: milliseconds(fields.get("executionTime")),
            delay: milliseconds(fields.get("delayTime")),
            attempt: Attempt {
                worker: worker.map(Arc::from),
                retries: fields.get("retries").and_then(Value::as_u64),
            },
            output: fields.remove("output").filter(|output| !output.is_null()),
            error: fields.remove("error").filter(|error| !error.is_null()),
            redaction: redaction.clone(),
        }
    }

    /// The job that was submitted by a request with this reply. A 502 after a request that
    /// `is_near_limit` may be the edge's way of refusing its size. The key stands in the variable
    /// `key_variable` of the environment.
    ///
    /// # Errors
    ///
    /// Of class `bad-answer` where the job was accepted and nobody can tell which it is: it may
    /// be paid already.
    pub(super) fn submitted(
        reply: &Reply,
        is_near_limit: bool,
        key_variable: &str,
    ) -> Result<Self, Failure> {
        match job(reply, Class::Refused, key_variable) {
            Ok(job) => Ok(job),
            // A page in place of an answer comes from whoever stands before the API.
            Err(StatusError::Unreadable(failure)) if is_page(reply) => Err(Failure {
                class: Class::Network,
                ..failure
            }),
            Err(none) => match Failure::from(none) {
                failure if reply.status == 502 && is_near_limit => Err(Failure {
                    class: Class::TooLarge,
                    ..failure
                }),
                failure => Err(failure),
            },
        }
    }

    /// The job of ours with this id that was asked for. What names another one is not believed.
    pub(super) fn asked(reply: &Reply, id: &str, key_variable: &str) -> Result<Self, StatusError> {
        let job = job(reply, Class::Lost, key_variable)?;
        match &job.id {
            Some(other) if other != id => {
                let why = format!(
                    "the server was asked for the job {id} and answers about {}",
                    job.redaction.excerpt(other)
                );
                Err(StatusError::Unreadable(Failure::new(Class::BadAnswer, why)))
            }
            _ => Ok(job),
        }
    }

    /// Its id, fit to be a part of a path and to be told.
    pub(super) fn id(&self) -> Result<String, Failure> {
        let id = self.id.clone();
        let id = id.filter(|id| is_plain(id) && !self.redaction.is_in(id));
        id.ok_or_else(|| {
            let why = "the job was accepted without a usable id";
            Failure::new(Class::BadAnswer, why)
        })
    }

    /// How long a worker took for it.
    pub(super) fn execution(&self) -> Option<Duration> {
        self.execution
    }

    /// How long it lay in the queue.
    pub(super) fn delay(&self) -> Option<Duration> {
        self.delay
    }

    /// The attempt of the platform's that it is in.
    pub(super) fn attempt(&self) -> Attempt {
        self.attempt.clone()
    }

    /// Where it is, or why it has no output.
    pub(super) fn state(self) -> Result<JobState, StatusError> {
        let Some(status) = self.status.as_deref() else {
            let why = "the server does not say where the job is: it gives no `status`";
            return Err(StatusError::Unreadable(Failure::new(Class::BadAnswer, why)));
        };
        match status {
            "COMPLETED" => completed(self.output, &self.redaction).map_err(StatusError::Failed),
            "FAILED" => Err(StatusError::Failed(failed(&self))),
            "CANCELLED" => Err(StatusError::Failed(Failure::new(
                Class::Worker,
                "the job was cancelled at the server",
            ))),
            "TIMED_OUT" => Err(StatusError::Failed(Failure::new(
                Class::Lost,
                "the job ran into the server's time limit",
            ))),
            "IN_QUEUE" => Ok(JobState::Queued),
            // A status of tomorrow is waited for; the recipe's own time limit ends it.
            _ => Ok(JobState::Running),
        }
    }
}

// A number in place of a text is the text that it would be.
fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn milliseconds(value: Option<&Value>) -> Option<Duration> {
    let number = match value? {
        Value::String(text) => text.trim().parse().ok()?,
        value => value.as_f64()?,
    };
    let is_likely = (0.0..=LONGEST_JOB_MS).contains(&number);
    is_likely.then(|| Duration::from_secs_f64(number / 1000.0))
}

// Fit to be a part of a path: `..` would lead elsewhere.
fn is_plain(id: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    id.starts_with(|letter: char| letter.is_ascii_alphanumeric())
        && id.len() < 200
        && id.chars().all(plain)
}

fn is_page(reply: &Reply) -> bool {
    reply.body.trim_ascii_start().starts_with(b"<")
}

fn job(reply: &Reply, not_found: Class, key_variable: &str) -> Result<JobStatus, StatusError> {
    if let Some(redirect) = reply.redirect("the server") {
        return Err(StatusError::Failed(redirect));
    }
    let failure = |class, what: &str| {
        let said = format!("{what} (HTTP {}: {})", reply.status, reply.excerpt());
        let failure = Failure::new(class, said);
        match reply.retry_after {
            Some(pause) => failure.retry_after(pause),
            None => failure,
        }
    };
    Err(match reply.status {
        200..=299 => match json::parse(&reply.body) {
            Ok(Value::Object(fields)) => return Ok(JobStatus::of(fields, &reply.redaction)),
            _ => StatusError::Unreadable(failure(
                Class::BadAnswer,
                "the answer is not one of the API",
            )),
        },
        413 => StatusError::Failed(failure(Class::TooLarge, "the request is too large")),
        400 if is_too_large(&reply.text()) => {
            StatusError::Failed(failure(Class::TooLarge, "the request is too large"))
        }
        401 | 403 => StatusError::Failed(failure(
            Class::Refused,
            &format!("the key in {key_variable} is not accepted"),
        )),
        402 => StatusError::Failed(failure(Class::Refused, "the account is out of credit")),
        // `/runsync` may lose a job while it holds the line.
        404 if not_found == Class::Lost || reply.text().contains("job not found") => {
            StatusError::Missing(failure(Class::Lost, "the server lost the job"))
        }
        404 => StatusError::Failed(failure(
            Class::Refused,
            "there is no such endpoint: see its id",
        )),
        408 | 425 | 429 => StatusError::Passing(failure(Class::Busy, "the server is busy")),
        500..=599 => StatusError::Passing(failure(
            Class::ServerError,
            "the server fails or is restarting",
        )),
        _ => StatusError::Failed(failure(Class::Refused, "the server refuses the request")),
    })
}

fn completed(output: Option<Value>, redaction: &Redaction) -> Result<JobState, Failure> {
    let Some(output) = output else {
        let message = "the job is done but its output is gone: its answer was too large to be kept, \
                       or its worker went away";
        return Err(Failure::new(Class::Lost, message));
    };
    let inner = json::unwrapped(&output);
    match error_in(&output).or(inner.as_ref().and_then(error_in)) {
        Some(error) => Err(worker_failure(&words(error), redaction)),
        None => Ok(JobState::Done(output)),
    }
}

// What a handler returned in place of an output. Some return an empty one besides the output.
fn error_in(output: &Value) -> Option<&Value> {
    output.get("error").filter(|error| match error {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    })
}

fn failed(job: &JobStatus) -> Failure {
    let words = job.error.as_ref().map(words).unwrap_or_default();
    let said = || job.redaction.excerpt(&words);
    // The platform gave the job up, the handler did not: it may well run the next time.
    if job.output.is_none() && words.contains("job timed out after") {
        return Failure::new(
            Class::Lost,
            format!("the server gave the job up: {}", said()),
        );
    }
    // How the SDK's own server says that it has forgotten a job.
    if job.output.is_none() && words.trim() == "Job ID not found" {
        return Failure::new(Class::Lost, format!("the server lost the job: {}", said()));
    }
    worker_failure(&words, &job.redaction)
}

fn worker_failure(words: &str, redaction: &Redaction) -> Failure {
    let class = if is_out_of_memory(words) {
        Class::OutOfMemory
    } else {
        Class::Worker
    };
    Failure::new(
        class,
        format!("the worker failed: {}", redaction.excerpt(words)),
    )
}

fn is_out_of_memory(words: &str) -> bool {
    let words = words.to_lowercase();
    words.contains("out of memory") || words.contains("outofmemory")
}

fn is_too_large(words: &str) -> bool {
    words.contains("max body size") || words.contains("too large")
}

// The beginning of a string, of JSON in a string, or of what an object says; as it came.
fn words(error: &Value) -> String {
    match error {
        Value::String(text) => match json::parse(text.as_bytes()) {
            Ok(inner @ Value::Object(_)) => words(&inner),
            _ => start(text, MOST_BYTES).to_owned(),
        },
        Value::Object(fields) => {
            let mut names = ["error_message", "message", "detail", "error"].iter();
            match names.find_map(|name| fields.get(*name)?.as_str()) {
                Some(text) => start(text, MOST_BYTES).to_owned(),
                None => start(&error.to_string(), MOST_BYTES).to_owned(),
            }
        }
        other => start(&other.to_string(), MOST_BYTES).to_owned(),
    }
}

#[cfg(test)]
mod tests;
