//! One job of the server's: where it is, and what is said of that.

use super::memory::Held;
use super::memory::Reservation;
use super::policy::Policy;
use crate::serve::Job;
use bytes::Bytes;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::sync::watch;
use tokio::time::Instant;

/// What is known of a job.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: String,
    /// What was asked, with the memory that it takes; kept while it may have to be done again.
    pub(super) asked: Option<(Arc<Job>, Reservation)>,
    /// The frames in it.
    pub(super) frames: u64,
    pub(super) policy: Policy,
    /// How long it is known after its end.
    pub(super) keep: Duration,
    pub(super) submitted: Instant,
    /// When it came into the queue, for the last time.
    pub(super) queued: Instant,
    pub(super) retries: u64,
    pub(super) phase: Phase,
    pub(super) progress: Option<Held>,
    /// Parts of its output that nobody has asked for yet.
    pub(super) chunks: VecDeque<Held>,
    /// Whether somebody was told how it ended.
    pub(super) told: bool,
    /// Tells who waits that something has changed.
    pub(super) changed: watch::Sender<()>,
}

/// Where a job is.
#[derive(Debug)]
pub(super) enum Phase {
    Queued,
    Running(Execution),
    Ended(End),
}

/// A job that is at work; the work is stopped where this is dropped before its end.
#[derive(Debug)]
pub(super) struct Execution {
    pub(super) slot: usize,
    pub(super) begun: Instant,
    pub(super) _stop: oneshot::Sender<()>,
}

/// How a job ended.
#[derive(Debug)]
pub(super) struct End {
    pub(super) status: EndStatus,
    pub(super) at: Instant,
    /// Which slot worked on it, and from when, where one did.
    pub(super) work: Option<(usize, Instant)>,
    pub(super) output: Option<Held>,
    pub(super) error: Option<String>,
}

/// How a job may end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::serve::http) enum EndStatus {
    Completed,
    Failed,
    Cancelled,
    TimedOut,
}

impl EndStatus {
    /// As RunPod writes it.
    pub(in crate::serve::http) fn word(self) -> &'static str {
        match self {
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
            Self::TimedOut => "TIMED_OUT",
        }
    }
}

impl Entry {
    /// Whether it is to be forgotten.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        let end = self.end().map(|end| end.at + self.keep);
        now >= self.submitted + self.policy.life || end.is_some_and(|end| now >= end)
    }

    pub(super) fn end(&self) -> Option<&End> {
        match &self.phase {
            Phase::Ended(end) => Some(end),
            Phase::Queued | Phase::Running(_) => None,
        }
    }

    /// Where it is, as RunPod writes it.
    pub(super) fn status(&self) -> &'static str {
        match &self.phase {
            Phase::Queued => "IN_QUEUE",
            Phase::Running(_) => "IN_PROGRESS",
            Phase::Ended(end) => end.status.word(),
        }
    }

    /// What is said where somebody asks for it.
    pub(super) fn said(&self) -> Bytes {
        let mut fields = Map::new();
        fields.insert("id".to_owned(), json!(self.id));
        fields.insert("status".to_owned(), json!(self.status()));
        let work = match &self.phase {
            Phase::Queued => None,
            Phase::Running(execution) => Some((execution.slot, execution.begun)),
            Phase::Ended(end) => end.work,
        };
        if let Some((slot, begun)) = work {
            let delay = begun.saturating_duration_since(self.queued);
            fields.insert("delayTime".to_owned(), milliseconds(delay));
            if let Some(end) = self.end() {
                let execution = end.at.saturating_duration_since(begun);
                fields.insert("executionTime".to_owned(), milliseconds(execution));
            }
            fields.insert("workerId".to_owned(), json!(worker_id(slot)));
        }
        if self.retries > 0 {
            fields.insert("retries".to_owned(), json!(self.retries));
        }
        let mut output = self.progress.as_ref();
        if let Some(end) = self.end() {
            output = end.output.as_ref();
            if let Some(error) = &end.error {
                fields.insert("error".to_owned(), json!(error));
            }
        }
        let output = output.map(|output| ("output", output.text.clone()));
        with_text(fields, output)
    }

    /// The parts of its output that nobody has asked for yet, which are nobody's from now on.
    pub(super) fn streamed(&mut self) -> Bytes {
        let mut list = b"[".to_vec();
        for (at, chunk) in self.chunks.drain(..).enumerate() {
            list.extend_from_slice(if at > 0 { b"," } else { b"" });
            list.extend_from_slice(b"{\"output\":");
            list.extend_from_slice(&chunk.text);
            list.push(b'}');
        }
        list.push(b']');
        let mut fields = Map::new();
        fields.insert("status".to_owned(), json!(self.status()));
        with_text(fields, Some(("stream", list.into())))
    }
}

/// What a slot is called where a job says who did it.
fn worker_id(slot: usize) -> String {
    format!("vpipe-{slot}")
}

fn milliseconds(time: Duration) -> Value {
    json!(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

// An object of `fields`, the last of them being JSON already.
fn with_text(fields: Map<String, Value>, last: Option<(&str, Bytes)>) -> Bytes {
    let mut text = Value::Object(fields).to_string().into_bytes();
    if let Some((name, value)) = last {
        text.pop();
        text.extend_from_slice(format!(",\"{name}\":").as_bytes());
        text.extend_from_slice(&value);
        text.push(b'}');
    }
    text.into()
}
