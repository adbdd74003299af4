//! The graph of stages: built from `inputs`, checked, drawn.

pub(in crate::plan) mod classes;
pub(in crate::plan) mod draw;
mod files;
pub(super) mod ports;
pub(in crate::plan) mod sights;
pub(super) mod stages;
