//! `extract`: the sampled frames of each video, and JPEGs of those that leave the machine.

use crate::answer::Answer;
use crate::answer::Extent;
use crate::answer::Sample;
use crate::answer::SamplingEnd;
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
use crate::item::Repeat;
use crate::media;
use crate::media::EarlyEnd;
use crate::media::Frames;
use crate::media::KnownFrames;
use crate::media::MediaError;
use crate::media::MediaInput;
use crate::media::Mode;
use crate::media::VideoSelection;
use crate::name::VideoId;
use crate::recipe::ExtractMode;
use crate::recipe::ExtractSpec;
use crate::stages::extract::dedup::Dedup;
use crate::stages::extract::known;
use crate::stages::extract::known::KnownViews;
use crate::stages::notice::VIDEO;
use crate::stages::notice::of_video;
use crate::time::Pts;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// The inputs of a run, identified and probed. One of a replay that is not there has its facts
/// alone, and what is kept of it stands for it.
pub type Videos = BTreeMap<VideoId, (Option<MediaInput>, VideoFacts)>;

/// What a stage asks of each video; no more than `first` of it where that is given.
pub fn wanted(spec: &ExtractSpec, format: PixelFormat, first: Option<Duration>) -> VideoSelection {
    let all = VideoSelection::new(spec.fps, spec.max_side, format);
    VideoSelection {
        ranges: spec.wanted(first),
        mode: match spec.mode {
            ExtractMode::Exact => Mode::Exact,
            ExtractMode::Keyframes => Mode::Keyframes,
        },
        decoders: spec.concurrency.unwrap_or(all.decoders),
        ..all
    }
}

