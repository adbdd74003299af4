//! Plans: a recipe compiled to a checked graph of steps with computed limits.
//!
//! A pure function of a recipe and facts: the same two give the same plan. Knows nothing of
//! files, networks, threads or time.

mod advice;
mod billing;
mod chunk;
mod draw;
mod forecast;
mod lower;
mod memory;
mod ports;
mod stages;
mod step;
mod vram;

pub use advice::warnings;
pub use billing::Meter;
pub use chunk::ChunkLength;
pub use draw::Drawn;
pub use draw::Format;
pub use forecast::Cost;
pub use forecast::Estimate;
pub use forecast::Figure;
pub use forecast::Forecast;
pub use forecast::Guess;
pub use forecast::Source;
pub use forecast::StageForecast;
pub use forecast::Times;
pub use forecast::What;
pub use forecast::Work;
pub use forecast::forecast;
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
pub use vram::Fit;
pub use vram::Vram;
