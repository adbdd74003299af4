//! A job: what is asked of a worker, what the worker tells while it is at work, and why there is no output.
//!
//! Does not know how jobs come, or what is done for one.

use serde_json::Value;
use tokio::sync::mpsc;

/// How many updates may wait to be delivered before the handler waits.
const WAITING: usize = 16;

/// What is asked of a worker.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// The name that the job has where it comes from; opaque.
    pub id: String,
    /// The `input` of the request: an object that has keys.
    pub input: Value,
}

/// What a handler tells before its output is there.
#[derive(Clone, Debug, PartialEq)]
pub enum Update {
    /// How far it is: what a status shows as `output` while the job runs.
    Progress(Value),
    /// A part of the output of a job that is streamed.
    Chunk(Value),
}

/// Where a handler tells its updates, in order.
#[derive(Clone, Debug)]
pub struct Updates(mpsc::Sender<Update>);

impl Updates {
    /// A pair: what a handler tells, and where it is heard. All updates have come when the receiver ends.
    pub fn pair() -> (Self, mpsc::Receiver<Update>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self(sender), receiver)
    }

    /// Tells `update`, after a wait where too many wait to be delivered. Where nobody hears it, it is dropped.
    pub async fn tell(&self, update: Update) {
        let heard = self.0.send(update).await;
        if heard.is_err() {
            tracing::debug!("an update of a job that nobody waits for");
        }
    }
}

/// Why a job has no output: one sentence for whoever asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct JobError(pub String);
