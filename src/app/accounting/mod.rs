//! Accounting: what a run has asked, taken and cost so far.

pub(super) mod budget;
pub(super) mod ledger;
pub(super) mod reserve;
pub(super) mod spending;
