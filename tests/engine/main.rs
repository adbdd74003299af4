//! The engine on plans of real recipes, a fleet on which everything goes wrong, and the models of
//! this machine.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed; what is skipped is said"
)]

mod fleet_faults;
mod harness;
mod known;
mod local_detector;
mod local_whisper;
mod mutations;
mod outages;
mod panics;
mod random_graphs;
mod resume;
mod scheduling;
#[path = "../support/mod.rs"]
mod support;
