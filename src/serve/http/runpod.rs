//! RunPod's client API, below `/v2/ENDPOINT/` as at RunPod and at the root as at the development
//! server of its SDK.

use crate::backends::transport::JsonError;
use crate::backends::transport::measured;
use crate::serve::http::body;
use crate::serve::http::connections::Line;
use crate::serve::http::jobs::EndStatus;
use crate::serve::http::jobs::NotRetried;
use crate::serve::http::jobs::Policy;
use crate::serve::http::refusal::Refusal;
use crate::serve::http::service::Service;
use axum::Extension;
use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::extract::RawPathParams;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::Uri;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use axum::routing::post;
use bytes::Bytes;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// What RunPod takes in one request, MiB.
const RUN_MIB: usize = 10;
const RUNSYNC_MIB: usize = 20;

/// How long a result is kept.
const RUN_KEPT: Duration = Duration::from_secs(30 * 60);
const RUNSYNC_KEPT: Duration = Duration::from_secs(60);

/// Memory that the values of a request may take for each byte of its text, and besides.
const VALUES_PER_BYTE: usize = 4;
const VALUES_BESIDES: usize = 1 << 20;

/// How long `?wait=` may say, ms, and what is meant where it says nothing.
const WAITS: (u64, u64) = (1_000, 300_000);
const RUNSYNC_WAIT: u64 = 90_000;

/// The routes, at the root and below `/v2/{endpoint}`: every endpoint is this server.
pub(super) fn routes() -> Router<Arc<Service>> {
    let at_root = Router::new()
        .route("/run", post(run))
        .route("/runsync", post(runsync))
        .route("/status/{id}", get(status).post(status))
        .route("/stream/{id}", get(stream).post(stream));
    let below = at_root
        .clone()
        .route("/status-sync/{id}", get(status_sync).post(status_sync))
        .route("/cancel/{id}", post(cancel))
        .route("/retry/{id}", post(retry))
        .route("/purge-queue", post(purge))
        .route("/health", get(health));
    at_root.nest("/v2/{endpoint}", below)
}

async fn run(
    State(service): State<Arc<Service>>,
    Extension(line): Extension<Arc<Line>>,
    body: Body,
) -> Result<Response, Refusal> {
    let id = submit(&service, (body, &line), RUN_MIB, "", RUN_KEPT).await?;
    Ok(Json(json!({ "id": id, "status": "IN_QUEUE" })).into_response())
}

async fn runsync(
    State(service): State<Arc<Service>>,
    Extension(line): Extension<Arc<Line>>,
    uri: Uri,
    body: Body,
) -> Result<Response, Refusal> {
    let id = submit(&service, (body, &line), RUNSYNC_MIB, "sync-", RUNSYNC_KEPT).await?;
    let wait = wait(&uri, RUNSYNC_WAIT);
    told(service.jobs.ended(&id, wait).await)
}

async fn status(
    State(service): State<Arc<Service>>,
    params: RawPathParams,
) -> Result<Response, Refusal> {
    told(service.jobs.status(id(&params)))
}

async fn status_sync(
    State(service): State<Arc<Service>>,
    Extension(line): Extension<Arc<Line>>,
    params: RawPathParams,
    uri: Uri,
) -> Result<Response, Refusal> {
    // Whatever body there may be says nothing.
    line.work();
    let wait = wait(&uri, RUNSYNC_WAIT);
    told(service.jobs.ended(id(&params), wait).await)
}

async fn stream(
    State(service): State<Arc<Service>>,
    Extension(line): Extension<Arc<Line>>,
    params: RawPathParams,
    uri: Uri,
) -> Result<Response, Refusal> {
    line.work();
    let wait = wait(&uri, 0);
    told(service.jobs.stream(id(&params), wait).await)
}

async fn cancel(
    State(service): State<Arc<Service>>,
    params: RawPathParams,
) -> Result<Response, Refusal> {
    told(service.jobs.cancel(id(&params)))
}

async fn retry(
    State(service): State<Arc<Service>>,
    params: RawPathParams,
) -> Result<Response, Refusal> {
    let retried = service.jobs.retry(id(&params));
    retried.map(json_text).map_err(|why| match why {
        NotRetried::Unknown => Refusal::no_job(),
        NotRetried::Status(status) => Refusal::bad(format!(
            "only a job that is FAILED or TIMED_OUT is done again; this one is {status}"
        )),
        NotRetried::Refused(refused) => refused.into(),
    })
}

