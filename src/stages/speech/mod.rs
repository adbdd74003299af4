//! `whisper`: from the sound of a video to what is said in it.
//!
//! ```text
//! read       pieces of sound, as they come out of the file
//! cut        chunks, at pauses where there are some
//! code       a sound file of each chunk, where it leaves the machine
//! transcribe what is heard in each, by a model on this machine
//! ask        the same by a server
//! compose    passages in their order, with the times of the video
//! ```
//!
//! Does not know who uses the transcript.

mod ask;
mod code;
mod compose;
mod cut;
mod halve;
mod levels;
mod read;
mod seam;
mod transcribe;

pub use ask::Ask;
pub use ask::Hearing;
pub use ask::Listener;
pub use ask::ask;
pub use ask::listening;
pub(super) use code::code;
pub(super) use compose::compose;
pub(super) use cut::cut;
pub(super) use read::read;
pub(super) use transcribe::transcribe;
pub use transcribe::transcribing;
