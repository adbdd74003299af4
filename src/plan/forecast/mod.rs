//! Forecasts: what a plan will ask of servers, how long that takes and what it costs.

pub(super) mod billing;
#[expect(clippy::module_inception, reason = "the file is named by its subject")]
pub(super) mod forecast;
pub(super) mod requests;
pub(super) mod time;
pub(super) mod vram;
