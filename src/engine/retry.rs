//! Retries: what becomes of an item after an attempt has failed.
//!
//! An item that waits to be tried again holds no permits, and the halves of one that was too large,
//! or that a handler failed on, queue for them like any other.
//!
//! An item of `n = 2^k` frames of which one makes the handler fail takes `2k + 3` requests: two for
//! the whole, two for the halves at each of `k` levels, and one more for the frame alone. None
//! takes more than `3n`.

use crate::engine::attempt::Attempts;
use crate::engine::attempt::Worker;
use crate::engine::outage::Sign;
use crate::engine::outage::is_silence;
use crate::engine::panics::caught;
use crate::engine::panics::caught_in;
use crate::engine::panics::joined;
use crate::engine::stop::StopReason;
use crate::event::Event;
use crate::failure::Class;
use crate::failure::Failure;
use crate::failure::Verdict;
use crate::item::Item;
use crate::plan::Retry;
use backon::BackoffBuilder;
use backon::ExponentialBackoff;
use backon::ExponentialBuilder;
use futures_util::future::BoxFuture;
use futures_util::future::join;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tracing::Instrument;

/// What is known of an item before its first attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// Nothing.
    Whole,
    /// It is a half of one that the handler failed on.
    Failed,
}

/// What is done after an attempt that failed.
enum Next {
    Again(Duration),
    /// Once more when an outage is over, as if nothing had been.
    Anew,
    Halves(Box<(Item, Item)>),
    GiveUp(Failure),
}

/// The attempts that an item has left.
struct Tries {
    pauses: ExponentialBackoff,
    time: Duration,
    until: Option<Instant>,
    /// Attempts so far.
    made: u32,
    /// How many of them the handler failed at.
    failed: u32,
    /// How often the backend had answered somebody before the first failure.
    answers: Option<u64>,
}

impl Tries {
    fn new(retry: Retry) -> Self {
        Self {
            pauses: ExponentialBuilder::default()
                .with_min_delay(retry.pause)
                .with_max_delay(retry.longest)
                .with_max_times(retry.attempts.saturating_sub(1) as usize)
                .with_jitter()
                .build(),
            time: retry.time,
            until: None,
            made: 0,
            failed: 0,
            answers: None,
        }
    }

    // Until the next attempt; `None` where there is none left, or no time for it.
    fn pause(&mut self, failure: &Failure) -> Option<Duration> {
        let now = Instant::now();
        let until = *self.until.get_or_insert_with(|| now + self.time);
        let own = self.pauses.next()?;
        let pause = own.max(failure.retry_after.unwrap_or(own));
        let next = now.checked_add(pause)?;
        (next <= until).then_some(pause)
    }
}

impl Attempts {
    /// What leaves the step for `item`: its answer, or what stands in place of one.
    pub(super) async fn answer(self: Arc<Self>, item: Item) -> Vec<Item> {
        let answer = caught_in(Arc::clone(&self).known_or_asked(item.clone()));
        match answer.await {
            Ok(items) => items,
            Err(failure) => {
                self.stop.finish(StopReason::Failed(failure.clone()));
                let items = caught_in(self.give_up(&item, &failure)).await;
                items.unwrap_or_default()
            }
        }
    }

    async fn known_or_asked(self: Arc<Self>, item: Item) -> Vec<Item> {
        let mut recalled = match self.recall(&item) {
            Ok(recalled) => recalled,
            Err(failure) => {
                if failure.class.verdict() == Verdict::StopRun {
                    self.stop.finish(StopReason::Failed(failure.clone()));
                }
                return self.give_up(&item, &failure).await;
            }
        };
        drop(item);
        self.tell_known(&recalled.known).await;
        match recalled.rest.take() {
            Some(rest) => recalled.with(self.answer_of(rest, Origin::Whole).await),
            None => recalled.known,
        }
    }

