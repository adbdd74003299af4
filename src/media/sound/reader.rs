//! The iterator over the sound of one file.
//!
//! Time stamps decide where samples lie, since nothing else keeps sound and frames together through
//! edit lists, late starts, gaps and drift.

use crate::facts::VideoFacts;
use crate::media::error::MediaError;
use crate::media::input::ending::EarlyEnd;
use crate::media::input::identify::MediaInput;
use crate::media::sound::clock::SoundClock;
use crate::media::sound::decoder::SoundDecoder;
use crate::media::sound::resampler::Resampler;
use crate::media::sound::resampler::SampleLayout;
use crate::media::sound::track::SoundTrack;
use crate::media::stop::StopFlag;
use crate::name::VideoId;
use crate::speech::RATE;
use crate::speech::Sound;
use crate::speech::sample_at;
use crate::time::Pts;
use crate::time::TimeRange;
use crate::time::TimeRanges;
use ffmpeg_next::Packet;
use ffmpeg_next::frame::Audio;
use std::collections::VecDeque;
use std::num::NonZero;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Samples of a piece, but for the last one before a gap: a second.
const PIECE: usize = RATE as usize;

/// How far time stamps may be from where the samples before them end, in samples: 40 ms. Many
/// containers round them to milliseconds, and some let them wander by a frame. From there on they
/// are believed: silence is put in, or samples are left out.
const SLACK: u64 = RATE as u64 / 25;

/// What is decoded before and behind what is wanted, in samples: a second. Decoders lean on what came
/// before.
const MARGIN: u64 = RATE as u64;

/// What to take from the sound of an input.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SoundSelection {
    /// The number of the sound track, from 1; what a player would choose where absent.
    pub track: Option<NonZero<usize>>,
    /// The parts that are heard; what is before the first frame belongs to one that begins with it.
    pub ranges: TimeRanges,
}

/// The sound of one input, in order. What cannot be decoded is silence.
pub struct SoundReader {
    video: VideoId,
    track: SoundTrack,
    decoder: SoundDecoder,
    clock: Option<SoundClock>,
    run: Option<ContiguousRun>,
    // The place up to which everything is in `ready`, or was left out.
    end: u64,
    // The places that are wanted.
    windows: Vec<Range<u64>>,
    // Whether packets were left out since the last one that was decoded.
    has_skipped: bool,
    // Seconds from where a player's clock begins to the first frame.
    offset: f64,
    piece: Vec<i16>,
    ready: VecDeque<Sound>,
    is_over: bool,
    stop: StopFlag,
}

// Frames that follow each other without a gap.
struct ContiguousRun {
    resampler: Resampler,
    // Where the first frame lies, and where the next sample that comes out does.
    start: i64,
    next: i64,
    // Samples that went in.
    taken: u64,
}

impl ContiguousRun {
    // Where the next frame should lie.
    fn due(&self) -> i64 {
        let rate = u128::from(self.resampler.shape().rate.max(1));
        let taken = u128::from(self.taken) * u128::from(RATE);
        let length = i64::try_from((taken + rate / 2) / rate).unwrap_or(i64::MAX);
        self.start.saturating_add(length)
    }
}

/// Opens the sound of `input`. Once `stop` is set the iterator ends, within a packet.
///
/// # Errors
///
/// Where there is no such sound, or this FFmpeg cannot decode it.
pub fn sound(
    input: &MediaInput,
    facts: &VideoFacts,
    wanted: &SoundSelection,
    stop: Arc<AtomicBool>,
) -> Result<SoundReader, MediaError> {
    let MediaInput::Video(path) = input else {
        let path = input.path().into();
        return Err(MediaError::NoSound { path });
    };
    let stop = StopFlag::new(stop);
    let track = SoundTrack::open(path, wanted.track, stop.clone())?;
    let decoder = SoundDecoder::open(&track)?;
    let base = track.base();
    let offset = facts.start_offset();
    let clock = facts.first_frame.map(|first| SoundClock {
        base,
        origin: (first.pts, first.base),
        lead: sample_at(offset).cast_signed(),
    });
    Ok(SoundReader {
        video: facts.id,
        clock,
        track,
        decoder,
        run: None,
        end: 0,
        windows: sample_ranges(&wanted.ranges, offset),
        has_skipped: false,
        offset,
        piece: Vec::new(),
        ready: VecDeque::new(),
        is_over: false,
        stop,
    })
}

/// The places of samples that lie in `ranges`, where the first frame is `offset` seconds after where
/// a player's clock begins.
pub fn sample_ranges(ranges: &TimeRanges, offset: f64) -> Vec<Range<u64>> {
    let place = |time: Duration| sample_at(time.as_secs_f64() + offset);
    let of_samples = |range: TimeRange| {
        let start = match range.start.is_zero() {
            true => 0,
            false => place(range.start),
        };
        start..range.end.map_or(u64::MAX, place)
    };
    ranges.iter().map(of_samples).collect()
}

impl SoundReader {
    /// The codec of the track that a player would have chosen, where FFmpeg cannot decode that
    /// one: this is the sound of another.
    pub fn instead_of(&self) -> Option<&str> {
        self.track.instead_of()
    }

    /// The number of packets, so far, that were damaged and left out.
    pub fn damaged(&self) -> u64 {
        self.track.damaged() + self.decoder.damaged()
    }

    /// Seconds of the sound as its packets say, once all of them were read.
    pub fn length(&self) -> Option<f64> {
        self.track.length()
    }

    /// That the sound ends before its container says, once it was read to its end.
    pub fn early_end(&self) -> Option<EarlyEnd> {
        self.track.early_end()
    }

