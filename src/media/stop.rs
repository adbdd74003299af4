//! The flag that ends reading.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

/// Set by the caller's flag, or when nobody wants the frames any more.
#[derive(Clone, Debug, Default)]
pub(super) struct StopFlag {
    asked: Arc<AtomicBool>,
    abandoned: Arc<AtomicBool>,
}

impl StopFlag {
    /// A stop that heeds the caller's flag.
    pub(super) fn new(asked: Arc<AtomicBool>) -> Self {
        Self {
            asked,
            abandoned: Arc::default(),
        }
    }

    /// The same flag of the caller's, for work that is begun anew.
    pub(super) fn renewed(&self) -> Self {
        Self::new(Arc::clone(&self.asked))
    }

    /// Says that nobody wants the frames any more.
    pub(super) fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }

    /// Whether to end.
    pub(super) fn is_set(&self) -> bool {
        self.asked.load(Ordering::Relaxed) || self.abandoned.load(Ordering::Relaxed)
    }
}
