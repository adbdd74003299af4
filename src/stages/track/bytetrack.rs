//! `bytetrack`: boxes that overlap from frame to frame, the sure ones first.
//!
//! The association, the filter and their figures are those of Zhang et al., "ByteTrack:
//! Multi-Object Tracking by Associating Every Detection Box" (2022). A thing is its centre, the
//! ratio of its sides and its height; time is counted in sampled frames. Differs from the paper in
//! that boxes of another class are not compared, and that the first frame is like any other.

use crate::stages::track::axis::Axis;
use crate::stages::track::axis::Noise;
use crate::stages::track::model::Likeness;
use crate::stages::track::model::Outline;
use crate::stages::track::model::Round;

// Deviations, as shares of the height: of a place, and of a speed a frame.
const PLACE: f64 = 1.0 / 20.0;
const SPEED: f64 = 1.0 / 160.0;

// Those of the ratio of the sides: in a frame, of its speed, and as it is seen.
const RATIO: f64 = 1e-2;
const RATIO_SPEED: f64 = 1e-5;
const RATIO_SEEN: f64 = 1e-1;

// What was seen longer ago, in frames, may be anywhere.
const LONGEST: u64 = 10_000;

/// A thing as `ByteTrack` knows it.
#[derive(Clone, Debug)]
pub(super) struct Bytetrack {
    centre: [Axis; 2],
    ratio: Axis,
    height: Axis,
}

impl Bytetrack {
    /// One that was seen in `outline`.
    pub(super) fn new(outline: &Outline) -> Self {
        let height = outline.height;
        let place = (2.0 * PLACE * height).powi(2);
        let speed = (10.0 * SPEED * height).powi(2);
        Self {
            centre: [outline.x, outline.y].map(|at| Axis::new(at, place, speed)),
            ratio: Axis::new(outline.width / height, RATIO.powi(2), RATIO_SPEED.powi(2)),
            height: Axis::new(height, place, speed),
        }
    }

    pub(super) fn predict(&mut self, frames: u64, is_lost: bool) {
        for _ in 0..frames.min(LONGEST) {
            if is_lost {
                self.height.speed = 0.0;
            }
            let noise = Noise {
                at: (PLACE * self.height.at).powi(2),
                covariance: 0.0,
                speed: (SPEED * self.height.at).powi(2),
            };
            for axis in self.centre.iter_mut().chain([&mut self.height]) {
                axis.predict(1.0, noise);
            }
            let noise = Noise {
                at: RATIO.powi(2),
                covariance: 0.0,
                speed: RATIO_SPEED.powi(2),
            };
            self.ratio.predict(1.0, noise);
        }
    }

    pub(super) fn worth(&self, outline: &Outline, likeness: &Likeness) -> Option<f64> {
        // What was not seen a frame ago is not looked for among boxes that may be nothing.
        if likeness.round == Round::Unsure && likeness.is_lost {
            return None;
        }
        let height = self.height.at;
        let expected = Outline {
            x: self.centre[0].at,
            y: self.centre[1].at,
            width: self.ratio.at * height,
            height,
            is_cut: [false; 2],
        };
        // A prediction may shrink to nothing.
        if expected.width <= 0.0 || expected.height <= 0.0 {
            return None;
        }
        let overlap = expected.overlap(outline);
        let (alike, most) = match likeness.round {
            Round::Sure => (overlap * likeness.confidence, likeness.most),
            Round::Unsure => (overlap, likeness.most.min(0.5)),
            Round::New => (overlap * likeness.confidence, likeness.most.min(0.7)),
        };
        Some(most - (1.0 - alike))
    }

    /// In heights a frame; 0 where it has shrunk to nothing.
    pub(super) fn speed(&self) -> f64 {
        let [x, y] = [0, 1].map(|axis| self.centre[axis].speed);
        match self.height.at > 0.0 {
            true => (x.powi(2) + y.powi(2)).sqrt() / self.height.at,
            false => 0.0,
        }
    }

    pub(super) fn update(&mut self, outline: &Outline) {
        let place = (PLACE * self.height.at).powi(2);
        for (axis, seen) in self.centre.iter_mut().zip([outline.x, outline.y]) {
            axis.update(seen, place);
        }
        self.ratio
            .update(outline.width / outline.height, RATIO_SEEN.powi(2));
        self.height.update(outline.height, place);
    }
}
