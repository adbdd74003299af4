//! A decoder that takes groups as they come and shelves the frames of their samples.
//!
//! Knows nothing of how groups were chosen, or of the other decoders.

use crate::media::decode::budget::Loan;
use crate::media::decode::decoder;
use crate::media::decode::decoder::Decoder;
use crate::media::decode::decoder::Output;
use crate::media::decode::decoder::Tally;
use crate::media::decode::shelf::Shelf;
use crate::media::pixels::shape::Shaped;
use crate::media::pixels::shape::Shaper;
use crate::media::select::plan::Part;
use crate::media::select::sample::Target;
use crate::media::stop::Stop;
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
pub(in crate::media) struct Group {
    /// Its place among the groups, from 0.
    pub(in crate::media) number: u64,
    /// Its parts, as they become known.
    pub(in crate::media) parcels: Receiver<Parcel>,
}

/// A part, and the leave to hold its packets.
pub(in crate::media) struct Parcel {
    /// What to decode.
    pub(in crate::media) part: Part<Arc<Packet>>,
    /// Given back when all is decoded.
    pub(in crate::media) loan: Loan,
}

/// What became of a frame that shows samples.
pub(in crate::media) enum Outcome {
    /// It came out; `None` where its pixels cannot be converted.
    Frame(Target, Option<Shaped>),
    /// It is damaged.
    Lost(Target),
    /// It did not come out and nothing says why, or it depends on what was left out: the packets
    /// are not what they seemed, and what follows is not to be relied on.
    Mistaken,
}

/// What all decoders of a stream share.
#[derive(Clone)]
pub(in crate::media) struct Shared {
    /// Groups to be decoded.
    pub(in crate::media) groups: Arc<Mutex<Receiver<Group>>>,
    /// Where frames go.
    pub(in crate::media) shelf: Arc<Shelf<Outcome>>,
    /// What they were given, together.
    pub(in crate::media) tally: Arc<Mutex<Tally>>,
    /// Whether to go on.
    pub(in crate::media) stop: Stop,
}

/// Decodes groups until there are no more.
pub(in crate::media) fn work(mut decoder: Decoder, mut shaper: Shaper, shared: &Shared) {
    loop {
        let next = lock(&shared.groups).recv();
        let Ok(group) = next else {
            return;
        };
        let mut work = Work {
            number: group.number,
            before: decoder.tally(),
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
struct Work<'worker> {
    number: u64,
    before: Tally,
    // What is still to come out, by time stamp.
    targets: BTreeMap<Pts, Target>,
    is_complete: bool,
    decoder: &'worker mut Decoder,
    shaper: &'worker mut Shaper,
    shared: &'worker Shared,
}

impl Work<'_> {
    fn decode(&mut self, group: &Group) {
        for Parcel { part, loan } in &group.parcels {
            let targets = part.targets.into_iter();
            self.targets
                .extend(targets.map(|target| (target.place.pts, target)));
            for packet in part.packets {
                if self.shared.stop.is_set() {
                    return;
                }
                self.decoder.send(&packet);
                self.receive();
            }
            drop(loan);
        }
        self.decoder.drain();
        self.receive();
        let missing = std::mem::take(&mut self.targets);
        missing
            .into_values()
            .for_each(|target| self.report_lost(target));
        self.decoder.reset();
        self.is_complete = true;
    }

    fn receive(&mut self) {
        while let Output::Frame(frame) = self.decoder.receive() {
            self.take(&frame);
        }
    }

    // Frames come out in the order of display: what should have come before will not come.
    fn take(&mut self, frame: &Video) {
        let Some(pts) = frame.pts().map(Pts) else {
            return;
        };
        if decoder::is_patched(frame) && !self.targets.is_empty() {
            // What it was patched with depends on all that was decoded before, and so do those
            // that are predicted from it.
            self.targets.clear();
            return self.put(Outcome::Mistaken);
        }
        let later = self.targets.split_off(&pts);
        let missed = std::mem::replace(&mut self.targets, later);
        missed
            .into_values()
            .for_each(|target| self.report_lost(target));
        if let Some(target) = self.targets.remove(&pts) {
            let shaped = self.shaper.shape(frame);
            self.put(Outcome::Frame(target, shaped));
        }
    }

    fn report_lost(&self, target: Target) {
        if self.decoder.tally().damaged > self.before.damaged {
            self.put(Outcome::Lost(target));
        } else {
            self.put(Outcome::Mistaken);
        }
    }

    fn put(&self, outcome: Outcome) {
        self.shared.shelf.put(self.number, outcome);
    }
}

impl Drop for Work<'_> {
    // However the work ends, nobody waits for this group for ever.
    fn drop(&mut self) {
        let tally = self.decoder.tally();
        let mut sum = lock(&self.shared.tally);
        sum.packets += tally.packets - self.before.packets;
        sum.damaged += tally.damaged - self.before.damaged;
        drop(sum);
        if !self.is_complete {
            self.put(Outcome::Mistaken);
        }
        self.shared.shelf.complete(self.number);
    }
}
