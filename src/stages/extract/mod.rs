//! `extract`: the sampled frames of each video.

pub(super) mod dedup;
#[expect(clippy::module_inception, reason = "the file is named by its subject")]
pub(super) mod extract;
pub(super) mod known;
mod tracked;
