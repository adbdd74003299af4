//! An endpoint: what is sent to it, and what comes of that at once.

use super::health::Health;
use super::issued::IssuedIds;
use super::outcome::JobState;
use super::outcome::JobStatus;
use super::outcome::StatusError;
use super::polling::Polling;
use super::rate_limit::EndpointLimits;
use super::rate_limit::RateLimits;
use crate::backends::remote::submission::Submission;
use crate::backends::transport::access::Access;
use crate::backends::transport::access::Route;
use crate::backends::transport::http::Server;
use crate::backends::transport::json;
use crate::backends::transport::redaction::Redaction;
use crate::exchange::Exchange;
use crate::failure::Class;
use crate::failure::Failure;
use crate::recipe::RunpodDialect;
use crate::recipe::RunpodMode;
use crate::recipe::RunpodPolicy;
use crate::recipe::RunpodSpec;
use crate::template::Filled;
use bytes::Bytes;
use serde::Serialize;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The host that keys are for.
pub const HOST: &str = "api.runpod.ai";

/// Where endpoints are, unless `RUNPOD_ENDPOINT_BASE_URL` says otherwise, as for RunPod's SDKs.
pub const DEFAULT_BASE: &str = "https://api.runpod.ai/v2";

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
    pub(super) server: Server,
    id: String,
    // How the id is shown, where it is not shown itself.
    shown: Option<String>,
    pub(super) spec: RunpodSpec,
    pub(super) limits: Arc<EndpointLimits>,
    // The largest body that may be sent; smaller once the server has refused one.
    most: AtomicUsize,
    pub(super) issued: IssuedIds,
    pub(super) polling: Polling,
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
                "the id of an endpoint has letters, digits, `-` and `_` only",
            ));
        }
        let server = Server::new(access, spec.request_timeout, spec.server.max_answer)?;
        Ok(Self {
            server,
            id: id.to_owned(),
            shown: None,
            spec: spec.clone(),
            limits: Arc::default(),
            most: AtomicUsize::new(max_body(spec)),
            issued: IssuedIds::default(),
            polling: Polling::default(),
        })
    }

    /// The same endpoint, where `issued` holds the ids of all jobs of the run, and `limits` those
    /// of all its endpoints.
    pub fn sharing(mut self, issued: &IssuedIds, limits: &RateLimits) -> Self {
        self.issued = issued.clone();
        self.limits = limits.of(&self.host(), &self.id);
        self
    }

    /// The same endpoint, whose id is shown as `shown`.
    pub fn showing(mut self, shown: Option<String>) -> Self {
        self.shown = shown;
        self
    }

    /// How it is reached.
    pub fn route(&self) -> Route {
        self.server.route()
    }

    /// Takes the keys of the run out of what is told and kept of its answers.
    pub fn redaction(&self) -> &Redaction {
        self.server.redaction()
    }

    /// The host that gets the frames.
    pub fn host(&self) -> String {
        self.server.host()
    }

    /// The id of the endpoint, as it is shown.
    pub fn id(&self) -> &str {
        self.shown.as_deref().unwrap_or(&self.id)
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

    fn fits(&self, size: usize) -> Result<(), Failure> {
        let most = self.most.load(Ordering::Relaxed);
        match size <= most {
            true => Ok(()),
            false => {
                let why = format!("the request is larger than {most} bytes");
                Err(Failure::new(Class::TooLarge, why))
            }
        }
    }

    /// The head of a job, for people; what is shown as fields is its `input`.
    pub fn show(&self) -> String {
        let path = self.path(match self.spec.mode {
            RunpodMode::Async => "run",
            RunpodMode::Sync => "runsync",
        });
        let url = self.shown_address(&path);
        let key = match self.server.has_key() {
            true => "authorization: Bearer (the key)\n",
            false => "",
        };
        format!("POST {url}, as its `input`\n{key}content-type: application/json\n")
    }

    /// Where its jobs are, without the key.
    pub fn address(&self) -> String {
        let path = self.path("status");
        self.server.place(&path, self.shown_address(&path))
    }

    fn shown_address(&self, path: &str) -> String {
        let url = self.server.address(path, &[]).unwrap_or_default();
        let segment = |id: &str| format!("/{id}/");
        url.replace(&segment(&self.id), &segment(self.id()))
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
        // Another one of this size may have been refused since the body was made.
        self.fits(size)?;
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
        let reply = match self.spec.mode {
            RunpodMode::Async => {
                let path = self.path("run");
                self.limits.runs.run(self.server.post(&path, body)).await?
            }
            RunpodMode::Sync => {
                let path = self.path(&format!("runsync?wait={}", HOLD.as_millis()));
                // The dev server runs the job before it answers, however long that takes.
                let longer = HOLD.max(match self.spec.dialect {
                    RunpodDialect::Cloud => HOLD,
                    RunpodDialect::DevServer => self.spec.execution_timeout,
                });
                let reply = self.server.post_and_wait(&path, body, longer);
                self.limits.sync_runs.run(reply).await?
            }
        };
        let job = JobStatus::submitted(&reply, is_near_limit, &self.spec.api_key_env)?;
        self.note(&job, exchange);
        let id = job.id();
        let is_ticket = self.spec.mode == RunpodMode::Async && id.is_ok();
        match job.state() {
            // It answers this request and no other, so it needs no id.
            Ok(JobState::Done(output)) if !is_ticket => {
                if let Ok(id) = &id {
                    self.issued.answered(id);
                }
                Ok(Submission::Output(output))
            }
            Err(StatusError::Failed(failure)) if !is_ticket => Err(failure),
            _ => Ok(Submission::Ticket(self.issued.issue(id?)?)),
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
        JobStatus::submitted(&reply, false, &self.spec.api_key_env)?;
        let health = json::parse(&reply.body).ok();
        health
            .and_then(|health| serde_json::from_value(health).ok())
            .ok_or_else(|| Failure::new(Class::BadAnswer, "its health cannot be read"))
    }

    // The last word on each counts: after a retry by the platform it is about the final attempt.
    pub(super) fn note(&self, job: &JobStatus, exchange: &mut Exchange) {
        if let Some(execution) = job.execution() {
            self.polling.learn(execution);
        }
        exchange.queued = job.delay().or(exchange.queued);
        exchange.executed = job.execution().or(exchange.executed);
        exchange.worker = job.attempt().worker.or(exchange.worker.take());
    }

    pub(super) fn path(&self, call: &str) -> String {
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
