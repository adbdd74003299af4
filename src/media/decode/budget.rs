//! The bytes of packets that were read and are not decoded yet, held under a limit.

use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

/// A number of bytes that can be reserved.
pub(in crate::media) struct PacketBudget {
    limit: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    reserved: usize,
    is_closed: bool,
}

/// Reserved bytes of a budget; released when this is dropped.
pub(in crate::media) struct Reservation {
    budget: Arc<PacketBudget>,
    bytes: usize,
}

impl PacketBudget {
    /// A budget with nothing reserved.
    pub(in crate::media) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            state: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    /// Reserves `bytes`; waits while too little is left. More than there is at all is reserved when
    /// nothing else is. `None` once it is closed.
    pub(in crate::media) fn reserve(self: &Arc<Self>, bytes: usize) -> Option<Reservation> {
        let mut state = self.lock();
        while !state.is_closed
            && state.reserved > 0
            && state.reserved.saturating_add(bytes) > self.limit
        {
            let waited = self.changed.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
        if state.is_closed {
            return None;
        }
        state.reserved = state.reserved.saturating_add(bytes);
        let budget = Arc::clone(self);
        Some(Reservation { budget, bytes })
    }

    /// Ends all waiting: nothing is reserved any more.
    pub(in crate::media) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_all();
    }

    // A thread that panics leaves nothing half done here.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut state = self.budget.lock();
        state.reserved = state.reserved.saturating_sub(self.bytes);
        self.budget.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::PacketBudget;
    use std::sync::Arc;
    use std::thread;

    #[test]
    fn no_more_is_lent_than_there_is() {
        let budget = PacketBudget::new(100);
        let (first, second) = (budget.reserve(60).unwrap(), budget.reserve(40).unwrap());
        let waiting = {
            let budget = Arc::clone(&budget);
            thread::spawn(move || budget.reserve(50).is_some())
        };
        assert!(!waiting.is_finished());
        drop(first);
        assert!(waiting.join().unwrap());
        drop(second);
        let all = budget.reserve(1000).unwrap();
        assert_eq!(budget.lock().reserved, 1000);
        let waiting = {
            let budget = Arc::clone(&budget);
            thread::spawn(move || budget.reserve(1).is_none())
        };
        budget.close();
        assert!(waiting.join().unwrap());
        drop(all);
    }
}
