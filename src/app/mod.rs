//! App: one file a verb, from the words of a user to what became of them.
//!
//! Joins the rooms below; does not know how any of them works.

mod error;
mod report;
mod verbs;

pub use error::AppError;
pub use report::Checked;
pub use report::FoundModel;
pub use report::Header;
pub use report::Outcome;
pub use report::StageRow;
pub use report::StageSummary;
pub use report::Update;
pub use report::VideoOutcome;
pub use verbs::RunRequest;
pub use verbs::check;
pub use verbs::graph;
pub use verbs::models;
pub use verbs::run;
