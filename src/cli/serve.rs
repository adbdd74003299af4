//! What `serve` is given, and what it says while it serves.

use crate::app::AppError;
use crate::cli::args::serve::ServeArgs;
use crate::cli::streams::talk;
use crate::serve::handlers::Tell;
use crate::serve::http;
use crate::serve::http::ServerOptions;
use std::env;
use std::sync::Arc;

/// Serves until it is asked to end.
pub(super) fn serve(args: ServeArgs) -> Result<u8, AppError> {
    let models = args.models.options()?;
    let options = options(args, models.sessions)?;
    let listening = |address| {
        talk(&format!("listening on http://{address}"));
        talk(&format!(
            "  RunPod's API:  http://{address}/v2, with any endpoint id"
        ));
        talk(&format!("  OpenAI's API:  http://{address}/v1"));
    };
    let tell: Tell = Arc::new(talk);
    http::serve(&options, models, listening, &tell)?;
    talk("ended");
    Ok(0)
}

fn options(args: ServeArgs, sessions: usize) -> Result<ServerOptions, AppError> {
    Ok(ServerOptions {
        listen: args.listen,
        key: args.api_key_env.as_deref().map(key).transpose()?,
        without_key: args.without_key,
        jobs: args.jobs.unwrap_or(2 * sessions),
        queue: args.queue,
        memory: args.memory.saturating_mul(1 << 20),
        connections: u32::try_from(args.connections).unwrap_or(u32::MAX),
        drain: args.drain,
    })
}

fn key(variable: &str) -> Result<String, AppError> {
    let key = env::var(variable).ok().filter(|key| !key.is_empty());
    key.ok_or_else(|| AppError::Request {
        message: format!("the variable {variable} holds no key"),
        help: Some(format!("set it: export {variable}=$(openssl rand -hex 16)")),
    })
}
