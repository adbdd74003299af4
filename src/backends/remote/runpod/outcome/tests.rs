//! Every form of answer that is known, and what it means.

use super::JobState;
use super::JobStatus;
use crate::backends::remote::speech;
use crate::backends::remote::speech::SentSound;
use crate::backends::remote::tests::mutations;
use crate::backends::transport::redaction::Redaction;
use crate::backends::transport::reply::Reply;
use crate::backends::transport::secret::Secret;
use crate::failure::Class;
use crate::failure::Failure;
use std::time::Duration;

// The variable that holds the key.
const KEY: &str = "MY_KEY";

fn reply(status: u16, body: &str) -> Reply {
    Reply {
        status,
        body: body.to_owned().into(),
        ..Reply::default()
    }
}

fn state(reply: &Reply) -> Result<JobState, Failure> {
    Ok(JobStatus::asked(reply, "a", KEY)?.state()?)
}

fn class(status: u16, body: &str) -> Option<Class> {
    state(&reply(status, body))
        .err()
        .map(|failure| failure.class)
}

#[test]
fn every_form_of_failure_has_its_class() {
    for (status, body, expected) in [
        (307, "", Class::Refused),
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
        (502, "<html>cloudflare</html>", Class::ServerError),
        (200, "<html>sign in</html>", Class::BadAnswer),
        (
            200,
            r#"{"id":"a","status":"COMPLETED","output":"#,
            Class::BadAnswer,
        ),
        (
            200,
            r#"{"id":"b","status":"COMPLETED","output":[1]}"#,
            Class::BadAnswer,
        ),
        (
            200,
            r#"{"id":"a","status":3,"output":[1]}"#,
            Class::BadAnswer,
        ),
        (200, r#"{"id":"a","output":[1]}"#, Class::BadAnswer),
        (200, "[]", Class::BadAnswer),
        (
            200,
            r#"{"status":"COMPLETED","output":[{"error":"boom"}]}"#,
            Class::Worker,
        ),
        (
            200,
            r#"{"status":"COMPLETED","output":"{\"error\": \"CUDA out of memory\"}"}"#,
            Class::OutOfMemory,
        ),
        (
            200,
            r#"{"status":"FAILED","error":"Job ID not found"}"#,
            Class::Lost,
        ),
    ] {
        assert_eq!(class(status, body), Some(expected), "{status} {body}");
    }
}

#[test]
fn a_bad_gateway_near_the_limit_is_taken_for_a_refusal_of_the_size() {
    let class = |is_near_limit| {
        let failure = JobStatus::submitted(&reply(502, "<html>"), is_near_limit, KEY).unwrap_err();
        failure.class
    };
    assert_eq!(
        (class(false), class(true)),
        (Class::ServerError, Class::TooLarge)
    );
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
    assert_eq!(state(r#"{"id":"a","status":"IN_QUEUE"}"#), JobState::Queued);
    assert_eq!(
        state(r#"{"id":"a","status":"IN_PROGRESS","output":"half"}"#),
        JobState::Running
    );
    assert_eq!(
        state(r#"{"id":"a","status":"TOMORROW"}"#),
        JobState::Running
    );
    assert_eq!(
        state(r#"{"status":"COMPLETED","output":[1]}"#),
        JobState::Done(serde_json::json!([1]))
    );
}

#[test]
fn a_field_of_the_wrong_type_spoils_no_other() {
    let body = "\u{feff}{\"id\": \"b\", \"id\": \"a\", \"status\": \"COMPLETED\", \
                \"workerId\": 7, \"executionTime\": \"soon\", \"delayTime\": [], \
                \"output\": {\"a\": NaN, \"error\": \"\"}}";
    let job = JobStatus::asked(&reply(200, body), "a", KEY).unwrap();
    assert_eq!(job.attempt().worker.as_deref(), Some("7"));
    assert_eq!((job.execution(), job.delay()), (None, None));
    let output = serde_json::json!({ "a": null, "error": "" });
    assert_eq!(job.state().unwrap(), JobState::Done(output));
}

#[test]
fn an_unreadable_answer_to_a_submission_may_be_a_job_that_is_paid() {
    let class = |body| {
        JobStatus::submitted(&reply(200, body), false, KEY)
            .unwrap_err()
            .class
    };
    assert_eq!(class("{\"id\": \"a\", "), Class::BadAnswer);
    assert_eq!(class(""), Class::BadAnswer);
    assert_eq!(class("<html>sign in</html>"), Class::Network);
}

#[test]
fn times_are_milliseconds_whoever_writes_them() {
    let took = |time: &str| {
        let body = format!(r#"{{"status":"COMPLETED","executionTime":{time}}}"#);
        JobStatus::asked(&reply(200, &body), "a", KEY)
            .unwrap()
            .execution()
    };
    assert_eq!(took("205"), Some(Duration::from_millis(205)));
    assert_eq!(took("0.5"), Some(Duration::from_micros(500)));
    assert_eq!(took("-1"), None);
    assert_eq!(took("1e300"), None);
    assert_eq!(took("null"), None);
    assert_eq!(took("\"205\""), Some(Duration::from_millis(205)));
    assert_eq!(took("NaN"), None);
    assert_eq!(took("[]"), None);
}

#[test]
fn an_id_that_would_lead_elsewhere_is_refused() {
    let id = |body| {
        JobStatus::submitted(&reply(200, body), false, KEY)
            .unwrap()
            .id()
    };
    assert!(id(r#"{"id":"eaebd6e7-6a92-u1","status":"IN_QUEUE"}"#).is_ok());
    assert!(id(r#"{"id":"../../other","status":"IN_QUEUE"}"#).is_err());
    assert!(id(r#"{"id":"..","status":"IN_QUEUE"}"#).is_err());
    assert!(id(r#"{"id":7,"status":"IN_QUEUE"}"#).is_ok());
    assert!(id(r#"{"id":null,"status":"IN_QUEUE"}"#).is_err());
    assert!(id(r#"{"status":"IN_QUEUE"}"#).is_err());
}

#[test]
fn a_key_is_no_id_and_no_words_of_an_error() {
    let key = Secret::new("rpa_ABCDEF123");
    let redacted = |status, body: &str| Reply {
        redaction: Redaction::of([&key]),
        ..reply(status, body)
    };
    let named = redacted(200, r#"{"id":"rpa_ABCDEF123","status":"IN_QUEUE"}"#);
    let job = JobStatus::submitted(&named, false, KEY).unwrap();
    assert_eq!(job.id().unwrap_err().class, Class::BadAnswer);
    let body = r#"{"id":"b-rpa_ABCDEF123","workerId":"rpa_abcdef123","status":"COMPLETED"}"#;
    let other = JobStatus::asked(&redacted(200, body), "a", KEY).unwrap_err();
    let message = Failure::from(other).message;
    assert!(message.ends_with("answers about b-(the key)"), "{message}");
    let job = JobStatus::submitted(&redacted(200, body), false, KEY).unwrap();
    assert_eq!(job.attempt().worker, None);
    for (status, body) in [
        (401, "no rpa_ABCDEF123"),
        (429, r#"{"k":"\u0072pa_ABCDEF123"}"#),
        (
            200,
            r#"{"status":"FAILED","error":"{\"error_message\":\"no rpa_\\u0041BCDEF123\"}"}"#,
        ),
        (
            200,
            r#"{"status":"FAILED","error":{"code":"\u0072pa_ABCDEF123"}}"#,
        ),
        (
            200,
            r#"{"status":"COMPLETED","output":{"error":"cnBhX0FCQ0RFRjEyMw=="}}"#,
        ),
        (200, "rpa_ABCDEF123"),
    ] {
        let message = state(&redacted(status, body)).unwrap_err().message;
        assert!(message.contains("(the key)"), "{message}");
        assert!(
            !message.contains("ABCDEF") && !message.contains("cnBh"),
            "{message}"
        );
    }
    // What an error means does not depend on the key.
    let memory = Reply {
        redaction: Redaction::of([&Secret::new("out of memory")]),
        ..reply(200, r#"{"status":"FAILED","error":"CUDA out of memory"}"#)
    };
    let failure = state(&memory).unwrap_err();
    assert_eq!(failure.class, Class::OutOfMemory);
    assert_eq!(failure.message, "the worker failed: CUDA (the key)");
}

#[test]
fn a_wrong_key_is_told_by_the_name_of_its_variable() {
    let failure = state(&reply(401, "")).unwrap_err();
    assert_eq!(
        failure.message,
        "the key in MY_KEY is not accepted (HTTP 401: )"
    );
}

#[test]
fn any_answer_about_a_job_is_read_or_refused() {
    mutations::each(mutations::of_jobs(), |reply| {
        match JobStatus::submitted(reply, true, KEY).and_then(|job| job.id()) {
            // It becomes a part of a path.
            Ok(id) => assert!(!id.contains(['/', '?', '#', '%']) && id != ".."),
            Err(failure) => assert!(!failure.message.is_empty()),
        }
        let Ok(job) = JobStatus::asked(reply, "a", KEY) else {
            return;
        };
        let (execution, attempt) = (job.execution(), job.attempt());
        assert!(execution.is_none_or(|it| it <= Duration::from_secs(7 * 24 * 3600)));
        assert!(!attempt.follows(&attempt));
        if let Ok(JobState::Done(output)) = job.state() {
            let sent = SentSound {
                seconds: 3.73,
                translate: false,
            };
            if let Ok(heard) = speech::recognition(&output, &sent) {
                mutations::check_recognition(&heard, sent.seconds);
            }
        }
    });
}
