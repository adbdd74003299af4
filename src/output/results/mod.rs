//! The results file: its keys, and how it is built from a record.

mod asked;
pub(super) mod build;
pub(super) mod classes;
mod entries;
pub(super) mod frames;
pub(super) mod json;
mod known_classes;
pub(super) mod lack;
mod of_stage;
pub(super) mod rare;
pub(super) mod read;
#[expect(clippy::module_inception, reason = "the file is named by its subject")]
pub(super) mod results;
pub(super) mod rounding;
pub(super) mod snapshot;
mod text;
pub(super) mod timeline;
pub(super) mod tracks;
pub(super) mod transcription;
