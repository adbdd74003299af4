//! RunPod Serverless: jobs that are submitted to an endpoint, waited for and cancelled.
//!
//! `/run` gives a ticket at once, so that an answer that is lost on its way can be asked for
//! again and no work is paid for twice. Does not know what the jobs are.

mod clock;
mod endpoint;
mod health;
mod issued;
mod outcome;
mod polling;
mod rate_limit;
mod wait;

pub use endpoint::DEFAULT_BASE;
pub use endpoint::Endpoint;
pub use endpoint::HOST;
pub use endpoint::max_body;
pub use health::Health;
pub use issued::IssuedIds;
pub use rate_limit::RateLimits;
