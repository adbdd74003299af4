//! One attempt at an item: its turn, its permits, the work, and what came of it.
//!
//! Permits are held only while the item is at work. The body of a request is made before a permit
//! is asked for, so a slot that is free finds one ready.

use crate::engine::answers::Answers;
use crate::engine::conductor::Reporter;
use crate::engine::first::FirstRequest;
use crate::engine::gate::Denial;
use crate::engine::gate::Gate;
use crate::engine::history::AnswerHistory;
use crate::engine::operator::Call;
use crate::engine::operator::Map;
use crate::engine::operator::Submitted;
use crate::engine::outage::Outage;
use crate::engine::outage::Probe;
use crate::engine::outage::Sign;
use crate::engine::outage::Turn;
use crate::engine::outage::is_silence;
use crate::engine::panics::joined;
use crate::engine::permits::Permits;
use crate::engine::stop::StopReason;
use crate::engine::stop::StopSignal;
use crate::engine::threads::MapThreads;
use crate::engine::waiting::Abort;
use crate::engine::waiting::Accepted;
use crate::engine::waiting::Waited;
use crate::event::Event;
use crate::exchange::Exchange;
use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Item;
use crate::name::Ticket;
use crate::plan::Step;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long the ticket of a request is waited for once the run is aborted.
const FOR_A_TICKET: Duration = Duration::from_secs(2);

/// What does the work of a step that maps.
pub(super) enum Worker {
    Threads {
        threads: MapThreads,
        map: Arc<dyn Map>,
    },
    Calls(Arc<dyn Call>),
}

/// All that an item needs on its way through a step.
pub(super) struct Attempts {
    pub(super) step: Step,
    pub(super) worker: Worker,
    pub(super) permits: Permits,
    pub(super) reporter: Reporter,
    pub(super) stop: StopSignal,
    pub(super) gate: Arc<dyn Gate>,
    pub(super) answers: Arc<dyn Answers>,
    pub(super) first: FirstRequest,
    pub(super) history: AnswerHistory,
    pub(super) outage: Arc<Outage>,
}

impl Attempts {
    /// What leaves the step for `item`. `body` is its request, which is made where it is not there
    /// and stays for the next attempt.
    pub(super) async fn attempt(
        &self,
        item: &Item,
        body: &mut Option<Bytes>,
    ) -> Result<Vec<Item>, Failure> {
        if let (Worker::Calls(call), None) = (&self.worker, &body) {
            *body = Some(self.prepare(call, item).await?);
        }
        let asks = body.as_ref().is_some_and(|body| !body.is_empty());
        let alone = match asks {
            true => self.first.turn(&self.stop).await?,
            false => None,
        };
        let permit = tokio::select! {
            biased;
            () = self.stop.stopping() => return Err(self.stop.failure()),
            permit = self.permits.acquire(item.video()) => permit,
        };
        let probe = self.probe(asks).await?;
        let (stage, frames) = (&self.step.stage, item.progress_units());
        if asks {
            self.admit(item)?;
        }
        self.reporter
            .event(Event::Started {
                stage: stage.clone(),
                frames,
            })
            .await;
        let (mut ticket, body) = (None, body.clone().unwrap_or_default());
        let answer = match &self.worker {
            Worker::Threads { threads, .. } => threads.map(item.clone()).await,
            Worker::Calls(call) => {
                let answer = self.call(&**call, item, body, probe, &mut ticket);
                self.first.wait(alone.as_ref(), answer).await
            }
        };
        // Before another request has the permit, or its turn.
        if asks {
            self.note_attempt(answer.as_ref().err());
        }
        drop(permit);
        self.reporter
            .event(Event::Paused {
                stage: stage.clone(),
                frames,
            })
            .await;
        if let Ok(items) = &answer {
            self.keep(item, items, ticket).await;
        }
        answer
    }

    // Whether the request for `item` may be sent.
    fn admit(&self, item: &Item) -> Result<(), Failure> {
        let (stage, frames) = (&self.step.stage, item.progress_units());
        match self.gate.admit(stage, item.video(), frames) {
            Ok(()) => Ok(()),
            Err(Denial::Run(reason)) => {
                self.stop.finish(reason);
                Err(self.stop.failure())
            }
            Err(Denial::Video(reason)) => Err(Failure::new(Class::Stopped, reason.to_string())),
        }
    }

