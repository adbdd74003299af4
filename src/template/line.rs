//! A line across a frame, which things pass over.
//!
//! Its points are shares of the frame, so that it holds for videos of every size.

use crate::template::region::distance;
use crate::template::region::is_share;
use crate::template::region::turn;
use serde::Deserialize;
use serde::Serialize;
use std::fmt;
use std::sync::Arc;

/// More points than anybody draws.
const MOST_POINTS: usize = 200;

/// Points that are joined in their order. Each is `[x, y]`, from 0 to 1, from the upper left.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    points: Arc<[[f64; 2]]>,
}

/// Which way something passes over a line, for who looks along it from its first point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the left to the right: downwards, where the line is drawn from left to right.
    Forward,
    /// From the right to the left.
    Backward,
}

impl Direction {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Forward, Self::Backward];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Backward => "backward",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Line {
    /// The line with these points.
    ///
    /// # Errors
    ///
    /// What is wrong with it, as a sentence that begins with its name, and on a second line what to
    /// do about it.
    pub fn new(points: &[[f64; 2]]) -> Result<Self, String> {
        let count = points.len();
        if !(2..=MOST_POINTS).contains(&count) {
            let points = if count == 1 { "point" } else { "points" };
            return Err(format!(
                "has {count} {points}\na line has 2 to {MOST_POINTS} of them, each `[x, y]`"
            ));
        }
        if let Some([x, y]) = points.iter().find(|point| !point.iter().all(is_share)) {
            return Err(format!(
                "has the point [{x}, {y}], which lies outside of the frame\npoints are shares of \
                 the frame, from 0 to 1: divide pixels by its width and height"
            ));
        }
        let line = Self {
            points: points.into(),
        };
        let repeats = line.pieces().any(|(a, b)| a == b);
        match repeats {
            true => Err("has the same point twice in a row\nleave one of them out".to_owned()),
            false => Ok(line),
        }
    }

    /// Its points, in their order.
    pub fn points(&self) -> &[[f64; 2]] {
        &self.points
    }

    /// Which way the straight path between two points passes over it; `None` where it does not, or
    /// comes back over it. A point on the line is on its left.
    pub fn passed(&self, from: [f64; 2], to: [f64; 2]) -> Option<Direction> {
        let is_right = |a, b, point| turn(a, b, point) > 0.0;
        // The same way there and back, also where the path leads through a point of the line.
        let (one, other) = if from < to { (from, to) } else { (to, from) };
        let passes = self.pieces().map(|(a, b)| {
            let meets = is_right(one, other, a) != is_right(one, other, b);
            match (is_right(a, b, from), is_right(a, b, to)) {
                (false, true) if meets => 1,
                (true, false) if meets => -1,
                _ => 0,
            }
        });
        match passes.sum::<i32>() {
            0 => None,
            1.. => Some(Direction::Forward),
            _ => Some(Direction::Backward),
        }
    }

    /// How far a point is from it, in pixels of a frame of this width and height.
    pub fn distance(&self, point: [f64; 2], frame: [f64; 2]) -> f64 {
        let pieces = self.pieces();
        let distances = pieces.map(|(a, b)| distance(point, a, b, frame));
        distances.fold(f64::INFINITY, f64::min)
    }

    fn pieces(&self) -> impl Iterator<Item = ([f64; 2], [f64; 2])> + '_ {
        let ends = self.points.iter().skip(1);
        self.points.iter().copied().zip(ends.copied())
    }
}

#[cfg(test)]
mod tests {
    use super::Direction::Backward;
    use super::Direction::Forward;
    use super::Line;
    use proptest::prelude::prop;
    use proptest::prop_assert_eq;
    use proptest::proptest;

    #[test]
    fn a_path_passes_over_a_line_one_way_or_the_other() {
        // From left to right across the middle, and a corner upwards.
        let flat = Line::new(&[[0.2, 0.5], [0.8, 0.5]]).unwrap();
        let corner = Line::new(&[[0.0, 0.5], [0.5, 0.5], [0.5, 0.0]]).unwrap();
        for (line, from, to, passed) in [
            (&flat, [0.5, 0.4], [0.5, 0.6], Some(Forward)),
            (&flat, [0.5, 0.6], [0.4, 0.1], Some(Backward)),
            // Beside it, along it, and up to it but not over it.
            (&flat, [0.1, 0.4], [0.1, 0.6], None),
            (&flat, [0.1, 0.5], [0.9, 0.5], None),
            (&flat, [0.5, 0.4], [0.5, 0.5], None),
            (&flat, [0.5, 0.5], [0.5, 0.6], Some(Forward)),
            (&flat, [0.5, 0.4], [0.5, 0.4], None),
            // Into the corner and out of it on the other side.
            (&corner, [0.4, 0.6], [0.6, 0.4], None),
            (&corner, [0.4, 0.4], [0.4, 0.6], Some(Forward)),
            (&corner, [0.4, 0.4], [0.6, 0.4], Some(Forward)),
            (&corner, [0.4, 0.4], [0.6, 0.6], Some(Forward)),
            (&corner, [0.6, 0.6], [0.4, 0.4], Some(Backward)),
        ] {
            assert_eq!(line.passed(from, to), passed, "{from:?} to {to:?}");
        }
    }

    #[test]
    fn what_is_no_line_is_told() {
        let wrong = |points: &[[f64; 2]]| Line::new(points).unwrap_err();
        assert!(wrong(&[[0.0, 0.0]]).starts_with("has 1 point\n"));
        assert!(wrong(&[[0.0, 0.0], [640.0, 0.0]]).contains("[640, 0]"));
        assert!(wrong(&[[0.0, f64::NAN], [1.0, 0.0]]).contains("NaN"));
        assert!(wrong(&[[0.5, 0.5], [0.5, 0.5]]).contains("twice in a row"));
    }

    proptest! {
        // As often forward as backward, and then where it began.
        #[test]
        fn whoever_comes_back_has_passed_both_ways(
            points in prop::collection::vec((0..9_u8, 0..9_u8), 2..6),
            x in -4..20_i32, y in -4..20_i32,
        ) {
            let share = |(x, y): &(u8, u8)| [f64::from(*x) / 8.0, f64::from(*y) / 8.0];
            let mut points: Vec<_> = points.iter().map(share).collect();
            points.dedup();
            if let Ok(line) = Line::new(&points) {
                let [from, to] = [[0.06, 0.07], [f64::from(x) / 16.0, f64::from(y) / 16.0]];
                let back = line.passed(to, from).map(|it| match it {
                    Forward => Backward,
                    Backward => Forward,
                });
                prop_assert_eq!(line.passed(from, to), back);
            }
        }
    }
}
