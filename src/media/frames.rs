//! The iterator over the sampled frames of one input.

use crate::facts::VideoFacts;
use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Content;
use crate::item::Frame;
use crate::item::Moment;
use crate::item::Size;
use crate::media::decode::decoder::DecodeStats;
use crate::media::decode::full::FullDecode;
use crate::media::decode::full::SampledFrame;
use crate::media::decode::memory;
use crate::media::decode::sparse::SparseDecode;
use crate::media::decode::worker::FrameOutcome;
use crate::media::error::MediaError;
use crate::media::input::ending::EarlyEnd;
use crate::media::input::ending::StreamEnd;
use crate::media::input::identify::MediaInput;
use crate::media::input::stills;
use crate::media::input::track::VideoTrack;
use crate::media::pixels::display::Display;
use crate::media::pixels::display::PixelAspect;
use crate::media::pixels::shape::Shaped;
use crate::media::pixels::shape::Shaper;
use crate::media::select::sample::SampleTarget;
use crate::media::select::selection::Mode;
use crate::media::select::selection::VideoSelection;
use crate::media::stop::StopFlag;
use crate::time::Pts;
use crate::time::TimeBase;
use std::iter::Enumerate;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::vec;

/// The sampled frames of one input, in order. Works ahead on threads of its own, within
/// what [`crate::media::decoder_memory`] says; dropping it ends the work.
pub struct Frames {
    source: FrameSource,
    facts: VideoFacts,
    wanted: VideoSelection,
    stop: StopFlag,
    next_index: u64,
    // The first sample that no frame was given for.
    next_sample: u64,
    has_decoded: bool,
    // Packets that were decoded before it was begun anew.
    wasted: u64,
    high_range: Option<&'static str>,
    instead_of: Option<String>,
    // The stream: its ticks, the last frame that came out of it, and its end once it was read.
    base: Option<TimeBase>,
    last: Option<(Pts, f64)>,
    stream_end: Arc<OnceLock<StreamEnd>>,
    // How the last frame that came out is shown.
    shown: Option<Size>,
}

enum FrameSource {
    SparseDecode(SparseDecode),
    FullDecode(Box<FullDecode>, Shaper),
    Stills(Enumerate<vec::IntoIter<PathBuf>>, Shaper),
    Ended(DecodeStats),
}

/// Opens `input` for its frames. Once `stop` is set the iterator ends, within a packet, even
/// where no frame is due for long.
///
/// A frame that cannot be decoded is not the end: it is given with the reason as its content.
///
/// # Errors
///
/// Where the input cannot be opened or this FFmpeg cannot decode it.
pub fn frames(
    input: &MediaInput,
    facts: &VideoFacts,
    wanted: &VideoSelection,
    stop: Arc<AtomicBool>,
) -> Result<Frames, MediaError> {
    let mut frames = Frames {
        source: FrameSource::Ended(DecodeStats::default()),
        facts: facts.clone(),
        wanted: VideoSelection {
            decoders: memory::decoders(wanted, facts.size),
            ..wanted.clone()
        },
        stop: StopFlag::new(stop),
        next_index: 0,
        next_sample: 0,
        has_decoded: false,
        wasted: 0,
        high_range: None,
        instead_of: None,
        base: None,
        last: None,
        stream_end: Arc::default(),
        shown: None,
    };
    frames.source = match input {
        MediaInput::Video(path) => frames.open(path)?,
        MediaInput::Pictures { files, .. } => {
            // What a photograph says of the shape of its pixels is for printers.
            let display = Display {
                aspect: Some(PixelAspect::SQUARE),
                ..Display::default()
            };
            let shaper = Shaper::new(wanted.format, wanted.max_side, display);
            FrameSource::Stills(files.clone().into_iter().enumerate(), shaper)
        }
    };
    Ok(frames)
}

impl Frames {
    /// The number of packets, so far, that were damaged and left out.
    pub fn damaged(&self) -> u64 {
        self.stats().damaged
    }

