//! Which packets must be decoded so that the frames of the samples come out.
//!
//! Packets come in the order of the file. They are cut into groups, each of which can be decoded
//! by itself from its first packet. A group without a sample is dropped; of the others, so are
//! the packets after the last sample, and those that nothing refers to and that are no sample.
//! A sample that nobody needs to see keeps its place, and nothing is decoded for it.

use crate::media::Mode;
use crate::media::VideoSelection;
use crate::media::select::sample::FramePosition;
use crate::media::select::sample::SampleTarget;
use crate::media::select::sample::Sampler;
use crate::media::select::selection::KnownFrames;
use crate::time::Pts;
use crate::time::SamplingRules;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::VecDeque;

/// A group longer than this is given out in parts.
const PACKETS_AT_ONCE: usize = 600;

/// So is one with more bytes than this.
const BYTES_AT_ONCE: usize = 16 << 20;

/// A packet and what is known of it.
#[derive(Clone, Debug)]
pub(in crate::media) struct PacketInfo<P> {
    /// The packet.
    pub(in crate::media) packet: P,
    /// Its length.
    pub(in crate::media) bytes: usize,
    /// When its frame is shown.
    pub(in crate::media) pts: Pts,
    /// Whether its frame is shown at all.
    pub(in crate::media) is_shown: bool,
    /// Whether decoding can begin with it.
    pub(in crate::media) is_start: bool,
    /// Whether no other frame is predicted from it.
    pub(in crate::media) is_leaf: bool,
}

/// Some or all packets of a group that must be decoded, in order.
#[derive(Debug, PartialEq)]
pub(in crate::media) struct GopPart<P> {
    /// Whether a new group begins here.
    pub(in crate::media) opens: bool,
    /// Whether its group ends here.
    pub(in crate::media) closes: bool,
    /// What to decode.
    pub(in crate::media) packets: Vec<P>,
    /// What should come out. Frames of a later part may be shown before these.
    pub(in crate::media) targets: Vec<SampleTarget>,
}

/// The packets do not say enough, or contradict each other: all must be decoded.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::media) struct Unplannable;

/// Decides packet by packet.
pub(in crate::media) struct Planner<P> {
    mode: Mode,
    known: Option<KnownFrames>,
    sampler: Sampler,
    // The number of packets that may come before one that is shown earlier.
    window: usize,
    // Packets in the order of the file, from the first of the group that is being collected.
    slots: VecDeque<Slot<P>>,
    bytes: usize,
    // The position of the first slot among all packets that had one.
    offset: u64,
    // Positions of the starts of later groups.
    starts: VecDeque<u64>,
    // Time stamps whose neighbours are not all known yet, with their slots.
    order: BinaryHeap<Reverse<(Pts, Option<u64>)>>,
    // The latest time stamp that has left `order`.
    settled: Option<Pts>,
    numbers: u64,
    // The latest frame that can show samples; its successor tells which.
    held: Option<PendingFrame>,
    // Whether a part of the first group was given out already.
    is_open: bool,
}

struct Slot<P> {
    entry: PacketInfo<P>,
    fate: Fate,
}

impl<P> Slot<P> {
    fn target(&self) -> Option<SampleTarget> {
        match self.fate {
            Fate::Sample(target) => Some(target),
            Fate::Open | Fate::NoSample | Fate::Gone => None,
        }
    }

    fn is_to_be_seen(&self) -> bool {
        self.target().is_some_and(|target| !target.is_known)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Open,
    NoSample,
    Sample(SampleTarget),
    // Given out with the group before, or not to be decoded with its own.
    Gone,
}

struct PendingFrame {
    position: u64,
    place: FramePosition,
}

impl<P: Clone> Planner<P> {
    /// A planner for the samples of `rules`, those of what is `wanted`. `reorders` says whether
    /// frames can be shown in another order than that of the file.
    pub(in crate::media) fn new(
        rules: SamplingRules,
        wanted: &VideoSelection,
        reorders: bool,
    ) -> Self {
        Self {
            mode: wanted.mode,
            known: wanted.known.clone(),
            sampler: Sampler::new(rules),
            // Twice what any codec allows, for the fields of interlaced frames.
            window: if reorders { 32 } else { 0 },
            slots: VecDeque::new(),
            bytes: 0,
            offset: 0,
            starts: VecDeque::new(),
            order: BinaryHeap::new(),
            settled: None,
            numbers: 0,
            held: None,
            is_open: false,
        }
    }

