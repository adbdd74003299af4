//! `track`: which boxes of a video are one thing.
//!
//! `tracker.rs` keeps the tracks of a video and asks a [`model::Model`] how like each of them a box
//! is: `motion.rs` or `bytetrack.rs`, which stand on `axis.rs`. `assign.rs` chooses the pairs.
//! `passage.rs` knows which lines and regions a thing passes, `best.rs` which of its sights is the
//! best. All of it is arithmetic over boxes and times, in the order of the frames; `track.rs` puts
//! what detectors say into that order, and tells what `oddity.rs` finds odd.

mod assign;
mod axis;
mod best;
mod bytetrack;
mod model;
mod motion;
mod oddity;
mod passage;
#[cfg(test)]
mod tests;
#[expect(clippy::module_inception, reason = "the kind's own file")]
mod track;
mod tracker;

pub(in crate::stages) use track::Tracking;
pub(in crate::stages) use track::track;
pub(in crate::stages) use track::tracking;
pub use tracker::Tracker;
