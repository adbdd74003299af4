//! A server for as long as this process is not asked to end.

use crate::app::AppError;
use crate::app::Interrupts;
use crate::serve::handlers::Handlers;
use crate::serve::handlers::ModelOptions;
use crate::serve::handlers::Tell;
use crate::serve::http::server::HttpServer;
use crate::serve::http::server::ServeError;
use crate::serve::http::server::ServerOptions;
use crate::serve::http::service::Loaded;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::Arc;
use std::thread;
use tokio::runtime::Builder;
use tokio::task::spawn_blocking;

/// Threads that requests are read and answered on: models have threads of their own.
const MOST_THREADS: usize = 4;

/// Serves `models` until the process is asked to end, by Ctrl-C or otherwise: jobs that run by then are
/// finished. Asked twice, it ends without that. `listening` is told where it listens, `tell` what
/// whoever runs it should know.
///
/// # Errors
///
/// Where the address cannot be had or may not without a key, or a model cannot be loaded.
pub fn serve(
    options: &ServerOptions,
    models: ModelOptions,
    listening: impl FnOnce(SocketAddr),
    tell: &Tell,
) -> Result<(), AppError> {
    let interrupts = Interrupts::listen()?;
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let runtime = Builder::new_multi_thread()
        .worker_threads(cores.clamp(2, MOST_THREADS))
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| AppError::environment(&error))?;
    let served = runtime.block_on(async {
        let server = HttpServer::bind(options)
            .await
            .map_err(|error| unheard(&error))?;
        listening(server.address());
        let load = async {
            let told = Arc::clone(tell);
            let handlers = spawn_blocking(move || Handlers::load(&models, &told)).await;
            let handlers = handlers.map_err(|error| AppError::environment(&error))?;
            let handlers = Arc::new(handlers?);
            tell("the models are loaded");
            Ok(Loaded {
                handler: Arc::clone(&handlers) as Arc<_>,
                handlers: Some(handlers),
            })
        };
        server.serve(load, interrupts.asked()).await
    });
    // A model that is still at work is left behind on its thread.
    runtime.shutdown_background();
    served
}

fn unheard(error: &ServeError) -> AppError {
    let message = error.to_string();
    match error {
        ServeError::Listen { source, .. } => {
            let help = Some("name another one with --listen HOST:PORT".to_owned());
            match source.kind() {
                ErrorKind::InvalidInput => AppError::Request { message, help },
                _ => AppError::Environment { message, help },
            }
        }
        ServeError::NoKey { .. } => AppError::Request {
            message,
            help: Some(
                "name the variable that holds one with --api-key-env; where the network lets \
                 nobody else in, say --without-key"
                    .to_owned(),
            ),
        },
    }
}
