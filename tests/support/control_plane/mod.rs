//! A control plane that is not there: the calls of RunPod's workers on loopback, written after what
//! RunPod's own worker was seen to send, with a queue and faults from a list.
//!
//! It notes what no control plane may see, such as a job that is answered twice. Nothing in it depends
//! on a clock but how long a question is held open.

#![allow(dead_code, reason = "each test program uses what it needs of this")]

mod calls;
mod fault;
#[path = "../fleet/line.rs"]
mod line;

pub(crate) use fault::Call;
pub(crate) use fault::Fault;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::get;
use axum::routing::post;
use fault::Faults;
use line::Lines;
use line::Switch;
use serde_json::Value;
use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// The key that it takes, as it is.
pub(crate) const KEY: &str = "k3y-that-nobody-may-see-7f2b";

/// Pings that do not name a job which was handed out before it is queued again.
const MOST_MISSES: u32 = 3;

/// Where a job is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum At {
    Queue,
    /// The worker that has it, and how many pings of it did not name it.
    Worker(String, u32),
    /// Whether its answer has an output.
    Answered(bool),
    Cancelled,
    /// Given up after a second worker did not name it any more.
    TimedOut,
}

/// What a worker posted of a job.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Post {
    pub(crate) call: Call,
    pub(crate) worker: String,
    pub(crate) body: Value,
    pub(crate) is_stream: bool,
    /// Whether it was taken, and the worker was told so.
    pub(crate) was_told: bool,
    /// Whether it was taken.
    pub(crate) is_taken: bool,
}

/// A job.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) input: Value,
    pub(crate) at: At,
    pub(crate) posts: Vec<Post>,
    /// How often it was handed out.
    pub(crate) handed: u32,
    /// When it was handed out first.
    pub(crate) handed_at: Option<Instant>,
    /// When its answer was there.
    pub(crate) answered_at: Option<Instant>,
    // What is answered to everything that is posted of it.
    is_over: Option<u16>,
}

impl Job {
    /// What its client sees in the end.
    pub(crate) fn answer(&self) -> Option<&Value> {
        let mut taken = self.posts.iter().rev();
        let done = taken.find(|post| post.call == Call::Done && post.is_taken);
        done.map(|post| &post.body)
    }

    /// The bodies of one kind of call that were taken, in order.
    pub(crate) fn bodies(&self, call: Call) -> Vec<&Value> {
        let of_kind = |post: &&Post| post.call == call && post.is_taken;
        self.posts
            .iter()
            .filter(of_kind)
            .map(|post| &post.body)
            .collect()
    }
}

/// All that a control plane knows.
pub(crate) struct State {
    pub(crate) jobs: BTreeMap<String, Job>,
    queue: VecDeque<String>,
    faults: Faults,
    /// What no control plane may see.
    pub(crate) wrong: Vec<String>,
    /// The jobs that each worker named in its last ping.
    pub(crate) named: BTreeMap<String, Vec<String>>,
    /// How often each call was made.
    pub(crate) calls: BTreeMap<Call, u64>,
    // What each worker is to stop.
    stops: BTreeMap<String, Vec<String>>,
}

#[derive(Clone)]
struct Shared {
    state: Arc<Mutex<State>>,
    changes: watch::Sender<u64>,
    hold: Duration,
}

/// The running control plane; it stops when dropped.
pub(crate) struct ControlPlane {
    base: String,
    shared: Shared,
    server: tokio::task::JoinHandle<()>,
}

