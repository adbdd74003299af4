//! Outcomes: what an answer of the RunPod API means for a job.
//!
//! Pure. The API tells failure in many forms: HTTP codes, HTML of the edge, a status of the job,
//! an error as a string, as JSON within a string or as an object, and a job that is COMPLETED
//! without any output because its result was too large to be kept.

use crate::backends::transport::excerpt::excerpt;
use crate::backends::transport::http::Reply;
use crate::failure::Class;
use crate::failure::Failure;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// Where a job is.
#[derive(Debug, PartialEq)]
pub(in crate::backends) enum State {
    /// No worker has taken it.
    Queued,
    /// A worker has it.
    Running,
    /// Its output.
    Done(Value),
}

/// What the API says of a job.
#[derive(Debug, Deserialize)]
pub(in crate::backends) struct Job {
    id: Option<String>,
    status: Option<String>,
    output: Option<Value>,
    error: Option<Value>,
    #[serde(rename = "executionTime")]
    execution_ms: Option<f64>,
    #[serde(rename = "delayTime")]
    delay_ms: Option<f64>,
    #[serde(rename = "workerId")]
    worker: Option<String>,
}

impl Job {
    /// The job that was submitted by a request with this reply. A 502 after a request that
    /// `is_near_limit` may be the edge's way of refusing its size.
    pub(in crate::backends) fn submitted(
        reply: &Reply,
        is_near_limit: bool,
    ) -> Result<Self, Failure> {
        let job = job(reply, Class::Refused);
        job.map_err(|failure| match failure.class {
            Class::Busy if reply.status == 502 && is_near_limit => Failure {
                class: Class::TooLarge,
                ..failure
            },
            _ => failure,
        })
    }

    /// The job of ours that was asked for.
    pub(in crate::backends) fn asked(reply: &Reply) -> Result<Self, Failure> {
        job(reply, Class::Lost)
    }

    /// Its id, fit to be a part of a path.
    pub(in crate::backends) fn id(&self) -> Result<String, Failure> {
        let id = self.id.clone().unwrap_or_default();
        if !id.is_empty() && id.len() < 200 && id.chars().all(is_plain) {
            Ok(id)
        } else {
            let why = "the job was accepted without a usable id";
            Err(Failure::new(Class::BadAnswer, why))
        }
    }

    /// How long a worker took for it.
    pub(in crate::backends) fn execution(&self) -> Option<Duration> {
        milliseconds(self.execution_ms)
    }

    /// How long it lay in the queue.
    pub(in crate::backends) fn delay(&self) -> Option<Duration> {
        milliseconds(self.delay_ms)
    }

    /// The worker that has or had it.
    pub(in crate::backends) fn worker(&self) -> Option<Arc<str>> {
        let plain = |id: &&str| !id.is_empty() && id.len() < 200 && id.chars().all(is_plain);
        self.worker.as_deref().filter(plain).map(Arc::from)
    }

    /// Where it is, or why it has no output.
    pub(in crate::backends) fn state(self) -> Result<State, Failure> {
        match self.status.as_deref().unwrap_or_default() {
            "COMPLETED" => completed(self.output),
            "FAILED" => Err(failed(&self)),
            "CANCELLED" => Err(Failure::new(
                Class::Worker,
                "the job was cancelled at the server",
            )),
            "TIMED_OUT" => Err(Failure::new(
                Class::Lost,
                "the job ran into the server's time limit",
            )),
            "IN_QUEUE" => Ok(State::Queued),
            // A status of tomorrow is waited for; the recipe's own time limit ends it.
            _ => Ok(State::Running),
        }
    }
}

fn milliseconds(number: Option<f64>) -> Option<Duration> {
    let number = number.filter(|number| (0.0..1e12).contains(number))?;
    Some(Duration::from_secs_f64(number / 1000.0))
}

fn is_plain(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "-_.".contains(letter)
}

