//! A part of a video as a file of its own, to the frame: every frame of it is coded anew.

use crate::facts::VideoFacts;
use crate::item::PixelFormat;
use crate::media::encode::writer::EncodedVideo;
use crate::media::encode::writer::VideoOrigin;
use crate::media::encode::writer::VideoWriter;
use crate::media::error::MediaError;
use crate::media::frames::frames;
use crate::media::input::identify::MediaInput;
use crate::media::select::selection::Mode;
use crate::media::select::selection::VideoSelection;
use crate::time::TimeBase;
use crate::time::TimeRange;
use crate::time::TimeRanges;
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// A frame is shown at least so long, and so is a part.
const SHORTEST: f64 = 0.04;

/// Writes what `input` shows and sounds like from `start` to `end`, in seconds since its first frame,
/// to `file`. The first frame is the one on screen at `start`. No more is decoded than that takes.
/// Once `stop` is set it ends early.
///
/// # Errors
///
/// Where the input cannot be read, has no frame there, or nothing can be written.
pub fn cut(
    input: &MediaInput,
    facts: &VideoFacts,
    (start, end): (f64, f64),
    file: File,
    stop: Arc<AtomicBool>,
) -> Result<EncodedVideo, MediaError> {
    let start = start.max(0.0);
    let end = end.max(start + SHORTEST);
    let at = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    let wanted = VideoSelection {
        mode: Mode::Exact,
        ranges: TimeRanges::from(TimeRange {
            start: at(start),
            end: Some(at(end)),
        }),
        ..VideoSelection::every_frame(PixelFormat::Rgb24)
    };
    let mut frames = frames(input, facts, &wanted, Arc::clone(&stop))?;
    let origin = VideoOrigin {
        facts,
        base: frames.base().unwrap_or(TimeBase::NANOSECOND),
        begin: start,
        end: Some(end),
    };
    let mut writer = VideoWriter::create(file, facts.size, &origin, Vec::new(), stop)?;
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
    )
}
