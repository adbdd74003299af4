//! What several test binaries need, each by `#[path = "../support/mod.rs"] mod support;`.

#![allow(dead_code, reason = "each test binary uses what it needs of this")]

pub(crate) mod answers;
pub(crate) mod fleet;
pub(crate) mod free_batch;
pub(crate) mod mutations;
pub(crate) mod onnx;
pub(crate) mod placements;
pub(crate) mod process;
pub(crate) mod program;
pub(crate) mod repository;
pub(crate) mod server;
pub(crate) mod snapshots;
pub(crate) mod store;
