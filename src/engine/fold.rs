//! The task of a step that folds: one state a video, items in the order of their arrival.

use crate::engine::answers::NotedAnswer;
use crate::engine::conductor::Reporter;
use crate::engine::operator::Fold;
use crate::engine::operator::FoldState;
use crate::engine::panics::caught;
use crate::engine::stop::StopReason;
use crate::engine::stop::StopSignal;
use crate::engine::wire::Inbox;
use crate::engine::wire::Message;
use crate::engine::wire::Outlets;
use crate::event::Event;
use crate::failure::Failure;
use crate::item::Item;
use crate::name::VideoId;
use crate::plan::Step;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

pub(super) struct FoldTask {
    pub(super) step: Step,
    pub(super) fold: Arc<dyn Fold>,
    pub(super) inputs: usize,
    pub(super) outlets: Outlets,
    pub(super) reporter: Reporter,
    pub(super) stop: StopSignal,
}

// One video: its state, unless that broke down, and the inputs that have ended.
struct Open {
    state: Option<Box<dyn FoldState>>,
    ends: usize,
}

impl FoldTask {
    pub(super) async fn run(self, mut inbox: Inbox) {
        let mut videos: BTreeMap<VideoId, Open> = BTreeMap::new();
        while let Some(message) = inbox.recv().await {
            let video = match &message {
                Message::Item(item) => item.video(),
                Message::End(video) => *video,
            };
            let open = match videos.entry(video) {
                Entry::Occupied(open) => open.into_mut(),
                Entry::Vacant(new) => {
                    let state = self.kept(video, caught(|| self.fold.open(video))).await;
                    new.insert(Open { state, ends: 0 })
                }
            };
            match message {
                Message::Item(item) => self.push(video, open, item).await,
                Message::End(_) => {
                    open.ends += 1;
                    if open.ends == self.inputs {
                        let state = videos.remove(&video).and_then(|open| open.state);
                        self.finish(video, state).await;
                    }
                }
            }
        }
    }

    async fn push(&self, video: VideoId, open: &mut Open, item: Item) {
        // What comes after the state of its video broke down is dropped with it.
        let Some(mut state) = open.state.take() else {
            return;
        };
        let taken = item.progress_units();
        let complete = caught(|| state.push(item));
        let Some(complete) = self.kept(video, complete).await else {
            return;
        };
        self.tell(&mut *state).await;
        open.state = Some(state);
        let frames = self.done(taken, &complete);
        self.pass(complete).await;
        if self.step.last && frames > 0 {
            let stage = self.step.stage.clone();
            self.reporter.event(Event::Finished { stage, frames }).await;
        }
    }

    async fn finish(&self, video: VideoId, state: Option<Box<dyn FoldState>>) {
        if let Some(mut state) = state {
            let rest = caught(|| state.finish());
            let rest = self.kept(video, rest).await.unwrap_or_default();
            self.tell(&mut *state).await;
            self.note(&rest).await;
            self.pass(rest).await;
        }
        self.outlets.send(Message::End(video)).await;
    }

    async fn tell(&self, state: &mut dyn FoldState) {
        for text in state.notices() {
            self.reporter.event(Event::Notice { text }).await;
        }
    }

    // Keeps what was made of all of a video; where the run is being stopped, not all was there.
    async fn note(&self, items: &[Item]) {
        let Some(stage) = self.step.digest.filter(|_| !self.stop.is_stopping()) else {
            return;
        };
        let answers = items.iter();
        let answers: Vec<_> = answers
            .filter_map(|item| NotedAnswer::of(item, stage, None, None))
            .collect();
        if !answers.is_empty() {
            self.reporter.answered(answers).await;
        }
    }

    // What was made of a video, unless that broke down; then the run is over, and the other videos
    // keep what they have.
    async fn kept<T>(&self, video: VideoId, made: Result<T, Failure>) -> Option<T> {
        match made {
            Ok(made) => Some(made),
            Err(failure) => {
                self.stop.finish(StopReason::Failed(failure.clone()));
                let stage = self.step.stage.clone();
                let event = Event::VideoFailed {
                    video,
                    stage,
                    failure,
                };
                self.reporter.event(event).await;
                None
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
