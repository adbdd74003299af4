//! `extract`: the sampled frames of each video, and JPEGs of those that leave the machine.

use crate::engine::Emitter;
use crate::engine::Map;
use crate::engine::MapState;
use crate::engine::VideoSource;
use crate::facts::DamagedPackets;
use crate::facts::StreamFacts;
use crate::facts::VideoFacts;
use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Content;
use crate::item::Frame;
use crate::item::Item;
use crate::item::PixelFormat;
use crate::media;
use crate::media::EarlyEnd;
use crate::media::MediaError;
use crate::media::Mode;
use crate::media::VideoSelection;
use crate::name::VideoId;
use crate::recipe::ExtractMode;
use crate::recipe::ExtractSpec;
use crate::stages::extract::dedup::Dedup;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The inputs of a run, identified and probed.
pub type Videos = BTreeMap<VideoId, (media::MediaInput, VideoFacts)>;

/// What a stage asks of each video; no more than `first` of it where that is given.
pub fn wanted(spec: &ExtractSpec, format: PixelFormat, first: Option<Duration>) -> VideoSelection {
    let all = VideoSelection::new(spec.fps, spec.max_side, format);
    let first = first.map(|first| spec.start.saturating_add(first));
    VideoSelection {
        start: spec.start,
        end: spec.end.into_iter().chain(first).min(),
        mode: match spec.mode {
            ExtractMode::Exact => Mode::Exact,
            ExtractMode::Keyframes => Mode::Keyframes,
        },
        decoders: spec.concurrency.unwrap_or(all.decoders),
        ..all
    }
}

/// Samples frames from each video.
pub(in crate::stages) fn frames(
    spec: &ExtractSpec,
    format: PixelFormat,
    videos: &Arc<Videos>,
    first: Option<Duration>,
) -> Arc<dyn VideoSource> {
    Arc::new(Extract {
        wanted: wanted(spec, format, first),
        dedup: spec.dedup.then_some(spec.dedup_threshold),
        videos: Arc::clone(videos),
    })
}

/// Makes a JPEG of each frame and lets go of its pixels.
pub(in crate::stages) fn encode(quality: u8) -> Arc<dyn Map> {
    Arc::new(Encode { quality })
}

struct Extract {
    wanted: VideoSelection,
    dedup: Option<f32>,
    videos: Arc<Videos>,
}

impl VideoSource for Extract {
    fn read(&self, video: VideoId, out: &mut Emitter) -> Result<(), Failure> {
        let Some((input, facts)) = self.videos.get(&video) else {
            return Err(Failure::new(
                Class::Media,
                format!("{video} is not in this run"),
            ));
        };
        if !facts.has_frames() {
            return Ok(());
        }
        let mut frames = media::frames(input, facts, &self.wanted, out.stop().flag())
            .map_err(|error| failure(&error))?;
        if let Some(transfer) = frames.high_range() {
            out.notice(format!(
                "{} has a high dynamic range ({transfer}): its frames come out pale, which can \
                 cost detections; convert it to SDR where that matters",
                facts.path.display()
            ));
        }
        if let Some(codec) = frames.instead_of() {
            let path = facts.path.display();
            out.notice(format!(
                "the usual video stream of {path} is coded as {codec}, which the FFmpeg on this \
                 machine cannot decode: another stream is looked at"
            ));
        }
        let mut dedup = Dedup::new(self.dedup);
        let mut samples = 0;
        for frame in frames.by_ref() {
            let frame = frame.map_err(|error| failure(&error))?;
            samples += frame.moment.samples;
            if out.emit(dedup.pass(frame)).is_err() {
                return Ok(());
            }
        }
        let damaged = frames.damaged();
        if damaged > 0 {
            let path = facts.path.display();
            out.notice(format!("{damaged} damaged packets of {path} were left out"));
        }
        let damaged = DamagedPackets {
            frames: damaged,
            sound: 0,
        };
        let length = frames.length();
        out.learnt(video, StreamFacts { length, damaged });
        if samples == 0 && !out.stop().is_stopping() {
            let (path, start) = (facts.path.display(), self.wanted.start.as_secs_f64());
            out.notice(format!(
                "{path} ends before {start} s, where sampling starts"
            ));
        }
        if out.stop().is_stopping() {
            Ok(())
        } else {
            ends_where_it_says(facts, &self.wanted, frames.early_end())
        }
    }
}

fn ends_where_it_says(
    facts: &VideoFacts,
    wanted: &VideoSelection,
    early: Option<EarlyEnd>,
) -> Result<(), Failure> {
    let end = wanted.end.map_or(f64::INFINITY, |end| end.as_secs_f64());
    match early.filter(|early| early.end < end) {
        Some(early) => {
            let message = format!("`{}` {early}", facts.path.display());
            Err(Failure::new(Class::Media, message))
        }
        None => Ok(()),
    }
}

struct Encode {
    quality: u8,
}

impl Map for Encode {
    fn state(&self) -> Result<Box<dyn MapState>, Failure> {
        Ok(Box::new(Self {
            quality: self.quality,
        }))
    }

    // A frame without a JPEG goes on as a gap and keeps its place.
    fn give_up(&self, item: &Item, failure: &Failure) -> Vec<Item> {
        match item {
            Item::Frame(frame) => {
                let content = Err(failure.clone());
                vec![Item::Frame(Frame {
                    content,
                    ..frame.clone()
                })]
            }
            // A repeat passes as it is.
            other => vec![other.clone()],
        }
    }
}

impl MapState for Encode {
    fn map(&mut self, item: &Item) -> Result<Vec<Item>, Failure> {
        let Item::Frame(frame) = item else {
            return Ok(vec![item.clone()]);
        };
        let Ok(Content {
            pixels: Some(pixels),
            ..
        }) = &frame.content
        else {
            return Ok(vec![item.clone()]);
        };
        let jpeg = media::encode_jpeg(pixels, frame.size, self.quality)
            .map_err(|error| failure(&error))?;
        let content = Ok(Content {
            pixels: None,
            jpeg: Some(jpeg),
        });
        Ok(vec![Item::Frame(Frame {
            content,
            ..frame.clone()
        })])
    }
}

fn failure(error: &MediaError) -> Failure {
    Failure::new(Class::Media, error.to_string())
}
