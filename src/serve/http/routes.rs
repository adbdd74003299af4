//! All routes: who may use them, and what the server says of itself.

use crate::serve::http::key::Access;
use crate::serve::http::metrics;
use crate::serve::http::openai;
use crate::serve::http::refusal::Refusal;
use crate::serve::http::runpod;
use crate::serve::http::service::Service;
use axum::Json;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::extract::MatchedPath;
use axum::extract::Request;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::Next;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use serde_json::json;
use std::sync::Arc;

/// All routes of `service`.
pub(super) fn router(service: &Arc<Service>) -> Router {
    Router::new()
        .route(HOME, get(home))
        .route(PING, get(ping))
        .route(OPENAPI, get(openapi))
        .route("/metrics", get(metrics_page))
        .merge(runpod::routes())
        .merge(openai::routes())
        .fallback(unknown)
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(Arc::clone(service), admit))
        .with_state(Arc::clone(service))
}

// What needs no key, since it tells nothing that is not public.
const HOME: &str = "/";
const PING: &str = "/ping";
const OPENAPI: &str = "/openapi.json";

// Answers those who may ask, and counts what was answered.
async fn admit(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().cloned();
    let route = path.as_ref().map_or("other", MatchedPath::as_str);
    let is_public = [HOME, PING, OPENAPI].contains(&route);
    let access = match is_public && matches!(service.access, Access::Key(_)) {
        true => Ok(()),
        false => service.access.check(request.headers()),
    };
    let answer = match access {
        Ok(()) => next.run(request).await,
        Err(refusal) if route.starts_with("/v1/") => refusal.as_openai(None, None),
        Err(refusal) => refusal.into_response(),
    };
    service.requests.count(route, answer.status());
    answer
}

async fn home() -> Response {
    Json(json!({
        "server": concat!("vpipe ", env!("CARGO_PKG_VERSION")),
        "runpod": "/v2/ENDPOINT/run, as RunPod's API; every ENDPOINT is this server",
        "openai": "/v1/audio/transcriptions and /v1/audio/translations, as OpenAI's API",
        "openapi": OPENAPI,
        "metrics": "/metrics",
    }))
    .into_response()
}

async fn ping(State(service): State<Arc<Service>>) -> StatusCode {
    match service.is_ready() {
        true => StatusCode::OK,
        false => StatusCode::NO_CONTENT,
    }
}

async fn metrics_page(State(service): State<Arc<Service>>) -> Response {
    let headers = [(CONTENT_TYPE, metrics::CONTENT_TYPE)];
    (headers, metrics::text(&service)).into_response()
}

async fn openapi() -> Response {
    let headers = [(CONTENT_TYPE, "application/json")];
    (headers, include_str!("openapi.json")).into_response()
}

async fn unknown() -> Refusal {
    let why = "nothing is served here; /openapi.json says what is";
    Refusal::new(StatusCode::NOT_FOUND, why)
}
