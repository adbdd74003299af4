//! An endpoint: its calls, and the pace at which answers are asked for.

use crate::backends::remote::runpod::health;
use crate::backends::remote::runpod::health::Health;
use crate::backends::remote::runpod::outcome::Job;
use crate::backends::remote::runpod::outcome::State;
use crate::backends::remote::runpod::pace::Pace;
use crate::backends::remote::submission::Submission;
use crate::backends::transport::http::Access;
use crate::backends::transport::http::Reply;
use crate::backends::transport::http::Server;
use crate::exchange::Exchange;
use crate::failure::Class;
use crate::failure::Failure;
use crate::failure::Verdict;
use crate::name::Ticket;
use crate::recipe::RunpodDialect;
use crate::recipe::RunpodMode;
use crate::recipe::RunpodPolicy;
use crate::recipe::RunpodSpec;
use crate::template::Filled;
use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use std::io;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

/// The host that keys are for.
pub const HOST: &str = "api.runpod.ai";

/// Where endpoints are, unless `RUNPOD_ENDPOINT_BASE_URL` says otherwise, as for RunPod's SDKs.
pub const DEFAULT_BASE: &str = "https://api.runpod.ai/v2";

const SHORTEST_POLL: Duration = Duration::from_millis(50);
const LONGEST_POLL: Duration = Duration::from_secs(2);

// All jobs that are waited for are asked about a hundred times a second together: half of what the
// API takes is left for whoever else uses the endpoint.
const SHARE_OF_POLLS: Duration = Duration::from_millis(10);

// How long `/runsync` holds the line. What takes longer is asked for like any other job; a run
// that is stopped does not wait longer than this for what it cannot take back.
const HOLD: Duration = Duration::from_secs(10);

/// The largest request that `spec` sends. RunPod documents 10 MB for `/run` (and enforces MiB)
/// and 20 MB for `/runsync`.
pub fn max_body(spec: &RunpodSpec) -> usize {
    spec.max_body.unwrap_or(match spec.mode {
        RunpodMode::Async => 10_000_000,
        RunpodMode::Sync => 20_000_000,
    })
}

// From so much of the largest body on, a 502 of the edge may be its way of refusing the size.
fn is_near_limit(mode: RunpodMode, size: usize) -> bool {
    size > match mode {
        RunpodMode::Async => 9_500_000,
        RunpodMode::Sync => 19_000_000,
    }
}

/// One endpoint of an account.
#[derive(Debug)]
pub struct Endpoint {
    server: Server,
    id: String,
    spec: RunpodSpec,
    submits: Pace,
    polls: Pace,
    cancels: Pace,
    // The largest body that may be sent; smaller once the server has refused one.
    most: AtomicUsize,
    // Jobs that are waited for.
    waiting: AtomicU32,
    // What the last jobs took, in milliseconds: the first poll of the next one is due then.
    usual: AtomicU64,
}

impl Endpoint {
    /// The endpoint `id` behind `access`.
    ///
    /// # Errors
    ///
    /// Of class `refused` where the address or the id is none, or the key would go astray.
    pub fn new(spec: &RunpodSpec, id: &str, access: &Access) -> Result<Self, Failure> {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
        if id.is_empty() || !id.chars().all(plain) {
            return Err(Failure::new(
                Class::Refused,
                format!("`{id}` is not the id of an endpoint"),
            ));
        }
        let server = Server::new(access, spec.request_timeout, spec.server.max_answer)?;
        // Calls in ten seconds and at once, as RunPod documents them for one endpoint.
        let submits = match spec.mode {
            RunpodMode::Async => Pace::new(200, 1000),
            RunpodMode::Sync => Pace::new(400, 2000),
        };
        Ok(Self {
            server,
            id: id.to_owned(),
            spec: spec.clone(),
            submits,
            polls: Pace::new(400, 2000),
            cancels: Pace::new(20, 100),
            most: AtomicUsize::new(max_body(spec)),
            waiting: AtomicU32::new(0),
            usual: AtomicU64::new(0),
        })
    }

    /// The host that gets the frames.
    pub fn host(&self) -> String {
        self.server.host()
    }

    /// The id of the endpoint.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The body of a job with `input`, which may not be empty: RunPod accepts such a job and
    /// loses it.
    ///
    /// # Errors
    ///
    /// Of class `refused` where the input is empty, `too-large` where the body is larger than the
    /// recipe allows, or as large as one that the server refused.
    pub fn body(&self, input: &Filled) -> Result<Bytes, Failure> {
        if input.is_empty() {
            let why = "the request has no fields; see `[backends.NAME.request]`";
            return Err(Failure::new(Class::Refused, why));
        }
        let most = self.most.load(Ordering::Relaxed);
        let mut body = Bounded {
            bytes: Vec::new(),
            most,
        };
        let policy = &self.spec.policy;
        let job = Body {
            input,
            policy: (!policy.is_empty()).then_some(policy),
        };
        match serde_json::to_writer(&mut body, &job) {
            Ok(()) => Ok(body.bytes.into()),
            Err(error) if error.is_io() => {
                let why = format!("the request is larger than {most} bytes");
                Err(Failure::new(Class::TooLarge, why))
            }
            Err(error) => {
                let why = format!("the request of the recipe is no JSON: {error}");
                Err(Failure::new(Class::Refused, why))
            }
        }
    }