fn job(reply: &Reply, not_found: Class) -> Result<Job, Failure> {
    let text = || excerpt(&String::from_utf8_lossy(&reply.body));
    let failure = |class, what: &str| {
        let failure = Failure::new(class, format!("{what} (HTTP {}: {})", reply.status, text()));
        match reply.retry_after {
            Some(pause) => failure.retry_after(pause),
            None => failure,
        }
    };
    match reply.status {
        200..=299 => serde_json::from_slice(&reply.body)
            .map_err(|_| failure(Class::Network, "the answer is not one of the API")),
        400 if is_too_large(&text()) => Err(failure(Class::TooLarge, "the request is too large")),
        413 => Err(failure(Class::TooLarge, "the request is too large")),
        401 | 403 => Err(failure(
            Class::Refused,
            "the key is not accepted: see RUNPOD_API_KEY",
        )),
        402 => Err(failure(Class::Refused, "the account is out of credit")),
        // `/runsync` may lose a job while it holds the line.
        404 if not_found == Class::Lost || text().contains("job not found") => {
            Err(failure(Class::Lost, "the server lost the job"))
        }
        404 => Err(failure(
            Class::Refused,
            "there is no such endpoint: see its id",
        )),
        408 | 425 | 429 | 500..=599 => {
            Err(failure(Class::Busy, "the server is busy or restarting"))
        }
        _ => Err(failure(Class::Refused, "the server refuses the request")),
    }
}

fn completed(output: Option<Value>) -> Result<State, Failure> {
    let Some(output) = output.filter(|output| !output.is_null()) else {
        let message = "the job is done but its output is gone: its answer was too large to be kept, \
                       or its worker went away";
        return Err(Failure::new(Class::Lost, message));
    };
    match output.get("error").filter(|error| !error.is_null()) {
        Some(error) => Err(worker_failure(&words(error))),
        None => Ok(State::Done(output)),
    }
}

fn failed(job: &Job) -> Failure {
    let words = job.error.as_ref().map(words).unwrap_or_default();
    // The platform gave the job up, the handler did not: it may well run the next time.
    if job.output.is_none() && words.contains("job timed out after") {
        return Failure::new(Class::Lost, format!("the server gave the job up: {words}"));
    }
    worker_failure(&words)
}

fn worker_failure(words: &str) -> Failure {
    let class = if is_out_of_memory(words) {
        Class::OutOfMemory
    } else {
        Class::Worker
    };
    Failure::new(class, format!("the worker failed: {words}"))
}

fn is_out_of_memory(words: &str) -> bool {
    let words = words.to_lowercase();
    words.contains("out of memory") || words.contains("outofmemory")
}

fn is_too_large(words: &str) -> bool {
    words.contains("max body size") || words.contains("too large")
}

