//! The frames of decoders that work side by side, put back in order.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

/// A buffer of items of numbered groups: many threads put them in, group by group, and one takes
/// them out in the order of the groups and of the items in each.
pub(in crate::media) struct ReorderBuffer<T> {
    room: usize,
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    lines: BTreeMap<u64, Line<T>>,
    // The group that is being taken from.
    front: u64,
    // The number of groups, once it is known.
    groups: Option<u64>,
    held: usize,
    is_closed: bool,
}

struct Line<T> {
    items: VecDeque<T>,
    is_complete: bool,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self {
            items: VecDeque::new(),
            is_complete: false,
        }
    }
}

impl<T> ReorderBuffer<T> {
    /// An empty buffer for `room` items, and one more.
    pub(in crate::media) fn new(room: usize) -> Self {
        Self {
            room,
            state: Mutex::new(State {
                lines: BTreeMap::new(),
                front: 0,
                groups: None,
                held: 0,
                is_closed: false,
            }),
            changed: Condvar::new(),
        }
    }

    /// Puts a item at the end of its group; waits while there is no room. The group that is
    /// being taken from always has room for one item, so that it never waits for later ones.
    pub(in crate::media) fn put(&self, group: u64, item: T) {
        let mut state = self.lock();
        while !state.is_closed && state.held >= self.room && !state.is_awaited(group) {
            state = self.wait(state);
        }
        state.held += 1;
        state.lines.entry(group).or_default().items.push_back(item);
        self.changed.notify_all();
    }

    /// Says that a group has all its items.
    pub(in crate::media) fn complete(&self, group: u64) {
        self.lock().lines.entry(group).or_default().is_complete = true;
        self.changed.notify_all();
    }

    /// Says how many groups there are.
    pub(in crate::media) fn end(&self, groups: u64) {
        self.lock().groups = Some(groups);
        self.changed.notify_all();
    }

    /// Takes the next item; waits for it. `None` when there is none any more.
    pub(in crate::media) fn take(&self) -> Option<T> {
        let mut state = self.lock();
        loop {
            if state.is_closed || state.groups == Some(state.front) {
                return None;
            }
            let front = state.front;
            let line = state.lines.entry(front).or_default();
            if let Some(item) = line.items.pop_front() {
                state.held -= 1;
                self.changed.notify_all();
                return Some(item);
            }
            if line.is_complete {
                state.lines.remove(&front);
                state.front += 1;
                self.changed.notify_all();
            } else {
                state = self.wait(state);
            }
        }
    }

    /// Ends all waiting: noitem will be taken any more.
    pub(in crate::media) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_all();
    }

    // A thread that panics leaves noitem half done here.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'state>(&self, state: MutexGuard<'state, State<T>>) -> MutexGuard<'state, State<T>> {
        let waited = self.changed.wait(state);
        waited.unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn is_awaited(&self, group: u64) -> bool {
        let is_empty = |line: &Line<T>| line.items.is_empty();
        group == self.front && self.lines.get(&group).is_none_or(is_empty)
    }
}

#[cfg(test)]
mod tests {
    use super::ReorderBuffer;
    use std::sync::Arc;
    use std::thread;

    #[test]
    fn items_come_out_in_order_however_they_went_in() {
        let buffer = Arc::new(ReorderBuffer::new(2));
        let makers: Vec<_> = (0..4)
            .map(|maker| {
                let buffer = Arc::clone(&buffer);
                thread::spawn(move || {
                    for group in (maker..40).step_by(4) {
                        for item in 0..group % 5 {
                            buffer.put(group, (group, item));
                        }
                        buffer.complete(group);
                    }
                })
            })
            .collect();
        buffer.end(40);
        let taken: Vec<_> = std::iter::from_fn(|| buffer.take()).collect();
        let wanted = (0..40).flat_map(|group| (0..group % 5).map(move |item| (group, item)));
        assert!(taken.into_iter().eq(wanted));
        for maker in makers {
            maker.join().unwrap();
        }
    }

    #[test]
    fn a_closed_buffer_lets_everyone_go() {
        let buffer = Arc::new(ReorderBuffer::new(0));
        let maker = {
            let buffer = Arc::clone(&buffer);
            thread::spawn(move || (0..9).for_each(|item| buffer.put(1, item)))
        };
        buffer.close();
        maker.join().unwrap();
        assert_eq!(buffer.take(), None);
    }
}
