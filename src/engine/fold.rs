//! The task of a step that folds: one state a video, items in the order of their arrival.

use crate::engine::conductor::Reporter;
use crate::engine::wire::Inbox;
use crate::engine::wire::Message;
use crate::engine::wire::Outlets;
use crate::engine::work::Fold;
use crate::engine::work::Folding;
use crate::event::Event;
use crate::item::Item;
use crate::name::VideoId;
use crate::plan::Step;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) struct FoldTask {
    pub(super) step: Step,
    pub(super) fold: Arc<dyn Fold>,
    pub(super) inputs: usize,
    pub(super) outlets: Outlets,
    pub(super) reporter: Reporter,
}

impl FoldTask {
    pub(super) async fn run(self, mut inbox: Inbox) {
        let mut videos: BTreeMap<VideoId, (Box<dyn Folding>, usize)> = BTreeMap::new();
        while let Some(message) = inbox.recv().await {
            let video = match &message {
                Message::Item(item) => item.video(),
                Message::End(video) => *video,
            };
            let open = || (self.fold.open(video), 0);
            let (state, ends) = videos.entry(video).or_insert_with(open);
            match message {
                Message::Item(item) => {
                    let taken = item.progress_units();
                    let complete = state.push(item);
                    let frames = self.done(taken, &complete);
                    self.pass(complete).await;
                    if self.step.last && frames > 0 {
                        let stage = self.step.stage.clone();
                        self.reporter.event(Event::Finished { stage, frames }).await;
                    }
                }
                Message::End(_) => {
                    *ends += 1;
                    if *ends == self.inputs {
                        let rest = state.finish();
                        videos.remove(&video);
                        self.pass(rest).await;
                        self.outlets.send(Message::End(video)).await;
                    }
                }
            }
        }
    }

    // The frames that the stage is done with.
    fn done(&self, taken: u64, complete: &[Item]) -> u64 {
        if self.step.last {
            return taken;
        }
        let found = complete.iter();
        found
            .filter(|item| matches!(item, Item::Detections(_)))
            .map(Item::progress_units)
            .sum()
    }

    async fn pass(&self, items: Vec<Item>) {
        for item in items {
            self.outlets.send(Message::Item(item)).await;
        }
    }
}
