//! Output: what a run found, as files.
//!
//! [`Results`] is the file that everyone reads; it is built from a record by [`results`] and
//! goes to its [`Place`]. [`read_results`] reads it again, and [`compare`] says what differs between
//! two; a [`Snapshot`] is what is kept of one to compare with. Does not know how anything is run.

mod compare;
mod file;
mod folder;
mod formats;
mod place;
mod read_files;
mod results;
mod scratch;

pub use compare::AnswerState;
pub use compare::Change;
pub use compare::ChangedPlace;
pub use compare::Comparison;
pub use compare::FrameCount;
pub use compare::Tallies;
pub use compare::Tally;
pub use compare::TimeTally;
pub use compare::Tolerance;
pub use compare::WhatChanged;
pub use compare::WordCount;
pub use compare::compare;
pub use file::OutputRoot;
pub use file::Refusal;
pub use file::WriteError;
pub use formats::jsonl::frame_line;
pub use place::GrowingFile;
pub use place::Place;
pub use place::Written;
pub use read_files::ReadFiles;
pub use results::build::RunFacts;
pub use results::build::results;
pub use results::classes::ClassEntry;
pub use results::classes::Colour;
pub use results::frames::entry;
pub use results::read::ReadError;
pub use results::read::Unread;
pub use results::read::read_results;
pub use results::results::Config;
pub use results::results::CropRecord;
pub use results::results::Detected;
pub use results::results::Entry;
pub use results::results::ErrorText;
pub use results::results::FORMAT;
pub use results::results::FailedItem;
pub use results::results::Model;
pub use results::results::Object;
pub use results::results::RecipeEntry;
pub use results::results::Requests;
pub use results::results::Results;
pub use results::results::Run;
pub use results::results::Seen;
pub use results::results::ServerEntry;
pub use results::results::SourceEntry;
pub use results::results::Spread;
pub use results::results::StageOutput;
pub use results::results::StageRun;
pub use results::results::Summary;
pub use results::results::WantedRange;
pub use results::snapshot::Snapshot;
pub use results::timeline::OnScreen;
pub use results::timeline::Scene;
pub use results::tracks::TrackEntry;
pub use results::transcription::GapEntry;
pub use results::transcription::SegmentEntry;
pub use results::transcription::TranscriptEntry;
pub use results::transcription::Transcription;
pub use results::transcription::WordEntry;
pub use scratch::Scratch;
