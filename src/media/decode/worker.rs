//! A worker: decodes groups as they come, and puts the frames of their samples in order.

use crate::media::decode::budget::Reservation;
use crate::media::decode::decoder;
use crate::media::decode::decoder::DecodeStats;
use crate::media::decode::decoder::Decoder;
use crate::media::decode::decoder::DecoderOutput;
use crate::media::decode::reorder::ReorderBuffer;
use crate::media::pixels::shape::Shaped;
use crate::media::pixels::shape::Shaper;
use crate::media::select::plan::GopPart;
use crate::media::select::sample::SampleTarget;
use crate::media::stop::StopFlag;
use crate::time::Pts;
use ffmpeg_next::Packet;
use ffmpeg_next::frame::Video;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::mpsc::Receiver;

/// The packets of a group, in parts.
pub(in crate::media) struct Gop {
    /// Its place among the groups, from 0.
    pub(in crate::media) number: u64,
    /// Its parts, as they become known.
    pub(in crate::media) parts: Receiver<QueuedPart>,
}

/// A part of a group, and the bytes reserved for its packets.
pub(in crate::media) struct QueuedPart {
    /// What to decode.
    pub(in crate::media) part: GopPart<Arc<Packet>>,
    /// Given back when all is decoded.
    pub(in crate::media) reservation: Reservation,
}

/// What became of a frame that shows samples.
pub(in crate::media) enum FrameOutcome {
    /// Nobody needs to see it.
    Known(SampleTarget),
    /// It came out; `None` where its pixels cannot be converted.
    Frame(SampleTarget, Option<Shaped>),
    /// It is damaged.
    Lost(SampleTarget),
    /// It did not come out and nothing says why, or it depends on what was left out: the packets
    /// are not what they seemed, and what follows is not to be relied on.
    Mistaken,
}

/// What all decoders of a stream share.
#[derive(Clone)]
pub(in crate::media) struct WorkerShared {
    /// Groups to be decoded.
    pub(in crate::media) groups: Arc<Mutex<Receiver<Gop>>>,
    /// Where frames go.
    pub(in crate::media) buffer: Arc<ReorderBuffer<FrameOutcome>>,
    /// What they were given, together.
    pub(in crate::media) stats: Arc<Mutex<DecodeStats>>,
    /// Whether to go on.
    pub(in crate::media) stop: StopFlag,
}

/// Decodes groups until there are no more.
pub(in crate::media) fn work(mut decoder: Decoder, mut shaper: Shaper, shared: &WorkerShared) {
    loop {
        let next = lock(&shared.groups).recv();
        let Ok(group) = next else {
            return;
        };
        let mut work = GopDecode {
            number: group.number,
            before: decoder.stats(),
            targets: BTreeMap::new(),
            is_complete: false,
            decoder: &mut decoder,
            shaper: &mut shaper,
            shared,
        };
        work.decode(&group);
        if shared.stop.is_set() {
            return;
        }
    }
}

/// Locks what a panic leaves no half of.
pub(in crate::media) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The work on one group.
struct GopDecode<'worker> {
    number: u64,
    before: DecodeStats,
    // What is still to come out, by time stamp.
    targets: BTreeMap<Pts, SampleTarget>,
    is_complete: bool,
    decoder: &'worker mut Decoder,
    shaper: &'worker mut Shaper,
    shared: &'worker WorkerShared,
}

impl GopDecode<'_> {
    fn decode(&mut self, group: &Gop) {
        let mut is_fed = false;
        for QueuedPart { part, reservation } in &group.parts {
            let targets = part.targets.into_iter();
            self.targets
                .extend(targets.map(|target| (target.place.pts, target)));
            for packet in part.packets {
                if self.shared.stop.is_set() {
                    return;
                }
                is_fed = true;
                self.decoder.send(&packet);
                self.receive();
            }
            drop(reservation);
        }
        if is_fed {
            self.decoder.drain();
            self.receive();
        }
        let missing = std::mem::take(&mut self.targets);
        missing
            .into_values()
            .for_each(|target| self.report_without_frame(target));
        if is_fed {
            self.decoder.reset();
        }
        self.is_complete = true;
    }

    fn receive(&mut self) {
        while let DecoderOutput::Frame(frame) = self.decoder.receive() {
            self.take(&frame);
        }
    }

    // Frames come out in the order of display: what should have come before will not come.
    fn take(&mut self, frame: &Video) {
        let Some(pts) = frame.pts().map(Pts) else {
            return;
        };
        let is_awaited = self.targets.values().any(|target| !target.is_known);
        if decoder::is_patched(frame) && is_awaited {
            // What it was patched with depends on all that was decoded before, and so do those
            // that are predicted from it.
            self.targets.clear();
            return self.put(FrameOutcome::Mistaken);
        }
        let later = self.targets.split_off(&pts);
        let missed = std::mem::replace(&mut self.targets, later);
        missed
            .into_values()
            .for_each(|target| self.report_without_frame(target));
        match self.targets.remove(&pts) {
            Some(target) if target.is_known => self.put(FrameOutcome::Known(target)),
            Some(target) => {
                let shaped = self.shaper.shape(frame);
                self.put(FrameOutcome::Frame(target, shaped));
            }
            None => {}
        }
    }

    fn report_without_frame(&self, target: SampleTarget) {
        if target.is_known {
            self.put(FrameOutcome::Known(target));
        } else if self.decoder.stats().damaged > self.before.damaged {
            self.put(FrameOutcome::Lost(target));
        } else {
            self.put(FrameOutcome::Mistaken);
        }
    }

    fn put(&self, outcome: FrameOutcome) {
        self.shared.buffer.put(self.number, outcome);
    }
}

impl Drop for GopDecode<'_> {
    // However the work ends, nobody waits for this group for ever.
    fn drop(&mut self) {
        let stats = self.decoder.stats();
        let mut sum = lock(&self.shared.stats);
        sum.packets += stats.packets - self.before.packets;
        sum.damaged += stats.damaged - self.before.damaged;
        drop(sum);
        if !self.is_complete {
            self.put(FrameOutcome::Mistaken);
        }
        self.shared.buffer.complete(self.number);
    }
}
