//! A worker for as long as this process is not asked to end.

use crate::app::AppError;
use crate::app::Interrupts;
use crate::failure::Failure;
use crate::serve::handler::Handler;
use crate::serve::worker::note::Notes;
use crate::serve::worker::settings::WorkerSettings;
use crate::serve::worker::worker::Worker;
use std::sync::Arc;
use tokio::runtime::Builder;

/// Does jobs by `handler` until the process is asked to end, by Ctrl-C or otherwise: what it has by
/// then is done and delivered. Asked twice, it ends without that.
///
/// # Errors
///
/// Where the control plane cannot be reached at all, or this machine gives no threads.
pub fn work(
    settings: &WorkerSettings,
    handler: Arc<dyn Handler>,
    notes: Notes,
) -> Result<(), AppError> {
    let worker = Worker::new(settings, handler, notes).map_err(unusable)?;
    let interrupts = Interrupts::listen()?;
    // Pings go on whatever each of the handlers does with its thread.
    let runtime = Builder::new_multi_thread()
        .worker_threads(settings.slots + 2)
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| AppError::environment(&error))?;
    runtime.block_on(worker.run(interrupts.asked()));
    // The work on a job that was stopped may go on for a while on a thread of its own.
    runtime.shutdown_background();
    Ok(())
}

fn unusable(failure: Failure) -> AppError {
    AppError::Request {
        message: format!("the control plane cannot be used: {}", failure.message),
        help: Some("look at the variables RUNPOD_WEBHOOK_... of this container".to_owned()),
    }
}
