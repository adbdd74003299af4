//! Plans: a recipe compiled to a checked graph of steps with computed limits.
//!
//! A pure function of a recipe and facts: the same two give the same plan. Knows nothing of
//! files, networks, threads or time.
//!
//! | folder | what it is |
//! |---|---|
//! | `checked` | the check of a recipe as a whole |
//! | `graph` | the graph of stages: built from `inputs`, checked, drawn |
//! | `lower` | from the graph of stages and the facts to steps with limits |
//! | `digest` | what decides the answers of each stage |
//! | `forecast` | what a plan will ask of servers, how long that takes and what it costs |
//! | `found` | what was found in a frame and goes on to another stage |
//! | `step` | the plan: steps and the edges between them |
//! | `views` | which stages look at frames, and at what of them |

mod checked;
mod digest;
mod forecast;
mod found;
mod graph;
mod lower;
mod step;
mod views;
mod warnings;

pub use checked::CheckedRecipe;
pub use checked::check;
pub use forecast::billing::Meter;
pub use forecast::forecast::Assumption;
pub use forecast::forecast::AssumptionKind;
pub use forecast::forecast::AssumptionSource;
pub use forecast::forecast::Bill;
pub use forecast::forecast::Cost;
pub use forecast::forecast::Estimate;
pub use forecast::forecast::Forecast;
pub use forecast::forecast::StageForecast;
pub use forecast::forecast::Times;
pub use forecast::forecast::Workload;
pub use forecast::forecast::forecast;
pub use forecast::forecast::usual_start;
pub use forecast::local::LocalForecast;
pub use forecast::local::local_forecast;
pub use forecast::local::together;
pub use forecast::shares::forecast_of;
pub use forecast::shares::open_work;
pub use forecast::storage::Storage;
pub use forecast::storage::VideoStorage;
pub use forecast::storage::storage;
pub use forecast::vram::Fit;
pub use forecast::vram::Vram;
pub use found::FoundForm;
pub use found::FoundTaken;
pub use graph::draw::DrawFormat;
pub use graph::draw::GraphOptions;
pub use lower::chunk::ChunkLength;
pub use lower::compile::CompileOptions;
pub use lower::compile::compile;
pub use step::Execution;
pub use step::FrameSelection;
pub use step::LONGEST_ALONE;
pub use step::Limit;
pub use step::Peak;
pub use step::Plan;
pub use step::Retry;
pub use step::StageFate;
pub use step::StagePlan;
pub use step::Step;
pub use step::StepIndex;
pub use step::StepKind;
pub use views::FileView;
pub use views::FrameView;
pub use views::TrackView;
pub use warnings::warnings;
