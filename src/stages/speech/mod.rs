//! `whisper`: from the sound of a video to what is said in it.
//!
//! ```text
//! read       pieces of sound, as they come out of the file
//! cut        chunks, at pauses where there are some
//! code       a sound file of each chunk, where it leaves the machine
//! transcribe the speech in each, by a model on this machine
//! call       the same by a remote backend
//! compose    transcripts in their order, with the times of the video
//! ```

mod call;
mod code;
mod compose;
mod cut;
mod halve;
mod kept;
mod levels;
mod read;
mod seam;
mod transcribe;

pub use call::SpeechCall;
pub use call::SpeechMapping;
pub use call::SpeechProtocol;
pub use call::speech_call;
pub use call::transcription_params;
pub(super) use call::without_answer;
pub(super) use call::without_request;
pub(super) use code::code;
pub(super) use compose::compose;
pub(super) use cut::cut;
pub(super) use kept::KeptTranscript;
pub(super) use read::read;
pub(super) use transcribe::transcribe;
pub use transcribe::transcribe_params;