    /// The head of a job, for people; what is shown as fields is its `input`.
    pub fn show(&self) -> String {
        let path = self.path(match self.spec.mode {
            RunpodMode::Async => "run",
            RunpodMode::Sync => "runsync",
        });
        let url = self.server.address(&path, &[]).unwrap_or(path);
        let key = match self.server.has_key() {
            true => "authorization: Bearer (the key)\n",
            false => "",
        };
        format!("POST {url}, as its `input`\n{key}content-type: application/json\n")
    }

    /// Submits a job and notes in `exchange` what is told of it.
    ///
    /// # Errors
    ///
    /// Where it was not accepted, or failed at once. After one of class `network` it may have
    /// been: the API has no way to ask.
    pub async fn submit(
        &self,
        body: Bytes,
        exchange: &mut Exchange,
    ) -> Result<Submission, Failure> {
        let size = body.len();
        exchange.sent = size as u64;
        let submitted = self.send(body, exchange).await;
        if submitted
            .as_ref()
            .is_err_and(|failure| failure.class == Class::TooLarge)
        {
            self.most
                .fetch_min(size.saturating_sub(1), Ordering::Relaxed);
        }
        submitted
    }

    async fn send(&self, body: Bytes, exchange: &mut Exchange) -> Result<Submission, Failure> {
        let is_near_limit = is_near_limit(self.spec.mode, body.len());
        let submitted = |reply| Job::submitted(reply, is_near_limit);
        match self.spec.mode {
            RunpodMode::Async => {
                let path = self.path("run");
                let reply = self.submits.keep(self.server.post(&path, body)).await?;
                Ok(Submission::Ticket(submitted(&reply)?.id()?.into()))
            }
            RunpodMode::Sync => {
                let path = self.path(&format!("runsync?wait={}", HOLD.as_millis()));
                // The dev server runs the job before it answers, however long that takes.
                let longer = HOLD.max(match self.spec.dialect {
                    RunpodDialect::Cloud => HOLD,
                    RunpodDialect::DevServer => self.spec.execution_timeout,
                });
                let reply = self.server.post_and_wait(&path, body, longer);
                let job = submitted(&self.submits.keep(reply).await?)?;
                self.note(&job, exchange);
                let id = job.id();
                match job.state()? {
                    State::Done(output) => Ok(Submission::Output(output)),
                    State::Queued | State::Running => Ok(Submission::Ticket(id?.into())),
                }
            }
        }
    }

    /// Waits for the output of a job and notes in `exchange` what is told of it. What goes wrong on the way is tried again here, since the
    /// answer can still be fetched; a failure means that it cannot.
    ///
    /// # Errors
    ///
    /// Of class `lost` where the job may be submitted anew, `out-of-memory` where it may be
    /// halved.
    pub async fn wait(&self, ticket: &Ticket, exchange: &mut Exchange) -> Result<Value, Failure> {
        let _one_more = Waiting::of(&self.waiting);
        let submitted = Instant::now();
        let mut running_since = None;
        // From one poll's sending to the next one's: a line with a long way loses no time to both.
        let mut due = submitted + self.usual().max(SHORTEST_POLL);
        loop {
            tokio::time::sleep_until(due).await;
            due = Instant::now() + self.interval();
            let job = self.ask(ticket).await;
            if let Ok(job) = &job {
                self.note(job, exchange);
            }
            match job.and_then(Job::state) {
                Ok(State::Done(output)) => return Ok(output),
                Ok(State::Queued) => {
                    if submitted.elapsed() > self.spec.queue_timeout {
                        return Err(self.stuck(ticket).await);
                    }
                }
                Ok(State::Running) => {
                    let since = *running_since.get_or_insert_with(Instant::now);
                    if since.elapsed() > self.spec.execution_timeout {
                        self.cancel(ticket).await;
                        let seconds = self.spec.execution_timeout.as_secs_f64();
                        let why = format!(
                            "the worker was not done in {seconds} s; see `execution_timeout`"
                        );
                        return Err(Failure::new(Class::TimedOut, why));
                    }
                }
                Err(failure) => {
                    let left = self.patience().saturating_sub(submitted.elapsed());
                    if !may_pass(&failure) || left.is_zero() {
                        return Err(failure);
                    }
                    let pause = failure.retry_after.unwrap_or(LONGEST_POLL / 4);
                    due = Instant::now() + pause.min(left);
                }
            }
        }
    }

