//! A part of a video as a file of its own, to the frame: its packets as they are where those show it by
//! themselves, else every frame of it coded anew.

use crate::facts::VideoFacts;
use crate::item::PixelFormat;
use crate::media::encode::captions::TimedText;
use crate::media::encode::mp4::Mp4File;
use crate::media::encode::mp4::PictureSource;
use crate::media::encode::span::PacketSpan;
use crate::media::encode::writer::VideoOrigin;
use crate::media::encode::writer::VideoWriter;
use crate::media::error::MediaError;
use crate::media::frames::frames;
use crate::media::input::identify::MediaInput;
use crate::media::input::track::VideoTrack;
use crate::media::select::selection::Mode;
use crate::media::select::selection::VideoSelection;
use crate::media::stop::StopFlag;
use crate::time::TimeBase;
use crate::time::TimeRange;
use crate::time::TimeRanges;
use ffmpeg_next::Packet;
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// A frame is shown at least so long, and so is a part.
const SHORTEST: f64 = 0.04;

/// Times of frames are rounded to so many seconds where they are told.
const ROUNDED: f64 = 1e-6;

/// What the frames of a part are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutKind {
    /// The packets of the video.
    Packets,
    /// Its frames, coded anew.
    Coded,
}

/// Writes what `input` shows and sounds like from `start` to `end`, in seconds since its first frame,
/// to `file`, with those of `captions` that are shown meanwhile, which are on the clock of a player of
/// the whole. The first frame is the one on screen at `start`. No more is decoded than that takes. Once
/// `stop` is set it ends early.
///
/// # Errors
///
/// Where the input cannot be read, has no frame there, or nothing can be written.
pub fn cut(
    input: &MediaInput,
    facts: &VideoFacts,
    (start, end): (f64, f64),
    captions: &[TimedText],
    file: File,
    stop: Arc<AtomicBool>,
) -> Result<CutKind, MediaError> {
    let start = start.max(0.0) + ROUNDED;
    let end = end.max(start + SHORTEST) - ROUNDED;
    let part = VideoPart {
        facts,
        captions,
        start,
        end,
        stop,
    };
    let track = VideoTrack::open(&facts.path, StopFlag::new(Arc::clone(&part.stop)))?;
    match PacketSpan::find(track, facts, (start, end)) {
        Some(span) => part.copy(&span, file),
        None => part.code(input, file),
    }
}

// A part of a video, in seconds since its first frame.
struct VideoPart<'a> {
    facts: &'a VideoFacts,
    captions: &'a [TimedText],
    start: f64,
    end: f64,
    stop: Arc<AtomicBool>,
}

impl VideoPart<'_> {
    fn copy(&self, span: &PacketSpan, file: File) -> Result<CutKind, MediaError> {
        let mut track = VideoTrack::open(&self.facts.path, StopFlag::new(Arc::clone(&self.stop)))?;
        let pictures = PictureSource::Copied(track.parameters());
        let origin = self.origin(track.base(), span.seconds);
        let captions = self.captions_from(span.seconds);
        let usual = track.usual_ticks();
        let mut file = Mp4File::create(file, pictures, &origin, captions, Arc::clone(&self.stop))?;
        let packets = std::iter::from_fn(|| track.next_packet()).skip(span.begin);
        for (packet, _) in packets.zip(&span.is_taken).filter(|(_, taken)| **taken) {
            file.add(placed(packet, span, usual))?;
        }
        file.finish()?;
        Ok(CutKind::Packets)
    }

    fn code(&self, input: &MediaInput, file: File) -> Result<CutKind, MediaError> {
        let (facts, start, end) = (self.facts, self.start, self.end);
        let at = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        let wanted = VideoSelection {
            mode: Mode::Exact,
            ranges: TimeRanges::from(TimeRange {
                start: at(start),
                end: Some(at(end)),
            }),
            ..VideoSelection::every_frame(PixelFormat::Rgb24)
        };
        let mut frames = frames(input, facts, &wanted, Arc::clone(&self.stop))?;
        let origin = self.origin(frames.base().unwrap_or(TimeBase::NANOSECOND), start);
        let captions = self.captions_from(start);
        let mut writer =
            VideoWriter::create(file, facts.size, &origin, captions, Arc::clone(&self.stop))?;
        let (mut is_empty, mut last) = (true, start);
        for frame in frames.by_ref() {
            let frame = frame?;
            if frame.content.is_ok() {
                writer.add(&frame)?;
                is_empty = false;
            }
            last = frame.moment.seconds;
        }
        if is_empty {
            return Err(MediaError::nothing_decodes(&facts.path));
        }
        let length = frames.length().or(facts.duration);
        writer.finish(
            length
                .map_or(end, |length| end.min(length))
                .max(last + SHORTEST.min(end - start)),
        )?;
        Ok(CutKind::Coded)
    }

    fn origin(&self, base: TimeBase, begin: f64) -> VideoOrigin<'_> {
        VideoOrigin {
            facts: self.facts,
            base,
            begin,
            end: Some(self.end),
        }
    }

    // What is said meanwhile, on the clock of a file that begins at `begin`.
    fn captions_from(&self, begin: f64) -> Vec<TimedText> {
        let on_clock = |seconds: f64| {
            let ms = (seconds + self.facts.start_offset()) * 1e3;
            ms.round().max(0.0) as u64
        };
        let (begin, end) = (on_clock(begin), on_clock(self.end));
        let captions = self.captions.iter();
        let captions = captions.filter(|it| it.start < end && it.end > begin);
        let moved = captions.map(|it| TimedText {
            start: it.start.saturating_sub(begin),
            end: it.end.min(end) - begin,
            text: it.text.clone(),
        });
        moved.collect()
    }
}

// A packet on the clock of a file that begins with the first frame of `span`. The last frame is on screen
// until another comes.
fn placed(mut packet: Packet, span: &PacketSpan, usual: i64) -> Packet {
    let moved = |ticks: Option<i64>| Some(ticks?.saturating_sub(span.first.0));
    let own = match packet.duration() {
        ticks if ticks > 0 => ticks,
        _ => usual,
    };
    packet.set_duration(match (packet.pts() == Some(span.last.0), span.goes_on) {
        (true, true) => span.left,
        (true, false) => own.min(span.left),
        (false, _) => own,
    });
    let (pts, dts) = (moved(packet.pts()), moved(packet.dts()));
    packet.set_pts(pts);
    packet.set_dts(dts);
    packet
}
