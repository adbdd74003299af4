//! The conductor: the one place where everything that happens in a run is put in order.
//!
//! Steps report to it and never to each other or to the caller; it speaks to the caller, one
//! thing after the other. A ticket is acknowledged only when it is noted.

use crate::event::Event;
use crate::item::Item;
use crate::name::StepId;
use crate::name::Ticket;
use crate::name::VideoId;
use std::collections::BTreeMap;
use tokio::sync::mpsc;
use tokio::sync::oneshot;

/// What the conductor says to the caller of a run.
#[derive(Debug)]
pub enum Said {
    /// Something happened.
    Event(Event),
    /// An item left the plan.
    Output(Item),
    /// A server accepted work; nobody waits for its answer before this has been said.
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
    said: Said,
    noted: Option<oneshot::Sender<()>>,
}

impl From<Event> for Report {
    fn from(event: Event) -> Self {
        Self {
            said: Said::Event(event),
            noted: None,
        }
    }
}

impl Report {
    /// Tells the caller, and then acknowledges.
    pub(super) fn tell(self, said: &mut dyn FnMut(Said)) {
        said(self.said);
        if let Some(noted) = self.noted {
            // Nobody waits for it any more where the step was aborted.
            noted.send(()).unwrap_or_default();
        }
    }
}

/// How a step speaks to the conductor.
#[derive(Clone)]
pub(super) struct Reporter(mpsc::Sender<Report>);

/// Listens to all reporters until the last one is gone.
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
            match &report.said {
                Said::Event(Event::VideoDone { video }) if !self.has_left(*video) => {}
                _ => return Some(report),
            }
        }
    }

    // Whether the exit that `video` came to now was its last.
    fn has_left(&mut self, video: VideoId) -> bool {
        let exits = self.left.entry(video).or_default();
        *exits += 1;
        *exits == self.exits
    }
}

// The conductor listens until all reporters are gone, so sending fails only when the run itself
// was dropped; then nobody is there to be told.
impl Reporter {
    pub(super) async fn event(&self, event: Event) {
        self.say(Said::Event(event)).await;
    }

    pub(super) fn blocking_event(&self, event: Event) {
        let report = Report {
            said: Said::Event(event),
            noted: None,
        };
        self.0.blocking_send(report).unwrap_or_default();
    }

    pub(super) async fn output(&self, item: Item) {
        self.say(Said::Output(item)).await;
    }

    pub(super) async fn video_done(&self, video: VideoId) {
        self.event(Event::VideoDone { video }).await;
    }

    pub(super) async fn accepted(&self, step: StepId, item: String, ticket: Ticket) {
        let (noted, wait) = oneshot::channel();
        let said = Said::Accepted { step, item, ticket };
        self.0
            .send(Report {
                said,
                noted: Some(noted),
            })
            .await
            .unwrap_or_default();
        wait.await.unwrap_or_default();
    }

    async fn say(&self, said: Said) {
        self.0
            .send(Report { said, noted: None })
            .await
            .unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::Conductor;
    use super::Said;
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
        report.tell(&mut |said| told += u32::from(matches!(said, Said::Accepted { .. })));
        assert_eq!(told, 1);
        assert!(is_done(accepted.as_mut()).await);
    }
}