impl ControlPlane {
    /// One that holds a question open for `hold`, and on which each call meets its faults in order.
    pub(crate) async fn start(hold: Duration, faults: &[(Call, &[Fault])]) -> Self {
        let state = State {
            jobs: BTreeMap::new(),
            queue: VecDeque::new(),
            faults: Faults::of(faults),
            wrong: Vec::new(),
            named: BTreeMap::new(),
            calls: BTreeMap::new(),
            stops: BTreeMap::new(),
        };
        let shared = Shared {
            state: Arc::new(Mutex::new(state)),
            changes: watch::Sender::new(0),
            hold,
        };
        let app = Router::new()
            .route("/v2/ep/job-take/{worker}", get(calls::take))
            .route("/v2/ep/job-take-batch/{worker}", get(calls::take))
            .route("/v2/ep/job-stop/{worker}", get(calls::stop))
            .route("/v2/ep/ping/{worker}", get(calls::ping))
            .route("/v2/ep/job-done/{worker}/{job}", post(calls::done))
            .route("/v2/ep/job-stream/{worker}/{job}", post(calls::stream))
            .layer(DefaultBodyLimit::disable())
            .layer(middleware::from_fn(line::cutting))
            .with_state(shared.clone());
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0));
        let listener = listener.await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let app = app.into_make_service_with_connect_info::<Switch>();
        let server = tokio::spawn(async move { axum::serve(Lines(listener), app).await.unwrap() });
        Self {
            base,
            shared,
            server,
        }
    }

    /// What RunPod sets in the container of a worker.
    pub(crate) fn variables(&self, worker: &str, interval: Duration) -> BTreeMap<String, String> {
        let base = &self.base;
        let of = |call: &str, ids: &str| {
            format!("{base}/v2/ep/{call}/{ids}?gpu=NVIDIA+GeForce+RTX+4090")
        };
        [
            ("RUNPOD_WEBHOOK_GET_JOB", of("job-take", "$ID")),
            (
                "RUNPOD_WEBHOOK_POST_OUTPUT",
                of("job-done", "$RUNPOD_POD_ID/$ID"),
            ),
            (
                "RUNPOD_WEBHOOK_POST_STREAM",
                of("job-stream", "$RUNPOD_POD_ID/$ID"),
            ),
            ("RUNPOD_WEBHOOK_PING", of("ping", "$RUNPOD_POD_ID")),
            ("RUNPOD_AI_API_KEY", KEY.to_owned()),
            ("RUNPOD_POD_ID", worker.to_owned()),
            ("RUNPOD_PING_INTERVAL", interval.as_millis().to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// Queues a job.
    pub(crate) fn submit(&self, id: &str, input: Value) {
        let job = Job {
            input,
            at: At::Queue,
            posts: Vec::new(),
            handed: 0,
            handed_at: None,
            answered_at: None,
            is_over: None,
        };
        self.shared.change(|state| {
            state.jobs.insert(id.to_owned(), job);
            state.queue.push_back(id.to_owned());
        });
    }

    /// Cancels a job, wherever it is.
    pub(crate) fn cancel(&self, id: &str) {
        self.shared.change(|state| {
            state.queue.retain(|queued| queued != id);
            let job = state.jobs.get_mut(id).unwrap();
            if let At::Worker(worker, _) = &job.at {
                let stops = state.stops.entry(worker.clone()).or_default();
                stops.push(id.to_owned());
            }
            job.at = At::Cancelled;
        });
    }

    /// Queues again what a worker has that is not there any more.
    pub(crate) fn bury(&self, worker: &str) {
        self.shared.change(|state| {
            let ids: Vec<String> = state.jobs.keys().cloned().collect();
            for id in ids {
                let has = matches!(&state.jobs[&id].at, At::Worker(name, _) if name == worker);
                if has {
                    state.queue_again(&id);
                }
            }
        });
    }

    /// Everything, as it is now.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap()
    }

    /// A job, as it is now.
    pub(crate) fn job(&self, id: &str) -> Job {
        self.state().jobs[id].clone()
    }

    /// Waits until `reached`, however long that takes.
    pub(crate) async fn until(&self, reached: impl Fn(&State) -> bool) {
        let mut changes = self.shared.changes.subscribe();
        while !reached(&self.state()) {
            changes.changed().await.unwrap();
        }
    }

    /// Waits until every job has an answer, or is given up.
    pub(crate) async fn until_all_are_through(&self) {
        let is_through = |job: &Job| !matches!(job.at, At::Queue | At::Worker(..));
        self.until(|state| state.jobs.values().all(is_through))
            .await;
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl State {
    fn queue_again(&mut self, id: &str) {
        let job = self.jobs.get_mut(id).unwrap();
        // RunPod tries a job on a second worker, and on no third.
        job.at = match job.handed {
            ..2 => At::Queue,
            _ => At::TimedOut,
        };
        if job.at == At::Queue {
            self.queue.push_front(id.to_owned());
        }
    }
}

impl Shared {
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.state.lock().unwrap());
        self.changes.send_modify(|changes| *changes += 1);
        changed
    }
}
