//! What a run would take from an input: how many frames, of how many packets, and how large some
//! of them are as JPEG.
//!
//! The packets are read from end to end and nothing of them is decoded; then a few frames are taken
//! as a run would take them.

use crate::facts::Survey;
use crate::facts::VideoFacts;
use crate::facts::truer_length;
use crate::item::Frame;
use crate::item::PixelFormat;
use crate::media::decode::reader::GopSink;
use crate::media::decode::reader::PacketReader;
use crate::media::decode::reader::ReadEnd;
use crate::media::error::MediaError;
use crate::media::ffmpeg;
use crate::media::frames::frames;
use crate::media::input::identify::MediaInput;
use crate::media::input::track::VideoTrack;
use crate::media::pixels::jpeg;
use crate::media::select::plan::GopPart;
use crate::media::select::sample::Sampler;
use crate::media::select::selection::Mode;
use crate::media::select::selection::VideoSelection;
use crate::media::sound::SoundTrack;
use crate::media::stop::StopFlag;
use crate::time::Pts;
use crate::time::Ratio;
use crate::time::TimeRange;
use crate::time::TimeRanges;
use ffmpeg_next::Packet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

/// The most frames that are taken to learn their size.
const TRIED: u64 = 24;

/// Once so many packets were decoded for them, those that there are must do.
const PACKETS_TRIED: u64 = 6_000;

/// Surveys the frames of `input` that are `wanted`, as JPEG of `quality`.
///
/// # Errors
///
/// Where the input cannot be opened, or this FFmpeg cannot decode it.
pub fn survey(
    input: &MediaInput,
    facts: &VideoFacts,
    wanted: &VideoSelection,
    quality: u8,
) -> Result<Survey, MediaError> {
    if !facts.has_frames() {
        return Ok(Survey {
            exact: true,
            duration: length(input)?,
            ..Survey::default()
        });
    }
    let (count, exact, sparse) = match input {
        MediaInput::Video(path) => match planned(path, wanted)? {
            Some(count) => (count, true, true),
            None => (by_times(path, wanted)?, false, false),
        },
        MediaInput::Pictures { files, .. } => {
            let all = files.len() as u64;
            let count = Count {
                frames: all,
                samples: all,
                packets: all,
                length: None,
            };
            (count, true, false)
        }
    };
    let mut survey = Survey {
        frames: count.frames,
        exact,
        packets: count.packets,
        duration: count.length,
        ..Survey::default()
    };
    let (input, wanted) = tried(input, wanted, &count, sparse);
    take(&mut survey, &input, facts, &wanted, quality)?;
    Ok(survey)
}

/// What is in the parts of a stream.
#[derive(Default)]
struct Count {
    frames: u64,
    samples: u64,
    packets: u64,
    // Seconds of the stream, where all of it was read.
    length: Option<f64>,
}

impl GopSink for Count {
    fn take(&mut self, part: GopPart<Arc<Packet>>) -> Result<(), ReadEnd> {
        self.packets += part.packets.len() as u64;
        self.frames += part.targets.len() as u64;
        self.samples += part
            .targets
            .iter()
            .map(|target| target.samples)
            .sum::<u64>();
        Ok(())
    }
}

// What the plan of a run says; `None` where the packets do not say enough for one.
fn planned(path: &Path, wanted: &VideoSelection) -> Result<Option<Count>, MediaError> {
    let track = VideoTrack::open(path, StopFlag::default())?;
    let syntax = track.syntax().filter(|_| wanted.mode != Mode::Full);
    let reader = syntax.map(|syntax| PacketReader::new(track, syntax, wanted, Count::default()));
    let read = reader.and_then(PacketReader::read_all);
    Ok(read.map(|(count, length)| Count { length, ..count }))
}

// Every packet taken for a frame that is shown at its time.
fn by_times(path: &Path, wanted: &VideoSelection) -> Result<Count, MediaError> {
    let mut track = VideoTrack::open(path, StopFlag::default())?;
    let mut packets = Vec::new();
    while let Some(packet) = track.next_packet() {
        let is_shown = !ffmpeg::is_hidden(&packet);
        packets.push((packet.pts(), packet.dts(), packet.is_key(), is_shown));
    }
    let mut count = Count {
        packets: packets.len() as u64,
        ..Count::default()
    };
    // Where some do not say when they are shown, all say when they are decoded.
    let is_timed = |(pts, .., is_shown): &(Option<i64>, _, _, bool)| pts.is_some() || !is_shown;
    let say = packets.iter().all(is_timed);
    let shown = packets.into_iter().filter(|(.., is_shown)| *is_shown);
    let frame = |(pts, dts, is_key, _): (Option<i64>, Option<i64>, bool, bool)| {
        let time = if say { pts } else { dts };
        Some((Pts(time?), is_key))
    };
    let mut frames: Vec<_> = shown.filter_map(frame).collect();
    frames.sort_unstable();
    frames.dedup_by_key(|(pts, _)| *pts);
    let Some(&(first, _)) = frames.first() else {
        return Ok(count);
    };
    let end = track.end().map(Pts);
    count.length = end.map(|end| track.base().seconds_between(first, end));
    let mut sampler = Sampler::new(wanted.rules(track.base(), first));
    let keyframes = wanted.mode == Mode::Keyframes;
    let can_show = |(pts, key): &(Pts, bool)| !keyframes || *key || *pts == first;
    let mut showing = frames.into_iter().filter(can_show).map(|(pts, _)| pts);
    let mut held = showing.next();
    while let Some(this) = held {
        held = showing.next();
        let samples = match held {
            Some(next) if keyframes => sampler.nearer_to(this, next),
            Some(next) => sampler.shown_before(next),
            None => sampler.shown_last(track.end().map_or(this, Pts).max(this)),
        };
        count.samples += samples;
        count.frames += u64::from(samples > 0);
    }
    Ok(count)
}

