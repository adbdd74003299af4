//! The journal: answers, tickets, runs and what they cost, kept in one SQLite file.
//!
//! | file | subject |
//! |---|---|
//! | `journal` | the journal of a run: [`Answers`](crate::engine::Answers) |
//! | `store` | the file: opened, set aside where it is damaged, written, read |
//! | `schema` | its tables, its format, and how an older one becomes today's |
//! | `content` | an answer as bytes |
//! | `kept` | how much is kept of a video |
//! | `videos`, `stamp` | which file is which video; how a file is known |
//! | `runs` | the history: runs, what they spent and left open |
//! | `hold` | one process at a time writes a video |
//! | `forget` | forgetting what was not used for long |
//! | `error` | why a journal cannot be used |
//!
//! The file is of this user alone. No key, no frame and no sound is in it.

mod content;
mod error;
mod forget;
mod hold;
#[expect(clippy::module_inception, reason = "the file is named by its subject")]
mod journal;
mod kept;
mod runs;
mod schema;
mod stamp;
mod store;
mod videos;

#[cfg(test)]
mod tests;

pub use error::JournalError;
pub use forget::Forgotten;
pub use hold::Held;
pub use hold::Hold;
pub use journal::Journal;
pub use kept::Kept;
pub use runs::InputState;
pub use runs::PastInput;
pub use runs::PastRun;
pub use runs::PastStage;
pub use runs::RunEnd;
pub use runs::RunStart;
pub use runs::Spent;
pub use stamp::FileStamp;
