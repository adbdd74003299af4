//! The plain way: every packet is decoded, and the frames that show a sample are kept.
//!
//! Knows nothing of pixels; hands out frames as the decoder made them.

use crate::media::Wanted;
use crate::media::decoder::Decoder;
use crate::media::decoder::Output;
use crate::media::error::MediaError;
use crate::media::ffmpeg;
use crate::media::sample::Picker;
use crate::media::track::Track;
use crate::time::Pts;
use crate::time::Sampling;
use ffmpeg_next::frame::Video;
use std::collections::BTreeSet;
use std::collections::VecDeque;

/// A frame that shows at least one sample.
pub(super) struct Sampled {
    /// Its place in the source.
    pub(super) place: Place,
    /// The number of samples it shows.
    pub(super) samples: u64,
    /// What it shows; `None` where it could not be decoded.
    pub(super) frame: Option<Video>,
}

/// Where in the source a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Its index in the order of display, from 0.
    pub(super) number: u64,
    /// Its time stamp.
    pub(super) pts: Pts,
    /// The time stamp of the first frame.
    pub(super) first: Pts,
}

/// Decodes a stream from its first packet to its last.
pub(super) struct Full {
    track: Track,
    decoder: Decoder,
    wanted: Wanted,
    picker: Option<Picker>,
    // The last frame that came out; the next one tells how many samples it shows.
    held: Option<(Place, Option<Video>)>,
    ready: VecDeque<Sampled>,
    // Time stamps that went in and have not come out.
    awaited: BTreeSet<i64>,
    // How much damage the decoder had met when a frame last came out.
    damage_seen: u64,
    is_done: bool,
}

impl Full {
    /// A decoder on `threads` threads for all of `track`.
    pub(super) fn new(track: Track, wanted: &Wanted, threads: usize) -> Result<Self, MediaError> {
        let (base, parameters) = (track.base(), track.parameters());
        Ok(Self {
            decoder: Decoder::open(parameters, base, threads, track.path())?,
            track,
            wanted: wanted.clone(),
            picker: None,
            held: None,
            ready: VecDeque::new(),
            awaited: BTreeSet::new(),
            damage_seen: 0,
            is_done: false,
        })
    }

    /// The next frame that shows a sample; `None` at the end.
    pub(super) fn next_sampled(&mut self) -> Option<Sampled> {
        loop {
            if let Some(sampled) = self.ready.pop_front() {
                return Some(sampled);
            }
            if self.is_done {
                return None;
            }
            match self.decoder.receive() {
                Output::Frame(frame) => self.take(frame),
                Output::Hungry => self.feed(),
                Output::Done => self.finish(),
            }
            self.is_done |= self.picker.is_some_and(|picker| picker.is_done());
        }
    }

    /// The number of packets that were damaged, so far.
    pub(super) fn damaged(&self) -> u64 {
        self.track.damaged() + self.decoder.damaged()
    }

    /// Whether any frame came out, so far.
    pub(super) fn has_decoded(&self) -> bool {
        self.picker.is_some()
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
        let held = self.held.as_ref().map(|(place, _)| place.pts.0);
        let after = held.map_or(0, |pts| pts.saturating_add(self.track.usual_ticks()));
        let pts = frame.timestamp().unwrap_or(after);
        self.take_lost(Some(pts));
        self.awaited.remove(&pts);
        self.show(Pts(pts), Some(frame));
    }

    // Frames come out in the order of display, so what is awaited before `end` will not come
    // any more. Where the decoder met damage it is a gap; where it met none it never was a
    // frame of its own: a second field, a picture that is made only to be referred to.
    fn take_lost(&mut self, end: Option<i64>) {
        let later = end.map_or_else(BTreeSet::new, |end| self.awaited.split_off(&end));
        let lost = std::mem::replace(&mut self.awaited, later);
        let damage = self.damaged();
        if damage > self.damage_seen && self.has_decoded() {
            for pts in lost {
                self.show(Pts(pts), None);
            }
        }
        self.damage_seen = damage;
    }

    fn show(&mut self, pts: Pts, frame: Option<Video>) {
        let Some((before, shown)) = self.held.take() else {
            let place = Place {
                number: 0,
                pts,
                first: pts,
            };
            let rule = Sampling {
                fps: self.wanted.fps,
                base: self.track.base(),
                first: pts,
            };
            self.picker = Some(Picker::new(rule, &self.wanted));
            self.held = Some((place, frame));
            return;
        };
        let place = Place {
            number: before.number + 1,
            // Time stamps that jump back (streams put together badly) do not turn time around.
            pts: pts.max(before.pts),
            first: before.first,
        };
        let samples = self.picker.as_mut().map(|it| it.shown_before(place.pts));
        self.emit(before, samples, shown);
        self.held = Some((place, frame));
    }

    fn finish(&mut self) {
        self.is_done = true;
        self.take_lost(None);
        if let Some((place, frame)) = self.held.take() {
            let usual = place.pts.0.saturating_add(self.track.usual_ticks());
            let end = match self.track.end() {
                Some(end) if end > place.pts.0 => end,
                _ => usual,
            };
            let samples = self.picker.as_mut().map(|it| it.shown_last(Pts(end)));
            self.emit(place, samples, frame);
        }
    }

    fn emit(&mut self, place: Place, samples: Option<u64>, frame: Option<Video>) {
        if let Some(samples) = samples.filter(|samples| *samples > 0) {
            self.ready.push_back(Sampled {
                place,
                samples,
                frame,
            });
        }
    }
}