    /// Whether all samples that are wanted have their frame.
    pub(in crate::media) fn is_done(&self) -> bool {
        self.sampler.is_done()
    }

    /// Takes the next packet of the file, and gives what is decided by it.
    pub(in crate::media) fn push(
        &mut self,
        entry: PacketInfo<P>,
    ) -> Result<Vec<GopPart<P>>, Unplannable> {
        let (pts, is_shown) = (entry.pts, entry.is_shown);
        if is_shown && self.settled.is_some_and(|settled| pts <= settled) {
            return Err(Unplannable);
        }
        let position = self.keep(entry);
        if is_shown {
            self.order.push(Reverse((pts, position)));
        }
        while self.order.len() > self.window + 1 {
            self.settle()?;
        }
        let mut parts = self.finished_groups();
        parts.extend(self.overlong());
        Ok(parts)
    }

    /// Says that no packet follows and that the stream ends at `end`. Nothing can be said of a
    /// stream in which no frame may show a sample.
    pub(in crate::media) fn end(
        &mut self,
        end: Option<Pts>,
    ) -> Result<Vec<GopPart<P>>, Unplannable> {
        while !self.order.is_empty() {
            self.settle()?;
        }
        let held = self.held.take().ok_or(Unplannable)?;
        let end = end.unwrap_or(held.place.pts).max(held.place.pts);
        let samples = self.sampler.shown_last(end);
        self.decide(&held, samples);
        let mut parts = Vec::new();
        while let Some(start) = self.starts.front() {
            let length = (start - self.offset) as usize;
            parts.extend(self.cut(length));
        }
        parts.extend(self.cut(self.slots.len()));
        Ok(parts)
    }

    // Gives the packet a slot where it may have to be decoded.
    fn keep(&mut self, entry: PacketInfo<P>) -> Option<u64> {
        let is_first = self.offset == 0 && self.slots.is_empty();
        if self.mode == Mode::Keyframes && !entry.is_start && !is_first {
            return None;
        }
        let position = self.offset + self.slots.len() as u64;
        if entry.is_start && !self.slots.is_empty() {
            self.starts.push_back(position);
        }
        let fate = if entry.is_shown {
            Fate::Open
        } else {
            Fate::NoSample
        };
        self.bytes += entry.bytes;
        self.slots.push_back(Slot { entry, fate });
        Some(position)
    }

    // Takes the earliest frame out of `order`: those before it are all known.
    fn settle(&mut self) -> Result<(), Unplannable> {
        let Some(Reverse((pts, position))) = self.order.pop() else {
            return Ok(());
        };
        if self.settled == Some(pts) {
            return Err(Unplannable);
        }
        self.settled = Some(pts);
        let number = self.numbers;
        self.numbers += 1;
        let Some(position) = position else {
            return Ok(());
        };
        let place = self.sampler.place(number, pts);
        let held = PendingFrame { position, place };
        if let Some(before) = self.held.replace(held) {
            let samples = match self.mode {
                Mode::Exact | Mode::Full => self.sampler.shown_before(pts),
                Mode::Keyframes => self.sampler.nearer_to(before.place.pts, pts),
            };
            self.decide(&before, samples);
        }
        Ok(())
    }

    fn decide(&mut self, held: &PendingFrame, samples: u64) {
        let fate = match samples {
            0 => Fate::NoSample,
            samples => Fate::Sample(SampleTarget {
                place: held.place,
                samples,
                next_sample: self.sampler.next_sample(),
                is_known: self.known.as_ref().is_some_and(|it| it.has(held.place.pts)),
            }),
        };
        let index = held.position.checked_sub(self.offset);
        if let Some(slot) = index.and_then(|index| self.slots.get_mut(index as usize)) {
            slot.fate = fate;
        }
    }

    fn finished_groups(&mut self) -> Vec<GopPart<P>> {
        let mut parts = Vec::new();
        while let Some(start) = self.starts.front() {
            let length = (start - self.offset) as usize;
            if !self.is_decided(length) {
                break;
            }
            parts.extend(self.cut(length));
        }
        parts
    }

    // Whether it is known of every frame before the start at `length` what it shows: those
    // that precede it in the file, and those that follow it there and are shown before it.
    fn is_decided(&self, length: usize) -> bool {
        let start = self.slots[length].entry.pts;
        let is_passed = self.settled.is_some_and(|settled| settled >= start);
        is_passed
            && self.slots.iter().enumerate().all(|(index, slot)| {
                let matters = index < length || slot.entry.pts < start;
                !matters || slot.fate != Fate::Open
            })
    }

