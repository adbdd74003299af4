//! A fleet that is not there: the API of RunPod Serverless on loopback, with faults from a seed.
//!
//! An image is the number of its picture as text, and the answer for it is one object whose class
//! is that number, so that a test can tell whose answer it got. A job moves on each time it is
//! asked for, so nothing here depends on a clock.

#![allow(dead_code, reason = "each test program uses what it needs of this")]

use axum::Json;
use axum::Router;
use axum::extract::Path;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;

/// The key that the fleet takes.
pub(crate) const KEY: &str = "rpa_A-KEY-THAT-NOBODY-MAY-SEE";

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// HTTP 500 in place of a job.
    ServerError,
    /// HTTP 429 that asks for no pause.
    TooMany,
    /// The edge's HTML page in place of a status.
    HtmlGateway,
    /// A status that is not JSON, with HTTP 200.
    NotJson,
    /// The platform gave the job up.
    FailedByPlatform,
    /// The handler raised.
    FailedByHandler,
    /// COMPLETED, and no output.
    NoOutput,
    /// The job is not known any more.
    Lost,
    /// One image fewer is answered.
    FewerAnswers,
    /// CUDA runs out of memory above two images.
    OutOfMemory,
    /// The body is over the limit above three images.
    Oversize,
}

impl Fault {
    pub(crate) const ALL: [Self; 11] = [
        Self::ServerError,
        Self::TooMany,
        Self::HtmlGateway,
        Self::NotJson,
        Self::FailedByPlatform,
        Self::FailedByHandler,
        Self::NoOutput,
        Self::Lost,
        Self::FewerAnswers,
        Self::OutOfMemory,
        Self::Oversize,
    ];

    /// Whether a picture may end without an answer because of it.
    pub(crate) fn may_cost_pictures(self) -> bool {
        matches!(self, Self::FailedByHandler | Self::FewerAnswers)
    }
}

struct Job {
    images: Vec<u64>,
    asked: u32,
    fault: Option<Fault>,
}

struct Inner {
    faults: Vec<Fault>,
    percent: u64,
    random: u64,
    jobs: BTreeMap<String, Job>,
    twice: Vec<Vec<u64>>,
    strangers: u32,
}

impl Inner {
    // xorshift64: the same faults for the same seed.
    fn next(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    fn fault(&mut self) -> Option<Fault> {
        let (roll, which) = (self.next() % 100, self.next() as usize);
        (roll < self.percent).then(|| self.faults[which % self.faults.len()])
    }
}

/// The running fleet; it stops when dropped.
pub(crate) struct Fleet {
    pub(crate) base: String,
    inner: Arc<Mutex<Inner>>,
    server: tokio::task::JoinHandle<()>,
}

impl Fleet {
    /// A fleet of which `percent` of the calls meet one of `faults`.
    pub(crate) async fn start(faults: &[Fault], percent: u64, seed: u64) -> Self {
        let inner = Arc::new(Mutex::new(Inner {
            faults: faults.to_vec(),
            percent,
            random: seed | 1,
            jobs: BTreeMap::new(),
            twice: Vec::new(),
            strangers: 0,
        }));
        let app = Router::new()
            .route("/v2/detect/run", post(run))
            .route("/v2/detect/status/{id}", get(status))
            .route("/v2/detect/cancel/{id}", post(cancel))
            .with_state(Arc::clone(&inner));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .unwrap();
        let base = format!("http://{}/v2", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            base,
            inner,
            server,
        }
    }

    /// Images that were submitted again while their first answer could still be fetched.
    pub(crate) fn submitted_twice(&self) -> Vec<Vec<u64>> {
        self.inner.lock().unwrap().twice.clone()
    }

