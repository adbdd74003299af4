//! Permits: how many items a step, and all steps on a backend, may work on at once.

use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;

/// The permits that an item of a step needs.
#[derive(Clone)]
pub(super) struct Permits {
    step: Arc<Semaphore>,
    backend: Option<Arc<Semaphore>>,
}

/// The right to work on one item; given back when dropped.
pub(super) struct Permit {
    _step: Option<OwnedSemaphorePermit>,
    _backend: Option<OwnedSemaphorePermit>,
}

impl Permits {
    pub(super) fn new(limit: usize, backend: Option<Arc<Semaphore>>) -> Self {
        Self {
            step: Arc::new(Semaphore::new(limit)),
            backend,
        }
    }

    /// Waits for both permits, the step's first: all steps ask in this order, so none can hold
    /// what another waits for and wait for what it holds.
    pub(super) async fn acquire(&self) -> Permit {
        let step = Arc::clone(&self.step).acquire_owned().await.ok();
        let backend = match &self.backend {
            Some(backend) => Arc::clone(backend).acquire_owned().await.ok(),
            None => None,
        };
        Permit {
            _step: step,
            _backend: backend,
        }
    }
}
