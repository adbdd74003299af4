//! The service: what all routes share.

use crate::serve::Handler;
use crate::serve::handlers::Handlers;
use crate::serve::http::connections::Connections;
use crate::serve::http::jobs::JobStore;
use crate::serve::http::jobs::Refused;
use crate::serve::http::key::Access;
use crate::serve::http::refusal::Refusal;
use crate::serve::http::requests::Requests;
use std::fmt;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use tokio::sync::Semaphore;
use tokio::sync::SemaphorePermit;

/// What all routes share.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) jobs: Arc<JobStore>,
    /// Jobs that are done at once.
    pub(super) slots: usize,
    pub(super) access: Access,
    pub(super) connections: Connections,
    pub(super) requests: Requests,
    /// What does the work, once it is loaded.
    pub(super) loaded: OnceLock<Loaded>,
    /// Whether no request is begun any more that is no job.
    pub(super) closed: AtomicBool,
    /// Places of requests that are no jobs.
    pub(super) places: Semaphore,
    /// How many of those there are.
    pub(super) most_requests: usize,
}

/// What does the work of a server.
#[derive(Clone)]
pub struct Loaded {
    /// Does its jobs.
    pub handler: Arc<dyn Handler>,
    /// Transcribes for OpenAI's routes, where those are served.
    pub handlers: Option<Arc<Handlers>>,
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Loaded")
    }
}

impl Service {
    /// Whether jobs are being done.
    pub(super) fn is_ready(&self) -> bool {
        self.loaded.get().is_some()
    }

    /// The models of this machine, where they are loaded.
    pub(super) fn handlers(&self) -> Option<&Handlers> {
        self.loaded.get()?.handlers.as_deref()
    }

    /// A place for a request that is no job, as many as jobs may wait.
    pub(super) fn enter(&self) -> Result<SemaphorePermit<'_>, Refusal> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Refused::Closed.into());
        }
        self.places.try_acquire().map_err(|_| Refused::Full.into())
    }

    /// Takes nothing more on.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.jobs.close();
    }

    /// Whether nothing is at work.
    pub(super) fn is_at_rest(&self) -> bool {
        self.jobs.is_at_rest() && self.places.available_permits() == self.most_requests
    }
}