    /// How its workers and its queue are.
    ///
    /// # Errors
    ///
    /// Where it is not reached, the key is not accepted, or the answer is not one of the API.
    pub async fn health(&self) -> Result<Health, Failure> {
        let reply = self.server.get(&self.path("health")).await?;
        // What refuses a job refuses this.
        Job::submitted(&reply, false)?;
        serde_json::from_slice(&reply.body)
            .map_err(|_| Failure::new(Class::BadAnswer, "its health cannot be read"))
    }

    /// Takes a job back; gives whether the server did. With `running` false only a job that no
    /// worker has taken.
    pub async fn withdraw(&self, ticket: &Ticket, running: bool) -> bool {
        let queued = || async {
            matches!(
                self.ask(ticket).await.and_then(Job::state),
                Ok(State::Queued)
            )
        };
        (running || queued().await) && self.cancel(ticket).await
    }

    async fn cancel(&self, ticket: &Ticket) -> bool {
        let path = self.path(&format!("cancel/{ticket}"));
        let reply = self.server.post(&path, Bytes::from_static(b"{}"));
        let reply = self.cancels.keep(reply).await;
        reply.is_ok_and(|Reply { status, .. }| (200..300).contains(&status))
    }

    async fn ask(&self, ticket: &Ticket) -> Result<Job, Failure> {
        let path = self.path(&format!("status/{ticket}"));
        let reply = match self.spec.dialect {
            RunpodDialect::Cloud => self.polls.keep(self.server.get(&path)).await,
            // It runs the job when it is asked for it, before it answers.
            RunpodDialect::DevServer => {
                let (nothing, longer) = (Bytes::from_static(b"{}"), self.spec.execution_timeout);
                self.server.post_and_wait(&path, nothing, longer).await
            }
        };
        Job::asked(&reply?)
    }

    async fn stuck(&self, ticket: &Ticket) -> Failure {
        self.cancel(ticket).await;
        let reply = self.server.get(&self.path("health")).await.ok();
        let (class, why) = health::stuck(reply.as_ref().map(|reply| &*reply.body));
        let seconds = self.spec.queue_timeout.as_secs_f64();
        let message = format!(
            "no worker of {} took the job in {seconds} s: {why}",
            self.id
        );
        Failure::new(class, message)
    }

    // The longest that an answer is asked for.
    fn patience(&self) -> Duration {
        self.spec.queue_timeout + self.spec.execution_timeout
    }

    fn usual(&self) -> Duration {
        Duration::from_millis(self.usual.load(Ordering::Relaxed)).min(LONGEST_POLL)
    }

    // From one poll of a job to the next: a quarter of what jobs take, less often where many are
    // waited for.
    fn interval(&self) -> Duration {
        let share = SHARE_OF_POLLS * self.waiting.load(Ordering::Relaxed);
        (self.usual() / 4)
            .clamp(SHORTEST_POLL, LONGEST_POLL)
            .max(share)
    }

    // The last word on each counts: after a retry by the platform it is about the final attempt.
    fn note(&self, job: &Job, exchange: &mut Exchange) {
        self.learn(job.execution());
        exchange.queued = job.delay().or(exchange.queued);
        exchange.executed = job.execution().or(exchange.executed);
        if let Some(worker) = job.worker() {
            exchange.worker = Some(worker);
        }
    }

    // A quarter of the news: one slow job does not slow the polls of the next ones down.
    fn learn(&self, execution: Option<Duration>) {
        let Some(news) = execution.map(|time| time.as_millis() as u64) else {
            return;
        };
        let old = self.usual.load(Ordering::Relaxed);
        let usual = if old == 0 {
            news
        } else {
            old / 4 * 3 + news / 4
        };
        self.usual.store(usual, Ordering::Relaxed);
    }

    fn path(&self, call: &str) -> String {
        match self.spec.dialect {
            RunpodDialect::Cloud => format!("{}/{call}", self.id),
            RunpodDialect::DevServer => call.to_owned(),
        }
    }
}

#[derive(Serialize)]
struct Body<'a> {
    input: &'a Filled,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a RunpodPolicy>,
}

// Takes so many bytes and no more.
struct Bounded {
    bytes: Vec<u8>,
    most: usize,
}

impl io::Write for Bounded {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + part.len() > self.most {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

// A job that is lost is not found again; the line and a busy server are.
fn may_pass(failure: &Failure) -> bool {
    failure.class != Class::Lost && failure.class.verdict() == Verdict::Retry
}

// Counts one job while it is waited for.
struct Waiting<'a>(&'a AtomicU32);

impl<'a> Waiting<'a> {
    fn of(count: &'a AtomicU32) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
