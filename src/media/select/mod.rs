//! Selection: which frames are wanted, and which packets must be decoded for them.

pub(super) mod nal;
pub(super) mod plan;
pub(super) mod sample;
pub(super) mod selection;
pub(super) mod syntax;
