//! A fleet that is not there: the API of RunPod Serverless on loopback, with a queue, workers
//! that start cold, and faults from a seed.
//!
//! An image is the number of its frame as text, and the answer for it is one object whose class
//! is that number, so that a test can tell whose answer it got. The fleet's clock is the number of
//! calls, so nothing here depends on that of the machine.

#![allow(dead_code, reason = "each test program uses what it needs of this")]

mod answer;
mod fault;
mod line;
mod queue;

pub(crate) use fault::Fault;

use axum::Json;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::extract::Path;
use axum::extract::Query;
use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::middleware;
use axum::middleware::Next;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fault::Chance;
use line::Lines;
use line::Switch;
use queue::At;
use queue::Queue;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use tokio::sync::watch;

/// The key that the fleet takes.
pub(crate) const KEY: &str = "rpa_A-KEY-THAT-NOBODY-MAY-SEE";

/// More bytes than a client under test reads at once.
pub(crate) const LARGE: usize = 50_000;

/// What a fleet is like.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    /// What goes wrong.
    pub(crate) faults: Vec<Fault>,
    /// With how many of a hundred requests.
    pub(crate) percent: u64,
    /// Which ones.
    pub(crate) seed: u64,
    /// How many workers it has.
    pub(crate) workers: usize,
    /// What it says that a job took, in milliseconds.
    pub(crate) execution: u64,
    /// Whether a first answer may be one that ends a run.
    pub(crate) from_the_first: bool,
    /// Whether the number of an image is a digest of its bytes, so that frames of real videos have
    /// answers of their own, with two objects that can be cut out.
    pub(crate) by_content: bool,
}

impl Default for Setting {
    /// Three workers on which nothing goes wrong.
    fn default() -> Self {
        Self {
            faults: Vec::new(),
            percent: 0,
            seed: 1,
            workers: 3,
            execution: 5,
            from_the_first: false,
            by_content: false,
        }
    }
}

struct Inner {
    by_content: bool,
    chance: Chance,
    queue: Queue,
    execution: u64,
    // How often these images were sent.
    sent: BTreeMap<Vec<u64>, usize>,
    bodies: Vec<Value>,
    twice: Vec<Vec<u64>>,
    // Images that were sent although this job has an answer for them.
    again: Vec<(u64, String)>,
    strangers: u32,
    cancelled: u32,
    // Whether any job had its right answer.
    answered: bool,
    // The last job whose id was given to whoever submitted it.
    issued: u64,
}

/// The running fleet; it stops when dropped.
pub(crate) struct Fleet {
    pub(crate) base: String,
    inner: Arc<Mutex<Inner>>,
    // Whether nobody answers; and how many calls there were.
    away: Arc<AtomicBool>,
    calls: watch::Sender<u64>,
    server: tokio::task::JoinHandle<()>,
}

impl Fleet {
    /// A fleet of three workers of which `percent` of the requests meet one of `faults`.
    pub(crate) async fn start(faults: &[Fault], percent: u64, seed: u64) -> Self {
        let faults = faults.to_vec();
        Self::of(Setting {
            faults,
            percent,
            seed,
            ..Setting::default()
        })
        .await
    }

