//! The conductor: the one place where everything that happens in a run is put in order.
//!
//! Steps report to it and never to each other or to the caller; it tells the caller, one thing
//! after the other. A ticket is acknowledged when the caller has been told of it.

use crate::event::Event;
use crate::item::Item;
use crate::name::StepId;
use crate::name::Ticket;
use crate::name::VideoId;
use std::collections::BTreeMap;
use tokio::sync::mpsc;
use tokio::sync::oneshot;

/// What the conductor tells the caller of a run.
#[derive(Debug)]
pub enum Notification {
    /// Something happened.
    Event(Event),
    /// An item left the plan.
    Output(Item),
    /// A server accepted work; the answer is waited for only after this was told.
    Accepted {
        /// The step that submitted it.
        step: StepId,
        /// What the item is.
        item: String,
        /// What the server calls the work.
        ticket: Ticket,
    },
}

/// What a step reports.
pub(super) struct Report {
    notification: Notification,
    told: Option<oneshot::Sender<()>>,
}

impl From<Event> for Report {
    fn from(event: Event) -> Self {
        Self {
            notification: Notification::Event(event),
            told: None,
        }
    }
}

impl Report {
    /// Tells the caller, and then acknowledges.
    pub(super) fn tell(self, notify: &mut dyn FnMut(Notification)) {
        notify(self.notification);
        if let Some(told) = self.told {
            // Nobody waits for it any more where the step was aborted.
            told.send(()).unwrap_or_default();
        }
    }
}

/// Sends reports to the conductor.
#[derive(Clone)]
pub(super) struct Reporter(mpsc::Sender<Report>);

/// Receives the reports of all steps until the last reporter is gone.
pub(super) struct Conductor {
    reports: mpsc::Receiver<Report>,
    /// The steps that a video leaves the plan by.
    exits: usize,
    left: BTreeMap<VideoId, usize>,
}

impl Conductor {
    pub(super) fn new(exits: usize) -> (Reporter, Self) {
        // Wide enough that a burst of small reports does not hold steps up.
        let (sender, receiver) = mpsc::channel(256);
        let conductor = Self {
            reports: receiver,
            exits,
            left: BTreeMap::new(),
        };
        (Reporter(sender), conductor)
    }

    /// The next thing to be told; `None` where all reporters are gone.
    pub(super) async fn next(&mut self) -> Option<Report> {
        loop {
            let report = self.reports.recv().await?;
            match &report.notification {
                Notification::Event(Event::VideoDone { video }) if !self.note_exit(*video) => {}
                _ => return Some(report),
            }
        }
    }

    // Whether the exit that `video` came to now was its last.
    fn note_exit(&mut self, video: VideoId) -> bool {
        let exits = self.left.entry(video).or_default();
        *exits += 1;
        *exits == self.exits
    }
}

// The conductor listens until all reporters are gone, so sending fails only when the run itself
// was dropped; then nobody is there to be told.
impl Reporter {
    pub(super) async fn event(&self, event: Event) {
        self.send(Notification::Event(event)).await;
    }

    pub(super) fn blocking_event(&self, event: Event) {
        let report = Report {
            notification: Notification::Event(event),
            told: None,
        };
        self.0.blocking_send(report).unwrap_or_default();
    }

    pub(super) async fn output(&self, item: Item) {
        self.send(Notification::Output(item)).await;
    }

    pub(super) async fn video_done(&self, video: VideoId) {
        self.event(Event::VideoDone { video }).await;
    }

    pub(super) async fn accepted(&self, step: StepId, item: String, ticket: Ticket) {
        let (told, wait) = oneshot::channel();
        let report = Report {
            notification: Notification::Accepted { step, item, ticket },
            told: Some(told),
        };
        self.0.send(report).await.unwrap_or_default();
        wait.await.unwrap_or_default();
    }

    async fn send(&self, notification: Notification) {
        let report = Report {
            notification,
            told: None,
        };
        self.0.send(report).await.unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::Conductor;
    use super::Notification;
    use std::future::poll_fn;
    use std::pin::Pin;
    use std::pin::pin;
    use std::task::Poll;

    async fn is_done(future: Pin<&mut impl Future>) -> bool {
        let mut future = future;
        poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await
    }

    #[tokio::test]
    async fn a_ticket_is_acknowledged_when_it_has_been_told() {
        let (reporter, mut conductor) = Conductor::new(1);
        let mut accepted = pin!(reporter.accepted("yolo".into(), "frame 0".to_owned(), "a".into()));
        assert!(!is_done(accepted.as_mut()).await);
        let report = conductor.next().await.unwrap();
        assert!(
            !is_done(accepted.as_mut()).await,
            "nobody has been told yet"
        );
        let mut told = 0;
        report.tell(&mut |it| told += u32::from(matches!(it, Notification::Accepted { .. })));
        assert_eq!(told, 1);
        assert!(is_done(accepted.as_mut()).await);
    }
}
