//! Stages that look at frames: `yolo`, and `http` about frames.

pub(super) mod asked;
pub(super) mod crops;
pub(super) mod detect;
pub(super) mod pick;
pub(super) mod request;
