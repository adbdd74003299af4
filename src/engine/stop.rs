//! Stopping: one switch that threads look at and tasks wait for.
//!
//! It goes forward only: running, finishing (no new work, what runs is collected), aborted.

use crate::failure::Class;
use crate::failure::Failure;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use tokio::sync::watch;

/// Why a run was stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// The user asked for it.
    Interrupted,
    /// The budget is spent.
    Budget,
    /// The deadline was reached.
    Deadline,
    /// Every other item would have failed like this one.
    Failed(Failure),
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interrupted => f.write_str("interrupted"),
            Self::Budget => f.write_str("the budget was reached"),
            Self::Deadline => f.write_str("the deadline was reached"),
            Self::Failed(failure) => write!(f, "the run was stopped: {failure}"),
        }
    }
}

#[derive(Clone, Debug, Default)]
struct State {
    reason: Option<StopReason>,
    aborted: bool,
}

/// The switch; clones are the same switch.
#[derive(Clone, Debug)]
pub struct StopSignal {
    state: Arc<watch::Sender<State>>,
    flag: Arc<AtomicBool>,
}

impl Default for StopSignal {
    fn default() -> Self {
        Self {
            state: Arc::new(watch::Sender::new(State::default())),
            flag: Arc::default(),
        }
    }
}

impl StopSignal {
    /// Begins no new work. The first reason stands.
    pub fn finish(&self, reason: StopReason) {
        self.state.send_if_modified(|state| {
            let first = state.reason.is_none();
            if first {
                state.reason = Some(reason);
            }
            first
        });
        self.flag.store(true, Ordering::Relaxed);
    }

    /// Waits for nothing any more. Without an earlier reason it is an interruption.
    pub fn abort(&self) {
        self.state.send_modify(|state| {
            state.reason.get_or_insert(StopReason::Interrupted);
            state.aborted = true;
        });
        self.flag.store(true, Ordering::Relaxed);
    }

    /// Ctrl-C: once to finish, again to abort.
    pub fn interrupt(&self) {
        if self.is_stopping() {
            self.abort();
        } else {
            self.finish(StopReason::Interrupted);
        }
    }

    /// Whether no new work is begun.
    pub fn is_stopping(&self) -> bool {
        self.state.borrow().reason.is_some()
    }

    /// Whether what was sent is waited for however long it takes: it is paid, and it fits.
    pub(super) fn collects(&self) -> bool {
        matches!(
            self.reason(),
            Some(StopReason::Budget | StopReason::Deadline)
        )
    }

    /// A flag that is up when no new work is begun, for code that knows nothing of runs.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.flag)
    }

    /// Why no new work is begun.
    pub fn reason(&self) -> Option<StopReason> {
        self.state.borrow().reason.clone()
    }

    /// Waits until no new work is begun.
    pub async fn stopping(&self) {
        self.until(|state| state.reason.is_some()).await;
    }

    /// Waits until nothing is waited for.
    pub async fn aborted(&self) {
        self.until(|state| state.aborted).await;
    }

    /// What an item has that is not looked at because of this.
    pub(super) fn failure(&self) -> Failure {
        let reason = self.reason().unwrap_or(StopReason::Interrupted);
        Failure::new(Class::Stopped, reason.to_string())
    }

    async fn until(&self, reached: impl FnMut(&State) -> bool) {
        // The sender lives in `self`, so the channel cannot close while this waits.
        if self.state.subscribe().wait_for(reached).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
