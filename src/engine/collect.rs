//! Collecting: the answers to work that a server accepted in an earlier run, before anything new is
//! asked.

use crate::answer::ItemKey;
use crate::answer::OpenTicket;
use crate::engine::attempt::Attempts;
use crate::engine::attempt::Worker;
use crate::engine::conductor::Reporter;
use crate::engine::stop::StopReason;
use crate::engine::waiting::Abort;
use crate::engine::waiting::Accepted;
use crate::engine::waiting::Waited;
use crate::event::Event;
use crate::exchange::Exchange;
use crate::failure::Class;
use crate::failure::Failure;
use crate::failure::Verdict;
use futures_util::future::join_all;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::time::Instant;

/// What sources wait for before they read.
#[derive(Clone)]
pub(super) struct Collected(watch::Receiver<()>);

/// Held while answers are collected.
pub(super) struct Collecting(#[expect(dead_code, reason = "held")] watch::Sender<()>);

/// What became of a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Answered,
    Gone,
    Left,
}

impl Collected {
    pub(super) fn new() -> (Collecting, Self) {
        let (sender, receiver) = watch::channel(());
        (Collecting(sender), Self(receiver))
    }

    /// Waits until nothing is collected any more.
    pub(super) async fn wait(&mut self) {
        while self.0.changed().await.is_ok() {}
    }
}

/// Waits for what can still be had of `tickets` by the steps that asked.
pub(super) async fn collect(
    steps: Vec<Arc<Attempts>>,
    tickets: Vec<OpenTicket>,
    reporter: Reporter,
    collecting: Collecting,
) {
    let of_step = |ticket: OpenTicket| {
        let step = steps.iter().find(|step| step.has_asked(&ticket))?;
        Some((Arc::clone(step), ticket))
    };
    let mut open = Vec::new();
    for (step, ticket) in tickets.into_iter().filter_map(of_step) {
        // It was asked again, and answered then.
        match step.is_known(&ticket) {
            true => step.forget(ticket.ticket).await,
            false => open.push((step, ticket)),
        }
    }
    if !open.is_empty() {
        let jobs = open.len();
        reporter.event(Event::Collecting { jobs }).await;
        let fates = open.iter().map(|(step, ticket)| step.collect(ticket));
        let fates = join_all(fates).await;
        let count = |wanted: Fate| fates.iter().filter(|fate| **fate == wanted).count();
        let (jobs, gone) = (count(Fate::Answered), count(Fate::Gone));
        reporter.event(Event::Collected { jobs, gone }).await;
    }
    drop(collecting);
}

impl Attempts {
    // Whether the step has asked what `ticket` is for, where it asks now.
    fn has_asked(&self, ticket: &OpenTicket) -> bool {
        let Worker::Calls(call) = &self.worker else {
            return false;
        };
        self.step.digest == Some(ticket.stage) && call.address() == ticket.address
    }

    fn is_known(&self, ticket: &OpenTicket) -> bool {
        let (video, stage) = (ticket.video, ticket.stage);
        ticket.question.extents().into_iter().all(|extent| {
            let key = ItemKey {
                video,
                stage,
                extent,
            };
            // What cannot be told now is told when the item comes.
            self.answers.has(&key).unwrap_or(false)
        })
    }

    async fn collect(&self, open: &OpenTicket) -> Fate {
        let Worker::Calls(call) = &self.worker else {
            return Fate::Left;
        };
        let permit = tokio::select! {
            biased;
            () = self.stop.stopping() => return Fate::Left,
            permit = self.permits.acquire(open.video) => permit,
        };
        let item = open.question.item(&self.step.stage, open.video);
        tracing::info!(step = %self.step.id, ticket = %open.ticket, "collecting");
        let mut exchange = Exchange {
            frames: item.progress_units(),
            ..Exchange::default()
        };
        let begun = Instant::now();
        let work = Accepted {
            call: &**call,
            item: &item,
            ticket: &open.ticket,
            abort: Abort::Leaves,
        };
        let waited = self.wait(work, &mut exchange).await;
        drop(permit);
        match waited {
            Waited::Answered(items) => {
                self.history.reached();
                self.history.answered();
                self.first.answered();
                exchange.waited = begun.elapsed();
                exchange.answered = true;
                self.settle(exchange).await;
                self.keep(&item, &items, Some(open.ticket.clone())).await;
                Fate::Answered
            }
            Waited::Over(failure) => {
                self.forget(open.ticket.clone()).await;
                match failure.class {
                    Class::Stopped => Fate::Left,
                    _ => Fate::Gone,
                }
            }
            Waited::Open(failure) => {
                self.stop_for(failure);
                Fate::Left
            }
        }
    }

    // What stops every item stops the run here already; so does a server that is not there.
    fn stop_for(&self, failure: Failure) {
        match failure.class.verdict() {
            Verdict::StopRun => self.stop.finish(StopReason::Failed(failure)),
            Verdict::Retry => drop(self.exhausted(failure)),
            Verdict::Split | Verdict::Isolate | Verdict::GiveUp => {}
        }
    }
}
