//! Pixels: from decoded frames to what was asked for, and to JPEG and PNG.

pub(super) mod colour;
pub(super) mod display;
pub(super) mod jpeg;
pub(super) mod likeness;
pub(super) mod orientation;
pub(super) mod png;
pub(super) mod shape;
