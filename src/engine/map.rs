//! The task of a step that maps: takes items while its window has room and passes answers on.
//!
//! Answers leave as they come; where the plan says `ordered`, they wait for their turn, and
//! those that wait count against the window.

use crate::engine::attempt::Attempts;
use crate::engine::panics::joined;
use crate::engine::wire::Inbox;
use crate::engine::wire::Message;
use crate::engine::wire::Outlets;
use crate::event::Event;
use crate::item::Item;
use crate::name::VideoId;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::task::JoinSet;

struct Answer {
    number: u64,
    video: VideoId,
    frames: u64,
    items: Vec<Item>,
}

// What is still to come of a video.
#[derive(Default)]
struct Open {
    items: usize,
    ends: usize,
}

pub(super) struct MapTask {
    pub(super) attempts: Arc<Attempts>,
    pub(super) inputs: usize,
    pub(super) outlets: Outlets,
}

impl MapTask {
    pub(super) async fn run(self, mut inbox: Inbox) {
        let mut tasks = JoinSet::new();
        let mut waiting = BTreeMap::new();
        let mut videos: BTreeMap<VideoId, Open> = BTreeMap::new();
        let (mut taken, mut passed, mut open) = (0_u64, 0_u64, true);
        while open || !tasks.is_empty() {
            let room = tasks.len() + waiting.len() < self.attempts.step.window;
            tokio::select! {
                biased;
                Some(done) = tasks.join_next() => {
                    let Ok(answer) = joined(done) else { return };
                    let answer: Answer = answer;
                    if self.attempts.step.ordered {
                        waiting.insert(answer.number, answer);
                        while let Some(answer) = waiting.remove(&passed) {
                            passed += 1;
                            self.pass(answer, &mut videos).await;
                        }
                    } else {
                        self.pass(answer, &mut videos).await;
                    }
                }
                message = inbox.recv(), if open && room => match message {
                    Some(Message::Item(item)) => {
                        videos.entry(item.video()).or_default().items += 1;
                        tasks.spawn(work(Arc::clone(&self.attempts), taken, item));
                        taken += 1;
                    }
                    Some(Message::End(video)) => {
                        videos.entry(video).or_default().ends += 1;
                        self.end(video, &mut videos).await;
                    }
                    None => open = false,
                },
            }
        }
        if let Some(advice) = self.attempts.worker.advice() {
            let text = format!("{}: {advice}", self.attempts.step.stage);
            self.attempts.reporter.event(Event::Notice { text }).await;
        }
    }

    async fn pass(&self, answer: Answer, videos: &mut BTreeMap<VideoId, Open>) {
        for item in answer.items {
            self.outlets.send(Message::Item(item)).await;
        }
        let step = &self.attempts.step;
        if step.last {
            let event = Event::Finished {
                stage: step.stage.clone(),
                frames: answer.frames,
            };
            self.attempts.reporter.event(event).await;
        }
        videos.entry(answer.video).or_default().items -= 1;
        self.end(answer.video, videos).await;
    }

    async fn end(&self, video: VideoId, videos: &mut BTreeMap<VideoId, Open>) {
        let over = |open: &Open| open.ends == self.inputs && open.items == 0;
        if videos.get(&video).is_some_and(over) {
            videos.remove(&video);
            self.outlets.send(Message::End(video)).await;
        }
    }
}

async fn work(attempts: Arc<Attempts>, number: u64, item: Item) -> Answer {
    let (video, frames) = (item.video(), item.progress_units());
    let items = attempts.answer(item).await;
    Answer {
        number,
        video,
        frames,
        items,
    }
}
