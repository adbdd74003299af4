//! Vision stages: `yolo`, and `http` about frames.

pub(super) mod call;
pub(super) mod crops;
pub(super) mod detect;
mod drawn;
pub(super) mod found;
pub(super) mod kept;
pub(super) mod pick;
