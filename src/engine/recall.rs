//! Recall: what of an item has an answer already leaves its step at once, and the rest is asked.
//!
//! Nothing is prepared, and no permit taken, for what is known. What is not known is kept when its
//! answer has come, before it counts.

use crate::answer::Extent;
use crate::answer::ItemKey;
use crate::answer::OpenTicket;
use crate::answer::Question;
use crate::answer::StageDigest;
use crate::engine::answers::NotedAnswer;
use crate::engine::attempt::Attempts;
use crate::engine::attempt::Worker;
use crate::event::Event;
use crate::failure::Failure;
use crate::failure::Verdict;
use crate::item::Batch;
use crate::item::Frame;
use crate::item::Item;
use crate::name::Ticket;

/// What is known of an item.
pub(super) struct Recalled {
    /// What leaves the step for the part of it that has an answer.
    pub(super) known: Vec<Item>,
    /// What is to be asked.
    pub(super) rest: Option<Item>,
}

impl Attempts {
    /// What is known of `item`.
    ///
    /// # Errors
    ///
    /// Where that cannot be told, or nobody may be asked.
    pub(super) fn recall(&self, item: &Item) -> Result<Recalled, Failure> {
        let Some(digest) = self.asks() else {
            return Ok(Recalled::nothing(item.clone()));
        };
        let Item::Batch(batch) = item else {
            return Ok(match self.known(digest, item)? {
                Some(known) => Recalled {
                    known: vec![known],
                    rest: None,
                },
                None => Recalled::nothing(item.clone()),
            });
        };
        let (mut known, mut frames) = (Vec::new(), Vec::new());
        for frame in &batch.frames {
            match self.known(digest, &Item::Frame(frame.clone())) {
                Ok(Some(item)) => known.push(item),
                Ok(None) => frames.push(frame.clone()),
                // The others have their answers.
                Err(failure) if failure.class.verdict() == Verdict::GiveUp => {
                    let content = Err(failure);
                    frames.push(Frame {
                        content,
                        ..frame.clone()
                    });
                }
                Err(failure) => return Err(failure),
            }
        }
        let video = batch.video;
        let rest = (!frames.is_empty()).then_some(Item::Batch(Batch { video, frames }));
        Ok(Recalled { known, rest })
    }

    // What its answers are kept under, where it asks a model.
    fn asks(&self) -> Option<StageDigest> {
        self.step.digest.filter(|_| self.step.kind.asks())
    }

    fn known(&self, stage: StageDigest, item: &Item) -> Result<Option<Item>, Failure> {
        let Some(extent) = Extent::of_question(item) else {
            return Ok(None);
        };
        let video = item.video();
        let answer = self.answers.look_up(&ItemKey {
            video,
            stage,
            extent,
        })?;
        Ok(answer.and_then(|answer| answer.item(&self.step.stage, item)))
    }

    /// Tells that `known` was not asked.
    pub(super) async fn tell_known(&self, known: &[Item]) {
        let frames = known.iter().map(Item::progress_units).sum();
        if !known.is_empty() {
            let stage = self.step.stage.clone();
            self.reporter.event(Event::Recalled { stage, frames }).await;
        }
    }

    /// Keeps the answers among `items`, which were asked about with `item` and came under
    /// `ticket`; returns when they are kept.
    pub(super) async fn keep(&self, item: &Item, items: &[Item], ticket: Option<Ticket>) {
        let Some(stage) = self.step.digest else {
            return;
        };
        if Question::of(item).is_none() {
            return;
        }
        let origin = match &self.worker {
            Worker::Threads { .. } => None,
            Worker::Calls(call) => Some(call.address()),
        };
        let noted = |item| NotedAnswer::of(item, stage, origin.as_deref(), ticket.as_ref());
        let answers: Vec<_> = items.iter().filter_map(noted).collect();
        match ticket {
            Some(ticket) if answers.is_empty() => self.reporter.forgotten(ticket).await,
            _ if answers.is_empty() => {}
            _ => self.reporter.answered(answers).await,
        }
    }

    /// What is kept of the work on `item` that a server has accepted as `ticket`.
    pub(super) fn open_ticket(&self, item: &Item, ticket: &Ticket) -> Option<OpenTicket> {
        let Worker::Calls(call) = &self.worker else {
            return None;
        };
        Some(OpenTicket {
            ticket: ticket.clone(),
            stage: self.step.digest?,
            backend: self.step.backend.clone()?,
            address: call.address(),
            video: item.video(),
            question: Question::of(item)?,
        })
    }
}

impl Recalled {
    fn nothing(item: Item) -> Self {
        Self {
            known: Vec::new(),
            rest: Some(item),
        }
    }

    /// Joins what was known with what was asked, in the order of the frames.
    pub(super) fn with(mut self, asked: Vec<Item>) -> Vec<Item> {
        if self.known.is_empty() {
            return asked;
        }
        self.known.extend(asked);
        self.known.sort_by_key(|item| match item {
            Item::Detections(found) => {
                let part = found.moment.part.map(|part| part.number);
                (found.moment.index, part)
            }
            _ => (0, None),
        });
        self.known
    }
}
