//! A worker for as long as this process is not asked to end.

use crate::app::AppError;
use crate::app::Interrupts;
use crate::failure::Failure;
use crate::serve::handlers::Handlers;
use crate::serve::handlers::ModelOptions;
use crate::serve::handlers::Tell;
use crate::serve::worker::note::NoteLevel;
use crate::serve::worker::note::Notes;
use crate::serve::worker::plane::ControlPlane;
use crate::serve::worker::settings::WorkerSettings;
use crate::serve::worker::worker::Worker;
use std::sync::Arc;
use tokio::runtime::Builder;

/// Does jobs by `models` until the process is asked to end, by Ctrl-C or otherwise: what it has by
/// then is done and delivered. Asked twice, it ends without that.
///
/// # Errors
///
/// Where the address of the control plane is none, or a model cannot be loaded.
pub fn work(
    settings: &WorkerSettings,
    models: &ModelOptions,
    notes: &Notes,
) -> Result<(), AppError> {
    // What is wrong with it is told before models are loaded, which takes its time.
    let plane = ControlPlane::new(settings).map_err(|failure| unusable(&failure))?;
    let told = notes.clone();
    let tell: Tell = Arc::new(move |line: &str| told.tell(NoteLevel::Info, line));
    let handlers = Handlers::load(models, &tell)?;
    let worker = Worker::at(plane, settings, Arc::new(handlers), notes.clone());
    let interrupts = Interrupts::listen()?;
    // Models have threads of their own; pings go on whatever a job makes of its own.
    let runtime = Builder::new_multi_thread()
        .worker_threads(settings.slots + 2)
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| AppError::environment(&error))?;
    let name = &settings.plane.worker;
    notes.tell(NoteLevel::Info, format!("takes jobs as {name}"));
    runtime.block_on(worker.run(interrupts.asked()));
    // The work on a job that was stopped may go on for a while on a thread of its own.
    runtime.shutdown_background();
    notes.tell(NoteLevel::Info, "ended");
    Ok(())
}

fn unusable(failure: &Failure) -> AppError {
    AppError::Request {
        message: format!("the control plane cannot be used: {}", failure.message),
        help: Some("look at the variables RUNPOD_WEBHOOK_... of this container".to_owned()),
    }
}
