//! Outcomes: what an answer of the API means for a request.
//!
//! Pure.

use crate::backends::remote::speech::text_of;
use crate::backends::transport::json;
use crate::backends::transport::redaction::start;
use crate::backends::transport::reply::Reply;
use crate::failure::Class;
use crate::failure::Failure;
use serde_json::Value;
use std::borrow::Cow;

// Bytes of an error that are looked at.
const MOST_BYTES: usize = 256 << 10;

/// What a server does not give for a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::backends) enum Unsupported {
    /// The times of words.
    Granularity,
    /// Any times: `verbose_json`.
    VerboseJson,
}

/// What a refusal says that the server does not give for this model; `None` where it is about
/// something else.
pub(in crate::backends) fn unsupported(reply: &Reply) -> Option<Unsupported> {
    if !matches!(reply.status, 400 | 415 | 422 | 501) {
        return None;
    }
    let text = reply.text().to_lowercase();
    if text.contains("verbose_json") || text.contains("response_format") {
        Some(Unsupported::VerboseJson)
    } else if text.contains("timestamp_granularities") {
        Some(Unsupported::Granularity)
    } else {
        None
    }
}

/// The answer, or why there is none. The key stands in the variable `key_variable` of the
/// environment, if there is one.
pub(super) fn answer(reply: &Reply, key_variable: Option<&str>) -> Result<Value, Failure> {
    let body = json::parse(&reply.body).ok();
    if (200..300).contains(&reply.status) {
        let odd = || {
            let what = match reply.is_event_stream() {
                true => "is a stream of events, which was not asked for",
                false => "is neither JSON nor a text",
            };
            let message = format!("the answer {what}{}", reply.said());
            Failure::new(Class::BadAnswer, message)
        };
        let text = || text_of(&reply.body).filter(|_| !reply.is_event_stream());
        match body {
            Some(body) if is_error(&body) => return Err(refusal(reply, Some(&body), key_variable)),
            body => return body.or_else(text).ok_or_else(odd),
        }
    }
    let redirect = reply.redirect("the server");
    Err(redirect.unwrap_or_else(|| refusal(reply, body.as_ref(), key_variable)))
}

// Whether there is an error where a transcript should be. Some servers say one with status 200.
fn is_error(body: &Value) -> bool {
    let transcripts = ["text", "segments", "transcription", "transcript", "chunks"];
    let is_there = |name: &str| body.get(name).is_some_and(|value| !value.is_null());
    is_there("error") && !transcripts.iter().any(|name| is_there(name))
}

// Why there is no answer, in the server's own words.
fn refusal(reply: &Reply, body: Option<&Value>, key_variable: Option<&str>) -> Failure {
    let error = body.and_then(|body| body.get("error").or(body.get("detail")));
    let code = error.and_then(|error| error.get("code")?.as_str());
    let words = match error.map(|error| error.get("message").unwrap_or(error)) {
        Some(Value::String(text)) => Cow::Borrowed(text.as_str()),
        Some(other) => Cow::Owned(other.to_string()),
        None => reply.text(),
    };
    let words = start(&words, MOST_BYTES);
    let (class, what) = class(reply.status, code, &words.to_lowercase());
    let what = match (reply.status, key_variable) {
        (401 | 403, Some(variable)) => format!("the key in {variable} is not accepted"),
        _ => what.to_owned(),
    };
    let said = match error {
        Some(_) => reply.redaction.excerpt(words),
        None => reply.excerpt(),
    };
    let failure = Failure::new(class, format!("{what} (HTTP {}: {said})", reply.status));
    match reply.retry_after {
        Some(pause) => failure.retry_after(pause),
        None => failure,
    }
}

fn class(status: u16, code: Option<&str>, words: &str) -> (Class, &'static str) {
    let too_large = "the sound is too large: set `chunk`, or `max_body` of the backend";
    match (status, code) {
        (401 | 403, _) => (
            Class::Refused,
            "the server wants a key: name its variable in `api_key_env`",
        ),
        (402, _) | (_, Some("insufficient_quota")) => {
            (Class::Refused, "the account is out of credit")
        }
        (_, Some("model_not_found")) | (404 | 405, _) => {
            (Class::Refused, "there is no such address or model there")
        }
        (413, _) => (Class::TooLarge, too_large),
        (400, _) if words.contains("content size limit") || words.contains("too large") => {
            (Class::TooLarge, too_large)
        }
        (200..300, _) => (Class::BadAnswer, "the server answers with an error"),
        (408 | 409 | 425 | 429, _) => (Class::Busy, "the server is busy"),
        (500..=599, _) => (Class::ServerError, "the server fails or is restarting"),
        _ => (Class::Worker, "the server cannot transcribe this"),
    }
}