    /// Seconds from the first frame to the end of the sound, once all of its packets were read.
    pub fn end(&self) -> Option<f64> {
        let place = self.clock?.place(Pts(self.track.read_end()?));
        Some(place as f64 / f64::from(RATE) - self.offset)
    }

    fn read(&mut self) -> Result<(), MediaError> {
        match self.track.next_packet() {
            Some(packet) if self.is_far(&packet) => self.has_skipped = true,
            Some(packet) => {
                if std::mem::take(&mut self.has_skipped) {
                    self.decoder.forget();
                }
                self.decoder.send(&packet);
            }
            None => {
                self.decoder.drain();
                self.is_over = true;
            }
        }
        while let Some(frame) = self.decoder.receive() {
            self.hear(&frame)?;
        }
        if self.is_over {
            self.end_run();
            self.cut();
        }
        Ok(())
    }

    // Whether nothing of a packet can be wanted. What does not say where it lies is decoded, and so is
    // what a decoder needs before the first sample that is wanted.
    fn is_far(&self, packet: &Packet) -> bool {
        let place = |ticks: i64| Some(self.clock?.place(Pts(ticks)));
        let ticks = Some(packet.duration()).filter(|ticks| *ticks > 0);
        let end = packet
            .pts()
            .zip(ticks)
            .map(|(pts, ticks)| pts.saturating_add(ticks));
        let Some((start, end)) = packet.pts().and_then(place).zip(end.and_then(place)) else {
            return false;
        };
        let is_near = |window: &Range<u64>| {
            let (from, until) = (
                window.start.saturating_sub(MARGIN),
                window.end.saturating_add(MARGIN),
            );
            let sample = |place: i64| u64::try_from(place).unwrap_or(0);
            sample(end) >= from && sample(start) <= until
        };
        !self.windows.iter().any(is_near)
    }

    fn hear(&mut self, frame: &Audio) -> Result<(), MediaError> {
        if frame.samples() == 0 {
            return Ok(());
        }
        let due = self.run.as_ref().map(ContiguousRun::due);
        let place = frame
            .timestamp()
            .map(|pts| self.clock(Pts(pts)).place(Pts(pts)));
        let place = place.or(due).unwrap_or(0);
        let follows = due.is_some_and(|due| due.abs_diff(place) <= SLACK);
        let is_alike = |run: &ContiguousRun| run.resampler.shape() == SampleLayout::of(frame);
        if !(follows && self.run.as_ref().is_some_and(is_alike)) {
            self.end_run();
            let unusable = |_| MediaError::OddSound {
                path: self.track.path().into(),
                channels: frame.channels(),
                rate: frame.rate(),
            };
            let start = due.filter(|_| follows).unwrap_or(place);
            self.run = Some(ContiguousRun {
                resampler: Resampler::new(frame).map_err(unusable)?,
                start,
                next: start,
                taken: 0,
            });
        }
        if let Some(run) = &mut self.run {
            let samples = run.resampler.take(frame);
            let start = run.next;
            run.taken += frame.samples() as u64;
            run.next += samples.len() as i64;
            self.put(start, &samples);
        }
        Ok(())
    }

    // Sound that has no frames to go by starts at its own first sample.
    fn clock(&mut self, first: Pts) -> SoundClock {
        let base = self.track.base();
        *self.clock.get_or_insert(SoundClock {
            base,
            origin: (first, base),
            lead: 0,
        })
    }

    fn end_run(&mut self) {
        if let Some(run) = self.run.take() {
            let start = run.next;
            let rest = run.resampler.rest();
            self.put(start, &rest);
        }
    }

    // What lies where sound was already, or outside of what is wanted, is left out.
    fn put(&mut self, start: i64, samples: &[i16]) {
        for at in 0..self.windows.len() {
            if let Some(window) = self.windows.get(at).cloned() {
                self.put_within(&window, start, samples);
            }
        }
    }

    // No piece goes on beyond the end of a window.
    fn put_within(&mut self, window: &Range<u64>, start: i64, samples: &[i16]) {
        let end = start.saturating_add(samples.len() as i64);
        let first = self.end.max(window.start);
        let first = i64::try_from(first).unwrap_or(i64::MAX).max(start);
        let last = i64::try_from(window.end).unwrap_or(i64::MAX).min(end);
        let Some(kept) = usize::try_from(first - start)
            .ok()
            .zip(usize::try_from(last - start).ok())
            .and_then(|(first, last)| samples.get(first..last))
            .filter(|kept| !kept.is_empty())
        else {
            return;
        };
        if first.unsigned_abs() > self.end {
            self.cut();
            self.end = first.unsigned_abs();
        }
        self.piece.extend_from_slice(kept);
        self.end += kept.len() as u64;
        if self.piece.len() >= PIECE || self.end == window.end {
            self.cut();
        }
    }

    // Whether all that is wanted was heard.
    fn is_done(&self) -> bool {
        let last = self.windows.last();
        last.is_none_or(|window| self.end >= window.end)
    }

    fn cut(&mut self) {
        let samples: Arc<[i16]> = std::mem::take(&mut self.piece).into();
        if !samples.is_empty() {
            self.ready.push_back(Sound {
                video: self.video,
                start: self.end - samples.len() as u64,
                samples,
            });
        }
    }
}

impl Iterator for SoundReader {
    type Item = Result<Sound, MediaError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() && !self.is_over && !self.is_done() {
            if let Err(error) = self.read() {
                self.is_over = true;
                self.ready.clear();
                return Some(Err(error));
            }
        }
        if self.stop.is_set() {
            return None;
        }
        if self.ready.is_empty() && !self.is_over {
            self.is_over = true;
            self.cut();
        }
        self.ready.pop_front().map(Ok)
    }
}
