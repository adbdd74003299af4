//! Things: which thing of one result is which of another, by the objects that are the same; and what
//! they pass.
//!
//! The number of a thing is a name. Where the same objects are one thing, other numbers are no
//! difference.

use crate::name::StageId;
use crate::output::compare::comparison::Change;
use crate::output::compare::comparison::ChangedPlace;
use crate::output::compare::comparison::WhatChanged;
use crate::output::compare::tell::counted;
use crate::output::compare::tell::shown;
use crate::output::results::results::Object;
use crate::output::results::results::Summary;
use crate::output::results::tracks::LineCount;
use crate::template::Direction;
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// What differs about things that are tracked.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum ThingsChanged {
    /// A thing is none any more.
    ThingLost {
        /// It.
        thing: ComparedThing,
    },
    /// A thing is there that was not.
    ThingGained {
        /// It.
        thing: ComparedThing,
    },
    /// A thing has sights that are of another one now.
    SightsChanged {
        /// It, as it was.
        thing: ComparedThing,
        /// How many.
        sights: u64,
    },
    /// A line is crossed more or less often.
    CrossingsChanged {
        /// The name of the line.
        line: Arc<str>,
        /// Which way.
        direction: Direction,
        /// By things of this class.
        class_name: Arc<str>,
        /// How often it was.
        old: u64,
        /// How often it is.
        new: u64,
    },
    /// A region is entered more or less often.
    EntriesChanged {
        /// The name of the region.
        region: Arc<str>,
        /// By things of this class.
        class_name: Arc<str>,
        /// How often it was.
        old: u64,
        /// How often it is.
        new: u64,
    },
}

/// A thing that is tracked, in the frames that both results have.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparedThing {
    /// Its number.
    pub track: u64,
    /// The name of its class.
    pub class_name: Arc<str>,
    /// When it was seen first, in seconds.
    pub first: f64,
    /// When it was seen last, in seconds.
    pub last: f64,
    /// The frames it was seen in.
    pub frames: u64,
}

impl fmt::Display for ThingsChanged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ThingLost { thing } => write!(f, "{thing}, lost"),
            Self::ThingGained { thing } => write!(f, "{thing}, gained"),
            Self::SightsChanged { thing, sights } => {
                write!(f, "{thing}: {sights} of these are of another one now")
            }
            Self::CrossingsChanged {
                line,
                direction,
                class_name,
                old,
                new,
            } => {
                let (line, class) = (shown(line), shown(class_name));
                write!(
                    f,
                    "{line} crossed {direction} by {new} {class}, before by {old}"
                )
            }
            Self::EntriesChanged {
                region,
                class_name,
                old,
                new,
            } => {
                let (region, class) = (shown(region), shown(class_name));
                write!(f, "{region} entered by {new} {class}, before by {old}")
            }
        }
    }
}

impl fmt::Display for ComparedThing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (class, frames) = (shown(&self.class_name), counted(self.frames, "frame"));
        let (number, first, last) = (self.track, self.first, self.last);
        write!(
            f,
            "{class} {number}, {first:.2} s to {last:.2} s in {frames}"
        )
    }
}

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
