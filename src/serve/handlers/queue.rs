//! The frames that wait for a session, and which of them go through the model together.
//!
//! The frame that has waited longest decides the size; those of the same size that follow it fill the
//! batch, whatever job they are of. A frame whose job was stopped is left out. Does not know models.

use crate::item::Size;
use crate::serve::handlers::meter::WorkMeter;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

/// What waits.
pub(super) trait Waiting {
    /// The input size: frames of one batch have the same.
    fn size(&self) -> Size;
    /// Whether nobody waits for the answer any more.
    fn is_unwanted(&self) -> bool;
}

/// A queue that several threads take batches from.
pub(super) struct BatchQueue<T> {
    state: Mutex<QueueState<T>>,
    changed: Condvar,
    meter: Arc<WorkMeter>,
    max_wait: Duration,
}

struct QueueState<T> {
    waiting: VecDeque<T>,
    /// How many are still being prepared, and will be put in or given up.
    coming: usize,
    is_closed: bool,
}

/// One that is being prepared: a batch that is not full waits for it. Dropped, it does not come.
pub(super) struct Coming<T: Waiting> {
    queue: Arc<BatchQueue<T>>,
}

impl<T: Waiting> BatchQueue<T> {
    /// An empty queue, whose batches wait for what is coming for at most `max_wait`.
    pub(super) fn new(max_wait: Duration, meter: Arc<WorkMeter>) -> Self {
        Self {
            state: Mutex::new(QueueState {
                waiting: VecDeque::new(),
                coming: 0,
                is_closed: false,
            }),
            changed: Condvar::new(),
            meter,
            max_wait,
        }
    }

    /// One more is being prepared.
    pub(super) fn announce(self: &Arc<Self>) -> Coming<T> {
        self.lock().coming += 1;
        Coming {
            queue: Arc::clone(self),
        }
    }

    /// Nothing more comes: [`take`](Self::take) ends once it is empty.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_all();
    }

    /// The next batch, after a wait where there is none; at most as many as `most` says for their
    /// size. `None` once the queue is closed and empty.
    pub(super) fn take(&self, most: impl Fn(Size) -> usize) -> Option<Vec<T>> {
        let mut state = self.lock();
        // When the batch that is being filled goes, full or not.
        let mut leaves: Option<Instant> = None;
        loop {
            state.waiting.retain(|it| !it.is_unwanted());
            self.meter.waits(state.waiting.len());
            let Some(size) = state.waiting.front().map(Waiting::size) else {
                if state.is_closed {
                    return None;
                }
                leaves = None;
                let waited = self.changed.wait(state);
                state = waited.unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let most = most(size).max(1);
            let alike = state.waiting.iter().filter(|it| it.size() == size).count();
            let now = Instant::now();
            let leaves = *leaves.get_or_insert(now + self.max_wait);
            if alike >= most || state.coming == 0 || now >= leaves {
                return Some(self.batch(&mut state, size, most));
            }
            let waited = self.changed.wait_timeout(state, leaves - now);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    // The first `most` of `size`, in their order; the others stay.
    fn batch(&self, state: &mut QueueState<T>, size: Size, most: usize) -> Vec<T> {
        let mut batch = Vec::new();
        let mut others = VecDeque::with_capacity(state.waiting.len());
        for it in state.waiting.drain(..) {
            match it.size() == size && batch.len() < most {
                true => batch.push(it),
                false => others.push_back(it),
            }
        }
        state.waiting = others;
        self.meter.waits(state.waiting.len());
        batch
    }

    fn lock(&self) -> MutexGuard<'_, QueueState<T>> {
        // Nothing under it is left half done by a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Waiting> Coming<T> {
    /// It is there.
    pub(super) fn put(self, it: T) {
        let mut state = self.queue.lock();
        state.waiting.push_back(it);
        self.queue.meter.waits(state.waiting.len());
        // The rest is done when it is dropped.
    }
}

impl<T: Waiting> Drop for Coming<T> {
    fn drop(&mut self) {
        self.queue.lock().coming -= 1;
        self.queue.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::BatchQueue;
    use super::Waiting;
    use crate::item::Size;
    use crate::serve::handlers::meter::WorkMeter;
    use std::sync::Arc;
    use std::time::Duration;

    #[derive(Debug, PartialEq)]
    struct Frame(u32, usize, bool);

    impl Waiting for Frame {
        fn size(&self) -> Size {
            Size {
                width: self.0,
                height: self.0,
            }
        }

        fn is_unwanted(&self) -> bool {
            self.2
        }
    }

    fn queue(max_wait: Duration) -> Arc<BatchQueue<Frame>> {
        Arc::new(BatchQueue::new(max_wait, Arc::<WorkMeter>::default()))
    }

    fn numbers(batch: Option<Vec<Frame>>) -> Vec<usize> {
        batch.unwrap().iter().map(|frame| frame.1).collect()
    }

    #[test]
    fn frames_of_one_size_go_together_and_the_first_goes_first() {
        let queue = queue(Duration::ZERO);
        for (number, (side, is_unwanted)) in [
            (64, false),
            (32, false),
            (64, true),
            (64, false),
            (64, false),
            (32, false),
        ]
        .into_iter()
        .enumerate()
        {
            queue.announce().put(Frame(side, number, is_unwanted));
        }
        queue.close();
        assert_eq!(numbers(queue.take(|_| 2)), [0, 3]);
        assert_eq!(numbers(queue.take(|_| 2)), [1, 5]);
        // No batch is empty, whatever may go at once.
        assert_eq!(numbers(queue.take(|_| 0)), [4]);
        assert_eq!(queue.take(|_| 2), None);
    }

    #[test]
    fn a_batch_waits_for_what_is_coming_and_for_nothing_else() {
        let long = Duration::from_secs(3600);
        let queue = queue(long);
        queue.announce().put(Frame(64, 0, false));
        // Nothing is coming, so it goes alone and at once.
        assert_eq!(numbers(queue.take(|_| 8)), [0]);
        queue.announce().put(Frame(64, 1, false));
        let coming = [queue.announce(), queue.announce()];
        let other = Arc::clone(&queue);
        let taken = std::thread::spawn(move || numbers(other.take(|_| 8)));
        let [second, given_up] = coming;
        second.put(Frame(64, 2, false));
        drop(given_up);
        assert_eq!(taken.join().unwrap(), [1, 2]);
    }

    #[test]
    fn a_batch_that_waits_goes_in_the_end() {
        let queue = queue(Duration::from_millis(1));
        let never = queue.announce();
        queue.announce().put(Frame(64, 0, false));
        assert_eq!(numbers(queue.take(|_| 8)), [0]);
        drop(never);
    }
}
