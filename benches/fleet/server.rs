//! A fleet on the clock: the API of RunPod Serverless on loopback, with workers that take their
//! time for a job and a line that takes its own for a round trip.

use axum::Json;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::extract::Path;
use axum::extract::State;
use axum::routing::get;
use axum::routing::post;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;
use tokio::sync::Semaphore;

/// What a fleet is like.
#[derive(Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) workers: usize,
    /// What a worker takes for a job, whatever is in it; and besides for each frame in it.
    pub(crate) service: Duration,
    pub(crate) frame: Duration,
    /// What it takes before its first job.
    pub(crate) start: Duration,
    pub(crate) round_trip: Duration,
}

impl Setting {
    /// Three workers that are warm and take 0.2 s for any job, next door.
    pub(crate) const WARM: Self = Self {
        workers: 3,
        service: Duration::from_millis(200),
        frame: Duration::ZERO,
        start: Duration::ZERO,
        round_trip: Duration::ZERO,
    };
}

/// What the workers did since the last time that somebody asked.
#[derive(Default)]
pub(crate) struct Worked {
    pub(crate) jobs: usize,
    pub(crate) images: usize,
    pub(crate) executed: Duration,
    // When the first job was there, and when the last one was done.
    first: Option<Instant>,
    last: Option<Instant>,
    // Of each worker, when it was started and when it was done with its last job.
    stays: BTreeMap<usize, (Instant, Instant)>,
}

#[allow(dead_code, reason = "each bench asks for one of them")]
impl Worked {
    /// Seconds of workers without a job, from the first one's arrival to the last one's end.
    pub(crate) fn idle(&self, setting: Setting) -> f64 {
        let Some((first, last)) = self.first.zip(self.last) else {
            return 0.0;
        };
        let there = (last - first).as_secs_f64() * setting.workers as f64;
        there - self.executed.as_secs_f64()
    }

    /// Paid seconds of workers that stay for `idle` after their last job, whole for each.
    pub(crate) fn billed(&self, idle: Duration) -> u64 {
        let stays = self.stays.values();
        let seconds = stays.map(|(from, to)| (*to - *from + idle).as_secs_f64().ceil() as u64);
        seconds.sum()
    }
}

struct Fleet {
    setting: Setting,
    workers: Semaphore,
    // Those without a job.
    free: Mutex<BTreeSet<usize>>,
    jobs: Mutex<BTreeMap<u64, Option<Value>>>,
    worked: Mutex<Worked>,
}

/// The running fleet.
#[derive(Clone)]
pub(crate) struct Running {
    pub(crate) base: String,
    fleet: Arc<Fleet>,
}

impl Running {
    pub(crate) async fn start(setting: Setting) -> std::io::Result<Self> {
        let fleet = Arc::new(Fleet {
            setting,
            workers: Semaphore::new(setting.workers),
            free: Mutex::new((0..setting.workers).collect()),
            jobs: Mutex::default(),
            worked: Mutex::default(),
        });
        let app = Router::new()
            .route("/v2/detect/run", post(run))
            .route("/v2/detect/runsync", post(runsync))
            .route("/v2/detect/status/{id}", get(status))
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&fleet));
        let here = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = tokio::net::TcpListener::bind(here).await?;
        let base = format!("http://{}/v2", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(Self { base, fleet })
    }

    pub(crate) fn worked(&self) -> Worked {
        std::mem::take(&mut lock(&self.fleet.worked))
    }
}

#[derive(Deserialize)]
struct Job {
    input: Input,
}

#[derive(Deserialize)]
struct Input {
    images: Vec<String>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

// A new job, and the worker that will do it.
fn submit(fleet: &Arc<Fleet>, job: &Job) -> (u64, tokio::task::JoinHandle<()>) {
    lock(&fleet.worked).first.get_or_insert_with(Instant::now);
    let id = {
        let mut jobs = lock(&fleet.jobs);
        let id = jobs.len() as u64;
        jobs.insert(id, None);
        id
    };
    let (fleet, images) = (Arc::clone(fleet), job.input.images.len());
    let arrived = Instant::now();
    let work = async move {
        let permit = fleet.workers.acquire().await;
        let worker = lock(&fleet.free).pop_first().unwrap_or_default();
        let begun = Instant::now();
        let is_there = lock(&fleet.worked).stays.contains_key(&worker);
        if !is_there {
            tokio::time::sleep(fleet.setting.start).await;
        }
        let delay = arrived.elapsed();
        let execution = fleet.setting.service + fleet.setting.frame * images as u32;
        tokio::time::sleep(execution).await;
        lock(&fleet.free).insert(worker);
        drop(permit);
        let one = json!([{ "bbox": [10.0, 10.0, 50.0, 90.0], "class": 0, "class_name": "person", "confidence": 0.9 }]);
        let answer = json!({
            "id": format!("job-{id}"),
            "status": "COMPLETED",
            "delayTime": delay.as_millis() as u64,
            "executionTime": execution.as_millis() as u64,
            "workerId": format!("worker-{worker}"),
            "output": { "detections": vec![one; images] },
        });
        {
            let mut worked = lock(&fleet.worked);
            let now = Instant::now();
            worked.last = Some(now);
            worked.stays.entry(worker).or_insert((begun, now)).1 = now;
            worked.executed += execution;
            worked.jobs += 1;
            worked.images += images;
        }
        lock(&fleet.jobs).insert(id, Some(answer));
    };
    (id, tokio::spawn(work))
}

fn state(fleet: &Fleet, id: u64) -> Json<Value> {
    let done = lock(&fleet.jobs).get(&id).cloned().flatten();
    Json(done.unwrap_or_else(|| json!({ "id": format!("job-{id}"), "status": "IN_PROGRESS" })))
}

async fn run(State(fleet): State<Arc<Fleet>>, Json(job): Json<Job>) -> Json<Value> {
    tokio::time::sleep(fleet.setting.round_trip).await;
    let (id, _work) = submit(&fleet, &job);
    Json(json!({ "id": format!("job-{id}"), "status": "IN_QUEUE" }))
}

async fn runsync(State(fleet): State<Arc<Fleet>>, Json(job): Json<Job>) -> Json<Value> {
    tokio::time::sleep(fleet.setting.round_trip).await;
    let (id, work) = submit(&fleet, &job);
    work.await.unwrap_or_default();
    state(&fleet, id)
}

async fn status(State(fleet): State<Arc<Fleet>>, Path(id): Path<String>) -> Json<Value> {
    tokio::time::sleep(fleet.setting.round_trip).await;
    let id = id.trim_start_matches("job-").parse().unwrap_or(u64::MAX);
    state(&fleet, id)
}
