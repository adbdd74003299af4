//! Operators: what a step does, in one of four shapes.
//!
//! A source gives the items of a video, a map turns one item into others on a thread, a call does
//! so on a remote backend, a fold sees all items of a video in order.

use crate::answer::Answer;
use crate::answer::Extent;
use crate::answer::ItemKey;
use crate::answer::StageDigest;
use crate::engine::answers::NotedAnswer;
use crate::engine::conductor::Reporter;
use crate::engine::stop::StopSignal;
use crate::engine::wire::AllGiven;
use crate::engine::wire::Outlets;
use crate::event::Event;
use crate::exchange::Exchange;
use crate::facts::StreamFacts;
use crate::failure::Failure;
use crate::item::Item;
use crate::name::StageId;
use crate::name::Ticket;
use crate::name::VideoId;
use bytes::Bytes;
use std::pin::Pin;
use std::sync::Arc;
use tokio::time::Instant;

/// What a step does.
#[derive(Clone)]
pub enum Operator {
    /// It gives the items of a video.
    Source(Arc<dyn VideoSource>),
    /// It turns an item into others on a thread of its own.
    Map(Arc<dyn Map>),
    /// It turns an item into others by asking a server.
    Call(Arc<dyn Call>),
    /// It joins the items of a video.
    Fold(Arc<dyn Fold>),
}

/// Gives the items of a video.
pub trait VideoSource: Send + Sync {
    /// Gives all items of `video` in order. Runs on a thread of its own and may block.
    ///
    /// # Errors
    ///
    /// Where the video cannot be read on; what was given stands. A refused [`Emitter::emit`] is
    /// not an error: return `Ok`.
    fn read(&self, video: VideoId, out: &mut Emitter) -> Result<(), Failure>;
}

/// Turns an item into others on threads.
pub trait Map: Send + Sync {
    /// A new thread's own state, such as a session of a model. Called on that thread.
    ///
    /// # Errors
    ///
    /// Where the state cannot be made; the run is stopped.
    fn state(&self) -> Result<Box<dyn MapState>, Failure>;

    /// What leaves the step in place of an answer for `item`.
    fn give_up(&self, item: &Item, failure: &Failure) -> Vec<Item>;
}

/// The state of one thread of a [`Map`].
pub trait MapState {
    /// Turns an item into others. May block.
    ///
    /// # Errors
    ///
    /// Where there is no answer; the class of the failure says what the engine does about it.
    fn map(&mut self, item: &Item) -> Result<Vec<Item>, Failure>;
}

/// What came of a submission.
#[derive(Debug)]
pub enum Submitted {
    /// The work was accepted; its answer can be waited for, by this process or a later one.
    Ticket(Ticket),
    /// The answer came at once.
    Answer(Vec<Item>),
}

/// Something that is waited for.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Is told when the server was asked that has just said how accepted work is.
pub type Heard<'a> = dyn Fn(Instant) + Sync + 'a;

/// Turns an item into others at a server.
pub trait Call: Send + Sync {
    /// The body of the request for `item`; an empty one where there is nothing to ask, which
    /// [`Call::submit`] then answers at once. Made before the item has a permit, so that no slot
    /// idles meanwhile, and sent again as it is in every attempt. Called where it may take its
    /// time.
    ///
    /// # Errors
    ///
    /// Where no request can be made of the item; judged like a failure of the request.
    fn prepare(&self, item: &Item) -> Result<Bytes, Failure>;

