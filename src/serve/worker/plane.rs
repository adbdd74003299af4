//! The control plane, as a worker calls it: one function for each call of the protocol.
//!
//! Knows addresses, headers and statuses. Waits for nothing and tries nothing again.

use crate::backends::transport::access::Access;
use crate::backends::transport::access::Shared;
use crate::backends::transport::http::OutgoingRequest;
use crate::backends::transport::http::Server;
use crate::backends::transport::reply::Reply;
use crate::failure::Class;
use crate::failure::Failure;
use crate::serve::worker::address::AddressTemplate;
use crate::serve::worker::message;
use crate::serve::worker::message::HandedJob;
use crate::serve::worker::settings::ID_NAME;
use crate::serve::worker::settings::WorkerSettings;
use bytes::Bytes;
use std::time::Duration;

/// The most bytes of a job: RunPod takes requests of 20 MiB, and what is around the input is little.
const LARGEST_JOB: usize = 24 << 20;

/// The most jobs of one call, since all of them are in memory at once.
pub(super) const MOST_JOBS: usize = 4;

/// The most bytes of every other answer.
const LARGEST_REPLY: usize = 256 << 10;

/// The longest pause that is heeded: a worker that is paid does not sleep for longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How a call is told to be of this program.
const AGENT: &str = concat!("vpipe/", env!("CARGO_PKG_VERSION"));

/// The calls of one worker.
#[derive(Debug)]
pub(super) struct ControlPlane {
    take: Line,
    take_many: Option<Line>,
    stop: Option<Line>,
    ping: Line,
    done: Line,
    stream: Option<Line>,
    refused: Duration,
}

/// What came of a question for jobs.
#[derive(Debug, PartialEq)]
pub(super) enum Taken {
    /// These, and so many without an id that can be used.
    Jobs(Vec<HandedJob>, usize),
    /// There is none.
    Nothing,
}

/// What a control plane did with an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Posted {
    /// It took it.
    Taken,
    /// It takes no such answer; what it says, which may be nothing.
    Refused(String),
    /// The answer is too large.
    TooLarge,
    /// It knows no such job any more.
    Gone,
}

// Where one kind of call goes.
#[derive(Debug)]
struct Line {
    server: Server,
    address: AddressTemplate,
}

impl ControlPlane {
    /// The one of `settings`.
    ///
    /// # Errors
    ///
    /// Where an address is none, or the key would go to another host without encryption by way of
    /// a proxy.
    pub(super) fn new(settings: &WorkerSettings) -> Result<Self, Failure> {
        let (plane, pace) = (&settings.plane, &settings.pace);
        let shared = Shared::default();
        let line = |address: AddressTemplate, timeout, most| -> Result<Line, Failure> {
            let access = Access {
                base: address.origin.clone(),
                shown: None,
                key: Some(plane.key.clone()),
                // The environment of the container is trusted: the key is for whom it names.
                key_host: "",
                allowed: vec![address.host()],
                from_recipe: false,
                shared: shared.clone(),
            };
            let server = Server::new(&access, timeout, most)?;
            Ok(Line { server, address })
        };
        let sibling = |call, most| {
            let address = plane.take.sibling(call);
            let line = address.map(|address| line(address, pace.poll, most));
            line.transpose()
        };
        let stream = plane.stream.clone();
        Ok(Self {
            take: line(plane.take.clone(), pace.poll, LARGEST_JOB)?,
            take_many: sibling("/job-take-batch/", MOST_JOBS * LARGEST_JOB)?,
            stop: sibling("/job-stop/", LARGEST_REPLY)?,
            // The next one is due then.
            ping: line(plane.ping.clone(), plane.interval, LARGEST_REPLY)?,
            done: line(plane.done.clone(), pace.post, LARGEST_REPLY)?,
            stream: stream
                .map(|address| line(address, pace.post, LARGEST_REPLY))
                .transpose()?,
            refused: pace.refused,
        })
    }

    /// Takes at most `count` jobs. The control plane may hold the question open.
    ///
    /// # Errors
    ///
    /// Where it does not answer, or as nothing that is known.
    pub(super) async fn take(&self, count: usize, is_busy: bool) -> Result<Taken, Failure> {
        let in_progress = ("job_in_progress", if is_busy { "1" } else { "0" });
        let size = count.to_string();
        let reply = match &self.take_many {
            Some(line) if count > 1 => {
                let more = [("batch_size", size.as_str()), in_progress];
                line.get(&more).await?
            }
            _ => self.take.get(&[in_progress]).await?,
        };
        match reply.status {
            // RunPod answers so while it wakes a worker.
            204 | 400 => return Ok(Taken::Nothing),
            200 => {}
            _ => return Err(self.unexpected(&reply)),
        }
        if reply.body.is_empty() {
            return Ok(Taken::Nothing);
        }
        let is_json = reply.media_type.as_deref();
        if !is_json.is_some_and(|it| it.starts_with("application/json")) {
            return Err(self.unexpected(&reply));
        }
        let (jobs, nameless) = message::handed_out(&reply.body).map_err(|why| {
            Failure::new(
                Class::BadAnswer,
                format!("what was handed out is no job: {why}"),
            )
        })?;
        Ok(Taken::Jobs(jobs, nameless))
    }