    /// Calls without the key.
    pub(crate) fn strangers(&self) -> u32 {
        self.inner.lock().unwrap().strangers
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.server.abort();
    }
}

type Shared = State<Arc<Mutex<Inner>>>;

fn is_known(headers: &HeaderMap, inner: &mut Inner) -> bool {
    let known = headers
        .get("authorization")
        .is_some_and(|value| value == &format!("Bearer {KEY}"));
    inner.strangers += u32::from(!known);
    known
}

async fn run(State(inner): Shared, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let mut inner = inner.lock().unwrap();
    if !is_known(&headers, &mut inner) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let images: Vec<u64> = body["input"]["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|image| {
            let bytes = STANDARD.decode(image.as_str().unwrap()).unwrap();
            // A picture of a real video is no number; its answer is an object of class 0.
            String::from_utf8_lossy(&bytes).parse().unwrap_or(0)
        })
        .collect();
    let fault = inner.fault();
    match fault {
        Some(Fault::ServerError) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Some(Fault::TooMany) => {
            return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "0")]).into_response();
        }
        Some(Fault::Oversize) if images.len() > 3 => {
            let text = "bad request: body: exceeded max body size of 10MiB";
            return (StatusCode::BAD_REQUEST, text).into_response();
        }
        _ => {}
    }
    // An earlier job for the same images whose answer is there, or will be.
    let fetchable = |job: &Job| match job.fault {
        None | Some(Fault::HtmlGateway | Fault::NotJson) => true,
        Some(Fault::OutOfMemory) => job.images.len() <= 2,
        Some(_) => false,
    };
    if inner
        .jobs
        .values()
        .any(|job| job.images == images && fetchable(job))
    {
        inner.twice.push(images.clone());
    }
    let id = format!("job-{}-e1", inner.jobs.len());
    inner.jobs.insert(
        id.clone(),
        Job {
            images,
            asked: 0,
            fault,
        },
    );
    Json(json!({ "id": id, "status": "IN_QUEUE" })).into_response()
}

async fn status(State(inner): Shared, headers: HeaderMap, Path(id): Path<String>) -> Response {
    let mut inner = inner.lock().unwrap();
    if !is_known(&headers, &mut inner) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Some(job) = inner.jobs.get_mut(&id) else {
        return (
            StatusCode::NOT_FOUND,
            Json(json!({ "message": "job not found" })),
        )
            .into_response();
    };
    job.asked += 1;
    let say = |status: &str, more: Value| {
        let mut body = json!({ "id": id, "status": status, "delayTime": 3, "workerId": "w1" });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        Json(body).into_response()
    };
    match (job.asked, job.fault) {
        (1, Some(Fault::HtmlGateway)) => {
            (StatusCode::BAD_GATEWAY, "<html><title>502</title></html>").into_response()
        }
        (1, Some(Fault::NotJson)) => "<html>sign in</html>".into_response(),
        (1, _) => say("IN_QUEUE", json!({})),
        (_, Some(Fault::Lost)) => (
            StatusCode::NOT_FOUND,
            Json(json!({ "message": "job not found" })),
        )
            .into_response(),
        (_, Some(Fault::FailedByPlatform)) => say(
            "FAILED",
            json!({ "error": "job timed out after 1 retries", "retries": 1 }),
        ),
        (_, Some(Fault::FailedByHandler)) => {
            let error = json!({ "error_type": "ValueError", "error_message": "boom" }).to_string();
            say("FAILED", json!({ "error": error }))
        }
        (_, Some(Fault::OutOfMemory)) if job.images.len() > 2 => say(
            "FAILED",
            json!({ "error": "CUDA out of memory. Tried to allocate 2 GiB" }),
        ),
        (_, Some(Fault::NoOutput)) => say("COMPLETED", json!({ "executionTime": 5 })),
        (_, fault) => {
            let fewer = usize::from(fault == Some(Fault::FewerAnswers));
            let found = job.images.iter().skip(fewer).map(|number| {
                json!([{ "bbox": [0, 0, 1, 1], "class": number, "class_name": "n", "confidence": 1.0 }])
            });
            let output = json!({ "detections": found.collect::<Vec<_>>() });
            say("COMPLETED", json!({ "executionTime": 5, "output": output }))
        }
    }
}

async fn cancel(State(inner): Shared, headers: HeaderMap, Path(id): Path<String>) -> Response {
    let mut inner = inner.lock().unwrap();
    is_known(&headers, &mut inner);
    inner.jobs.remove(&id);
    Json(json!({ "id": id, "status": "CANCELLED" })).into_response()
}
