//! Refusals: why a request gets no answer, as RunPod or as OpenAI writes it.

use crate::serve::http::body::BodyError;
use crate::serve::http::jobs::Refused;
use axum::Json;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::IntoResponse;
use axum::response::Response;
use serde_json::json;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    /// A sentence for whoever asked.
    pub(super) why: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, why: impl Into<String>) -> Self {
        Self {
            status,
            why: why.into(),
        }
    }

    /// What was asked for makes no sense.
    pub(super) fn bad(why: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, why)
    }

    /// As RunPod says it; nothing but these words is known of why.
    pub(super) fn no_job() -> Self {
        Self::new(StatusCode::NOT_FOUND, "job not found")
    }

    /// A body of which at most so many MiB may come. RunPod says it with 400 and these words.
    pub(super) fn of_body(error: BodyError, mebibytes: usize) -> Self {
        let (status, why) = match error {
            BodyError::TooLarge => (
                StatusCode::BAD_REQUEST,
                format!("bad request: body: exceeded max body size of {mebibytes}MiB"),
            ),
            BodyError::Full => (
                StatusCode::TOO_MANY_REQUESTS,
                "this server has no memory left for another request; try again later".to_owned(),
            ),
            BodyError::Slow => (
                StatusCode::REQUEST_TIMEOUT,
                "the body came slower than 16 KiB a second".to_owned(),
            ),
            BodyError::Broken => (
                StatusCode::BAD_REQUEST,
                "the body ended before its end".to_owned(),
            ),
        };
        Self::new(status, why)
    }

    /// In the words of OpenAI's API: about which field it is, and what a program knows it by.
    pub(super) fn as_openai(&self, param: Option<&str>, code: Option<&str>) -> Response {
        let kind = match self.status {
            StatusCode::UNAUTHORIZED => "authentication_error",
            StatusCode::TOO_MANY_REQUESTS => "rate_limit_error",
            status if status.is_server_error() => "server_error",
            _ => "invalid_request_error",
        };
        let error = json!({ "message": self.why, "type": kind, "param": param, "code": code });
        self.answer(json!({ "error": error }))
    }

    fn answer(&self, body: serde_json::Value) -> Response {
        let mut answer = (self.status, Json(body)).into_response();
        let pauses = [
            StatusCode::TOO_MANY_REQUESTS,
            StatusCode::SERVICE_UNAVAILABLE,
        ];
        if pauses.contains(&self.status) {
            let second = HeaderValue::from_static("1");
            answer.headers_mut().insert(RETRY_AFTER, second);
        }
        answer
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Full => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "as many jobs wait at this server as may; try again later",
            ),
            Refused::Closed => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "this server is about to end and takes no more jobs",
            ),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.answer(json!({ "error": self.why }))
    }
}