    pub(crate) async fn of(setting: Setting) -> Self {
        let inner = Arc::new(Mutex::new(Inner {
            by_content: setting.by_content,
            queue: Queue::new(setting.workers),
            execution: setting.execution,
            chance: Chance {
                faults: setting.faults,
                percent: setting.percent,
                seed: setting.seed,
            },
            sent: BTreeMap::new(),
            bodies: Vec::new(),
            twice: Vec::new(),
            again: Vec::new(),
            strangers: 0,
            cancelled: 0,
            answered: setting.from_the_first,
            issued: 0,
        }));
        let (away, calls) = (Arc::<AtomicBool>::default(), watch::Sender::new(0));
        let app = Router::new()
            .route("/v2/detect/run", post(run))
            .route("/v2/detect/runsync", post(runsync))
            .route("/v2/detect/status/{id}", get(status))
            .route("/v2/detect/cancel/{id}", post(cancel))
            .route("/v2/detect/health", get(health))
            .layer(DefaultBodyLimit::disable())
            .layer(middleware::from_fn_with_state(away.clone(), nobody))
            .layer(middleware::from_fn_with_state(calls.clone(), counting))
            .layer(middleware::from_fn(line::cutting))
            .with_state(Arc::clone(&inner))
            .into_make_service_with_connect_info::<Switch>();
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .unwrap();
        let base = format!("http://{}/v2", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(Lines(listener), app).await.unwrap() });
        Self {
            base,
            inner,
            away,
            calls,
            server,
        }
    }

    /// What a user sets to have this fleet's detector.
    pub(crate) fn variables(&self) -> [(&str, &str); 3] {
        [
            ("RUNPOD_API_KEY", KEY),
            ("RUNPOD_YOLO_ENDPOINT_ID", "detect"),
            ("RUNPOD_ENDPOINT_BASE_URL", &self.base),
        ]
    }

    /// Images that were submitted again while their first answer could still be fetched.
    pub(crate) fn submitted_twice(&self) -> Vec<Vec<u64>> {
        self.inner.lock().unwrap().twice.clone()
    }

    /// Images that were submitted although a job has an answer for them, and which that is.
    pub(crate) fn submitted_again(&self) -> Vec<(u64, String)> {
        self.inner.lock().unwrap().again.clone()
    }

    /// All jobs: what they are called and the images that they are for.
    pub(crate) fn jobs(&self) -> Vec<(String, Vec<u64>)> {
        let inner = self.inner.lock().unwrap();
        let jobs = inner.queue.jobs.iter();
        jobs.map(|(id, job)| (name(*id), job.images.clone()))
            .collect()
    }

    /// The jobs that somebody has asked after.
    pub(crate) fn polled(&self) -> BTreeSet<String> {
        let inner = self.inner.lock().unwrap();
        let jobs = inner.queue.jobs.iter();
        let polled = jobs.filter(|(_, job)| job.asked > 0);
        polled.map(|(id, _)| name(*id)).collect()
    }

    /// From now on no call is answered, as if nobody were there.
    pub(crate) fn leave(&self) {
        self.away.store(true, Ordering::Relaxed);
    }

    /// All is as before.
    pub(crate) fn come_back(&self) {
        self.away.store(false, Ordering::Relaxed);
    }

    /// How often it was called.
    pub(crate) fn calls(&self) -> watch::Receiver<u64> {
        self.calls.subscribe()
    }

    /// The number of images of every job, in the order of the jobs.
    pub(crate) fn sizes(&self) -> Vec<usize> {
        let inner = self.inner.lock().unwrap();
        let jobs = inner.queue.jobs.values();
        jobs.map(|job| job.images.len()).collect()
    }

    /// What was sent with every job but its images.
    pub(crate) fn bodies(&self) -> Vec<Value> {
        self.inner.lock().unwrap().bodies.clone()
    }

    /// Jobs that nobody has cancelled and that are not done.
    pub(crate) fn left(&self) -> usize {
        let inner = self.inner.lock().unwrap();
        inner.queue.count(|at| at != At::Done)
    }

    /// Jobs that were taken back.
    pub(crate) fn cancelled(&self) -> u32 {
        self.inner.lock().unwrap().cancelled
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

impl Inner {
    // The answer to whoever has not the key.
    fn turn_away(&mut self, headers: &HeaderMap) -> Option<Response> {
        let known = headers
            .get("authorization")
            .is_some_and(|value| value == &format!("Bearer {KEY}"));
        self.strangers += u32::from(!known);
        // As an indiscreet server would.
        let told = format!("who is {:?}?", headers.get("authorization"));
        (!known).then(|| (StatusCode::UNAUTHORIZED, told).into_response())
    }

    // The id of a new job, or what is answered instead.
    fn submit(&mut self, mut body: Value) -> Result<u64, Box<Response>> {
        let images = body["input"]["images"].take();
        let images = images.as_array().unwrap().iter();
        let images: Vec<u64> = images.map(|image| number(image, self.by_content)).collect();
        self.bodies.push(body);
        let earlier = self.sent.entry(images.clone()).or_default();
        let fault = self.chance.meets(&images, *earlier);
        // A first answer that nobody can read ends a run, and so does one for which nobody waits.
        let ends = |fault: &Fault| fault.is_unreadable() || *fault == Fault::TooManyForEver;
        let fault = fault.filter(|fault| self.answered || !ends(fault));
        *earlier += 1;
        match fault {
            Some(Fault::ServerError) => {
                let told = format!("key {KEY} failed");
                return instead((StatusCode::INTERNAL_SERVER_ERROR, told));
            }
            Some(Fault::TooMany) => {
                return instead((StatusCode::TOO_MANY_REQUESTS, [("retry-after", "0")]));
            }
            Some(Fault::TooManyUntil) => {
                let date = [("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")];
                return instead((StatusCode::TOO_MANY_REQUESTS, date));
            }
            Some(Fault::TooManyForEver) => {
                let pause = [("retry-after", "18446744073709551615")];
                return instead((StatusCode::TOO_MANY_REQUESTS, pause));
            }
            Some(Fault::ResetBefore) => return instead(line::cut()),
            Some(Fault::Oversize) if images.len() > 3 => {
                let text = "bad request: body: exceeded max body size of 10MiB";
                return instead((StatusCode::BAD_REQUEST, text));
            }
            _ => {}
        }
        let mut jobs = self.queue.jobs.values();
        if jobs.any(|job| job.images == images && job.is_paid()) {
            self.twice.push(images.clone());
        }
        for (id, job) in &self.queue.jobs {
            let again = images.iter().filter(|image| job.images.contains(image));
            let again = again.filter(|_| job.has_answer());
            self.again.extend(again.map(|image| (*image, name(*id))));
        }
        let id = self.queue.submit(images, self.by_content, fault);
        match fault {
            Some(Fault::ResetTicket) => instead(line::cut()),
            Some(Fault::NoId) => instead(Json(json!({ "status": "IN_QUEUE" }))),
            Some(Fault::IdOfDots) => instead(Json(json!({ "id": "..", "status": "IN_QUEUE" }))),
            Some(Fault::HalfTicket) => instead(format!("{{\"id\": \"{}\", \"sta", name(id))),
            // The last one that somebody was given.
            Some(Fault::SharedId) => instead(Json(
                json!({ "id": name(self.issued), "status": "IN_QUEUE" }),
            )),
            _ => {
                self.issued = id;
                Ok(id)
            }
        }
    }

    // `at_once` where it is the answer to the submission itself, which needs no id to be believed.
    fn state(&mut self, id: u64, at_once: bool) -> Response {
        let Some(job) = self.queue.ask(id) else {
            return not_found();
        };
        self.answered |= job.at == At::Done && job.fault.is_none();
        answer::said(id, job, self.execution, at_once)
    }
}

fn instead(response: impl IntoResponse) -> Result<u64, Box<Response>> {
    Err(Box::new(response.into_response()))
}

// A frame of a real video is no number; its answer is an object of class 0, or one of its own.
fn number(image: &Value, by_content: bool) -> u64 {
    let bytes = STANDARD.decode(image.as_str().unwrap()).unwrap();
    match String::from_utf8_lossy(&bytes).parse() {
        Ok(number) => number,
        Err(_) if by_content => {
            let digest = blake3::hash(&bytes);
            u64::from_le_bytes(digest.as_bytes()[..8].try_into().unwrap()) % (1 << 31)
        }
        Err(_) => 0,
    }
}

async fn counting(
    State(calls): State<watch::Sender<u64>>,
    request: Request,
    next: Next,
) -> Response {
    calls.send_modify(|calls| *calls += 1);
    next.run(request).await
}

// While nobody is there.
async fn nobody(State(is_away): State<Arc<AtomicBool>>, request: Request, next: Next) -> Response {
    match is_away.load(Ordering::Relaxed) {
        true => line::cut(),
        false => next.run(request).await,
    }
}

async fn run(State(inner): Shared, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let mut inner = inner.lock().unwrap();
    if let Some(away) = inner.turn_away(&headers) {
        return away;
    }
    match inner.submit(body) {
        Ok(id) => Json(json!({ "id": name(id), "status": "IN_QUEUE" })).into_response(),
        Err(instead) => *instead,
    }
}

// Holds the line for so many calls that jobs of warm workers are done, and others are not.
async fn runsync(
    State(inner): Shared,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let mut inner = inner.lock().unwrap();
    if let Some(away) = inner.turn_away(&headers) {
        return away;
    }
    let wait: u64 = query["wait"].parse().unwrap();
    assert!((1_000..=300_000).contains(&wait), "{wait} is not allowed");
    match inner.submit(body) {
        Ok(id) => {
            (0..6).for_each(|_| inner.queue.tick());
            inner.state(id, true)
        }
        Err(instead) => *instead,
    }
}

async fn status(State(inner): Shared, headers: HeaderMap, Path(id): Path<String>) -> Response {
    let mut inner = inner.lock().unwrap();
    if let Some(away) = inner.turn_away(&headers) {
        return away;
    }
    let id = id.trim_start_matches("job-").trim_end_matches("-e1");
    id.parse()
        .map_or_else(|_| not_found(), |id| inner.state(id, false))
}

async fn cancel(State(inner): Shared, headers: HeaderMap, Path(id): Path<String>) -> Response {
    let mut inner = inner.lock().unwrap();
    if let Some(away) = inner.turn_away(&headers) {
        return away;
    }
    let number = id.trim_start_matches("job-").trim_end_matches("-e1");
    let Some(job) = inner.queue.jobs.get_mut(&number.parse().unwrap()) else {
        return not_found();
    };
    job.cancelled = true;
    inner.cancelled += 1;
    inner.queue.tick();
    Json(json!({ "id": id, "status": "CANCELLED" })).into_response()
}

async fn health(State(inner): Shared, headers: HeaderMap) -> Response {
    let mut inner = inner.lock().unwrap();
    if let Some(away) = inner.turn_away(&headers) {
        return away;
    }
    let waiting = inner.queue.count(|at| at == At::Queue);
    let running = inner.queue.count(|at| matches!(at, At::Worker { .. }));
    let workers = inner.queue.workers();
    Json(json!({
        "jobs": { "inQueue": waiting, "inProgress": running },
        "workers": { "running": running, "ready": workers - running, "idle": workers - running,
                     "initializing": 0, "throttled": 0, "unhealthy": 0 },
    }))
    .into_response()
}

fn name(id: u64) -> String {
    format!("job-{id}-e1")
}

fn not_found() -> Response {
    let body = Json(json!({ "message": "job not found" }));
    (StatusCode::NOT_FOUND, body).into_response()
}
