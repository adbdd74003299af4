//! What a model of a thing in a video says: where it will be, and how like it a box is.

use crate::stages::track::bytetrack::Bytetrack;
use crate::stages::track::motion::Motion;

/// A box by its centre and its sides, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Outline {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    /// Whether a border of the frame may cut it off, across and down.
    pub(super) is_cut: [bool; 2],
}

// How near to a border a side may be that is cut off there, as a share of the box.
const NEAR: f64 = 0.1;

impl Outline {
    /// That of the corners of a box in a frame of this width and height; `None` where it has no size,
    /// or is nowhere.
    pub(super) fn of([x1, y1, x2, y2]: [f32; 4], frame: [f64; 2]) -> Option<Self> {
        let [x1, y1, x2, y2] = [x1, y1, x2, y2].map(f64::from);
        let (width, height) = (x2 - x1, y2 - y1);
        let (x, y) = (f64::midpoint(x1, x2), f64::midpoint(y1, y2));
        let is_one = width > 0.0 && height > 0.0 && (x + y + width + height).is_finite();
        is_one.then_some(Self {
            x,
            y,
            width,
            height,
            is_cut: [
                x1 <= NEAR * width || x2 >= frame[0] - NEAR * width,
                y1 <= NEAR * height || y2 >= frame[1] - NEAR * height,
            ],
        })
    }

    /// Its width and its height, and whether each may be cut off.
    pub(super) fn sides(&self) -> [(f64, bool); 2] {
        let [across, down] = self.is_cut;
        [(self.width, across), (self.height, down)]
    }

    pub(super) fn area(&self) -> f64 {
        self.width * self.height
    }

    /// What both cover, as a share of what either covers.
    pub(super) fn overlap(&self, other: &Self) -> f64 {
        let side = |a: f64, b: f64, wide: f64, other: f64| {
            let end = (a + wide / 2.0).min(b + other / 2.0);
            (end - (a - wide / 2.0).max(b - other / 2.0)).max(0.0)
        };
        let both = side(self.x, other.x, self.width, other.width)
            * side(self.y, other.y, self.height, other.height);
        both / (self.area() + other.area() - both)
    }
}

/// What has passed since the last frame that was looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Elapsed {
    pub(super) seconds: f64,
    /// Sampled frames: 1 for the next one.
    pub(super) frames: u64,
}

/// Which boxes and which tracks are put together: each is what the one before has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Round {
    /// Tracks that have an id, and boxes of a confidence from `high`.
    Sure,
    /// The same tracks, and boxes from `low` to `high`.
    Unsure,
    /// Tracks that have no id yet, and boxes from `high`.
    New,
}

/// A track and a box that may be of the same thing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Likeness {
    pub(super) round: Round,
    /// The key `match`.
    pub(super) most: f64,
    /// Of the box.
    pub(super) confidence: f64,
    /// Whether it was not seen in the last frame that was looked at.
    pub(super) is_lost: bool,
}

/// How one thing moves.
#[derive(Clone, Debug)]
pub(super) enum Model {
    Motion(Motion),
    Bytetrack(Bytetrack),
}

impl Model {
    /// Some time later. One that is lost may be known to move otherwise.
    pub(super) fn predict(&mut self, elapsed: Elapsed, is_lost: bool) {
        match self {
            Self::Motion(motion) => motion.predict(elapsed.seconds),
            Self::Bytetrack(bytetrack) => bytetrack.predict(elapsed.frames, is_lost),
        }
    }

    /// What it is worth to say that the thing is seen in `outline`: more than 0, or `None` where it
    /// is not.
    pub(super) fn worth(&self, outline: &Outline, likeness: &Likeness) -> Option<f64> {
        let worth = match self {
            Self::Motion(motion) => motion.worth(outline, likeness),
            Self::Bytetrack(bytetrack) => bytetrack.worth(outline, likeness),
        };
        worth.filter(|&worth| worth > 0.0)
    }

    /// How fast it moves, in heights of its box a second, where frames follow each other as the last
    /// one did.
    pub(super) fn speed(&self, elapsed: Elapsed) -> f64 {
        match self {
            Self::Motion(motion) => motion.speed(),
            Self::Bytetrack(_) if elapsed.seconds <= 0.0 => 0.0,
            Self::Bytetrack(bytetrack) => {
                bytetrack.speed() * elapsed.frames as f64 / elapsed.seconds
            }
        }
    }

    /// Learns that the thing is in `outline`.
    pub(super) fn update(&mut self, outline: &Outline) {
        match self {
            Self::Motion(motion) => motion.update(outline),
            Self::Bytetrack(bytetrack) => bytetrack.update(outline),
        }
    }
}