    /// Whether the control plane can tell which jobs are stopped.
    pub(super) fn tells_stops(&self) -> bool {
        self.stop.is_some()
    }

    /// The jobs that nobody wants any more. The control plane may hold the question open.
    ///
    /// # Errors
    ///
    /// As [`ControlPlane::take`].
    pub(super) async fn stopped(&self) -> Result<Vec<String>, Failure> {
        let Some(line) = &self.stop else {
            return Ok(Vec::new());
        };
        let reply = line.get(&[]).await?;
        match reply.status {
            200 => Ok(message::stopped(&reply.body)),
            204 => Ok(Vec::new()),
            _ => Err(self.unexpected(&reply)),
        }
    }

    /// Says which jobs this worker holds.
    ///
    /// # Errors
    ///
    /// Where it was not heard.
    pub(super) async fn ping(&self, jobs: &[String]) -> Result<(), Failure> {
        let jobs = jobs.join(",");
        let held = [("job_id", jobs.as_str())];
        let more = if jobs.is_empty() { &[][..] } else { &held };
        let reply = self.ping.get(more).await?;
        match reply.status {
            200..300 => Ok(()),
            _ => Err(self.unexpected(&reply)),
        }
    }

    /// Delivers the answer of a job, or how far it is.
    ///
    /// # Errors
    ///
    /// Where it may be taken at another attempt.
    pub(super) async fn done(
        &self,
        job: &str,
        body: Bytes,
        is_stream: bool,
    ) -> Result<Posted, Failure> {
        self.post(&self.done, job, body, is_stream).await
    }

    /// Delivers a part of an answer, where parts are taken.
    ///
    /// # Errors
    ///
    /// As [`ControlPlane::done`].
    pub(super) async fn chunk(&self, job: &str, body: Bytes) -> Result<Posted, Failure> {
        match &self.stream {
            Some(line) => self.post(line, job, body, false).await,
            None => Ok(Posted::Taken),
        }
    }

    /// Whether parts of answers are taken.
    pub(super) fn takes_chunks(&self) -> bool {
        self.stream.is_some()
    }

    async fn post(
        &self,
        line: &Line,
        job: &str,
        body: Bytes,
        is_stream: bool,
    ) -> Result<Posted, Failure> {
        let flag = if is_stream { "true" } else { "false" };
        let address = line.address.with(ID_NAME, job);
        let path = address.path(&[("isStream", flag)]);
        // What RunPod's own workers call the body, which is JSON.
        let kind = "application/x-www-form-urlencoded";
        let headers = [("x-request-id", job), ("charset", "utf-8")];
        let reply = line.send("POST", &path, kind, &headers, body).await?;
        match reply.status {
            200..300 => Ok(Posted::Taken),
            400 | 422 => Ok(Posted::Refused(reply.excerpt())),
            413 => Ok(Posted::TooLarge),
            404 | 410 => Ok(Posted::Gone),
            _ => Err(self.unexpected(&reply)),
        }
    }

    // What it answers is nothing that a worker waits for.
    fn unexpected(&self, reply: &Reply) -> Failure {
        let (status, said) = (reply.status, reply.said());
        let message = format!("the control plane answers with HTTP {status}{said}");
        let failure = match status {
            429 => Failure::new(Class::Busy, message),
            401 | 403 => Failure::new(
                Class::Refused,
                format!("{message}; it does not take the key in RUNPOD_AI_API_KEY"),
            ),
            _ => Failure::new(Class::ServerError, message),
        };
        let usual = (status == 429).then_some(self.refused);
        match reply.retry_after.or(usual) {
            Some(pause) => failure.retry_after(pause.min(LONGEST_PAUSE)),
            None => failure,
        }
    }
}

impl Line {
    async fn get(&self, more: &[(&str, &str)]) -> Result<Reply, Failure> {
        let path = self.address.path(more);
        self.send("GET", &path, "application/json", &[], Bytes::new())
            .await
    }

    async fn send(
        &self,
        method: &'static str,
        path: &str,
        content_type: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Reply, Failure> {
        let own = [("user-agent", AGENT)];
        let headers = own.iter().chain(headers);
        let headers = headers.map(|&(name, value)| (name.to_owned(), value.to_owned()));
        let headers: Vec<(String, String)> = headers.collect();
        self.server
            .send(&OutgoingRequest {
                method,
                path,
                query: &[],
                headers: &headers,
                content_type,
                // The key as it is, and not as a bearer token.
                key_header: Some("authorization"),
                body,
            })
            .await
    }
}
