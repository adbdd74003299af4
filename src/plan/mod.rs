//! Plans: a recipe compiled to a checked graph of steps with computed limits.
//!
//! A pure function of a recipe and facts: the same two give the same plan. Knows nothing of
//! files, networks, threads or time.

mod billing;
mod chunk;
mod draw;
mod forecast;
mod lower;
mod memory;
mod ports;
mod stages;
mod step;

pub use billing::Meter;
pub use chunk::ChunkLength;
pub use draw::Format;
pub use forecast::Estimate;
pub use forecast::Forecast;
pub use forecast::StageForecast;
pub use forecast::forecast;
pub use forecast::usual_seconds_a_picture;
pub use forecast::usual_start;
pub use lower::Tuning;
pub use lower::compile;
pub use memory::Peak;
pub use stages::check;
pub use step::Lane;
pub use step::Limit;
pub use step::Picking;
pub use step::Plan;
pub use step::Retry;
pub use step::StageFate;
pub use step::StagePlan;
pub use step::Step;
pub use step::StepIndex;
pub use step::StepKind;
