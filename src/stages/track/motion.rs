//! `motion`: a thing moves on as it did, for as long as has passed, and is less and less certain to.
//!
//! A box is compared with where the thing is expected and with how well that is known, so boxes
//! need not overlap from one frame to the next. That is the association by likelihood of Bar-Shalom
//! and Fortmann, "Tracking and Data Association" (1988), in sizes of the thing in place of pixels,
//! and with the tail of Student's t in place of that of a normal distribution, since things turn.
//! The figures were chosen on scenes other than those that `benches/README.md` tells of; twice as
//! much and half as much make little difference.

use crate::stages::track::axis::Axis;
use crate::stages::track::axis::Noise;
use crate::stages::track::model::Likeness;
use crate::stages::track::model::Outline;

// How far a box lies from the thing that it is around, as a share of its size; turns and sways
// that are no motion of the whole included.
const SEEN: f64 = 0.2;

// The same of its sides.
const SIDE: f64 = 0.08;

// The same where a border of the frame may cut off more of it: what comes in grows, faster than
// things come nearer.
const CUT: f64 = 0.5;

// How fast a thing may move that was seen once, in sizes a second.
const SPEED: f64 = 2.0;

// By how much speed changes in a second, in sizes a second.
const ACCELERATION: f64 = 1.1;

// By how much a side grows or shrinks in a second, as a share of it.
const GROWTH: f64 = 0.15;

// How much likelier a box is around a thing that is known to its own size, and that is where it is
// expected, than around a new one: as a logarithm, doubled.
const KNOWN: f64 = 9.0;

// The same of a thing that may be anywhere by now, as long as it is looked for.
const LOST: f64 = 1.0;

// Numbers that are compared, and with it the degrees of freedom of their distribution.
const DEGREES: f64 = 4.0;

/// A thing, by where its centre is and by how wide and tall it is.
#[derive(Clone, Debug)]
pub(super) struct Motion {
    // Across and down.
    centre: [Axis; 2],
    // Width and height.
    sides: [Axis; 2],
}

impl Motion {
    /// One that was seen in `outline`.
    pub(super) fn new(outline: &Outline) -> Self {
        let area = outline.area();
        let centre = |at| Axis::new(at, SEEN.powi(2) * area, SPEED.powi(2) * area);
        Self {
            centre: [outline.x, outline.y].map(centre),
            sides: outline.sides().map(|(at, is_cut)| {
                let off = if is_cut { CUT } else { SIDE };
                side(at, off)
            }),
        }
    }

    pub(super) fn predict(&mut self, seconds: f64) {
        let noise = Noise::of_acceleration(ACCELERATION.powi(2) * self.area(), seconds);
        for axis in &mut self.centre {
            axis.predict(seconds, noise);
        }
        for axis in &mut self.sides {
            let noise = Noise::of_place((GROWTH * axis.at).powi(2) * seconds);
            axis.predict(seconds, noise);
        }
    }

    pub(super) fn worth(&self, outline: &Outline, likeness: &Likeness) -> Option<f64> {
        let area = self.area();
        let (mut distance, mut uncertainty) = (0.0, 0.0);
        for (axis, seen) in self.centre.iter().zip([outline.x, outline.y]) {
            let variance = axis.seen_variance(SEEN.powi(2) * area);
            distance += (seen - axis.at).powi(2) / variance;
            uncertainty += libm::log(variance / area);
        }
        for (axis, seen) in self.sides.iter().zip([outline.width, outline.height]) {
            let variance = axis.seen_variance((SIDE * axis.at).powi(2));
            distance += (seen - axis.at).powi(2) / variance;
        }
        // From 0, where the box is expected, to 1.
        let unlikeness = distance / (distance + DEGREES);
        let surprise = 2.0 * DEGREES * libm::log(1.0 + distance / DEGREES);
        let worth = (KNOWN - uncertainty).max(LOST) - surprise;
        (unlikeness <= likeness.most).then_some(worth)
    }

    /// In heights a second.
    pub(super) fn speed(&self) -> f64 {
        let [x, y] = [0, 1].map(|axis| self.centre[axis].speed);
        (x.powi(2) + y.powi(2)).sqrt() / self.sides[1].at
    }

    pub(super) fn update(&mut self, outline: &Outline) {
        let area = self.area();
        for (axis, seen) in self.centre.iter_mut().zip([outline.x, outline.y]) {
            axis.update(seen, SEEN.powi(2) * area);
        }
        for (axis, (seen, is_cut)) in self.sides.iter_mut().zip(outline.sides()) {
            match is_cut {
                true => *axis = side(seen, CUT),
                false => axis.update(seen, (SIDE * axis.at).powi(2)),
            }
        }
    }

    // Sides are learnt from sides that are more than 0, and so are they.
    fn area(&self) -> f64 {
        self.sides[0].at * self.sides[1].at
    }
}

// One that was seen to be so long, give or take a share of it.
fn side(seen: f64, off: f64) -> Axis {
    Axis::new(seen, (off * seen).powi(2), 0.0)
}
