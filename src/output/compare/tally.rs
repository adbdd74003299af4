//! Counts of objects: by class, and over time.

use crate::output::compare::boxes::Pairing;
use crate::output::compare::boxes::is_one_class;
use crate::output::compare::comparison::Change;
use crate::output::compare::comparison::WhatChanged;
use crate::output::results::results::Object;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most parts that the time of a video is told in.
const MOST_PARTS: f64 = 10.0;

/// How long a part may be, in seconds: what people count in. A longer one is some hours.
const LENGTHS: [f64; 14] = [
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0,
];

/// What became of objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Found in both results.
    pub both: u64,
    /// In the old ones alone; one that changed its class is lost for the one and gained for the
    /// other.
    pub lost: u64,
    /// In the new ones alone.
    pub gained: u64,
    /// Of those found in both, those that moved.
    pub moved: u64,
    /// Of those found in both, those of another confidence.
    pub confidence: u64,
}

impl Tally {
    const NONE: Self = Self {
        both: 0,
        lost: 0,
        gained: 0,
        moved: 0,
        confidence: 0,
    };

    // One object each.
    const BOTH: Self = Self {
        both: 1,
        ..Self::NONE
    };
    const LOST: Self = Self {
        lost: 1,
        ..Self::NONE
    };
    const GAINED: Self = Self {
        gained: 1,
        ..Self::NONE
    };
    const MOVED: Self = Self {
        moved: 1,
        ..Self::NONE
    };
    const CONFIDENCE: Self = Self {
        confidence: 1,
        ..Self::NONE
    };

    /// Whether all objects are the same.
    pub fn is_same(&self) -> bool {
        *self
            == Self {
                both: self.both,
                ..Self::default()
            }
    }

    fn add(&mut self, other: &Self) {
        self.both += other.both;
        self.lost += other.lost;
        self.gained += other.gained;
        self.moved += other.moved;
        self.confidence += other.confidence;
    }
}

/// What became of objects in a part of the video.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TimeTally {
    /// Seconds.
    pub start: f64,
    /// Seconds.
    pub end: f64,
    /// What became of them.
    #[serde(flatten)]
    pub tally: Tally,
}

/// What became of objects.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Tallies {
    /// Of all of them.
    pub all: Tally,
    /// By the name of their class.
    pub by_class: BTreeMap<Arc<str>, Tally>,
    /// In equal parts of the time from the first frame to the last.
    pub over_time: Vec<TimeTally>,
}

/// Counts frame by frame.
#[derive(Debug, Default)]
pub(super) struct Counter {
    by_class: BTreeMap<Arc<str>, Tally>,
    // Seconds of each frame with objects.
    by_frame: Vec<(f64, Tally)>,
}

impl Counter {
    /// Counts the objects of a frame.
    pub(super) fn count(
        &mut self,
        timestamp: f64,
        (old, new): (&[Object], &[Object]),
        pairing: &Pairing,
        changes: &[Change],
    ) {
        let mut frame = Tally::default();
        let mut one = |object: &Object, tally: Tally| {
            frame.add(&tally);
            self.by_class
                .entry(object.class_name.clone())
                .or_default()
                .add(&tally);
        };
        for pair in &pairing.pairs {
            let (old, new) = (&old[pair.old], &new[pair.new]);
            match is_one_class(old, new) {
                true => one(old, Tally::BOTH),
                false => {
                    one(old, Tally::LOST);
                    one(new, Tally::GAINED);
                }
            }
        }
        let (lost, gained) = (pairing.lost.iter(), pairing.gained.iter());
        lost.for_each(|at| one(&old[*at], Tally::LOST));
        gained.for_each(|at| one(&new[*at], Tally::GAINED));
        for change in changes {
            match &change.what {
                WhatChanged::ObjectMoved { old, .. } => one(old, Tally::MOVED),
                WhatChanged::ConfidenceChanged { old, .. } => one(old, Tally::CONFIDENCE),
                _ => {}
            }
        }
        if frame != Tally::default() {
            self.by_frame.push((timestamp, frame));
        }
    }

    /// What was counted.
    pub(super) fn tallies(self) -> Tallies {
        let mut all = Tally::default();
        self.by_class.values().for_each(|tally| all.add(tally));
        Tallies {
            all,
            over_time: over_time(&self.by_frame),
            by_class: self.by_class,
        }
    }
}

fn over_time(frames: &[(f64, Tally)]) -> Vec<TimeTally> {
    let times = || frames.iter().map(|(at, _)| *at);
    let (first, last) = (
        times().fold(f64::INFINITY, f64::min),
        times().fold(0.0, f64::max),
    );
    if frames.is_empty() {
        return Vec::new();
    }
    let fits = |length: &f64| {
        let begin = (first / length).floor() * length;
        last - begin < length * MOST_PARTS
    };
    let length = LENGTHS.into_iter().find(fits).unwrap_or_else(|| {
        let hours = (last - first) / (MOST_PARTS - 1.0) / 3600.0;
        hours.ceil() * 3600.0
    });
    let part = |at: f64| (at / length).floor();
    let mut parts: BTreeMap<i64, Tally> = BTreeMap::new();
    for (at, tally) in frames {
        parts.entry(part(*at) as i64).or_default().add(tally);
    }
    let parts = parts.into_iter().map(|(part, tally)| TimeTally {
        start: part as f64 * length,
        end: (part + 1) as f64 * length,
        tally,
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::Tally;
    use super::over_time;

    fn both(count: u64) -> Tally {
        Tally {
            both: count,
            ..Tally::default()
        }
    }

    #[test]
    fn time_is_told_in_parts_that_people_count_in() {
        let parts = |times: &[f64]| -> Vec<(f64, f64, u64)> {
            let frames: Vec<_> = times.iter().map(|at| (*at, both(1))).collect();
            let parts = over_time(&frames).into_iter();
            parts.map(|it| (it.start, it.end, it.tally.both)).collect()
        };
        assert_eq!(parts(&[]), []);
        assert_eq!(parts(&[0.0]), [(0.0, 1.0, 1)]);
        assert_eq!(parts(&[0.0, 0.5, 9.9]), [(0.0, 1.0, 2), (9.0, 10.0, 1)]);
        assert_eq!(parts(&[0.0, 10.0]), [(0.0, 2.0, 1), (10.0, 12.0, 1)]);
        assert_eq!(parts(&[3599.0]), [(3599.0, 3600.0, 1)]);
        assert_eq!(parts(&[0.0, 574.0]), [(0.0, 60.0, 1), (540.0, 600.0, 1)]);
        let days = parts(&[0.0, 1e9]);
        assert!(days.len() == 2 && days[0].0 == 0.0, "{days:?}");
    }
}
