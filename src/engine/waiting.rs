//! Waiting: for the answer to work that a server has accepted.
//!
//! A ticket is paid. It is forgotten only where no answer to it can come any more; what is left
//! open is collected by the next run.

use crate::engine::attempt::Attempts;
use crate::engine::operator::Call;
use crate::exchange::Exchange;
use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Item;
use crate::name::Ticket;

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

impl Attempts {
    /// Waits for the answer to `ticket`. Stopped once: what has not begun is taken back, what runs
    /// is waited for; what fits the budget is waited for in any case. Stopped twice: as `abort`
    /// says.
    pub(super) async fn wait(
        &self,
        call: &dyn Call,
        item: &Item,
        ticket: &Ticket,
        exchange: &mut Exchange,
        abort: Abort,
    ) -> Waited {
        let mut answer = call.wait(item, ticket, exchange);
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
            () = self.stop.aborted() => match abort {
                Abort::Cancels if call.cancel(ticket, true).await => {
                    Waited::Over(self.stop.failure())
                }
                Abort::Cancels | Abort::Leaves => Waited::Open(self.stop.failure()),
            },
        }
    }

    /// `ticket` will have no answer.
    pub(super) async fn forget(&self, ticket: Ticket) {
        if self.step.digest.is_some() {
            self.reporter.forgotten(ticket).await;
        }
    }
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
        | Class::Busy
        | Class::Refused
        | Class::Media
        | Class::Model
        | Class::Disk
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
