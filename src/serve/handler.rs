//! What does a job. Does not know who asks.

use crate::serve::job::Job;
use crate::serve::job::JobError;
use crate::serve::job::Updates;
use serde_json::Value;
use std::pin::Pin;

/// The work on one job.
pub type HandlerFuture<'a> = Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send + 'a>>;

/// What does jobs. Several are done at once where their futures are polled at once.
pub trait Handler: Send + Sync + 'static {
    /// Does `job`, and gives its output. A future that is dropped before its end is a job that was
    /// stopped: nobody wants its output any more.
    fn handle<'a>(&'a self, job: &'a Job, updates: Updates) -> HandlerFuture<'a>;

    /// Whether the output of `job` is told in parts, as [`Update::Chunk`](crate::serve::Update::Chunk).
    fn streams(&self, job: &Job) -> bool;
}
