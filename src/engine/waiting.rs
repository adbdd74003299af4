//! Waiting: for the answer to work that a server has accepted.
//!
//! A ticket is paid. It is asked for again after an outage, and forgotten only where no answer to
//! it can come any more; what is left open is collected by the next run.

use crate::engine::attempt::Attempts;
use crate::engine::operator::Call;
use crate::engine::operator::Heard;
use crate::engine::outage::Sign;
use crate::engine::outage::Silence;
use crate::engine::outage::Turn;
use crate::engine::outage::is_silence;
use crate::event::Event;
use crate::exchange::Exchange;
use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Item;
use crate::name::Ticket;
use std::sync::Mutex;
use std::sync::PoisonError;
use tokio::time::Instant;

/// How waiting came to its end.
pub(super) enum Waited {
    /// The answer came.
    Answered(Vec<Item>),
    /// None can come any more.
    Over(Failure),
    /// It may still come.
    Open(Failure),
}

/// What becomes of work that runs when the run is aborted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Abort {
    /// It is taken back.
    Cancels,
    /// It goes on, for the next run to collect.
    Leaves,
}

/// Work that a server has accepted.
pub(super) struct Accepted<'a> {
    pub(super) call: &'a dyn Call,
    pub(super) item: &'a Item,
    pub(super) ticket: &'a Ticket,
    pub(super) abort: Abort,
}

impl Attempts {
    /// Waits for the answer to `accepted`. Stopped once: what has not begun is taken back, what
    /// runs is waited for; what fits the budget is waited for in any case. Stopped twice: as
    /// [`Abort`] says.
    pub(super) async fn wait(&self, accepted: Accepted<'_>, exchange: &mut Exchange) -> Waited {
        let (mut probe, mut silent_since, mut silences) = (None, None, 0);
        loop {
            let begun = Instant::now();
            let last_heard = Mutex::new(None);
            let heard = |asked| {
                *last_heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(asked);
                self.outage.answered(asked);
            };
            let waited = {
                let mut answer = std::pin::pin!(self.answer_to(&accepted, exchange, &heard));
                tokio::select! {
                    biased;
                    waited = &mut answer => waited,
                    () = self.outage.over(), if probe.is_some() => {
                        drop(probe.take());
                        self.tell_over().await;
                        answer.await
                    }
                }
            };
            let failure = match waited {
                Waited::Open(failure) if is_silence(failure.class) => failure,
                other => return other,
            };
            let last_heard = last_heard
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner);
            if last_heard.is_some() {
                silent_since = None;
            }
            let asked = last_heard.unwrap_or(begun);
            self.note_silence(accepted.item, &failure, Sign::Strong, asked)
                .await;
            drop(probe.take());
            let since = *silent_since.get_or_insert_with(Instant::now);
            silences += 1;
            if self.outage.answers() == 0 && silences >= self.step.retry.attempts {
                return Waited::Open(failure);
            }
            if !self.outage.is_on() && since.elapsed() > self.step.retry.outage {
                return Waited::Open(unfetched(&failure));
            }
            probe = match self.turn().await {
                Turn::Ask(probe) => probe,
                Turn::Stopped => return Waited::Open(self.stop.failure()),
                Turn::GiveUp(failure) => return Waited::Open(failure),
            };
            if probe.is_none() {
                tokio::time::sleep(self.step.retry.pause).await;
            }
        }
    }

    async fn answer_to(
        &self,
        accepted: &Accepted<'_>,
        exchange: &mut Exchange,
        heard: &Heard<'_>,
    ) -> Waited {
        let Accepted { call, ticket, .. } = *accepted;
        let mut answer = call.wait(accepted.item, ticket, exchange, heard);
        tokio::select! {
            biased;
            answer = &mut answer => return ended(answer),
            () = self.stop.stopping() => {}
        }
        if !self.stop.collects() && call.cancel(ticket, false).await {
            return Waited::Over(self.stop.failure());
        }
        tokio::select! {
            biased;
            answer = answer => ended(answer),
            () = self.stop.aborted() => match accepted.abort {
                Abort::Cancels if call.cancel(ticket, true).await => {
                    Waited::Over(self.stop.failure())
                }
                Abort::Cancels | Abort::Leaves => Waited::Open(self.stop.failure()),
            },
        }
    }

    /// When the step may ask its backend.
    pub(super) async fn turn(&self) -> Turn {
        let turn = self.outage.turn(&self.stop, self.step.retry.outage).await;
        self.tell_over().await;
        turn
    }

    /// The backend did not answer a question about `item` that was asked then.
    pub(super) async fn note_silence(
        &self,
        item: &Item,
        failure: &Failure,
        sign: Sign,
        asked: Instant,
    ) {
        let Self { step, outage, .. } = self;
        let silence = Silence {
            item: format!("{} {} {item}", step.id, item.video()),
            failure,
            sign,
            asked,
        };
        if outage.failed(&step.stage, silence, step.retry) {
            let class = failure.class.to_string();
            tracing::warn!(step = %step.id, class, "the backend does not answer");
            let event = Event::OutageBegan {
                stage: step.stage.clone(),
                failure: failure.clone(),
                longest: step.retry.outage,
            };
            self.reporter.event(event).await;
        }
    }

    /// Tells that an outage is over, where it is.
    pub(super) async fn tell_over(&self) {
        if let Some((stage, lasted)) = self.outage.take_over() {
            let event = Event::OutageEnded { stage, lasted };
            self.reporter.event(event).await;
        }
    }

    /// `ticket` will have no answer.
    pub(super) async fn forget(&self, ticket: Ticket) {
        if self.step.digest.is_some() {
            self.reporter.forgotten(ticket).await;
        }
    }
}

fn unfetched(failure: &Failure) -> Failure {
    let why = format!("the answer to a job could not be fetched: {failure}");
    Failure::new(Class::TimedOut, why)
}

fn ended(answer: Result<Vec<Item>, Failure>) -> Waited {
    match answer {
        Ok(items) => Waited::Answered(items),
        Err(failure) if may_come(failure.class) => Waited::Open(failure),
        Err(failure) => Waited::Over(failure),
    }
}

// Whether the answer may still come after a failure of this class: nobody has said that it will
// not.
fn may_come(class: Class) -> bool {
    match class {
        Class::Network
        | Class::ServerError
        | Class::Busy
        | Class::Refused
        | Class::Media
        | Class::Model
        | Class::Disk
        | Class::NotRecorded
        | Class::Stopped
        | Class::Internal => true,
        Class::Lost
        | Class::TooLarge
        | Class::OutOfMemory
        | Class::Worker
        | Class::BadAnswer
        | Class::Unavailable
        | Class::TimedOut => false,
    }
}
