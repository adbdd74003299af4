//! Digests: what decides the answers of each stage, and so under what they are kept.
//!
//! | file | what it is |
//! |---|---|
//! | `stages` | a digest for each stage that asks, with those of the stages it takes from |
//! | `terms` | what decides the answers of a stage, kind by kind |
//! | `server` | the same of a server that is asked by templates |
//! | `tellable` | terms as they may be written down and shown |
//! | `encoding` | one spelling of terms, and its digest |
//!
//! Pure over a recipe and facts.

mod encoding;
pub(super) mod server;
pub(super) mod stages;
mod tellable;
mod terms;
