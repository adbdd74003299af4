//! Servers of one's own: the examples of this repository against servers with the schemas of their
//! kinds, stages of kind `http`, servers that lie, and recipes of strangers.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that panics fails the test that called it"
)]

mod bench;
mod examples;
mod lies;
#[path = "../program/mod.rs"]
mod program;
mod stages;
mod strangers;
mod trials;
