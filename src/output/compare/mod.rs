//! Comparison: what differs between two results of a video, and how that is told.
//!
//! Pure: two [`Results`](crate::output::Results) and a [`Tolerance`] in, a [`Comparison`] out.
//!
//! | file | subject |
//! |---|---|
//! | `compare` | whole results: which stages, frames and transcripts stand side by side |
//! | `entries` | the entries of one stage, frame by frame |
//! | `boxes` | which box of one frame is which of another |
//! | `things`, `things_changed` | which thing is which, and what they pass |
//! | `records` | the fields of `http` stages |
//! | `speech`, `words` | transcripts; which word is which of another |
//! | `tally` | counts by class and over time |
//! | `asked` | what was asked differently, which explains much and decides nothing |
//! | `tell`, `shown` | sentences and tables |
//!
//! Knows nothing of files, screens and exit codes.

mod asked;
mod boxes;
#[expect(clippy::module_inception, reason = "the file is named by its subject")]
mod compare;
mod comparison;
mod entries;
mod records;
mod shown;
mod speech;
mod tally;
mod tell;
mod things;
mod things_changed;
mod tolerance;
mod words;

#[cfg(test)]
mod tests;

pub use compare::compare;
pub use comparison::AnswerState;
pub use comparison::Change;
pub use comparison::ChangedPlace;
pub use comparison::Comparison;
pub use comparison::FrameCount;
pub use comparison::WhatChanged;
pub use comparison::WordCount;
pub use tally::Tallies;
pub use tally::Tally;
pub use tally::TimeTally;
pub use things_changed::ComparedThing;
pub use things_changed::ThingsChanged;
pub use tolerance::Tolerance;