    /// Sends the work and notes in `exchange` what is told of it.
    ///
    /// # Errors
    ///
    /// Where it was not accepted; the class says whether it is sent again.
    fn submit<'a>(
        &'a self,
        item: &'a Item,
        body: Bytes,
        exchange: &'a mut Exchange,
    ) -> BoxFuture<'a, Result<Submitted, Failure>>;

    /// Waits for the answer to accepted work, however often it has to ask, and notes in
    /// `exchange` what is told of it; calls `heard` with when the server was asked, whenever it
    /// says how the work is.
    ///
    /// # Errors
    ///
    /// Of class `network` or `server-error` where the server does not say it several times in a
    /// row, and may be asked again; of class `lost` where the work is submitted anew; of another
    /// one where there will be no answer.
    fn wait<'a>(
        &'a self,
        item: &'a Item,
        ticket: &'a Ticket,
        exchange: &'a mut Exchange,
        heard: &'a Heard<'a>,
    ) -> BoxFuture<'a, Result<Vec<Item>, Failure>>;

    /// Takes accepted work back. With `running` false only where it has not begun, which costs
    /// nothing; gives whether it was taken back.
    fn cancel<'a>(&'a self, ticket: &'a Ticket, running: bool) -> BoxFuture<'a, bool>;

    /// Where the work is sent, without keys: a ticket is worth nothing at another address.
    fn address(&self) -> String;

    /// Whether the first request goes alone until it is answered: its answer may be in a shape that
    /// nobody has read before, and no second one is paid before that is known.
    fn first_goes_alone(&self) -> bool {
        false
    }

    /// The two halves of an item that is too large, or that the handler failed on; `None` where it cannot be halved. May take a
    /// while: it is asked where that holds nothing up.
    fn split(&self, item: &Item) -> Option<(Item, Item)>;

    /// What leaves the step in place of an answer for `item`.
    fn give_up(&self, item: &Item, failure: &Failure) -> Vec<Item>;

    /// What the user should change before the next run, as far as this one has shown; asked when
    /// the step is done. One sentence.
    fn advice(&self) -> Option<String> {
        None
    }
}

/// Joins the items of each video.
pub trait Fold: Send + Sync {
    /// The state for a video, before its first item.
    fn open(&self, video: VideoId) -> Box<dyn FoldState>;
}

/// The state of one video in a [`Fold`].
pub trait FoldState: Send {
    /// Takes an item and gives what is complete with it.
    fn push(&mut self, item: Item) -> Vec<Item>;

    /// Gives what is left; no item of the video comes any more.
    fn finish(&mut self) -> Vec<Item>;

    /// What the user should be told of what was taken since this was asked last.
    fn notices(&mut self) -> Vec<String> {
        Vec::new()
    }
}

/// The run takes no more items: stop reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

/// Where a source puts its items.
pub struct Emitter {
    pub(super) stage: StageId,
    pub(super) digest: Option<StageDigest>,
    pub(super) last: bool,
    pub(super) outlets: Outlets,
    pub(super) reporter: Reporter,
    pub(super) stop: StopSignal,
    pub(super) before: Option<AllGiven>,
}

impl Emitter {
    /// Passes an item on; waits for the video before to have given all of its own, and while those
    /// who take it have enough.
    ///
    /// # Errors
    ///
    /// [`Stopped`] where the run takes no more.
    pub fn emit(&mut self, item: Item) -> Result<(), Stopped> {
        if let Some(before) = self.before.take() {
            // Its end is all that it brings.
            before.blocking_recv().ok();
        }
        if self.stop.is_stopping() {
            return Err(Stopped);
        }
        let frames = item.progress_units();
        self.outlets.blocking_send(item)?;
        if self.last {
            let stage = self.stage.clone();
            self.reporter
                .blocking_event(Event::Finished { stage, frames });
        }
        Ok(())
    }

    /// Keeps what is known of a video from now on; does not wait until it is kept.
    pub fn note(&mut self, video: VideoId, extent: Extent, answer: Answer) {
        let Some(stage) = self.digest else {
            return;
        };
        let key = ItemKey {
            video,
            stage,
            extent,
        };
        self.reporter.blocking_noted(NotedAnswer {
            key,
            answer,
            origin: None,
            ticket: None,
        });
    }

    /// Tells the user something, once.
    pub fn notice(&mut self, text: impl Into<String>) {
        self.reporter
            .blocking_event(Event::Notice { text: text.into() });
    }

    /// Tells what reading a stream of `video` has shown of it.
    pub fn learnt(&mut self, video: VideoId, stream: StreamFacts) {
        self.reporter
            .blocking_event(Event::StreamRead { video, stream });
    }

    /// What tells whether the run takes no more, for long work between two items.
    pub fn stop(&self) -> StopSignal {
        self.stop.clone()
    }
}