#[cfg(test)]
mod tests {
    use super::Unsupported;
    use super::answer;
    use super::unsupported;
    use crate::backends::remote::speech;
    use crate::backends::remote::speech::SentSound;
    use crate::backends::remote::tests::mutations;
    use crate::backends::transport::reply::Reply;
    use crate::failure::Class;
    use std::time::Duration;

    fn reply(status: u16, body: &'static str) -> Reply {
        Reply {
            status,
            retry_after: Some(Duration::from_secs(7)),
            body: body.into(),
            ..Reply::default()
        }
    }

    #[test]
    fn what_a_model_does_not_give_is_told_from_other_refusals() {
        let verbose =
            "response_format 'verbose_json' is not compatible with model 'm'. Use 'json'.";
        for (status, body, wanted) in [
            (400, verbose, Some(Unsupported::VerboseJson)),
            (
                422,
                r#"{"detail":[{"loc":["body","response_format"]}]}"#,
                Some(Unsupported::VerboseJson),
            ),
            (
                400,
                "timestamp_granularities is not supported",
                Some(Unsupported::Granularity),
            ),
            (400, "no such model", None),
            (500, verbose, None),
        ] {
            assert_eq!(unsupported(&reply(status, body)), wanted, "{status} {body}");
        }
    }

    #[test]
    fn every_refusal_has_its_class() {
        for (status, body, class) in [
            (200, "<html>", Class::BadAnswer),
            (200, "data: {\"text\": \"a\"}\n\n", Class::BadAnswer),
            (
                200,
                r#"{"error":{"message":"model not loaded"}}"#,
                Class::BadAnswer,
            ),
            (
                200,
                r#"{"error":{"code":"insufficient_quota"}}"#,
                Class::Refused,
            ),
            (307, "", Class::Refused),
            (401, r#"{"error":{"message":"no"}}"#, Class::Refused),
            (404, "nothing here", Class::Refused),
            (429, r#"{"error":{"code":"rate_limit"}}"#, Class::Busy),
            (
                429,
                r#"{"error":{"code":"insufficient_quota"}}"#,
                Class::Refused,
            ),
            (
                400,
                r#"{"error":{"code":"model_not_found"}}"#,
                Class::Refused,
            ),
            (
                400,
                r#"{"error":{"message":"Maximum content size limit"}}"#,
                Class::TooLarge,
            ),
            (413, "", Class::TooLarge),
            (422, r#"{"detail":[{"loc":["file"]}]}"#, Class::Worker),
            (502, "<html>502</html>", Class::ServerError),
        ] {
            let failure = answer(&reply(status, body), None).unwrap_err();
            assert_eq!(failure.class, class, "{status} {body}: {failure}");
        }
        let failure = answer(&reply(503, "x"), None).unwrap_err();
        assert_eq!(failure.retry_after, Some(Duration::from_secs(7)));
        assert_eq!(
            answer(&reply(200, "{}"), None).unwrap(),
            serde_json::json!({})
        );
        assert_eq!(
            answer(&reply(200, "Hi."), None).unwrap(),
            serde_json::json!("Hi.")
        );
        let both = r#"{"error":"a","text":"Hi."}"#;
        assert_eq!(answer(&reply(200, both), None).unwrap()["text"], "Hi.");
        let failure = answer(&reply(200, r#"{"error":{"message":"no model"}}"#), None);
        let wanted = "the server answers with an error (HTTP 200: no model)";
        assert_eq!(failure.unwrap_err().message, wanted);
        let failure = answer(&reply(200, "<html>Log in"), None).unwrap_err();
        assert!(failure.message.ends_with(": <html>Log in"), "{failure}");
    }

    #[test]
    fn any_answer_is_read_or_refused() {
        let sent = SentSound {
            seconds: 3.73,
            translate: false,
        };
        mutations::each(mutations::of_sound(), |reply| {
            let lacks = unsupported(reply);
            assert!(lacks.is_none() || reply.status != 200);
            match answer(reply, Some("MY_KEY")) {
                Ok(output) => {
                    if let Ok(heard) = speech::recognition(&output, &sent) {
                        mutations::check_recognition(&heard, sent.seconds);
                    }
                }
                Err(failure) => assert!(failure.message.len() < 10_000, "{}", failure.message),
            }
        });
    }
}
