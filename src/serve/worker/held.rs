//! The jobs that a worker holds: waiting for a slot, at work, and done but not yet delivered.
//!
//! The control plane takes a job away from a worker whose pings do not name it, so a job is held from
//! the moment that it is taken until its answer was delivered.

use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// Answers that may wait to be delivered before no more jobs are taken: pings name each of them in
/// an address, which has at most 8 kB everywhere.
const MOST_WAITING: usize = 64;

/// Their bytes.
const MOST_BYTES: usize = 128 << 20;

/// All jobs of a worker. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct HeldJobs(Arc<watch::Sender<BTreeMap<String, State>>>);

#[derive(Debug, Default)]
struct State {
    work: Option<AbortHandle>,
    // What waits to be delivered.
    answer: Option<usize>,
}

/// A job is held for as long as this is there.
#[derive(Debug)]
pub(super) struct HeldJob {
    jobs: HeldJobs,
    id: String,
}

impl HeldJobs {
    /// Holds a job; `None` where it is held already.
    pub(super) fn hold(&self, id: &str) -> Option<HeldJob> {
        let is_new = self.0.send_if_modified(|jobs| {
            let is_new = !jobs.contains_key(id);
            if is_new {
                jobs.insert(id.to_owned(), State::default());
            }
            is_new
        });
        is_new.then(|| HeldJob {
            jobs: self.clone(),
            id: id.to_owned(),
        })
    }

    /// `work` is what does the job of this id.
    pub(super) fn is_done_by(&self, id: &str, work: AbortHandle) {
        self.0.send_if_modified(|jobs| {
            // It may be through already.
            if let Some(state) = jobs.get_mut(id) {
                state.work = Some(work);
            }
            false
        });
    }

    /// Ends the work on a job; its answer is not delivered. Whether it is held.
    pub(super) fn stop(&self, id: &str) -> bool {
        let work = match self.0.borrow().get(id) {
            Some(state) => state.work.clone(),
            None => return false,
        };
        work.iter().for_each(AbortHandle::abort);
        work.is_some()
    }

    /// The ids of all.
    pub(super) fn ids(&self) -> Vec<String> {
        self.0.borrow().keys().cloned().collect()
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// Waits until so few answers wait to be delivered that others may be made.
    pub(super) async fn room(&self) {
        let fits = |jobs: &BTreeMap<String, State>| {
            let waiting = || jobs.values().filter_map(|state| state.answer);
            waiting().count() < MOST_WAITING && waiting().sum::<usize>() < MOST_BYTES
        };
        // The sender lives in `self`, so the channel cannot close while this waits.
        let waited = self.0.subscribe().wait_for(fits).await.is_ok();
        tracing::trace!(waited, "room for answers");
    }
}

impl HeldJob {
    /// The id of the job.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// An answer of so many bytes waits to be delivered.
    pub(super) fn is_answered(&self, bytes: usize) {
        self.jobs.0.send_modify(|jobs| {
            if let Some(state) = jobs.get_mut(&self.id) {
                state.answer = Some(bytes);
            }
        });
    }
}

impl Drop for HeldJob {
    fn drop(&mut self) {
        self.jobs.0.send_modify(|jobs| {
            jobs.remove(&self.id);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::HeldJobs;
    use super::MOST_BYTES;
    use super::MOST_WAITING;
    use futures_util::FutureExt;

    #[test]
    fn a_job_is_held_once_and_until_it_is_dropped() {
        let jobs = HeldJobs::default();
        let one = jobs.hold("a").unwrap();
        assert!(jobs.hold("a").is_none());
        assert_eq!(jobs.ids(), ["a"]);
        drop(one);
        assert!(jobs.is_empty());
        assert!(jobs.hold("a").is_some());
        assert!(!jobs.stop("b"));
    }

    #[test]
    fn what_waits_to_be_delivered_has_a_bound() {
        let jobs = HeldJobs::default();
        let has_room = || jobs.room().now_or_never().is_some();
        let many: Vec<_> = (0..MOST_WAITING)
            .map(|number| jobs.hold(&number.to_string()).unwrap())
            .collect();
        assert!(has_room());
        many.iter().for_each(|job| job.is_answered(1));
        assert!(!has_room());
        drop(many);
        let large = jobs.hold("large").unwrap();
        large.is_answered(MOST_BYTES - 1);
        assert!(has_room());
        large.is_answered(MOST_BYTES);
        assert!(!has_room());
        drop(large);
        assert!(has_room());
    }
}
