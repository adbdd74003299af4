//! The cassette: answers of a run as files that a repository can hold, for runs without any backend.
//!
//! | file | subject |
//! |---|---|
//! | `head` | `cassette.json`: the recipe, the videos, the stages and what decides their answers |
//! | `line` | an answer as a line of JSON, and back without a bit changed |
//! | `recording` | a run that is recorded: the journal, and which of its answers the run has used |
//! | `write` | the files of a recording, the same whatever the order in which answers came |
//! | `read` | a cassette from its files, each of bounded size, or what is wrong and where |
//! | `replay` | the answers of a cassette: [`Answers`](crate::engine::Answers) that ask nobody |
//! | `miss` | why an answer is not in a cassette |
//! | `error` | why a cassette cannot be used |
//!
//! No key, host or folder of a machine is in it, no frame and no sound.

mod error;
mod head;
mod line;
mod miss;
mod read;
mod recording;
mod replay;
mod write;

#[cfg(test)]
mod tests;

pub use error::CassetteError;
pub use head::CassetteFirstFrame;
pub use head::CassetteHead;
pub use head::CassetteModel;
pub use head::CassettePlace;
pub use head::CassetteStage;
pub use head::CassetteVideo;
pub use miss::MissGroup;
pub use miss::Misses;
pub use read::Cassette;
pub use recording::Recording;
pub use replay::Replay;
pub use replay::ReplayedVideo;
pub use write::files;
pub use write::is_part;
