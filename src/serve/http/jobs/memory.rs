//! Memory: what requests, jobs and results may take of it together.

use bytes::Bytes;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;

/// So many bytes; clones are the same.
#[derive(Clone, Debug)]
pub(in crate::serve::http) struct Memory {
    free: Arc<Semaphore>,
    all: usize,
}

/// Bytes that are taken until this is dropped.
#[derive(Debug)]
pub(in crate::serve::http) struct Reservation(OwnedSemaphorePermit);

/// JSON as it is sent, with the memory that it takes.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) text: Bytes,
    _memory: Reservation,
}

impl Memory {
    pub(super) fn of(bytes: usize) -> Self {
        let all = bytes.min(Semaphore::MAX_PERMITS);
        Self {
            free: Arc::new(Semaphore::new(all)),
            all,
        }
    }

    /// Takes so many bytes, where they are free.
    pub(super) fn reserve(&self, bytes: usize) -> Option<Reservation> {
        let bytes = u32::try_from(bytes).ok()?;
        let taken = Arc::clone(&self.free).try_acquire_many_owned(bytes);
        taken.ok().map(Reservation)
    }

    /// Bytes that are taken.
    pub(super) fn taken(&self) -> usize {
        self.all - self.free.available_permits()
    }

    /// All bytes there are.
    pub(super) fn all(&self) -> usize {
        self.all
    }
}

impl Reservation {
    /// Takes what `other` has, too.
    pub(in crate::serve::http) fn add(&mut self, other: Self) {
        self.0.merge(other.0);
    }
}

/// `value` as it is sent.
pub(super) fn text(value: &Value) -> Bytes {
    // A value of JSON is written as JSON without fail.
    serde_json::to_vec(value).unwrap_or_default().into()
}

impl Held {
    pub(super) fn new(text: Bytes, memory: Reservation) -> Self {
        Self {
            text,
            _memory: memory,
        }
    }
}
