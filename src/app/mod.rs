//! App: one file a verb. Does not know how any of the rooms below works.

mod report;

pub use report::Header;
pub use report::Outcome;
pub use report::StageRow;
pub use report::StageSummary;
pub use report::Update;
pub use report::VideoOutcome;