    fn answer_of(self: Arc<Self>, item: Item, origin: Origin) -> BoxFuture<'static, Vec<Item>> {
        Box::pin(async move {
            let (mut tries, mut body) = (Tries::new(self.step.retry), None);
            loop {
                tries.made += 1;
                let span = tracing::info_span!(
                    "item",
                    step = %self.step.id,
                    video = item.video().0,
                    item = %item,
                    attempt = tries.made,
                );
                let tried = self.attempt(&item, &mut body);
                let failure = match tried.instrument(span).await {
                    Ok(items) => return items,
                    Err(failure) => failure,
                };
                match self.next(&item, origin, &failure, &mut tries).await {
                    Next::Again(pause) => {
                        if !self.pause(tries.made, pause, failure).await {
                            return self.give_up(&item, &self.stop.failure()).await;
                        }
                    }
                    Next::Anew => tries = Tries::new(self.step.retry),
                    Next::Halves(halves) => {
                        let (first, second) = *halves;
                        drop(body);
                        let origin = match failure.class {
                            Class::Worker => Origin::Failed,
                            _ => origin,
                        };
                        return self.halves(&item, first, second, origin).await;
                    }
                    Next::GiveUp(failure) => return self.give_up(&item, &failure).await,
                }
            }
        })
    }

    async fn next(
        &self,
        item: &Item,
        origin: Origin,
        failure: &Failure,
        tries: &mut Tries,
    ) -> Next {
        match failure.class.verdict() {
            Verdict::Retry if is_silence(failure.class) => {
                self.after_silence(item, failure, tries).await
            }
            Verdict::Retry => match tries.pause(failure) {
                Some(pause) => Next::Again(pause),
                None => Next::GiveUp(self.exhausted(failure.clone())),
            },
            Verdict::Split => match self.split(item).await {
                Ok(Some(halves)) => Next::Halves(Box::new(halves)),
                Ok(None) => Next::GiveUp(failure.clone()),
                Err(panic) => self.end(panic),
            },
            Verdict::Isolate => self.isolate(item, origin, failure, tries).await,
            Verdict::GiveUp => Next::GiveUp(failure.clone()),
            Verdict::StopRun => self.end(failure.clone()),
        }
    }

    // In an outage no attempt counts. What is tried for the last time while nobody else is answered
    // may be in one.
    async fn after_silence(&self, item: &Item, failure: &Failure, tries: &mut Tries) -> Next {
        let answers = self.outage.answers();
        let before = *tries.answers.get_or_insert(answers);
        if self.outage.is_on() {
            return Next::Anew;
        }
        if let Some(pause) = tries.pause(failure) {
            return Next::Again(pause);
        }
        if answers > 0 && answers == before {
            self.note_silence(item, failure, Sign::Last, Instant::now())
                .await;
            return Next::Anew;
        }
        Next::GiveUp(self.exhausted(failure.clone()))
    }

    // Once more, in case it was chance; then in halves, of which each is tried once, until what the
    // handler fails on is alone.
    async fn isolate(
        &self,
        item: &Item,
        origin: Origin,
        failure: &Failure,
        tries: &mut Tries,
    ) -> Next {
        // A model of this machine fails on the same item in the same way.
        if matches!(self.worker, Worker::Threads { .. }) || self.stop.is_stopping() {
            return Next::GiveUp(failure.clone());
        }
        tries.failed += 1;
        let is_first = tries.failed == 1;
        if is_first
            && origin == Origin::Whole
            && let Some(pause) = tries.pause(failure)
        {
            return Next::Again(pause);
        }
        match self.split(item).await {
            Ok(Some(halves)) => Next::Halves(Box::new(halves)),
            Ok(None) => match tries.pause(failure).filter(|_| is_first) {
                Some(pause) => Next::Again(pause),
                None => Next::GiveUp(failure.clone()),
            },
            Err(panic) => self.end(panic),
        }
    }

    fn end(&self, failure: Failure) -> Next {
        self.stop.finish(StopReason::Failed(failure.clone()));
        Next::GiveUp(failure)
    }

    // The failure of an item that was tried as often as the recipe allows. Where nobody has
    // answered anything by then, nobody will, and the run ends.
    pub(super) fn exhausted(&self, failure: Failure) -> Failure {
        if !self.history.is_hopeless(failure.class) {
            return failure;
        }
        let doubt = match failure.class {
            Class::Network => ": is it running, and is its address right?",
            _ => "",
        };
        let why = format!("{}; it has answered nothing so far{doubt}", failure.message);
        let failure = Failure::new(Class::Unavailable, why);
        self.stop.finish(StopReason::Failed(failure.clone()));
        failure
    }

    // Whether the pause came to its end; not where the run was stopped meanwhile.
    async fn pause(&self, attempt: u32, pause: Duration, failure: Failure) -> bool {
        let class = failure.class.to_string();
        tracing::info!(step = %self.step.id, attempt, class, ?pause, "trying again");
        let stage = self.step.stage.clone();
        self.reporter
            .event(Event::Retrying {
                stage,
                attempt,
                pause,
                failure,
            })
            .await;
        tokio::select! {
            () = self.stop.stopping() => false,
            () = tokio::time::sleep(pause) => true,
        }
    }

    // Some things take a while to cut.
    async fn split(&self, item: &Item) -> Result<Option<(Item, Item)>, Failure> {
        match &self.worker {
            // What runs on this machine is as small as it gets.
            Worker::Threads { .. } => Ok(None),
            Worker::Calls(call) => {
                let (call, item) = (Arc::clone(call), item.clone());
                joined(tokio::task::spawn_blocking(move || call.split(&item)).await)
            }
        }
    }

    async fn halves(
        self: &Arc<Self>,
        item: &Item,
        first: Item,
        second: Item,
        origin: Origin,
    ) -> Vec<Item> {
        let (stage, frames) = (self.step.stage.clone(), item.progress_units());
        tracing::info!(step = %self.step.id, %item, "halved");
        self.reporter.event(Event::Split { stage, frames }).await;
        let halves = join(
            Arc::clone(self).answer_of(first, origin),
            Arc::clone(self).answer_of(second, origin),
        );
        let (mut first, second) = halves.await;
        first.extend(second);
        first
    }

    async fn give_up(&self, item: &Item, failure: &Failure) -> Vec<Item> {
        let (step, class) = (&self.step.id, failure.class);
        tracing::warn!(%step, video = item.video().0, %item, %class, "given up");
        let event = Event::ItemFailed {
            stage: self.step.stage.clone(),
            video: item.video(),
            item: item.to_string(),
            failure: failure.clone(),
        };
        self.reporter.event(event).await;
        let given_up = caught(|| match &self.worker {
            Worker::Threads { map, .. } => map.give_up(item, failure),
            Worker::Calls(call) => call.give_up(item, failure),
        });
        given_up.unwrap_or_else(|panic| {
            self.stop.finish(StopReason::Failed(panic));
            Vec::new()
        })
    }
}
