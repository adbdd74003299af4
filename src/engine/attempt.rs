//! Attempts: the way of one item through a step, from its first permit to its answer.
//!
//! Permits are held only while the item is at work: one that waits to be tried again gives them
//! back, and the halves of an item that was too large queue for them like any other. The body of
//! a request is made before a permit is asked for, so a slot that is free finds one ready.

use crate::engine::conductor::Reporter;
use crate::engine::gate::Gate;
use crate::engine::lanes::Lanes;
use crate::engine::map::finished;
use crate::engine::permits::Permits;
use crate::engine::stop::Stop;
use crate::engine::stop::StopReason;
use crate::engine::work::Call;
use crate::engine::work::Map;
use crate::engine::work::Submitted;
use crate::event::Event;
use crate::exchange::Exchange;
use crate::failure::Class;
use crate::failure::Failure;
use crate::failure::Verdict;
use crate::item::Item;
use crate::name::Ticket;
use crate::plan::Retry;
use crate::plan::Step;
use backon::BackoffBuilder;
use backon::ExponentialBuilder;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::future::join;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;
use tracing::Instrument;

/// What does the work of a step that maps.
pub(super) enum Worker {
    Threads { lanes: Lanes, map: Arc<dyn Map> },
    Calls(Arc<dyn Call>),
}

/// All that an item needs on its way through a step.
pub(super) struct Attempts {
    pub(super) step: Step,
    pub(super) worker: Worker,
    pub(super) permits: Permits,
    pub(super) reporter: Reporter,
    pub(super) stop: Stop,
    pub(super) gate: Arc<dyn Gate>,
    /// Whether a server has ever said anything.
    pub(super) met: AtomicBool,
}

