//! The task of a source: opens videos in order, two at a time, each on a thread of its own.
//!
//! A later video is read ahead and gives its first item when the earlier one has given its last. A
//! copy of another video comes after all others, and when the other is done: what was answered of
//! that is neither decoded nor asked again.

use crate::engine::answers::Answers;
use crate::engine::collect::Collected;
use crate::engine::conductor::Reporter;
use crate::engine::operator::Emitter;
use crate::engine::operator::VideoSource;
use crate::engine::panics::caught;
use crate::engine::stop::StopReason;
use crate::engine::stop::StopSignal;
use crate::engine::wire::AllGiven;
use crate::engine::wire::Message;
use crate::engine::wire::Outlets;
use crate::event::Event;
use crate::failure::Class;
use crate::failure::Failure;
use crate::failure::Verdict;
use crate::name::VideoId;
use crate::plan::Step;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::sync::oneshot;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub(super) struct SourceTask {
    pub(super) step: Step,
    pub(super) source: Arc<dyn VideoSource>,
    pub(super) outlets: Outlets,
    pub(super) reporter: Reporter,
    pub(super) stop: StopSignal,
    pub(super) collected: Collected,
    pub(super) done: watch::Receiver<BTreeSet<VideoId>>,
}

/// A video, and the one that it is a copy of.
pub(super) type Reading = (VideoId, Option<VideoId>);

/// The order in which `videos` are read.
pub(super) fn originals_first(videos: &[VideoId], answers: &dyn Answers) -> Vec<Reading> {
    let with_original = |&video: &VideoId| {
        let original = answers.original(video);
        (video, (original != video).then_some(original))
    };
    let mut reading: Vec<Reading> = videos.iter().map(with_original).collect();
    reading.sort_by_key(|(_, original)| original.is_some());
    reading
}

impl SourceTask {
    pub(super) async fn run(mut self, videos: Vec<Reading>) {
        self.collected.wait().await;
        let this = Arc::new(self);
        let open = Arc::new(Semaphore::new(this.step.limit.max));
        let mut reading = JoinSet::new();
        let mut before = None;
        for (video, original) in videos {
            if let Some(original) = original {
                this.wait_for(original).await;
            }
            let slot = Arc::clone(&open).acquire_owned().await.ok();
            if this.stop.is_stopping() {
                break;
            }
            let this = Arc::clone(&this);
            let (given, after) = oneshot::channel();
            let before = before.replace(after);
            reading.spawn(async move {
                this.read(video, before).await;
                drop(given);
                drop(slot);
            });
        }
        while reading.join_next().await.is_some() {}
    }

    // Waits until a video is done, or the run is over.
    async fn wait_for(&self, video: VideoId) {
        let mut done = self.done.clone();
        tokio::select! {
            () = self.stop.stopping() => {}
            _ = done.wait_for(|done| done.contains(&video)) => {}
        }
    }

    async fn read(&self, video: VideoId, before: Option<AllGiven>) {
        self.reporter.event(Event::VideoOpened { video }).await;
        let event = match self.on_thread(video, before).await {
            Ok(()) if self.stop.is_stopping() => None,
            Ok(()) => Some(Event::VideoRead {
                video,
                stage: self.step.stage.clone(),
            }),
            Err(failure) => {
                if failure.class.verdict() == Verdict::StopRun {
                    self.stop.finish(StopReason::Failed(failure.clone()));
                }
                let stage = self.step.stage.clone();
                Some(Event::VideoFailed {
                    video,
                    stage,
                    failure,
                })
            }
        };
        if let Some(event) = event {
            self.reporter.event(event).await;
        }
        self.outlets.send(Message::End(video)).await;
    }

    // A thread and not tokio's blocking pool: reading lasts as long as the video.
    async fn on_thread(&self, video: VideoId, before: Option<AllGiven>) -> Result<(), Failure> {
        let (done, end) = oneshot::channel();
        let source = Arc::clone(&self.source);
        let mut out = Emitter {
            stage: self.step.stage.clone(),
            digest: self.step.digest,
            last: self.step.last,
            outlets: self.outlets.clone(),
            reporter: self.reporter.clone(),
            stop: self.stop.clone(),
            before,
        };
        std::thread::Builder::new()
            .name(format!("{} {}", self.step.id, video.0))
            .spawn(move || {
                let end = caught(|| source.read(video, &mut out)).and_then(|end| end);
                drop(out);
                // Nobody waits for the end any more where the run was dropped.
                done.send(end).unwrap_or_default();
            })
            .map_err(|error| {
                Failure::new(Class::Media, format!("no thread to read on: {error}"))
            })?;
        let broke = Failure::new(Class::Internal, "the thread that read it is gone");
        end.await.unwrap_or(Err(broke))
    }
}