// A string, JSON in a string, or an object.
fn words(error: &Value) -> String {
    match error {
        Value::String(text) => match serde_json::from_str(text) {
            Ok(inner @ Value::Object(_)) => words(&inner),
            _ => excerpt(text),
        },
        Value::Object(fields) => ["error_message", "message", "detail", "error"]
            .iter()
            .find_map(|name| fields.get(*name)?.as_str())
            .map_or_else(|| excerpt(&error.to_string()), excerpt),
        other => excerpt(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::Job;
    use super::State;
    use crate::backends::transport::http::Reply;
    use crate::failure::Class;
    use crate::failure::Failure;
    use std::time::Duration;

    fn reply(status: u16, body: &str) -> Reply {
        Reply {
            status,
            retry_after: None,
            body: body.to_owned().into(),
        }
    }

    fn state(reply: &Reply) -> Result<State, Failure> {
        Job::asked(reply)?.state()
    }

    fn class(status: u16, body: &str) -> Option<Class> {
        state(&reply(status, body))
            .err()
            .map(|failure| failure.class)
    }

    #[test]
    fn every_form_of_failure_has_its_class() {
        for (status, body, expected) in [
            (200, r#"{"id":"a","status":"COMPLETED"}"#, Class::Lost),
            (200, r#"{"status":"COMPLETED","output":null}"#, Class::Lost),
            (
                200,
                r#"{"status":"COMPLETED","output":{"error":"boom"}}"#,
                Class::Worker,
            ),
            (
                200,
                r#"{"status":"COMPLETED","output":{"error":{"message":"CUDA out of memory"}}}"#,
                Class::OutOfMemory,
            ),
            (
                200,
                r#"{"status":"FAILED","error":"job timed out after 1 retries","retries":1}"#,
                Class::Lost,
            ),
            (
                200,
                r#"{"status":"FAILED","error":"no images","output":{"code":3}}"#,
                Class::Worker,
            ),
            (
                200,
                r#"{"status":"FAILED","error":"{\"error_message\":\"CUDA out of memory. Tried\"}"}"#,
                Class::OutOfMemory,
            ),
            (200, r#"{"status":"TIMED_OUT"}"#, Class::Lost),
            (200, r#"{"status":"CANCELLED"}"#, Class::Worker),
            (404, r#"{"message":"job not found"}"#, Class::Lost),
            (
                400,
                "bad request: body: exceeded max body size of 10MiB",
                Class::TooLarge,
            ),
            (400, "bad request", Class::Refused),
            (401, "", Class::Refused),
            (429, "", Class::Busy),
            (502, "<html>cloudflare</html>", Class::Busy),
            (200, "<html>sign in</html>", Class::Network),
        ] {
            assert_eq!(class(status, body), Some(expected), "{status} {body}");
        }
    }

    #[test]
    fn a_bad_gateway_near_the_limit_is_taken_for_a_refusal_of_the_size() {
        let class = |is_near_limit| {
            let failure = Job::submitted(&reply(502, "<html>"), is_near_limit).unwrap_err();
            failure.class
        };
        assert_eq!((class(false), class(true)), (Class::Busy, Class::TooLarge));
    }

    #[test]
    fn what_a_server_says_is_one_short_line_of_text() {
        let long = "<b>\u{1b}[31m sorry\n".repeat(100);
        let failure = state(&reply(500, &long)).unwrap_err();
        let said = failure.message;
        assert!(said.chars().count() < 300 && !said.contains(char::is_control));
        assert!(
            said.ends_with("\u{2026})") && said.contains("[31m sorry"),
            "{said}"
        );
    }

    #[test]
    fn a_job_is_waited_for_until_it_is_done() {
        let state = |body| state(&reply(200, body)).unwrap();
        assert_eq!(state(r#"{"id":"a","status":"IN_QUEUE"}"#), State::Queued);
        assert_eq!(
            state(r#"{"id":"a","status":"IN_PROGRESS","output":"half"}"#),
            State::Running
        );
        assert_eq!(state(r#"{"id":"a","status":"TOMORROW"}"#), State::Running);
        assert_eq!(
            state(r#"{"status":"COMPLETED","output":[1]}"#),
            State::Done(serde_json::json!([1]))
        );
    }

    #[test]
    fn times_are_milliseconds_whoever_writes_them() {
        let took = |time: &str| {
            let body = format!(r#"{{"status":"COMPLETED","executionTime":{time}}}"#);
            Job::asked(&reply(200, &body)).unwrap().execution()
        };
        assert_eq!(took("205"), Some(Duration::from_millis(205)));
        assert_eq!(took("0.5"), Some(Duration::from_micros(500)));
        assert_eq!(took("-1"), None);
        assert_eq!(took("1e300"), None);
        assert_eq!(took("null"), None);
    }

    #[test]
    fn an_id_that_would_lead_elsewhere_is_refused() {
        let id = |body| Job::submitted(&reply(200, body), false).unwrap().id();
        assert!(id(r#"{"id":"eaebd6e7-6a92-u1","status":"IN_QUEUE"}"#).is_ok());
        assert!(id(r#"{"id":"../../other","status":"IN_QUEUE"}"#).is_err());
        assert!(id(r#"{"status":"IN_QUEUE"}"#).is_err());
    }
}
