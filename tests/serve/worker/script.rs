//! A handler that does what its jobs say, and remembers what it did.

use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use tokio::sync::watch;
use vpipe::serve::Handler;
use vpipe::serve::HandlerFuture;
use vpipe::serve::Job;
use vpipe::serve::JobError;
use vpipe::serve::Update;
use vpipe::serve::Updates;

/// What was done.
#[derive(Default)]
pub(crate) struct Done {
    /// How often each job was begun.
    pub(crate) begun: BTreeMap<String, u32>,
    /// The jobs whose work was dropped before its end.
    pub(crate) dropped: Vec<String>,
    now: usize,
    /// The most jobs that were at work at once.
    pub(crate) most: usize,
}

/// The handler. `do` in the input of a job says what it does; without it, it gives the input back.
#[derive(Clone)]
pub(crate) struct Script {
    done: Arc<Mutex<Done>>,
    changes: watch::Sender<u64>,
    gate: watch::Sender<bool>,
}

/// Large enough for no control plane.
pub(crate) const TOO_LARGE: usize = (20 << 20) + 1;

impl Script {
    pub(crate) fn new() -> Self {
        Self {
            done: Arc::default(),
            changes: watch::Sender::new(0),
            gate: watch::Sender::new(false),
        }
    }

    /// What was done so far.
    pub(crate) fn done(&self) -> MutexGuard<'_, Done> {
        self.done.lock().unwrap()
    }

    /// Lets all go on that `wait`.
    pub(crate) fn open(&self) {
        self.gate.send_replace(true);
    }

    /// Waits until `reached`.
    pub(crate) async fn until(&self, reached: impl Fn(&Done) -> bool) {
        let mut changes = self.changes.subscribe();
        while !reached(&self.done()) {
            changes.changed().await.unwrap();
        }
    }

    fn change(&self, change: impl FnOnce(&mut Done)) {
        change(&mut self.done());
        self.changes.send_modify(|changes| *changes += 1);
    }

    async fn act(&self, input: &Value, updates: Updates) -> Result<Value, JobError> {
        let count = input["count"].as_u64().unwrap_or_default();
        match input["do"].as_str() {
            Some("fail") => return Err(JobError("nothing is seen".to_owned())),
            Some("panic") => panic!("boom"),
            Some("wait") => {
                let mut gate = self.gate.subscribe();
                gate.wait_for(|open| *open).await.unwrap();
            }
            Some("large") => return Ok(json!("x".repeat(TOO_LARGE))),
            Some("progress") => {
                for step in 0..count {
                    updates.tell(Update::Progress(json!(step))).await;
                    // So that those who deliver it have their turn.
                    tokio::task::yield_now().await;
                }
            }
            Some("stream") => {
                for part in 0..count {
                    updates.tell(Update::Chunk(json!({ "part": part }))).await;
                }
            }
            _ => {}
        }
        Ok(json!({ "given": input }))
    }
}

impl Handler for Script {
    fn handle<'a>(&'a self, job: &'a Job, updates: Updates) -> HandlerFuture<'a> {
        Box::pin(async move {
            self.change(|done| {
                *done.begun.entry(job.id.clone()).or_default() += 1;
                done.now += 1;
                done.most = done.most.max(done.now);
            });
            let mut end = End {
                script: self,
                job: &job.id,
                is_whole: false,
            };
            let output = self.act(&job.input, updates).await;
            end.is_whole = true;
            output
        })
    }

    fn streams(&self, job: &Job) -> bool {
        job.input["do"] == "stream"
    }
}

struct End<'a> {
    script: &'a Script,
    job: &'a str,
    is_whole: bool,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.script.change(|done| {
            done.now -= 1;
            if !self.is_whole {
                done.dropped.push(self.job.to_owned());
            }
        });
    }
}
