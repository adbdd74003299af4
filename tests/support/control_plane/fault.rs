//! Faults: everything that goes wrong between a worker and its control plane, as data.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::time::Duration;

/// The calls of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Call {
    Take,
    Stop,
    Ping,
    /// The answer of a job.
    Done,
    /// How far a job is, to the same address.
    Progress,
    Chunk,
}

/// What one call meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing goes wrong.
    Fine,
    /// This status, and nothing is done.
    Status(u16),
    /// HTTP 429 that asks for a pause, in milliseconds.
    TooMany(u64),
    /// Nothing is done, and the line breaks.
    Lost,
    /// It is done, and the line breaks before that is told.
    Cut,
    /// The same, and whatever else is posted of that job is answered with this status.
    CutThen(u16),
    /// It is done, and only then told.
    Slow(Duration),
    /// The HTML page of a proxy, with HTTP 200, and nothing is done.
    Page,
    /// JSON that breaks off, of jobs that are lost by it.
    Half,
    /// A job that the worker has already, if there is one.
    Again,
}

/// What the next calls meet.
#[derive(Debug)]
pub(super) struct Faults(BTreeMap<Call, VecDeque<Fault>>);

impl Faults {
    pub(super) fn of(faults: &[(Call, &[Fault])]) -> Self {
        let list = |&(call, list): &(Call, &[Fault])| (call, list.iter().copied().collect());
        Self(faults.iter().map(list).collect())
    }

    pub(super) fn next(&mut self, call: Call) -> Fault {
        let list = self.0.get_mut(&call);
        list.and_then(VecDeque::pop_front).unwrap_or(Fault::Fine)
    }
}
