//! OpenAI's API for sound, as OpenAI and many servers of one's own speak it.
//!
//! A file goes as a form, the answer comes at once: nothing can be cancelled or fetched later.
//! Does not know stages or videos.

mod outcome;
mod transcriptions;

pub use transcriptions::DEFAULT_BASE;
pub use transcriptions::HOST;
pub use transcriptions::TranscriptDetail;
pub use transcriptions::TranscriptionParams;
pub use transcriptions::Transcriptions;
