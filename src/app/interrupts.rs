//! Interrupts: whether what is no run, a verb or a server, was asked to end.

use crate::app::error::AppError;
use crate::app::run::signals;
use crate::engine::StopSignal;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio::runtime::Builder;
use tokio::runtime::Runtime;

/// Whether the process was asked to end.
pub struct Interrupts {
    stop: StopSignal,
    _listener: Runtime,
}

impl Interrupts {
    /// Listens from now on.
    ///
    /// # Errors
    ///
    /// Where this machine gives no thread for it.
    pub fn listen() -> Result<Self, AppError> {
        let stop = StopSignal::default();
        let listener = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        let listener = listener.map_err(|error| AppError::environment(&error))?;
        listener.spawn(signals::stop_on_signals(stop.clone()));
        Ok(Self {
            stop,
            _listener: listener,
        })
    }

    /// Whether it was.
    pub(super) fn came(&self) -> bool {
        self.stop.reason().is_some()
    }

    /// Waits until it was.
    pub async fn asked(&self) {
        self.stop.stopping().await;
    }

    /// A flag that is up once it was.
    pub(super) fn flag(&self) -> Arc<AtomicBool> {
        self.stop.flag()
    }
}
