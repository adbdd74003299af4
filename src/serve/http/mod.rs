//! A server that speaks as RunPod and OpenAI do: jobs in a bounded queue, done by a handler.
//!
//! | file | what it is |
//! |---|---|
//! | `server` | from an address to answers, and to a quiet end |
//! | `routes` | all of them, who may use them, and what the server says of itself |
//! | `service` | what they share |
//! | `connections` | accepted up to a number, given up where a client says nothing |
//! | `body` | bodies of requests, within a size, a pace and a memory |
//! | `key` | who may ask |
//! | `jobs` | the queue, the work and the results |
//! | `runpod` | RunPod's client API |
//! | `openai` | OpenAI's speech API |
//! | `process` | a server for as long as this process is not asked to end |
//! | `refusal` | why a request gets no answer |
//! | `requests`, `metrics` | what was asked, and how all is, for Prometheus |
//!
//! Does not know what a handler does.

mod body;
mod connections;
mod jobs;
mod key;
mod metrics;
mod openai;
mod process;
mod refusal;
mod requests;
mod routes;
mod runpod;
mod server;
mod service;

pub use process::serve;
pub use server::HttpServer;
pub use server::ServeError;
pub use server::ServerOptions;
pub use service::Loaded;
