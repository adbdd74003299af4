//! App: one file a verb, from the words of a user to what became of them.
//!
//! Joins the rooms below; does not know how any of them works.

mod accounting;
mod author;
mod check;
mod compile;
mod doctor;
mod environment;
mod error;
mod graph;
mod inputs;
mod placement;
mod plan;
mod report;
mod run;
mod saving;
mod trial;

pub use accounting::budget::Limits;
pub use author::init;
pub use author::schema;
pub use author::show;
pub use check::check;
pub use check::models;
pub use doctor::Finding;
pub use doctor::State;
pub use doctor::doctor;
pub use doctor::verdict;
pub use error::AppError;
pub use graph::Drawing;
pub use graph::graph;
pub use plan::plan;
pub use report::Checked;
pub use report::FoundModel;
pub use report::Header;
pub use report::Knows;
pub use report::Outcome;
pub use report::Planned;
pub use report::PlannedStage;
pub use report::SavedFiles;
pub use report::StageRow;
pub use report::StageSummary;
pub use report::Update;
pub use report::VideoOutcome;
pub use run::RunRequest;
pub use run::run;
pub use trial::Answered;
pub use trial::TrialRequest;
pub use trial::Tried;
pub use trial::try_stage;