    // Waits until the backend may be asked; as a probe in an outage.
    async fn probe(&self, asks: bool) -> Result<Option<Probe>, Failure> {
        if !asks {
            return Ok(None);
        }
        match self.turn().await {
            Turn::Ask(probe) => Ok(probe),
            Turn::Stopped => Err(self.stop.failure()),
            Turn::GiveUp(failure) => Err(failure),
        }
    }

    fn note_attempt(&self, failure: Option<&Failure>) {
        let Some(failure) = failure else {
            self.history.answered();
            self.first.answered();
            return;
        };
        if let Some(why) = self.history.failed(&self.step.stage, failure) {
            self.stop.finish(StopReason::Failed(why));
        }
    }

    async fn prepare(&self, call: &Arc<dyn Call>, item: &Item) -> Result<Bytes, Failure> {
        if self.stop.is_stopping() {
            return Err(self.stop.failure());
        }
        let (call, item) = (Arc::clone(call), item.clone());
        joined(tokio::task::spawn_blocking(move || call.prepare(&item)).await)?
    }

    async fn call(
        &self,
        call: &dyn Call,
        item: &Item,
        body: Bytes,
        probe: Option<Probe>,
        ticket: &mut Option<Ticket>,
    ) -> Result<Vec<Item>, Failure> {
        let asks = !body.is_empty();
        let mut exchange = Exchange {
            video: Some(item.video()),
            frames: item.progress_units(),
            ..Exchange::default()
        };
        if asks {
            tracing::debug!(bytes = body.len(), "submitting");
        }
        let begun = Instant::now();
        let submitted = self.submit(call, item, body, &mut exchange).await;
        if asks {
            self.note_submission(item, begun, submitted.as_ref().err())
                .await;
        }
        drop(probe);
        let answer = match submitted {
            Ok(Submitted::Answer(items)) => Ok(items),
            Ok(Submitted::Ticket(accepted)) => {
                let work = Accepted {
                    call,
                    item,
                    ticket: &accepted,
                    abort: Abort::Cancels,
                };
                match self.wait(work, &mut exchange).await {
                    Waited::Answered(items) => {
                        *ticket = Some(accepted);
                        Ok(items)
                    }
                    Waited::Open(failure) => Err(failure),
                    Waited::Over(failure) => {
                        self.forget(accepted).await;
                        Err(failure)
                    }
                }
            }
            Err(failure) => Err(failure),
        };
        if asks {
            exchange.waited = begun.elapsed();
            exchange.answered = answer.is_ok();
            log(&exchange, answer.as_ref().err());
            self.settle(exchange).await;
        }
        answer
    }

    /// Counts and tells what a request took.
    pub(super) async fn settle(&self, exchange: Exchange) {
        let stage = self.step.stage.clone();
        self.gate.settle(&stage, &exchange);
        self.reporter
            .event(Event::Exchanged { stage, exchange })
            .await;
    }

    // Whatever a server says of a request, it is there.
    async fn note_submission(&self, item: &Item, asked: Instant, failure: Option<&Failure>) {
        match failure {
            Some(failure) if is_silence(failure.class) => {
                self.note_silence(item, failure, Sign::Weak, asked).await;
            }
            Some(failure) if failure.class == Class::Stopped => {}
            _ => {
                self.outage.answered(asked);
                self.tell_over().await;
            }
        }
    }

    async fn submit(
        &self,
        call: &dyn Call,
        item: &Item,
        body: Bytes,
        exchange: &mut Exchange,
    ) -> Result<Submitted, Failure> {
        let submitted = tokio::select! {
            biased;
            submitted = call.submit(item, body, exchange) => submitted,
            () = self.no_ticket_to_come() => Err(self.stop.failure()),
        };
        if !submitted
            .as_ref()
            .is_err_and(|failure| matches!(failure.class, Class::Network | Class::Stopped))
        {
            self.history.reached();
        }
        if let Ok(Submitted::Ticket(ticket)) = &submitted {
            tracing::info!(%ticket, "accepted");
            if let Some(open) = self.open_ticket(item, ticket) {
                self.reporter.accepted(open).await;
            }
        }
        submitted
    }

    // An abort does not end a request at once: the ticket of work that was accepted must be known, or
    // that could not be cancelled.
    async fn no_ticket_to_come(&self) {
        self.stop.aborted().await;
        tokio::time::sleep(FOR_A_TICKET).await;
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
