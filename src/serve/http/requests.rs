//! Requests: how many there were, by route and status.

use axum::http::StatusCode;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;

/// Counts of requests. Routes are those of the server, so there are few.
#[derive(Debug, Default)]
pub(super) struct Requests(Mutex<BTreeMap<(String, u16), u64>>);

impl Requests {
    /// One was answered.
    pub(super) fn count(&self, route: &str, status: StatusCode) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts
            .entry((route.to_owned(), status.as_u16()))
            .or_default() += 1;
    }

    /// All counts, in order.
    pub(super) fn counts(&self) -> BTreeMap<(String, u16), u64> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
