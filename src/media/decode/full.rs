//! The plain way: every packet is decoded, and the frames that show a sample are kept.

use crate::media::Mode;
use crate::media::VideoSelection;
use crate::media::decode::decoder::DecodeStats;
use crate::media::decode::decoder::Decoder;
use crate::media::decode::decoder::DecoderOutput;
use crate::media::decode::memory;
use crate::media::error::MediaError;
use crate::media::ffmpeg;
use crate::media::input::track::VideoTrack;
use crate::media::select::sample::FramePosition;
use crate::media::select::sample::SampleTarget;
use crate::media::select::sample::Sampler;
use crate::time::Pts;
use ffmpeg_next::frame::Video;
use std::collections::BTreeSet;
use std::collections::VecDeque;

/// A frame that shows at least one sample, or what is known of it.
pub(in crate::media) struct SampledFrame {
    /// Which frame, and which samples.
    pub(in crate::media) target: SampleTarget,
    /// What it shows; `None` where it could not be decoded.
    pub(in crate::media) frame: Option<Video>,
}

/// Decodes a stream from its first packet to its last.
pub(in crate::media) struct FullDecode {
    track: VideoTrack,
    decoder: Decoder,
    wanted: VideoSelection,
    // The first sample that is not given out yet.
    after: u64,
    sampler: Option<Sampler>,
    // The last frame that came out, and the last that can show samples (the same, unless only
    // keyframes can); what follows tells how many.
    last: Option<FramePosition>,
    held: Option<(FramePosition, Option<Video>)>,
    ready: VecDeque<SampledFrame>,
    // Time stamps that went in and have not come out.
    awaited: BTreeSet<i64>,
    // How much damage the decoder had met when a frame last came out.
    damage_seen: u64,
    is_done: bool,
}

impl FullDecode {
    /// A decoder on `wanted.decoders` threads for all of `track`, that gives out samples from
    /// number `after` on.
    pub(in crate::media) fn new(
        track: VideoTrack,
        wanted: &VideoSelection,
        after: u64,
    ) -> Result<Self, MediaError> {
        let (base, parameters) = (track.base(), track.parameters());
        let threads = match track.repeats_headers() {
            true => 1,
            false => wanted.decoders,
        };
        let most = memory::most_pixels(threads);
        Ok(Self {
            decoder: Decoder::open(parameters, base, threads, most, track.path())?,
            track,
            wanted: wanted.clone(),
            after,
            sampler: None,
            last: None,
            held: None,
            ready: VecDeque::new(),
            awaited: BTreeSet::new(),
            damage_seen: 0,
            is_done: false,
        })
    }

    /// The next frame that shows a sample; `None` at the end.
    pub(in crate::media) fn next_sampled(&mut self) -> Option<SampledFrame> {
        loop {
            if let Some(sampled) = self.ready.pop_front() {
                return Some(sampled);
            }
            if self.is_done {
                return None;
            }
            match self.decoder.receive() {
                DecoderOutput::Frame(frame) => self.take(frame),
                DecoderOutput::Hungry => self.feed(),
                DecoderOutput::Done => self.finish(),
            }
            self.is_done |= self.sampler.as_ref().is_some_and(Sampler::is_done);
        }
    }

    /// What was read, so far.
    pub(in crate::media) fn stats(&self) -> DecodeStats {
        let mut stats = self.decoder.stats();
        stats.damaged += self.track.damaged();
        stats
    }

    /// Whether any frame came out, so far.
    pub(in crate::media) fn has_decoded(&self) -> bool {
        self.sampler.is_some()
    }

    fn feed(&mut self) {
        match self.track.next_packet() {
            Some(packet) => {
                if !ffmpeg::is_hidden(&packet) {
                    self.awaited.extend(packet.pts());
                }
                self.decoder.send(&packet);
            }
            None => self.decoder.drain(),
        }
    }

    fn take(&mut self, frame: Video) {
        let after = self.last.map_or(0, |last| self.usually_until(last));
        let pts = frame.timestamp().unwrap_or(after);
        self.take_lost(Some(pts));
        self.awaited.remove(&pts);
        self.show(Pts(pts), Some(frame));
    }

    // Frames come out in the order of display, so what is awaited before `end` will not come
    // any more. Where the decoder met damage it is a gap; where it met none it never was a
    // frame of its own: a second field, a frame that is made only to be referred to.
    fn take_lost(&mut self, end: Option<i64>) {
        let later = end.map_or_else(BTreeSet::new, |end| self.awaited.split_off(&end));
        let lost = std::mem::replace(&mut self.awaited, later);
        let damage = self.stats().damaged;
        if damage > self.damage_seen && self.has_decoded() {
            for pts in lost {
                self.show(Pts(pts), None);
            }
        }
        self.damage_seen = damage;
    }

    fn show(&mut self, pts: Pts, frame: Option<Video>) {
        // Time stamps that jump back (streams put together badly) do not turn time around.
        let pts = self.last.map_or(pts, |last| pts.max(last.pts));
        let number = self.last.map_or(0, |last| last.number + 1);
        let rules = || self.wanted.rules(self.track.base(), pts);
        let begin = || Sampler::new(rules()).after(self.after);
        let mut sampler = self.sampler.take().unwrap_or_else(begin);
        let place = sampler.place(number, pts);
        let mode = self.wanted.mode;
        let is_key = frame.as_ref().is_some_and(|frame| frame.is_key());
        let can_show = mode != Mode::Keyframes || is_key || number == 0;
        let before = can_show
            .then(|| self.held.replace((place, frame)))
            .flatten();
        self.last = Some(place);
        if let Some((before, frame)) = before {
            let samples = match mode {
                Mode::Exact | Mode::Full => sampler.shown_before(pts),
                Mode::Keyframes => sampler.nearer_to(before.pts, pts),
            };
            self.emit(before, samples, sampler.next_sample(), frame);
        }
        self.sampler = Some(sampler);
    }

    fn finish(&mut self) {
        self.is_done = true;
        self.take_lost(None);
        let last = self.last.map(|last| (last.pts, self.usually_until(last)));
        let Some(((held, frame), (last, usual))) = self.held.take().zip(last) else {
            return;
        };
        let end = match self.track.end() {
            Some(end) if end > last.0 => end,
            _ => usual,
        };
        let shown = self.sampler.as_mut().map(|sampler| {
            let samples = sampler.shown_last(Pts(end));
            (samples, sampler.next_sample())
        });
        if let Some((samples, next_sample)) = shown {
            self.emit(held, samples, next_sample, frame);
        }
    }

    fn usually_until(&self, place: FramePosition) -> i64 {
        place.pts.0.saturating_add(self.track.usual_ticks())
    }

    fn emit(&mut self, place: FramePosition, samples: u64, next_sample: u64, frame: Option<Video>) {
        if samples > 0 {
            let target = SampleTarget {
                place,
                samples,
                next_sample,
                is_known: self.wanted.knows(place.pts),
            };
            self.ready.push_back(SampledFrame { target, frame });
        }
    }
}