/// Samples frames from each video, without those that nobody needs to see.
pub(in crate::stages) fn frames(
    spec: &ExtractSpec,
    format: PixelFormat,
    videos: &Arc<Videos>,
    first: Option<Duration>,
    known: KnownViews,
) -> Arc<dyn VideoSource> {
    Arc::new(Extract {
        wanted: wanted(spec, format, first),
        dedup: spec.dedup.then_some(spec.dedup_threshold),
        videos: Arc::clone(videos),
        known: Arc::new(known),
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
    known: Arc<KnownViews>,
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
        match (self.known.all(facts), input) {
            (Some((end, samples)), _) => recall(end, &samples, facts, out),
            (None, Some(input)) => self.sample(input, facts, out),
            (None, None) => Err(self.known.lack(facts)),
        }
    }
}

// Gives frames that were sampled before and that nobody needs to see, and tells what was told then.
fn recall(
    end: SamplingEnd,
    samples: &[Sample],
    facts: &VideoFacts,
    out: &mut Emitter,
) -> Result<(), Failure> {
    for sample in samples {
        let frame = known::unseen(sample, facts.id);
        let item = match sample.same_as {
            Some(same_as) => Item::Repeat(Repeat {
                moment: frame.moment,
                same_as,
            }),
            None => Item::Frame(frame),
        };
        if out.emit(item).is_err() {
            return Ok(());
        }
    }
    for notice in end.notices {
        out.notice(of_video(&notice, facts));
    }
    out.learnt(facts.id, end.stream);
    match end.failure {
        Some(failure) => Err(failed(failure, facts)),
        None => Ok(()),
    }
}

impl Extract {
    fn sample(
        &self,
        input: &MediaInput,
        facts: &VideoFacts,
        out: &mut Emitter,
    ) -> Result<(), Failure> {
        let mut wanted = self.wanted.clone();
        let known = (Arc::clone(&self.known), facts.clone());
        wanted.known = Some(KnownFrames::new(move |pts| known.0.is_known(pts, &known.1)));
        let stop = out.stop().flag();
        let frames = media::frames(input, facts, &wanted, Arc::clone(&stop));
        let mut frames = frames.map_err(|error| failure(&error))?;
        let mut end = SamplingEnd::default();
        for notice in beginning(&frames) {
            tell(notice, facts, &mut end, out);
        }
        let see = |pts| self.see(pts, input, facts, &stop);
        if !self.give(&mut frames, facts, &mut end, &see, out)? {
            return Ok(());
        }
        tracing::debug!(path = %facts.path.display(), packets = frames.decoded(), "frames read");
        let damaged = frames.damaged();
        if damaged > 0 {
            let notice = format!("{damaged} damaged packets of {VIDEO} were left out");
            tell(notice, facts, &mut end, out);
        }
        end.stream = StreamFacts {
            length: frames.length(),
            damaged: DamagedPackets {
                frames: damaged,
                sound: 0,
            },
        };
        out.learnt(facts.id, end.stream);
        if out.stop().is_stopping() {
            return Ok(());
        }
        let length = frames.length().unwrap_or(f64::INFINITY);
        let missing = media::beyond_the_end(&self.wanted.ranges, length);
        let missing = missing.map(|beyond| format!("`{VIDEO}` {beyond}"));
        let missing = missing.map(|why| Failure::new(Class::Media, why));
        end.failure = match end.frames.is_empty() {
            true => Some(nothing_wanted(&self.wanted)),
            false => missing.or(ends_where_it_says(&self.wanted, frames.early_end()).err()),
        };
        let ended = end.failure.clone();
        out.note(facts.id, Extent::Whole, Answer::Sampled(end));
        match ended {
            Some(failure) => Err(failed(failure, facts)),
            None => Ok(()),
        }
    }

    // Passes the frames on and notes each; gives whether all were taken.
    fn give(
        &self,
        frames: &mut Frames,
        facts: &VideoFacts,
        end: &mut SamplingEnd,
        see: &dyn Fn(Pts) -> Option<Frame>,
        out: &mut Emitter,
    ) -> Result<bool, Failure> {
        let mut dedup = Dedup::new(self.dedup);
        for frame in frames {
            let mut frame = frame.map_err(|error| failure(&error))?;
            end.frames.push(frame.moment.pts);
            let noted = self.known.sample(facts.id, frame.moment.pts);
            frame = self.known.as_noted(frame, noted.as_ref());
            let failure = frame.content.as_ref().err();
            let is_new = noted
                .as_ref()
                .is_none_or(|it| it.failure.as_ref() != failure);
            let sample = Sample {
                failure: failure.cloned(),
                ..Sample::new(&frame.moment, frame.source, frame.size)
            };
            let decided = noted.as_ref().filter(|it| it.failure.is_none());
            let item = dedup.pass(frame, decided, see);
            if is_new {
                note(sample, &item, facts.id, out);
            }
            if out.emit(item).is_err() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    // One frame that has passed without content; nothing else is decoded than it takes.
    fn see(
        &self,
        pts: Pts,
        input: &MediaInput,
        facts: &VideoFacts,
        stop: &Arc<AtomicBool>,
    ) -> Option<Frame> {
        let wanted = VideoSelection {
            known: Some(KnownFrames::new(move |other| other != pts)),
            ..self.wanted.clone()
        };
        let frames = media::frames(input, facts, &wanted, Arc::clone(stop)).ok()?;
        let mut frames = frames.filter_map(Result::ok);
        frames.find(|frame| frame.moment.pts == pts)
    }
}

fn note(mut sample: Sample, item: &Item, video: VideoId, out: &mut Emitter) {
    sample.same_as = match item {
        Item::Repeat(repeat) => Some(repeat.same_as),
        _ => None,
    };
    let extent = Extent::Frame {
        pts: sample.pts,
        crop: None,
    };
    out.note(video, extent, Answer::Sample(sample));
}

fn tell(notice: String, facts: &VideoFacts, end: &mut SamplingEnd, out: &mut Emitter) {
    out.notice(of_video(&notice, facts));
    end.notices.push(notice);
}

// What is to be told before any frame.
fn beginning(frames: &Frames) -> Vec<String> {
    let pale = frames.high_range().map(|transfer| {
        format!(
            "{VIDEO} has a high dynamic range ({transfer}): its frames come out pale, which can \
             cost detections; convert it to SDR where that matters"
        )
    });
    let other = frames.instead_of().map(|codec| {
        format!(
            "the usual video stream of {VIDEO} is coded as {codec}, which the FFmpeg on this \
             machine cannot decode: another stream is looked at"
        )
    });
    pale.into_iter().chain(other).collect()
}

fn failed(failure: Failure, facts: &VideoFacts) -> Failure {
    Failure {
        message: of_video(&failure.message, facts),
        ..failure
    }
}

fn nothing_wanted(wanted: &VideoSelection) -> Failure {
    let why = match media::beyond_the_end(&wanted.ranges, 0.0) {
        None => "has no frames".to_owned(),
        Some(beyond) => beyond,
    };
    Failure::new(Class::Media, format!("`{VIDEO}` {why}"))
}

fn ends_where_it_says(wanted: &VideoSelection, early: Option<EarlyEnd>) -> Result<(), Failure> {
    let end = wanted.ranges.end();
    let end = end.map_or(f64::INFINITY, |end| end.as_secs_f64());
    match early.filter(|early| early.end < end) {
        Some(early) => Err(Failure::new(Class::Media, format!("`{VIDEO}` {early}"))),
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
