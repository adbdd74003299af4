//! Jobs of a server: kept in bounded memory, done by slots, told to whoever asks.
//!
//! | file | what it is |
//! |---|---|
//! | `store` | all jobs, and whatever happens to one |
//! | `entry` | one job: where it is, and what is said of that |
//! | `slot` | does one job after another |
//! | `policy` | how long a job may take |
//! | `memory` | what all together may take |
//! | `tally` | what was done so far |
//! | `ids` | names that nobody can guess |

mod entry;
mod ids;
mod memory;
mod policy;
mod slot;
mod store;
mod tally;
#[cfg(test)]
mod tests;

pub(super) use entry::EndStatus;
pub(super) use memory::Reservation;
pub(super) use policy::Policy;
pub(super) use slot::work;
pub(super) use store::JobCounts;
pub(super) use store::JobStore;
pub(super) use store::NotRetried;
pub(super) use store::Refused;
pub(super) use tally::BOUNDS;
pub(super) use tally::Tally;
