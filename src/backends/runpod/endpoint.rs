//! An endpoint: its three calls, and the pace at which answers are asked for.

use super::outcome;
use super::outcome::State;
use crate::backends::http::Reply;
use crate::backends::http::Secret;
use crate::backends::http::Server;
use crate::failure::Class;
use crate::failure::Failure;
use crate::failure::Verdict;
use crate::name::Ticket;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;
use serde_json::json;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

/// The host that keys are for.
pub const HOST: &str = "api.runpod.ai";

/// Where endpoints are, unless `RUNPOD_ENDPOINT_BASE_URL` says otherwise, as for RunPod's SDKs.
pub const DEFAULT_BASE: &str = "https://api.runpod.ai/v2";

/// The largest body that `/run` takes, in bytes; 10 MiB are enforced, 10 MB documented.
pub const MAX_BODY: usize = 10_000_000;

// More than an honest answer for a batch of pictures, less than what hurts.
const MAX_ANSWER: usize = 64 << 20;

const FIRST_POLL: Duration = Duration::from_millis(100);
const LONGEST_POLL: Duration = Duration::from_secs(2);

/// How long a job is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    /// For one HTTP request.
    pub request: Duration,
    /// For a worker to take the job.
    pub queue: Duration,
    /// For the worker to be done.
    pub execution: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            request: Duration::from_secs(60),
            queue: Duration::from_secs(600),
            execution: Duration::from_secs(600),
        }
    }
}

/// One endpoint of an account.
#[derive(Debug)]
pub struct Endpoint {
    server: Server,
    id: String,
    waits: Waits,
    // What the last jobs took, in milliseconds: the first poll of the next one is due then.
    usual: AtomicU64,
}

impl Endpoint {
    /// The endpoint `id` at `base`.
    ///
    /// # Errors
    ///
    /// Of class `refused` where the address or the id is none, or the key would go astray.
    pub fn new(base: &str, id: &str, key: Secret, waits: Waits) -> Result<Self, Failure> {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
        if id.is_empty() || !id.chars().all(plain) {
            return Err(Failure::new(
                Class::Refused,
                format!("`{id}` is not the id of an endpoint"),
            ));
        }
        let server = Server::new(base, Some(key), HOST, waits.request, MAX_ANSWER)?;
        Ok(Self {
            server,
            id: id.to_owned(),
            waits,
            usual: AtomicU64::new(0),
        })
    }

    /// The host that gets the pictures.
    pub fn host(&self) -> String {
        self.server.host()
    }

    /// The id of the endpoint.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The body of a job: `parameters` and, as `images`, the pictures in base64.
    pub fn body(mut parameters: Value, jpegs: &[&Bytes]) -> Bytes {
        let images: Vec<_> = jpegs.iter().map(|jpeg| STANDARD.encode(jpeg)).collect();
        parameters["images"] = Value::from(images);
        json!({ "input": parameters }).to_string().into()
    }

    /// Submits a job.
    ///
    /// # Errors
    ///
    /// Where it was not accepted. After one of class `network` it may have been: the API has no
    /// way to ask.
    pub async fn submit(&self, body: Bytes) -> Result<Ticket, Failure> {
        let reply = self.server.post(&self.path("run"), body).await?;
        outcome::accepted(&reply).map(Ticket::from)
    }

    /// Waits for the output of a job. What goes wrong on the way is tried again here, since the
    /// answer can still be fetched; a failure means that it cannot.
    ///
    /// # Errors
    ///
    /// Of class `lost` where the job may be submitted anew, `too-large` where it may be halved.
    pub async fn wait(&self, ticket: &Ticket) -> Result<Value, Failure> {
        let submitted = Instant::now();
        let mut running_since = None;
        let mut pause = Duration::from_millis(self.usual.load(Ordering::Relaxed)).max(FIRST_POLL);
        loop {
            tokio::time::sleep(pause).await;
            pause = (pause / 2).clamp(FIRST_POLL, LONGEST_POLL);
            match self.status(ticket).await {
                Ok(State::Done {
                    output,
                    execution_ms,
                }) => {
                    self.learn(execution_ms);
                    return Ok(output);
                }
                Ok(State::Queued) => {
                    if submitted.elapsed() > self.waits.queue {
                        return Err(self.stuck(ticket).await);
                    }
                }
                Ok(State::Running) => {
                    let since = *running_since.get_or_insert_with(Instant::now);
                    if since.elapsed() > self.waits.execution {
                        self.cancel(ticket).await;
                        return Err(Failure::new(
                            Class::TimedOut,
                            "the worker was not done in time",
                        ));
                    }
                }
                Err(failure) if self.may_pass(&failure, submitted) => {
                    pause = failure.retry_after.unwrap_or(LONGEST_POLL / 4);
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Takes a job back; gives whether the server did. With `running` false only a job that no
    /// worker has taken.
    pub async fn withdraw(&self, ticket: &Ticket, running: bool) -> bool {
        let waiting = || async { matches!(self.status(ticket).await, Ok(State::Queued)) };
        (running || waiting().await) && self.cancel(ticket).await
    }

    async fn cancel(&self, ticket: &Ticket) -> bool {
        let path = self.path(&format!("cancel/{ticket}"));
        let reply = self.server.post(&path, Bytes::from_static(b"{}")).await;
        reply.is_ok_and(|Reply { status, .. }| (200..300).contains(&status))
    }

    async fn status(&self, ticket: &Ticket) -> Result<State, Failure> {
        outcome::state(
            &self
                .server
                .get(&self.path(&format!("status/{ticket}")))
                .await?,
        )
    }

    // A job that is lost is not found again; the line and a busy server are.
    fn may_pass(&self, failure: &Failure, submitted: Instant) -> bool {
        failure.class != Class::Lost
            && failure.class.verdict() == Verdict::Retry
            && submitted.elapsed() < self.waits.queue + self.waits.execution
    }

    // A quarter of the news: one slow job does not slow the polls of the next ones down.
    fn learn(&self, execution_ms: Option<u64>) {
        if let Some(news) = execution_ms {
            let old = self.usual.load(Ordering::Relaxed);
            let usual = if old == 0 {
                news
            } else {
                old / 4 * 3 + news / 4
            };
            self.usual.store(
                usual.min(LONGEST_POLL.as_millis() as u64),
                Ordering::Relaxed,
            );
        }
    }

    async fn stuck(&self, ticket: &Ticket) -> Failure {
        self.cancel(ticket).await;
        let health = self.server.get(&self.path("health")).await.ok();
        let workers = health.and_then(|reply| {
            let health: Value = serde_json::from_slice(&reply.body).ok()?;
            let workers = health.get("workers")?;
            let count = |state: &str| workers.get(state).and_then(Value::as_u64).unwrap_or(0);
            Some((
                count("running") + count("ready"),
                count("throttled"),
                count("unhealthy"),
            ))
        });
        let why = match workers {
            Some((0, _, 1..)) => "its workers crash as they start: look at their logs",
            Some((0, 1.., _)) => "no GPU of its kind is free: allow more kinds, or wait",
            Some((0, ..)) => "it has no workers: raise its number of workers",
            Some(_) => "its workers are busy: raise their number or lower `concurrency`",
            None => "its health could not be read",
        };
        let seconds = self.waits.queue.as_secs();
        let message = format!(
            "no worker of {} took the job in {seconds} s: {why}",
            self.id
        );
        Failure::new(Class::TimedOut, message)
    }

    fn path(&self, call: &str) -> String {
        format!("{}/{call}", self.id)
    }
}
