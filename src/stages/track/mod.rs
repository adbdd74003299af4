//! `track`: which boxes of a video are one thing.
//!
//! `tracker.rs` keeps the tracks of a video and asks a [`model::Model`] how like each of them a box
//! is: `motion.rs` or `bytetrack.rs`, which stand on `axis.rs`. `assign.rs` chooses the pairs.
//! All of it is arithmetic over boxes and times, in the order of the frames; `track.rs` puts what
//! detectors say into that order.

mod assign;
mod axis;
mod bytetrack;
mod model;
mod motion;
#[cfg(test)]
mod tests;
#[expect(clippy::module_inception, reason = "the kind's own file")]
mod track;
mod tracker;

pub(in crate::stages) use track::track;
pub use tracker::Tracker;
