//! What these tests need of `tests/support`. Not all of it: the control plane has a part of the fleet for
//! itself.

#![allow(dead_code, reason = "each test binary uses what it needs of this")]

#[path = "../support/free_batch.rs"]
pub(crate) mod free_batch;
#[path = "../support/process.rs"]
pub(crate) mod process;
#[path = "../support/program.rs"]
pub(crate) mod program;
#[path = "../support/repository.rs"]
pub(crate) mod repository;
#[path = "../support/snapshots.rs"]
pub(crate) mod snapshots;