    // Takes the first `length` slots as the (rest of the) first group. What follows the next
    // start and is shown before it belongs to them: without them it cannot be decoded.
    fn cut(&mut self, length: usize) -> Option<GopPart<P>> {
        let start = self.slots.get(length).map(|slot| slot.entry.pts);
        let is_leading = |index: usize, slot: &Slot<P>| {
            index > length && start.is_some_and(|start| slot.entry.pts < start)
        };
        let is_ours = |index: usize, slot: &Slot<P>| index < length || is_leading(index, slot);
        let slots = || self.slots.iter().enumerate();
        let mut seen = slots();
        let last = seen.rposition(|(index, slot)| is_ours(index, slot) && slot.is_to_be_seen());
        let count = last.map_or(0, |last| last + 1);
        let ours = |(index, slot): &(usize, &Slot<P>)| is_ours(*index, slot) || *index == length;
        let needed = slots().take(count).filter(ours);
        let mut part = take_needed(needed.map(|(index, slot)| (slot, index == length)));
        let known = slots()
            .skip(count)
            .filter(|(index, slot)| is_ours(*index, slot));
        part.targets
            .extend(known.filter_map(|(_, slot)| slot.target()));
        for (index, slot) in self.slots.iter_mut().enumerate() {
            if is_leading(index, slot) {
                slot.fate = Fate::Gone;
            }
        }
        self.remove(length);
        self.starts.pop_front();
        let opens = !std::mem::take(&mut self.is_open);
        let is_needed = !opens || !part.targets.is_empty();
        is_needed.then_some(GopPart {
            opens,
            closes: true,
            ..part
        })
    }

    // Gives out the part of an overlong group that is decided.
    fn overlong(&mut self) -> Option<GopPart<P>> {
        let is_long = self.slots.len() > PACKETS_AT_ONCE || self.bytes > BYTES_AT_ONCE;
        if !is_long || !self.starts.is_empty() {
            return None;
        }
        let is_open = |slot: &Slot<P>| slot.fate == Fate::Open;
        let decided = self.slots.iter().position(is_open)?;
        let mut decided_on = self.slots.iter().take(decided);
        let last = decided_on.rposition(|slot| slot.target().is_some());
        let count = last.map_or(decided, |last| last + 1);
        if count == 0 {
            return None;
        }
        let mut part = take_needed(self.slots.iter().take(count).map(|slot| (slot, false)));
        self.take_known_before(&mut part, count);
        self.remove(count);
        let opens = !std::mem::replace(&mut self.is_open, true);
        Some(GopPart { opens, ..part })
    }

    // Those behind the first `count` slots that are shown before what comes out of `part`: no
    // decoder puts them in order.
    fn take_known_before(&mut self, part: &mut GopPart<P>, count: usize) {
        let shown = part.targets.iter().map(|target| target.place.pts);
        let Some(last) = shown.max() else {
            return;
        };
        for slot in self.slots.iter_mut().skip(count) {
            let early = slot
                .target()
                .filter(|it| it.is_known && it.place.pts < last);
            if let Some(target) = early {
                part.targets.push(target);
                slot.fate = Fate::NoSample;
            }
        }
    }

    fn remove(&mut self, count: usize) {
        let removed: usize = self.slots.drain(..count).map(|slot| slot.entry.bytes).sum();
        self.bytes -= removed;
        self.offset += count as u64;
    }
}

// The packets among `slots` that must be decoded. The start of the next group, where it is among
// them, is there to be referred to: its own samples are its own group's.
fn take_needed<'slots, P: Clone + 'slots>(
    slots: impl Iterator<Item = (&'slots Slot<P>, bool)>,
) -> GopPart<P> {
    let mut part = GopPart {
        opens: false,
        closes: false,
        packets: Vec::new(),
        targets: Vec::new(),
    };
    for (slot, is_borrowed) in slots {
        match slot.fate {
            Fate::Sample(target) if !is_borrowed => part.targets.push(target),
            Fate::Gone => continue,
            Fate::NoSample | Fate::Sample(_) | Fate::Open => {}
        }
        if slot.entry.is_leaf && !slot.is_to_be_seen() {
            continue;
        }
        part.packets.push(slot.entry.packet.clone());
    }
    part
}

#[cfg(test)]
mod tests;
