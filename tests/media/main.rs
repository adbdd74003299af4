//! The media room against clips that the FFmpeg command line makes on the spot.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a helper that panics fails the test that called it; what is skipped is said"
)]

mod clips;
mod exact;
mod inputs;
mod joins;
mod known;
mod large;
mod mutations;
mod pixels;
mod sampling;
mod sound;
#[path = "../support/mod.rs"]
mod support;
