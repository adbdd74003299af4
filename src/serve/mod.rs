//! Serving: this machine as a worker of RunPod's, or as a server that speaks as RunPod and OpenAI do.
//!
//! | file | what it is |
//! |---|---|
//! | `job` | what is asked of a worker, and what it tells of it |
//! | `handler` | what does a job |
//! | `handlers` | detection and speech, by models of this machine |
//! | [`http`] | a server that speaks as RunPod and OpenAI do |
//! | [`worker`] | a worker of RunPod's: takes jobs, does them, delivers |
//!
//! Knows backends and the protocols of workers and servers; does not know recipes' stages or the engine.

mod handler;
pub mod handlers;
pub mod http;
mod job;
pub mod worker;

pub use handler::Handler;
pub use handler::HandlerFuture;
pub use job::Job;
pub use job::JobError;
pub use job::Update;
pub use job::Updates;