async fn purge(State(service): State<Arc<Service>>) -> Response {
    let removed = service.jobs.purge();
    Json(json!({ "removed": removed, "status": "completed" })).into_response()
}

async fn health(State(service): State<Arc<Service>>) -> Response {
    let counts = service.jobs.counts();
    let slots = service.slots;
    let idle = slots.saturating_sub(counts.running);
    // A slot without models takes no job yet.
    let (idle, starting) = match service.is_ready() {
        true => (idle, 0),
        false => (0, slots),
    };
    let jobs = json!({
        "completed": counts.tally.count(EndStatus::Completed),
        "failed": counts.tally.count(EndStatus::Failed) + counts.tally.count(EndStatus::TimedOut),
        "inProgress": counts.running,
        "inQueue": counts.waiting,
        "retried": counts.tally.retried,
    });
    let workers = json!({
        "idle": idle,
        "initializing": starting,
        "ready": idle,
        "running": counts.running,
        "throttled": 0,
        "unhealthy": 0,
    });
    Json(json!({ "jobs": jobs, "workers": workers })).into_response()
}

// Puts the job of a request into the queue.
async fn submit(
    service: &Service,
    (body, line): (Body, &Line),
    mebibytes: usize,
    begin: &str,
    keep: Duration,
) -> Result<String, Refusal> {
    let read = body::read(body, mebibytes << 20, &service.jobs, line).await;
    let read = read.map_err(|error| Refusal::of_body(error, mebibytes))?;
    let most = read.bytes.len() * VALUES_PER_BYTE + VALUES_BESIDES;
    let (value, size) = measured(most, &read.bytes).map_err(|error| {
        Refusal::bad(match error {
            JsonError::Syntax(error) => format!("the body is not JSON: {error}"),
            JsonError::TooMany => "the body has more values than a request may have".to_owned(),
        })
    })?;
    let Value::Object(mut fields) = value else {
        return Err(Refusal::bad("the body is an object with an `input`"));
    };
    if fields.get("webhook").is_some_and(|hook| !hook.is_null()) {
        return Err(Refusal::bad(
            "this server calls nobody, so it has no `webhook`: ask /status, or use /runsync",
        ));
    }
    let policy = Policy::read(fields.get("policy")).map_err(Refusal::bad)?;
    let input = input(&mut fields)?;
    // The values take the place of the text.
    drop(read);
    let full = || Refusal::of_body(body::BodyError::Full, mebibytes);
    let size = service.jobs.reserve(size).ok_or_else(full)?;
    Ok(service.jobs.submit(input, size, begin, keep, policy)?)
}

// RunPod accepts an empty input and loses the job; here it is refused at once.
fn input(fields: &mut Map<String, Value>) -> Result<Value, Refusal> {
    match fields.remove("input") {
        Some(Value::Object(input)) if !input.is_empty() => Ok(Value::Object(input)),
        Some(Value::Object(_)) => Err(Refusal::bad("the `input` is empty")),
        Some(_) => Err(Refusal::bad("`input` is an object")),
        None => Err(Refusal::bad("the body has no `input`")),
    }
}

fn id(params: &RawPathParams) -> &str {
    let id = params.iter().find(|(name, _)| *name == "id");
    id.map_or("", |(_, id)| id)
}

// How long a request may wait, in milliseconds: what it says, within what may be said.
fn wait(uri: &Uri, usual: u64) -> Duration {
    let mut pairs = uri.query().unwrap_or_default().split('&');
    let said = pairs.find_map(|pair| pair.strip_prefix("wait=")?.parse::<u64>().ok());
    let (least, most) = WAITS;
    Duration::from_millis(said.map_or(usual, |said| said.clamp(least, most)))
}

fn told(said: Option<Bytes>) -> Result<Response, Refusal> {
    said.map(json_text).ok_or_else(Refusal::no_job)
}

fn json_text(text: Bytes) -> Response {
    (StatusCode::OK, [(CONTENT_TYPE, "application/json")], text).into_response()
}
