//! Placement: where each stage infers, and why there.

pub(super) mod reason;
pub(super) mod resolve;
pub(super) mod services;
pub(super) mod speech;
