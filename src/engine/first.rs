//! The first request of a step: it goes alone, so that nothing more is paid before it is known
//! that its answer can be read.

use crate::engine::stop::StopSignal;
use crate::failure::Failure;
use crate::plan::LONGEST_ALONE;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;

/// Who may go before the first answer is there; closed from then on.
pub(super) struct FirstRequest(Arc<Semaphore>);

/// The right to go alone; another has it when this is dropped.
pub(super) struct Alone(#[expect(dead_code, reason = "held")] OwnedSemaphorePermit);

impl FirstRequest {
    /// Where `alone`, one request at a time until the first is answered.
    pub(super) fn new(alone: bool) -> Self {
        let first = Self(Arc::new(Semaphore::new(1)));
        if !alone {
            first.answered();
        }
        first
    }

    /// Waits for a turn; `None` where all may go.
    ///
    /// # Errors
    ///
    /// Where the run is stopped meanwhile.
    pub(super) async fn turn(&self, stop: &StopSignal) -> Result<Option<Alone>, Failure> {
        tokio::select! {
            biased;
            () = stop.stopping() => Err(stop.failure()),
            turn = Arc::clone(&self.0).acquire_owned() => Ok(turn.ok().map(Alone)),
        }
    }

    /// Waits for the answer to a request that goes `alone`, for some time in which no other goes.
    pub(super) async fn wait<T>(
        &self,
        alone: Option<&Alone>,
        answer: impl Future<Output = T>,
    ) -> T {
        if alone.is_none() {
            return answer.await;
        }
        let mut answer = std::pin::pin!(answer);
        tokio::select! {
            biased;
            answer = &mut answer => return answer,
            () = tokio::time::sleep(LONGEST_ALONE) => self.answered(),
        }
        answer.await
    }

    /// From now on all may go.
    pub(super) fn answered(&self) {
        self.0.close();
    }
}