/// Seconds of what there is to see in `input`, or else to hear, as its packets say; all of them
/// are read. `None` for pictures.
///
/// # Errors
///
/// Where it cannot be opened.
pub fn length(input: &MediaInput) -> Result<Option<f64>, MediaError> {
    let MediaInput::Video(path) = input else {
        return Ok(None);
    };
    match by_times(path, &VideoSelection::new(Ratio::ONE, 1, PixelFormat::I420)) {
        Ok(count) => Ok(count.length),
        Err(MediaError::NoVideoStream { .. }) => {
            let track = SoundTrack::open(path, None, StopFlag::default())?;
            Ok(track.read_length())
        }
        Err(error) => Err(error),
    }
}

/// What of `ranges` begins behind the end of a video of so many seconds, in words that follow its
/// name; `None` where nothing does.
pub fn beyond_the_end(ranges: &TimeRanges, seconds: f64) -> Option<String> {
    let length = Duration::try_from_secs_f64(seconds.max(0.0)).ok()?;
    let start = ranges.beyond(length).next()?.start.as_secs_f64();
    let what = match ranges.iter().count() {
        1 => "`start` of `extract` is",
        _ => "one of the `ranges` of `extract` begins",
    };
    Some(format!("ends before {start} s, where {what}"))
}

/// Refuses an input in which a part of what is wanted is behind the end: of what there is to see and of
/// what there is to hear. What headers say of that is looked up in the packets.
///
/// # Errors
///
/// Where it is, or the input cannot be opened.
pub fn refuse_short(input: &MediaInput, facts: &VideoFacts) -> Result<(), MediaError> {
    let is_beyond = |seconds| beyond_the_end(&facts.wanted, seconds);
    if facts.duration.and_then(is_beyond).is_none() {
        return Ok(());
    }
    let MediaInput::Video(path) = input else {
        return Ok(());
    };
    let heard = || {
        SoundTrack::open(path, None, StopFlag::default())
            .ok()?
            .read_length()
    };
    let seen = truer_length(facts.duration, length(input)?);
    let heard = if facts.has_sound { heard() } else { None };
    let seconds = seen.into_iter().chain(heard).fold(0.0, f64::max);
    match is_beyond(seconds) {
        Some(beyond) => Err(MediaError::TooShort {
            path: path.clone(),
            beyond,
            seconds,
        }),
        None => Ok(()),
    }
}

// What is asked for to have some of the frames: spread over all of them, or the first ones where
// the others cannot be come by without decoding everything before them.
fn tried(
    input: &MediaInput,
    wanted: &VideoSelection,
    count: &Count,
    sparse: bool,
) -> (MediaInput, VideoSelection) {
    if let MediaInput::Pictures { path, files } = input {
        let step = files.len().div_ceil(TRIED as usize).max(1);
        let files = files.iter().skip(step / 2).step_by(step).cloned().collect();
        let path = path.clone();
        return (MediaInput::Pictures { path, files }, wanted.clone());
    }
    let spread = || {
        let num = wanted.fps.num().checked_mul(TRIED.cast_signed())?;
        let samples = i64::try_from(count.samples).ok()?;
        let fps = Ratio::new(num, wanted.fps.den().checked_mul(samples)?)?;
        let half = Duration::try_from_secs_f64(0.5 / fps.to_f64()).ok()?;
        let later = wanted.ranges.iter().map(|range| TimeRange {
            start: range.start.saturating_add(half),
            ..range
        });
        // One that is shorter than that has no frame to try.
        let is_left = |range: &TimeRange| range.end.is_none_or(|end| end > range.start);
        Some(VideoSelection {
            fps,
            ranges: TimeRanges::new(later.filter(is_left).collect())?,
            ..wanted.clone()
        })
    };
    let is_long = sparse && count.frames > TRIED;
    let spread = is_long.then(spread).flatten();
    (input.clone(), spread.unwrap_or_else(|| wanted.clone()))
}

fn take(
    survey: &mut Survey,
    input: &MediaInput,
    facts: &VideoFacts,
    wanted: &VideoSelection,
    quality: u8,
) -> Result<(), MediaError> {
    let start = Instant::now();
    let mut encoding = Duration::ZERO;
    let mut frames = frames(input, facts, wanted, Arc::default())?;
    while (survey.sizes.len() as u64) < TRIED
        && (survey.sizes.is_empty() || frames.decoded() < PACKETS_TRIED)
        && let Some(frame) = frames.next()
    {
        let begun = Instant::now();
        survey.sizes.extend(size(&frame?, quality)?);
        encoding += begun.elapsed();
    }
    let count = survey.sizes.len().max(1) as f64;
    let decoded = frames.decoded().max(survey.sizes.len() as u64).max(1);
    survey.encoding = encoding.as_secs_f64() / count;
    survey.decoding = start.elapsed().saturating_sub(encoding).as_secs_f64() / decoded as f64;
    Ok(())
}

// Bytes of its JPEG; `None` for one that cannot be decoded.
fn size(frame: &Frame, quality: u8) -> Result<Option<u64>, MediaError> {
    let pixels = frame.content.as_ref().ok();
    let pixels = pixels.and_then(|content| content.pixels.as_ref());
    let jpeg = pixels.map(|pixels| jpeg::encode_jpeg(pixels, frame.size, quality));
    Ok(jpeg.transpose()?.map(|jpeg| jpeg.len() as u64))
}
