//! A handler that takes its time, and one that notes when another is at work.

use serde_json::Value;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;
use vpipe::serve::Handler;
use vpipe::serve::HandlerFuture;
use vpipe::serve::Job;
use vpipe::serve::Updates;

/// A handler that waits for so long, and gives the input back.
pub(crate) struct Pause(pub(crate) Duration);

impl Handler for Pause {
    fn handle<'a>(&'a self, job: &'a Job, _: Updates) -> HandlerFuture<'a> {
        Box::pin(async {
            tokio::time::sleep(self.0).await;
            Ok::<Value, _>(job.input.clone())
        })
    }

    fn streams(&self, _: &Job) -> bool {
        false
    }
}

/// A handler, and from when to when it was at work on each job.
pub(crate) struct Timed<H> {
    handler: H,
    spans: Mutex<Vec<(Instant, Instant)>>,
}

impl<H> Timed<H> {
    pub(crate) fn new(handler: H) -> Self {
        Self {
            handler,
            spans: Mutex::default(),
        }
    }

    /// The share of the time, from the first begin to the last end, in which it was at work on none.
    pub(crate) fn idle(&self) -> f64 {
        let mut spans = self
            .spans
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        spans.sort();
        let (Some(first), Some(last)) = (spans.first(), spans.iter().map(|span| span.1).max())
        else {
            return 0.0;
        };
        let (first, mut until) = (first.0, first.0);
        let mut idle = Duration::ZERO;
        for (begin, end) in spans {
            idle += begin.saturating_duration_since(until);
            until = until.max(end);
        }
        idle.as_secs_f64() / (last - first).as_secs_f64()
    }
}

impl<H: Handler> Handler for Timed<H> {
    fn handle<'a>(&'a self, job: &'a Job, updates: Updates) -> HandlerFuture<'a> {
        Box::pin(async {
            let begin = Instant::now();
            let output = self.handler.handle(job, updates).await;
            let mut spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
            spans.push((begin, Instant::now()));
            output
        })
    }

    fn streams(&self, job: &Job) -> bool {
        self.handler.streams(job)
    }
}
