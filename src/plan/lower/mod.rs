//! Lowering: from the graph of stages and the facts to steps with limits.

pub(super) mod chunk;
pub(super) mod compile;
pub(super) mod demand;
pub(super) mod feed;
pub(super) mod frames;
mod memory;
pub(super) mod speech;
pub(super) mod vision;