    /// The transfer of a video with a high dynamic range, `PQ` or `HLG`: its frames are not
    /// mapped to the usual one, and look pale.
    pub fn high_range(&self) -> Option<&'static str> {
        self.high_range
    }

    /// The codec of the stream that a player would have chosen, where FFmpeg cannot decode that
    /// one: these are the frames of another.
    pub fn instead_of(&self) -> Option<&str> {
        self.instead_of.as_deref()
    }

    /// That the stream ends before its container says, once it was read to its end.
    pub fn early_end(&self) -> Option<EarlyEnd> {
        self.stream_end.get()?.early
    }

    /// Seconds of the stream as its packets say, once all of them were read.
    pub fn length(&self) -> Option<f64> {
        let end = self.stream_end.get()?.pts;
        let (pts, seconds) = self.last?;
        Some(seconds + self.base?.seconds_between(pts, end))
    }

    /// The tick that times of frames are counted in; `None` for pictures.
    pub fn base(&self) -> Option<TimeBase> {
        self.base
    }

    /// The number of packets, so far, that were decoded: what the frames cost.
    pub fn decoded(&self) -> u64 {
        self.wasted + self.stats().packets
    }

    /// The size at which the frame that was given last is shown by itself.
    pub(in crate::media) fn shown(&self) -> Option<Size> {
        self.shown
    }

    fn stats(&self) -> DecodeStats {
        match &self.source {
            FrameSource::SparseDecode(sparse) => sparse.stats(),
            FrameSource::FullDecode(full, _) => full.stats(),
            FrameSource::Stills(..) => DecodeStats::default(),
            FrameSource::Ended(stats) => *stats,
        }
    }

    fn open(&mut self, path: &Path) -> Result<FrameSource, MediaError> {
        let track = VideoTrack::open(path, self.stop.clone())?;
        track.refuse_large()?;
        self.high_range = track.high_range();
        self.instead_of = track.instead_of().map(str::to_owned);
        self.base = Some(track.base());
        self.stream_end = track.stream_end();
        match track.syntax() {
            Some(syntax) if self.wanted.mode != Mode::Full => {
                SparseDecode::start(track, syntax, &self.wanted, self.stop.clone())
                    .map(FrameSource::SparseDecode)
            }
            _ => self.open_fully(track),
        }
    }

    fn open_fully(&self, track: VideoTrack) -> Result<FrameSource, MediaError> {
        let shaper = Shaper::new(self.wanted.format, self.wanted.max_side, track.display());
        let full = FullDecode::new(track, &self.wanted, self.next_sample)?;
        Ok(FrameSource::FullDecode(Box::new(full), shaper))
    }

    // The packets were not what they seemed: decodes everything from the first one, and goes on
    // behind the samples that were given already.
    fn begin_anew(&mut self) -> Result<(), MediaError> {
        self.end();
        self.wasted += self.stats().packets;
        self.stop = self.stop.renewed();
        let track = VideoTrack::open(&self.facts.path, self.stop.clone())?;
        self.stream_end = track.stream_end();
        self.source = self.open_fully(track)?;
        Ok(())
    }

    fn end(&mut self) {
        self.source = FrameSource::Ended(self.stats());
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, MediaError> {
        loop {
            let (target, shaped) = match &mut self.source {
                FrameSource::SparseDecode(sparse) => match sparse.next_outcome() {
                    Some(FrameOutcome::Known(target)) => return Ok(Some(self.known(target))),
                    Some(FrameOutcome::Frame(target, shaped)) => {
                        (target, shaped.ok_or(UNCONVERTIBLE))
                    }
                    // Time is counted from the first frame, so that one must be there.
                    Some(FrameOutcome::Lost(target)) if self.has_decoded => (target, Err(DAMAGED)),
                    Some(_) => {
                        self.begin_anew()?;
                        continue;
                    }
                    None => return Ok(None),
                },
                FrameSource::FullDecode(full, shaper) => match full.next_sampled() {
                    Some(SampledFrame { target, .. }) if target.is_known => {
                        return Ok(Some(self.known(target)));
                    }
                    Some(SampledFrame { target, frame }) => {
                        let shape = |frame| shaper.shape(&frame).ok_or(UNCONVERTIBLE);
                        (target, frame.ok_or(DAMAGED).and_then(shape))
                    }
                    None if full.has_decoded() || self.stop.is_set() => return Ok(None),
                    None => {
                        return Err(MediaError::nothing_decodes(&self.facts.path));
                    }
                },
                FrameSource::Stills(files, shaper) => {
                    let Some((number, path)) = files.next() else {
                        return Ok(None);
                    };
                    let number = number as u64;
                    let pts = Pts(number.cast_signed());
                    let shaped = (!self.wanted.knows(pts)).then(|| still(shaper, &path));
                    return Ok(Some(self.of_file(number, pts, shaped)));
                }
                FrameSource::Ended(_) => return Ok(None),
            };
            return Ok(Some(self.of_video(target, shaped)));
        }
    }

    fn of_video(&mut self, target: SampleTarget, shaped: Result<Shaped, &str>) -> Frame {
        self.has_decoded |= shaped.is_ok();
        self.shown = shaped.as_ref().ok().map(|shaped| shaped.source);
        let moment = self.moment(target);
        let said = |why| format!("the frame at {:.3} s {why}", moment.seconds);
        let shaped = shaped.map_err(said);
        // A stream may change the size of its frames. Players show them all at that of the first.
        Frame {
            source: self.facts.size,
            ..self.frame(moment, shaped)
        }
    }

    // It has come out of a decoder before.
    fn known(&mut self, target: SampleTarget) -> Frame {
        self.has_decoded = true;
        let moment = self.moment(target);
        self.unseen(moment)
    }

    fn moment(&mut self, target: SampleTarget) -> Moment {
        self.next_sample = target.next_sample;
        self.last = Some((target.place.pts, target.place.seconds));
        Moment {
            video: self.facts.id,
            index: self.take_index(),
            frame_number: target.place.number,
            pts: target.place.pts,
            seconds: target.place.seconds,
            samples: target.samples,
            part: None,
        }
    }

    // `shaped` is `None` where nobody needs to see it.
    fn of_file(&mut self, number: u64, pts: Pts, shaped: Option<Result<Shaped, String>>) -> Frame {
        let moment = Moment {
            video: self.facts.id,
            index: self.take_index(),
            frame_number: number,
            pts,
            seconds: number as f64,
            samples: 1,
            part: None,
        };
        match shaped {
            Some(shaped) => self.frame(moment, shaped),
            None => self.unseen(moment),
        }
    }

    // Its sizes are those that the headers say.
    fn unseen(&self, moment: Moment) -> Frame {
        Frame {
            moment,
            source: self.facts.size,
            size: self.facts.size.within(self.wanted.max_side),
            content: Ok(Content::default()),
        }
    }

    fn frame(&self, moment: Moment, shaped: Result<Shaped, String>) -> Frame {
        match shaped {
            Ok(shaped) => Frame {
                moment,
                source: shaped.source,
                size: shaped.size,
                content: Ok(Content {
                    pixels: Some(shaped.pixels),
                    jpeg: None,
                }),
            },
            Err(why) => Frame {
                moment,
                source: self.facts.size,
                size: self.facts.size,
                content: Err(Failure::new(Class::Media, why)),
            },
        }
    }

    fn take_index(&mut self) -> u64 {
        self.next_index += 1;
        self.next_index - 1
    }
}

const DAMAGED: &str = "is damaged and cannot be decoded";
const UNCONVERTIBLE: &str = "has pixels of a layout that cannot be converted";

fn still(shaper: &mut Shaper, path: &Path) -> Result<Shaped, String> {
    let still = stills::decode(path)?;
    shaper.turn(still.turn);
    let shaped = shaper.shape(&still.frame);
    shaped.ok_or_else(|| format!("the picture `{}` {UNCONVERTIBLE}", path.display()))
}

impl Iterator for Frames {
    type Item = Result<Frame, MediaError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_frame();
        // What was under way when the stop was asked for may be wrong: it took the last packet
        // that was read for the last one there is.
        if self.stop.is_set() {
            self.end();
            return None;
        }
        if next.is_err() {
            self.end();
        }
        next.transpose()
    }
}
