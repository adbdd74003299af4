//! Entries: what two results say of the frames of one stage.

use crate::name::StageId;
use crate::output::compare::boxes;
use crate::output::compare::boxes::edge_shift;
use crate::output::compare::boxes::is_one_class;
use crate::output::compare::comparison::AnswerState;
use crate::output::compare::comparison::Change;
use crate::output::compare::comparison::ChangedPlace;
use crate::output::compare::comparison::FrameCount;
use crate::output::compare::comparison::WhatChanged;
use crate::output::compare::records;
use crate::output::compare::tally::Counter;
use crate::output::compare::things::Things;
use crate::output::compare::tolerance::Tolerance;
use crate::output::results::results::CropRecord;
use crate::output::results::results::Entry;
use crate::output::results::results::Object;
use crate::output::results::results::Seen;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// For each frame, by its old number, which of the new objects each old one is.
pub(super) type Objects = BTreeMap<u64, Vec<Option<usize>>>;

/// Which entries of two results are of one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FramesBy {
    /// Those of one number: it is the same video.
    Number,
    /// Those of one time: it is another file.
    Time,
}

/// How the entries of a stage are compared.
pub(super) struct EntryComparison<'a> {
    /// The stage; `None` for what stands at the top.
    pub(super) stage: Option<&'a StageId>,
    /// Which entries are of one frame.
    pub(super) by: FramesBy,
    /// How far apart things may be.
    pub(super) tolerance: &'a Tolerance,
    /// The objects that its crops are cut around.
    pub(super) parents: Option<&'a Objects>,
}

/// What a comparison of entries has found so far.
#[derive(Default)]
pub(super) struct Found {
    pub(super) changes: Vec<Change>,
    pub(super) frames: Frames,
    pub(super) objects: Counter,
}

/// Frames by their numbers.
#[derive(Default)]
pub(super) struct Frames {
    both: BTreeSet<u64>,
    lost: BTreeSet<u64>,
    gained: BTreeSet<u64>,
    different: BTreeSet<u64>,
}

impl Frames {
    /// How many they are. One that a stage has in both results is in both, and differs where another
    /// stage has it in one.
    pub(super) fn count(&self) -> FrameCount {
        let of_one_side: BTreeSet<u64> = &self.lost | &self.gained;
        let different: BTreeSet<u64> = &self.different | &(&of_one_side & &self.both);
        let beside = |frames: &BTreeSet<u64>| frames.difference(&self.both).count() as u64;
        FrameCount {
            both: self.both.len() as u64,
            lost: beside(&self.lost),
            gained: beside(&self.gained),
            different: different.len() as u64,
        }
    }
}

