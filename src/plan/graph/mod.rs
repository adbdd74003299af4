//! The graph of stages: built from `inputs`, checked, drawn.

pub(super) mod draw;
pub(super) mod ports;
pub(super) mod stages;
