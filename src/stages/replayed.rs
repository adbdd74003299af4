//! A stage of a replay, which asks nobody: what its cassette has no answer for never comes here, and
//! what needs none passes as it does in a run.

use crate::engine::BoxFuture;
use crate::engine::Call;
use crate::engine::Heard;
use crate::engine::Submitted;
use crate::exchange::Exchange;
use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Detections;
use crate::item::Found;
use crate::item::Frame;
use crate::item::Item;
use crate::name::StageId;
use crate::name::Ticket;
use crate::stages::speech;
use crate::stages::vision::call;
use bytes::Bytes;
use std::sync::Arc;

/// The stage of this id in a replay.
pub(super) fn replayed(stage: &StageId) -> Arc<dyn Call> {
    Arc::new(Replayed {
        stage: stage.clone(),
    })
}

struct Replayed {
    stage: StageId,
}

impl Replayed {
    fn answer(&self, item: &Item) -> Result<Vec<Item>, Failure> {
        Ok(match item {
            Item::Frame(frame) => vec![self.gap(frame)?],
            Item::Batch(batch) => {
                let frames = batch.frames.iter();
                frames
                    .map(|frame| self.gap(frame))
                    .collect::<Result<_, _>>()?
            }
            Item::Repeat(repeat) => {
                vec![Item::Detections(Detections::of_repeat(&self.stage, repeat))]
            }
            Item::Detections(boxes) => match call::without_boxes(&self.stage, boxes) {
                Some(skipped) => vec![skipped],
                None => return Err(unasked()),
            },
            Item::Chunk(_) => speech::without_request(&self.stage, item).ok_or_else(unasked)?,
            _ => Vec::new(),
        })
    }

    // A frame that could not be read.
    fn gap(&self, frame: &Frame) -> Result<Item, Failure> {
        let Err(failure) = &frame.content else {
            return Err(unasked());
        };
        Ok(self.found(frame, Found::without_answer(failure)))
    }

    fn found(&self, frame: &Frame, found: Found) -> Item {
        Item::Detections(Detections {
            stage: self.stage.clone(),
            moment: frame.moment.clone(),
            found,
            same_as: None,
        })
    }
}

fn unasked() -> Failure {
    let why = "not in the cassette: its answer is of another kind";
    Failure::new(Class::NotRecorded, why)
}

impl Call for Replayed {
    fn prepare(&self, _: &Item) -> Result<Bytes, Failure> {
        Ok(Bytes::new())
    }

    fn submit<'a>(
        &'a self,
        item: &'a Item,
        _: Bytes,
        _: &'a mut Exchange,
    ) -> BoxFuture<'a, Result<Submitted, Failure>> {
        Box::pin(async move { self.answer(item).map(Submitted::Answer) })
    }

    fn wait<'a>(
        &'a self,
        _: &'a Item,
        _: &'a Ticket,
        _: &'a mut Exchange,
        _: &'a Heard<'a>,
    ) -> BoxFuture<'a, Result<Vec<Item>, Failure>> {
        Box::pin(async { Err(unasked()) })
    }

    fn cancel<'a>(&'a self, _: &'a Ticket, _: bool) -> BoxFuture<'a, bool> {
        Box::pin(async { false })
    }

    fn address(&self) -> String {
        String::new()
    }

    fn split(&self, _: &Item) -> Option<(Item, Item)> {
        None
    }

    fn give_up(&self, item: &Item, failure: &Failure) -> Vec<Item> {
        let of_frame = |frame: &Frame| match &frame.content {
            Err(own) => self.found(frame, Found::without_answer(own)),
            Ok(_) => self.found(frame, Found::without_answer(failure)),
        };
        match item {
            Item::Frame(frame) => vec![of_frame(frame)],
            Item::Batch(batch) => batch.frames.iter().map(of_frame).collect(),
            Item::Repeat(repeat) => {
                vec![Item::Detections(Detections::of_repeat(&self.stage, repeat))]
            }
            Item::Detections(boxes) => vec![Item::Detections(Detections {
                stage: self.stage.clone(),
                found: Found::without_answer(failure),
                ..boxes.clone()
            })],
            Item::Chunk(_) => speech::without_answer(&self.stage, item, failure),
            _ => Vec::new(),
        }
    }
}