impl EntryComparison<'_> {
    /// Compares the entries of the stage, and says which object is which.
    pub(super) fn compare(&self, old: &[Entry], new: &[Entry], found: &mut Found) -> Objects {
        let mut objects = Objects::new();
        let mut things = Things::default();
        for sides in side_by_side(old, new, self.by, self.tolerance) {
            match sides {
                (Some(old), Some(new)) => {
                    found.frames.both.insert(old.frame_number);
                    let before = found.changes.len();
                    let which = self.frame(old, new, found);
                    if let Some(which) = &which {
                        note_things(&mut things, old, new, which);
                    }
                    objects.extend(which.map(|which| (old.frame_number, which)));
                    if found.changes.len() > before {
                        found.frames.different.insert(old.frame_number);
                    }
                }
                (Some(old), None) => {
                    found.frames.lost.insert(old.frame_number);
                    found.changes.push(self.change(old, WhatChanged::FrameLost));
                }
                (None, Some(new)) => {
                    found.frames.gained.insert(new.frame_number);
                    let gained = self.change(new, WhatChanged::FrameGained);
                    found.changes.push(gained);
                }
                (None, None) => {}
            }
        }
        found.changes.extend(things.changes(self.stage));
        objects
    }

    // Compares one frame, and says which object is which where it has some.
    fn frame(&self, old: &Entry, new: &Entry, found: &mut Found) -> Option<Vec<Option<usize>>> {
        let mut changed = |what| found.changes.push(self.change(old, what));
        if !self.tolerance.is_one_time(old.timestamp, new.timestamp) {
            changed(WhatChanged::TimeChanged {
                old: old.timestamp,
                new: new.timestamp,
            });
        }
        if old.samples != new.samples {
            changed(WhatChanged::SamplesChanged {
                old: old.samples,
                new: new.samples,
            });
        }
        // Other files have other numbers.
        let is_repeat = |entry: &Entry| entry.same_as.is_some();
        let repeats_as_before = match self.by {
            FramesBy::Number => old.same_as == new.same_as,
            FramesBy::Time => is_repeat(old) == is_repeat(new),
        };
        if !repeats_as_before {
            changed(WhatChanged::RepeatChanged {
                old: old.same_as,
                new: new.same_as,
            });
        }
        match (&old.seen, &new.seen) {
            (Seen::Objects { detections: a, .. }, Seen::Objects { detections: b, .. }) => {
                return Some(self.objects(old, (a, b), found));
            }
            (Seen::Record { record: a }, Seen::Record { record: b }) => {
                let fields = records::compare(a, b, self.tolerance);
                fields.into_iter().for_each(|it| changed(it.changed(None)));
            }
            (Seen::Crops { crops: a }, Seen::Crops { crops: b }) => self.crops(old, (a, b), found),
            (a, b) if state(a) != state(b) => changed(WhatChanged::StateChanged {
                old: state(a),
                new: state(b),
            }),
            _ => {}
        }
        None
    }

    fn objects(
        &self,
        entry: &Entry,
        (old, new): (&[Object], &[Object]),
        found: &mut Found,
    ) -> Vec<Option<usize>> {
        let pairing = boxes::pair(old, new, self.tolerance);
        let mut which = vec![None; old.len()];
        let first = found.changes.len();
        let mut changed = |what| found.changes.push(self.change(entry, what));
        for pair in &pairing.pairs {
            which[pair.old] = Some(pair.new);
            let (old, new, iou) = (&old[pair.old], &new[pair.new], pair.iou);
            let sides = || (old.clone(), new.clone());
            let is_one_box = self
                .tolerance
                .is_one_box(iou, edge_shift(&old.bbox, &new.bbox));
            if !is_one_class(old, new) {
                let (old, new) = sides();
                changed(WhatChanged::ClassChanged { old, new, iou });
                continue;
            }
            if !is_one_box {
                let (old, new) = sides();
                changed(WhatChanged::ObjectMoved { old, new, iou });
            }
            if !self.tolerance.is_one_number(old.confidence, new.confidence) {
                let (old, new) = sides();
                changed(WhatChanged::ConfidenceChanged { old, new });
            }
        }
        for object in pairing.lost.iter().map(|at| old[*at].clone()) {
            changed(WhatChanged::ObjectLost { object });
        }
        for object in pairing.gained.iter().map(|at| new[*at].clone()) {
            changed(WhatChanged::ObjectGained { object });
        }
        let changes = found.changes.get(first..).unwrap_or_default();
        found
            .objects
            .count(entry.timestamp, (old, new), &pairing, changes);
        which
    }

    // Crops are of one object where their objects are; an order of confidence may have changed.
    fn crops(&self, entry: &Entry, (old, new): (&[CropRecord], &[CropRecord]), found: &mut Found) {
        let mut changed = |what| found.changes.push(self.change(entry, what));
        let which = self
            .parents
            .and_then(|objects| objects.get(&entry.frame_number));
        let mut news: BTreeMap<u32, &CropRecord> = new.iter().map(|it| (it.parent, it)).collect();
        for crop in old {
            let parent = match which.map(|which| which.get(crop.parent as usize)) {
                Some(Some(Some(parent))) => u32::try_from(*parent).ok(),
                Some(Some(None)) => None,
                Some(None) | None => Some(crop.parent),
            };
            match parent.and_then(|parent| news.remove(&parent)) {
                Some(new) => {
                    let fields = records::compare(&crop.record, &new.record, self.tolerance);
                    fields
                        .into_iter()
                        .for_each(|it| changed(it.changed(Some(crop.parent))));
                }
                None => changed(WhatChanged::CropLost { crop: crop.parent }),
            }
        }
        for crop in news.into_keys() {
            changed(WhatChanged::CropGained { crop });
        }
    }

    fn change(&self, entry: &Entry, what: WhatChanged) -> Change {
        Change {
            stage: self.stage.cloned(),
            place: ChangedPlace::Frame {
                frame_number: entry.frame_number,
                timestamp: entry.timestamp,
            },
            what,
        }
    }
}

// Notes the things of a frame, where `which` of the new objects each old one is.
fn note_things(things: &mut Things, old: &Entry, new: &Entry, which: &[Option<usize>]) {
    let (Seen::Objects { detections: a, .. }, Seen::Objects { detections: b, .. }) =
        (&old.seen, &new.seen)
    else {
        return;
    };
    things.note_frame(old.timestamp, (a, b));
    for (object, which) in a.iter().zip(which) {
        if let Some(new) = which.and_then(|which| b.get(which)) {
            things.note_pair(object, new);
        }
    }
}

fn state(seen: &Seen) -> AnswerState {
    match seen {
        Seen::Objects { detections, .. } => AnswerState::Objects(detections.len()),
        Seen::Record { .. } => AnswerState::Record,
        Seen::Crops { crops } => AnswerState::Crops(crops.len()),
        Seen::Error { error } => AnswerState::Error(*error),
        Seen::Skipped { skipped } => AnswerState::Skipped(skipped.clone()),
    }
}

// The entries of each frame, in order. Both are in the order of their numbers, and so of their times.
fn side_by_side<'a>(
    old: &'a [Entry],
    new: &'a [Entry],
    by: FramesBy,
    tolerance: &Tolerance,
) -> Vec<(Option<&'a Entry>, Option<&'a Entry>)> {
    let (mut olds, mut news) = (old.iter().peekable(), new.iter().peekable());
    let mut sides = Vec::with_capacity(old.len().max(new.len()));
    loop {
        let (old, new) = match (olds.peek(), news.peek()) {
            (None, None) => return sides,
            (old, None) => (old.is_some(), false),
            (None, new) => (false, new.is_some()),
            (Some(old), Some(new)) => match by {
                FramesBy::Number => (
                    old.frame_number <= new.frame_number,
                    new.frame_number <= old.frame_number,
                ),
                FramesBy::Time if tolerance.is_one_time(old.timestamp, new.timestamp) => {
                    (true, true)
                }
                FramesBy::Time => (old.timestamp < new.timestamp, new.timestamp < old.timestamp),
            },
        };
        sides.push((
            old.then(|| olds.next()).flatten(),
            new.then(|| news.next()).flatten(),
        ));
    }
}
