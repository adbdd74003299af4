//! Decoding: packets to frames, side by side, in bounded memory.

pub(super) mod budget;
pub(super) mod decoder;
pub(super) mod full;
pub(super) mod memory;
mod png_chunks;
pub(super) mod reader;
pub(super) mod reorder;
pub(super) mod sparse;
pub(super) mod worker;
