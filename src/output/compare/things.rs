//! Things: which thing of one result is which of another, by the objects that are the same; and what
//! they pass.
//!
//! The number of a thing is a name. Where the same objects are one thing, other numbers are no
//! difference.

use crate::name::StageId;
use crate::output::compare::comparison::Change;
use crate::output::compare::comparison::ChangedPlace;
use crate::output::compare::comparison::WhatChanged;
use crate::output::compare::things_changed::ComparedThing;
use crate::output::compare::things_changed::ThingsChanged;
use crate::output::results::results::Object;
use crate::output::results::results::Summary;
use crate::output::results::tracks::LineCount;
use crate::template::Direction;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The things of one stage, as far as frames show them that both results have.
#[derive(Default)]
pub(super) struct Things {
    old: BTreeMap<u64, ComparedThing>,
    new: BTreeMap<u64, ComparedThing>,
    // The sights that an old and a new thing have in common.
    shared: BTreeMap<(u64, u64), u64>,
}

impl Things {
    /// Notes a frame that both results have.
    pub(super) fn note_frame(&mut self, timestamp: f64, (old, new): (&[Object], &[Object])) {
        for (things, objects) in [(&mut self.old, old), (&mut self.new, new)] {
            for object in objects {
                let Some(track) = object.track else { continue };
                let thing = things.entry(track).or_insert_with(|| ComparedThing {
                    track,
                    class_name: object.class_name.clone(),
                    first: timestamp,
                    last: timestamp,
                    frames: 0,
                });
                thing.last = timestamp;
                thing.frames += 1;
            }
        }
    }

    /// Notes that an object is the same in both results.
    pub(super) fn note_pair(&mut self, old: &Object, new: &Object) {
        if let Some(both) = old.track.zip(new.track) {
            *self.shared.entry(both).or_default() += 1;
        }
    }

    /// What differs, in the whole of what `stage` says.
    pub(super) fn changes(self, stage: Option<&StageId>) -> Vec<Change> {
        let changes = self.differing().into_iter();
        changes.map(|what| of_whole(stage, what)).collect()
    }

    fn differing(&self) -> Vec<ThingsChanged> {
        let which = self.which();
        let mut changes = Vec::new();
        for (track, thing) in &self.old {
            let Some(new) = which.get(track) else {
                let thing = thing.clone();
                changes.push(ThingsChanged::ThingLost { thing });
                continue;
            };
            let others = self.shared.iter();
            let others = others.filter(|((old, other), _)| old == track && other != new);
            let sights = others.map(|(_, sights)| sights).sum();
            if sights > 0 {
                let thing = thing.clone();
                changes.push(ThingsChanged::SightsChanged { thing, sights });
            }
        }
        let known: BTreeSet<&u64> = which.values().collect();
        let gained = self.new.iter().filter(|(track, _)| !known.contains(track));
        changes.extend(gained.map(|(_, thing)| ThingsChanged::ThingGained {
            thing: thing.clone(),
        }));
        changes
    }

    // For each old thing the new one that it is: those first that have the most sights in common.
    fn which(&self) -> BTreeMap<u64, u64> {
        let mut shared: Vec<(&(u64, u64), &u64)> = self.shared.iter().collect();
        shared.sort_by_key(|(both, sights)| (Reverse(**sights), **both));
        let (mut which, mut taken) = (BTreeMap::new(), BTreeSet::new());
        for ((old, new), _) in shared {
            if !which.contains_key(old) && taken.insert(*new) {
                which.insert(*old, *new);
            }
        }
        which
    }
}

/// How often lines were crossed and regions entered, where that differs.
pub(super) fn passages(stage: Option<&StageId>, old: &Summary, new: &Summary) -> Vec<Change> {
    let whole = |what| of_whole(stage, what);
    let mut changes = Vec::new();
    for line in keys(&old.crossed, &new.crossed) {
        let (old, new) = (old.crossed.get(line), new.crossed.get(line));
        let of = |way| {
            move |count: &LineCount| match way {
                Direction::Forward => count.forward.clone(),
                Direction::Backward => count.backward.clone(),
            }
        };
        for way in Direction::ALL {
            let sides = (
                old.map(of(way)).unwrap_or_default(),
                new.map(of(way)).unwrap_or_default(),
            );
            changes.extend(counts(&sides.0, &sides.1, |class_name, old, new| {
                whole(ThingsChanged::CrossingsChanged {
                    line: line.clone(),
                    direction: way,
                    class_name,
                    old,
                    new,
                })
            }));
        }
    }
    for region in keys(&old.entered, &new.entered) {
        let none = BTreeMap::new();
        let of = |summary: &'_ Summary| summary.entered.get(region).unwrap_or(&none).clone();
        changes.extend(counts(&of(old), &of(new), |class_name, old, new| {
            whole(ThingsChanged::EntriesChanged {
                region: region.clone(),
                class_name,
                old,
                new,
            })
        }));
    }
    changes
}

fn of_whole(stage: Option<&StageId>, what: ThingsChanged) -> Change {
    Change {
        stage: stage.cloned(),
        place: ChangedPlace::Whole {},
        what: WhatChanged::Things(what),
    }
}

fn keys<'a, T>(
    old: &'a BTreeMap<Arc<str>, T>,
    new: &'a BTreeMap<Arc<str>, T>,
) -> BTreeSet<&'a Arc<str>> {
    old.keys().chain(new.keys()).collect()
}

// A change for each class of which there are more or fewer.
fn counts(
    old: &BTreeMap<Arc<str>, u64>,
    new: &BTreeMap<Arc<str>, u64>,
    change: impl Fn(Arc<str>, u64, u64) -> Change,
) -> Vec<Change> {
    let of = |counts: &BTreeMap<Arc<str>, u64>, class| counts.get(class).copied().unwrap_or(0);
    let sides = keys(old, new)
        .into_iter()
        .map(|class| (class, of(old, class), of(new, class)));
    sides
        .filter(|(_, old, new)| old != new)
        .map(|(class, old, new)| change(class.clone(), old, new))
        .collect()
}
