//! The tally: what a server has done since it began.

use super::entry::EndStatus;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Upper bounds of the classes that execution times are counted in, seconds.
pub(in crate::serve::http) const BOUNDS: [f64; 12] = [
    0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 600.0,
];

/// What was done.
#[derive(Clone, Debug, Default)]
pub(in crate::serve::http) struct Tally {
    /// Jobs by how they ended.
    pub(in crate::serve::http) ended: BTreeMap<EndStatus, u64>,
    /// Jobs that were put into the queue again.
    pub(in crate::serve::http) retried: u64,
    /// Frames of jobs that are completed.
    pub(in crate::serve::http) frames: u64,
    /// How long all jobs together were worked on.
    pub(in crate::serve::http) work: Duration,
    /// Jobs that took at most so long as the bound of this class, and longer than the one before.
    pub(in crate::serve::http) classes: [u64; BOUNDS.len()],
    /// Jobs that were worked on.
    pub(in crate::serve::http) worked_on: u64,
}

impl Tally {
    /// A job of so many frames has ended that `took` so long, where it was begun.
    pub(super) fn ended(&mut self, status: EndStatus, took: Option<Duration>, frames: u64) {
        *self.ended.entry(status).or_default() += 1;
        if status == EndStatus::Completed {
            self.frames += frames;
        }
        if let Some(took) = took {
            self.work += took;
            self.worked_on += 1;
            let class = BOUNDS.iter().position(|bound| took.as_secs_f64() <= *bound);
            if let Some(count) = class.and_then(|class| self.classes.get_mut(class)) {
                *count += 1;
            }
        }
    }

    /// How many jobs ended so.
    pub(in crate::serve::http) fn count(&self, status: EndStatus) -> u64 {
        self.ended.get(&status).copied().unwrap_or(0)
    }
}

/// The frames that an input holds: `images`, or one `image`.
pub(super) fn frames(input: &Value) -> u64 {
    match (input.get("images"), input.get("image")) {
        (Some(Value::Array(images)), _) => images.len() as u64,
        (_, Some(_)) => 1,
        _ => 0,
    }
}
