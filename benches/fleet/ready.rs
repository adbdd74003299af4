//! Requests alone: frames that are JPEGs already, through the plan of the default recipe.

use super::Outcome;
use super::remote;
use super::server::Running;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Instant;
use vpipe::engine::Emitter;
use vpipe::engine::Map;
use vpipe::engine::MapState;
use vpipe::engine::Notification;
use vpipe::engine::OpenGate;
use vpipe::engine::Operator;
use vpipe::engine::StopSignal;
use vpipe::engine::Unkept;
use vpipe::engine::VideoSource;
use vpipe::failure::Failure;
use vpipe::item::Content;
use vpipe::item::Found;
use vpipe::item::Frame;
use vpipe::item::Item;
use vpipe::item::Moment;
use vpipe::item::Size;
use vpipe::name::VideoId;
use vpipe::plan::StepKind;
use vpipe::stages;
use vpipe::stages::Videos;
use vpipe::time::Pts;

// What a frame of 720 lines has at quality 85, more or less.
const JPEG: usize = 100_000;

/// Seconds from the start to the last answer for so many frames.
pub(crate) async fn seconds(fleet: &Running, frames: u64, concurrency: u64) -> Outcome<f64> {
    let (plan, resources) = remote::plan(&fleet.base, concurrency, Videos::new())?;
    let works = stages::assemble(&plan, &resources).map_err(|stage| stage.to_string())?;
    let works = plan
        .steps()
        .zip(works)
        .map(|((_, step), work)| match step.kind {
            StepKind::ReadFrames { .. } => Operator::Source(Arc::new(Ready(frames))),
            StepKind::Encode { .. } => Operator::Map(Arc::new(Pass)),
            _ => work,
        });
    let works = works.collect();
    let mut found = 0;
    let start = Instant::now();
    let mut hear = |said| {
        if let Notification::Output(Item::Record(record)) = said {
            let all = record.detections.values().flatten();
            found += all
                .filter(|one| matches!(one.found, Found::Objects(_)))
                .count() as u64;
        }
    };
    let gate: Arc<dyn vpipe::engine::Gate> = Arc::new(OpenGate);
    let answers: Arc<dyn vpipe::engine::Answers> = Arc::new(Unkept);
    vpipe::engine::run(
        &plan,
        works,
        &[VideoId(0)],
        &StopSignal::default(),
        &gate,
        &answers,
        &mut hear,
    )
    .await?;
    let seconds = start.elapsed().as_secs_f64();
    if found != frames {
        return Err(format!("{found} of {frames} frames were answered").into());
    }
    Ok(seconds)
}

struct Ready(u64);

impl VideoSource for Ready {
    fn read(&self, video: VideoId, out: &mut Emitter) -> Result<(), Failure> {
        let jpeg = Bytes::from(vec![0x5a; JPEG]);
        let size = Size {
            width: 1280,
            height: 720,
        };
        for index in 0..self.0 {
            let frame = Frame {
                moment: Moment {
                    video,
                    index,
                    frame_number: index,
                    pts: Pts(index as i64),
                    seconds: index as f64,
                    samples: 1,
                    part: None,
                },
                source: size,
                size,
                content: Ok(Content {
                    pixels: None,
                    jpeg: Some(jpeg.clone()),
                }),
            };
            if out.emit(Item::Frame(frame)).is_err() {
                break;
            }
        }
        Ok(())
    }
}

struct Pass;

impl Map for Pass {
    fn state(&self) -> Result<Box<dyn MapState>, Failure> {
        Ok(Box::new(Self))
    }

    fn give_up(&self, item: &Item, _failure: &Failure) -> Vec<Item> {
        vec![item.clone()]
    }
}

impl MapState for Pass {
    fn map(&mut self, item: &Item) -> Result<Vec<Item>, Failure> {
        Ok(vec![item.clone()])
    }
}
