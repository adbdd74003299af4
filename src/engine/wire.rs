//! Wires: the bounded channels between steps.
//!
//! A step has one inbox for all its inputs: were there one an input, a step that waits for the
//! empty one would block whoever fills both. The end of a video travels behind its items.

use crate::engine::conductor::Reporter;
use crate::engine::operator::Stopped;
use crate::item::Item;
use crate::item::ItemKind;
use crate::name::VideoId;
use std::convert::Infallible;
use tokio::sync::mpsc;
use tokio::sync::oneshot;

/// What travels on an edge.
#[derive(Clone, Debug)]
pub(super) enum Message {
    /// An item.
    Item(Item),
    /// No item of this video follows on this edge.
    End(VideoId),
}

impl Message {
    fn goes_on(&self, kind: ItemKind) -> bool {
        match self {
            Self::Item(item) => kind.carries(item),
            Self::End(_) => true,
        }
    }
}

/// Ends when a video has given its last item: nothing else comes of it.
pub(super) type AllGiven = oneshot::Receiver<Infallible>;

/// The receiving end of a step.
pub(super) type Inbox = mpsc::Receiver<Message>;

/// The edges that leave a step. What leaves a step without edges goes to the caller.
#[derive(Clone)]
pub(super) struct Outlets {
    pub(super) edges: Vec<(ItemKind, mpsc::Sender<Message>)>,
    pub(super) reporter: Reporter,
}

impl Outlets {
    /// Passes a message on to every edge that carries it. One whose receiver has gone is passed
    /// over: it went because the run is over.
    pub(super) async fn send(&self, message: Message) {
        for (kind, edge) in &self.edges {
            if message.goes_on(*kind) {
                edge.send(message.clone()).await.unwrap_or_default();
            }
        }
        if self.edges.is_empty() {
            match message {
                Message::Item(item) => self.reporter.output(item).await,
                Message::End(video) => self.reporter.video_done(video).await,
            }
        }
    }

    /// Passes an item on from a thread.
    pub(super) fn blocking_send(&self, item: Item) -> Result<(), Stopped> {
        let message = Message::Item(item);
        for (kind, edge) in &self.edges {
            if message.goes_on(*kind) {
                edge.blocking_send(message.clone())
                    .map_err(|_closed| Stopped)?;
            }
        }
        Ok(())
    }
}