impl Attempts {
    /// What leaves the step for `item`: its answer, or what stands in place of one.
    pub(super) fn answer(self: Arc<Self>, item: Item) -> BoxFuture<'static, Vec<Item>> {
        Box::pin(async move {
            let mut pauses = pauses(self.step.retry);
            let (mut attempt, mut body) = (0, None);
            let mut until = None;
            loop {
                attempt += 1;
                let span = tracing::info_span!(
                    "item",
                    step = %self.step.id,
                    video = item.video().0,
                    item = %item,
                    attempt,
                );
                let tried = self.attempt(&item, &mut body);
                let failure = match tried.instrument(span).await {
                    Ok(items) => return items,
                    Err(failure) => failure,
                };
                let until = *until.get_or_insert_with(|| Instant::now() + self.step.retry.time);
                match failure.class.verdict() {
                    Verdict::Retry => {
                        let pause = pauses.next();
                        let pause = pause.map(|own| own.max(failure.retry_after.unwrap_or(own)));
                        let in_time = |pause: &Duration| Instant::now() + *pause <= until;
                        let Some(pause) = pause.filter(in_time) else {
                            return self.give_up(&item, &self.exhausted(failure)).await;
                        };
                        if !self.pause(attempt, pause, failure).await {
                            return self.give_up(&item, &self.stop.failure()).await;
                        }
                    }
                    Verdict::Split => match self.split(&item).await {
                        Some(halves) => {
                            drop(body);
                            return self.halves(&item, halves).await;
                        }
                        None => return self.give_up(&item, &failure).await,
                    },
                    Verdict::GiveUp => return self.give_up(&item, &failure).await,
                    Verdict::StopRun => {
                        self.stop.finish(StopReason::Failed(failure.clone()));
                        return self.give_up(&item, &failure).await;
                    }
                }
            }
        })
    }

    async fn attempt(&self, item: &Item, body: &mut Option<Bytes>) -> Result<Vec<Item>, Failure> {
        if let (Worker::Calls(call), None) = (&self.worker, &body) {
            *body = Some(self.prepare(call, item).await?);
        }
        let permit = tokio::select! {
            biased;
            () = self.stop.stopping() => return Err(self.stop.failure()),
            permit = self.permits.acquire() => permit,
        };
        let (stage, frames) = (&self.step.stage, item.progress_units());
        if body.as_ref().is_some_and(|body| !body.is_empty())
            && let Err(reason) = self.gate.admit(stage, frames)
        {
            self.stop.finish(reason);
            return Err(self.stop.failure());
        }
        self.reporter
            .event(Event::Started {
                stage: stage.clone(),
                frames,
            })
            .await;
        let answer = match &self.worker {
            Worker::Threads { lanes, .. } => lanes.map(item.clone()).await,
            Worker::Calls(call) => {
                let body = body.clone().unwrap_or_default();
                self.call(&**call, item, body).await
            }
        };
        drop(permit);
        self.reporter
            .event(Event::Paused {
                stage: stage.clone(),
                frames,
            })
            .await;
        answer
    }

    async fn prepare(&self, call: &Arc<dyn Call>, item: &Item) -> Result<Bytes, Failure> {
        if self.stop.is_stopping() {
            return Err(self.stop.failure());
        }
        let (call, item) = (Arc::clone(call), item.clone());
        let body = tokio::task::spawn_blocking(move || call.prepare(&item)).await;
        finished(body).unwrap_or_else(|| Err(self.stop.failure()))
    }

    async fn call(&self, call: &dyn Call, item: &Item, body: Bytes) -> Result<Vec<Item>, Failure> {
        let asks = !body.is_empty();
        let mut exchange = Exchange {
            frames: item.progress_units(),
            ..Exchange::default()
        };
        if asks {
            tracing::debug!(bytes = body.len(), "submitting");
        }
        let begun = Instant::now();
        let answer = self.ask(call, item, body, &mut exchange).await;
        if asks {
            exchange.waited = begun.elapsed();
            exchange.answered = answer.is_ok();
            log(&exchange, answer.as_ref().err());
            let stage = self.step.stage.clone();
            self.gate.settle(&stage, &exchange);
            self.reporter
                .event(Event::Exchanged { stage, exchange })
                .await;
        }
        answer
    }

    async fn ask(
        &self,
        call: &dyn Call,
        item: &Item,
        body: Bytes,
        exchange: &mut Exchange,
    ) -> Result<Vec<Item>, Failure> {
        // Not raced against an abort: the ticket of work that was accepted must be known, or
        // it could not be cancelled.
        let submitted = call.submit(item, body, exchange).await;
        if !submitted
            .as_ref()
            .is_err_and(|failure| failure.class == Class::Network)
        {
            self.met.store(true, Ordering::Relaxed);
        }
        let ticket = match submitted? {
            Submitted::Answer(items) => return Ok(items),
            Submitted::Ticket(ticket) => ticket,
        };
        tracing::info!(%ticket, "accepted");
        self.reporter
            .accepted(self.step.id.clone(), item.to_string(), ticket.clone())
            .await;
        self.wait(call, item, &ticket, exchange).await
    }

    // Stopped once: what has not begun is taken back, what runs is waited for; what fits the
    // budget is waited for in any case. Stopped twice: everything is taken back.
    async fn wait(
        &self,
        call: &dyn Call,
        item: &Item,
        ticket: &Ticket,
        exchange: &mut Exchange,
    ) -> Result<Vec<Item>, Failure> {
        let mut answer = call.wait(item, ticket, exchange);
        tokio::select! {
            biased;
            answer = &mut answer => return answer,
            () = self.stop.stopping() => {}
        }
        if !self.stop.collects() && call.cancel(ticket, false).await {
            return Err(self.stop.failure());
        }
        tokio::select! {
            biased;
            answer = answer => answer,
            () = self.stop.aborted() => {
                call.cancel(ticket, true).await;
                Err(self.stop.failure())
            }
        }
    }

    // The failure of an item that was tried as often as the recipe allows. Where nobody has
    // answered anything by then, nobody will, and the run ends.
    fn exhausted(&self, failure: Failure) -> Failure {
        if failure.class != Class::Network || self.met.load(Ordering::Relaxed) {
            return failure;
        }
        let why = format!(
            "{}; it has answered nothing so far: is it running, and is its address right?",
            failure.message
        );
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
    async fn split(&self, item: &Item) -> Option<(Item, Item)> {
        match &self.worker {
            // What runs on this machine is as small as it gets.
            Worker::Threads { .. } => None,
            Worker::Calls(call) => {
                let (call, item) = (Arc::clone(call), item.clone());
                let halves = tokio::task::spawn_blocking(move || call.split(&item)).await;
                finished(halves)?
            }
        }
    }

    async fn halves(self: &Arc<Self>, item: &Item, (first, second): (Item, Item)) -> Vec<Item> {
        let (stage, frames) = (self.step.stage.clone(), item.progress_units());
        tracing::info!(step = %self.step.id, %item, "too large: halved");
        self.reporter.event(Event::Split { stage, frames }).await;
        let halves = join(
            Arc::clone(self).answer(first),
            Arc::clone(self).answer(second),
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
        match &self.worker {
            Worker::Threads { map, .. } => map.give_up(item, failure),
            Worker::Calls(call) => call.give_up(item, failure),
        }
    }
}

impl Worker {
    /// What the user should change before the next run, as far as this one has shown.
    pub(super) fn advice(&self) -> Option<String> {
        match self {
            Self::Threads { .. } => None,
            Self::Calls(call) => call.advice(),
        }
    }
}

// The message of a failure may hold words of the server's answer, which belong in no log.
fn log(exchange: &Exchange, failure: Option<&Failure>) {
    let seconds = exchange.waited.as_secs_f64();
    let worker = exchange.worker.as_deref();
    match failure {
        None => tracing::info!(seconds, worker, "answered"),
        Some(Failure { class, .. }) => tracing::info!(seconds, worker, %class, "not answered"),
    }
}

fn pauses(retry: Retry) -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(retry.pause)
        .with_max_delay(retry.longest)
        .with_max_times(retry.attempts.saturating_sub(1) as usize)
        .with_jitter()
        .build()
}
