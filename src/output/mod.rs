//! Output: what a run found, as files.
//!
//! [`Results`] is the file that everyone reads; it is built from a record by [`results`] and
//! goes to its [`Place`]. Does not know how anything is run.

mod build;
mod captions;
mod file;
mod json;
mod results;
mod timeline;
mod transcription;
mod write;

pub use build::RunFacts;
pub use build::entry;
pub use build::results;
pub use captions::Layout;
pub use captions::captions;
pub use file::WriteError;
pub use file::check_writable;
pub use file::write_file;
pub use results::Config;
pub use results::CropRecord;
pub use results::Detected;
pub use results::Entry;
pub use results::ErrorText;
pub use results::FORMAT;
pub use results::FailedItem;
pub use results::Model;
pub use results::Object;
pub use results::Requests;
pub use results::Results;
pub use results::Run;
pub use results::Seen;
pub use results::Source;
pub use results::Spread;
pub use results::StageOutput;
pub use results::StageRun;
pub use results::Summary;
pub use timeline::Scene;
pub use transcription::Said;
pub use transcription::SaidGap;
pub use transcription::SaidSegment;
pub use transcription::SaidWord;
pub use transcription::Transcription;
pub use write::Place;
