//! App: one file a verb, from the words of a user to a report.
//!
//! | verb | file |
//! |---|---|
//! | `run`, `plan`, `check`, `try`, `graph` | `run`, `plan`, `check`, `try`, `graph`: each with its report |
//! | `init`, `show`, `schema`, `models`, `doctor` | likewise |
//! | `history`, `clean` | `history` |
//! | `compare` | `compare` |
//! | `annotate` | `annotate` |
//! | `find` | `find`, with `find/clips` |
//! | `report` | `report`, with its `pictures` |
//! | `convert` | `convert` |
//! | `test` | `test`, `test/new` |
//!
//! | helper | subject |
//! |---|---|
//! | `placement` | where each stage infers, and why |
//! | `accounting` | what is spent, what may be, and what became of each video |
//! | `compile` | from a request to a plan |
//! | `inputs`, `saving`, `writable` | the inputs of a run, the files that it will write, and where it may |
//! | `named` | what inputs are called, those of a replay that are not there among them |
//! | `contents` | which video each input is |
//! | `interrupts` | whether a verb that is no run was asked to end |
//! | `state` | where the journal of an output folder lies |
//! | `environment`, `error` | files and variables; why a verb could not do its work |
//!
//! Joins the rooms below; does not know how any of them works.

mod accounting;
mod annotate;
mod check;
mod compare;
mod compile;
mod contents;
mod convert;
mod doctor;
mod environment;
mod error;
mod find;
mod graph;
mod history;
mod init;
mod inputs;
mod interrupts;
mod models;
mod named;
mod nearby;
mod placement;
mod plan;
mod report;
mod run;
mod saving;
mod schema;
mod show;
mod speed;
mod state;
mod test;
mod r#try;
mod writable;

pub use accounting::budget::Limits;
pub use annotate::AnnotateEnd;
pub use annotate::AnnotateProgress;
pub use annotate::AnnotateReport;
pub use annotate::AnnotateRequest;
pub use annotate::annotate;
pub use check::CheckReport;
pub use check::check;
pub use compare::CompareRequest;
pub use compare::ComparedFile;
pub use compare::ComparedOutcome;
pub use compare::compare;
pub use compile::StageRow;
pub use convert::ConvertRequest;
pub use convert::ConvertedFile;
pub use convert::convert;
pub use doctor::Finding;
pub use doctor::FindingState;
pub use doctor::doctor;
pub use doctor::verdict;
pub use error::AppError;
pub use find::FindReport;
pub use find::FindRequest;
pub use find::FoundVideo;
pub use find::MomentClip;
pub use find::find;
pub use graph::Drawing;
pub use graph::GraphRequest;
pub use graph::graph;
pub use history::History;
pub use history::clean;
pub use history::history;
pub use init::init;
pub use interrupts::Interrupts;
pub use models::Capability;
pub use models::ModelReport;
pub use models::models;
pub use plan::PlanReport;
pub use plan::PlannedStage;
pub use plan::plan;
pub use report::PageReport;
pub use report::PageRequest;
pub use report::report;
pub use run::RunRequest;
pub use run::header::HostShare;
pub use run::header::KnownStage;
pub use run::header::RunHeader;
pub use run::report::Recorded;
pub use run::report::RunReport;
pub use run::report::RunUpdate;
pub use run::report::SavedFiles;
pub use run::report::StageSummary;
pub use run::report::VideoReport;
pub use run::run;
pub use schema::schema;
pub use show::show;
pub use test::RecordRequest;
pub use test::TestEnd;
pub use test::TestMode;
pub use test::TestRequest;
pub use test::new::NewTestRequest;
pub use test::new::new_test;
pub use test::report::InputReport;
pub use test::report::TestOutcome;
pub use test::report::TestReport;
pub use test::report::TestState;
pub use test::report::TestTotal;
pub use test::report::TestUpdate;
pub use test::test;
pub use r#try::TryAnswer;
pub use r#try::TryReport;
pub use r#try::TryRequest;
pub use r#try::try_stage;
