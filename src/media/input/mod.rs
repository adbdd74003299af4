//! Inputs: what a path is, and what its headers and packets say.

pub(super) mod choice;
pub(super) mod container;
pub(super) mod content;
pub(super) mod continuity;
mod demuxers;
pub(super) mod ending;
pub(super) mod first;
pub(super) mod identify;
mod open;
mod photograph;
pub(super) mod picture;
pub(super) mod probe;
mod restart;
pub(super) mod signature;
pub(super) mod stills;
pub(super) mod survey;
pub(super) mod timeline;
pub(super) mod track;
