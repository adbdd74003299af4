//! Redaction: keys are taken out of what is told and kept, in any spelling.
//!
//! What is parsed stays as it came: a key that is a word of an answer does not change what the
//! answer means. Does not know whose answer it is.

mod layer;
#[expect(clippy::module_inception, reason = "the file is named by its subject")]
mod redaction;
mod spelling;

pub use redaction::Redaction;
pub(in crate::backends) use redaction::start;
