//! A region of a frame: a polygon that a point is in, or not.
//!
//! Its corners are shares of the frame, so that it holds for videos of every size.

use minijinja::Value;
use minijinja::value::Object;
use minijinja::value::ObjectRepr;
use std::sync::Arc;

/// More corners than anybody draws: every two sides are compared.
const MOST_CORNERS: usize = 200;

/// A polygon whose sides do not cross. Corners are `[x, y]`, from 0 to 1, from the upper left.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    corners: Arc<[[f64; 2]]>,
}

impl Region {
    /// The polygon with these corners, in either direction.
    ///
    /// # Errors
    ///
    /// What is wrong with it, as a sentence that begins with its name, and on a second line what to
    /// do about it.
    pub fn new(corners: &[[f64; 2]]) -> Result<Self, String> {
        let count = corners.len();
        if !(3..=MOST_CORNERS).contains(&count) {
            return Err(format!(
                "has {count} corners\na polygon has 3 to {MOST_CORNERS} of them, each `[x, y]`"
            ));
        }
        if let Some([x, y]) = corners.iter().find(|corner| !corner.iter().all(is_share)) {
            return Err(format!(
                "has the corner [{x}, {y}], which lies outside of the frame\ncorners are shares of \
                 the frame, from 0 to 1: divide pixels by its width and height"
            ));
        }
        let region = Self {
            corners: corners.into(),
        };
        match region.has_crossing() {
            true => Err(
                "has sides that cross or touch each other\nlist its corners in their order around \
                 it, each once"
                    .to_owned(),
            ),
            false => Ok(region),
        }
    }

    /// Its corners, in their order.
    pub fn corners(&self) -> &[[f64; 2]] {
        &self.corners
    }

    /// Whether a point is inside.
    pub fn contains(&self, [x, y]: [f64; 2]) -> bool {
        // A ray to the right leaves the polygon as often as it does not enter it.
        let leaves = |([x1, y1], [x2, y2]): ([f64; 2], [f64; 2])| {
            (y1 > y) != (y2 > y) && x < x1 + (y - y1) / (y2 - y1) * (x2 - x1)
        };
        self.sides().filter(|side| leaves(*side)).count() % 2 == 1
    }

    /// How far a point is from its sides, in pixels of a frame of this width and height.
    pub fn distance(&self, point: [f64; 2], frame: [f64; 2]) -> f64 {
        let distances = self.sides().map(|(a, b)| distance(point, a, b, frame));
        distances.fold(f64::INFINITY, f64::min)
    }

    fn sides(&self) -> impl Iterator<Item = ([f64; 2], [f64; 2])> + '_ {
        let ends = self.corners.iter().cycle().skip(1);
        self.corners.iter().copied().zip(ends.copied())
    }

    // Neighbours meet in their corner alone; any other two sides do not meet.
    fn has_crossing(&self) -> bool {
        let sides: Vec<_> = self.sides().collect();
        let last = sides.len() - 1;
        let pairs = (0..=last).flat_map(|one| (one + 1..=last).map(move |other| (one, other)));
        pairs.into_iter().any(|(one, other)| {
            let (a, b) = (sides[one], sides[other]);
            match (one, other) {
                _ if other == one + 1 => folds_back(a.0, a.1, b.1),
                (0, other) if other == last => folds_back(b.0, b.1, a.1),
                _ => meet(a, b),
            }
        })
    }
}

pub(super) fn is_share(side: &f64) -> bool {
    (0.0..=1.0).contains(side)
}

// Twice the area of a triangle; its sign says which way round its corners go.
pub(super) fn turn([ax, ay]: [f64; 2], [bx, by]: [f64; 2], [cx, cy]: [f64; 2]) -> f64 {
    (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
}

/// How far a point is from the straight piece between `a` and `b`, in pixels of a frame of this
/// width and height.
pub(super) fn distance(point: [f64; 2], a: [f64; 2], b: [f64; 2], frame: [f64; 2]) -> f64 {
    let pixels = |[x, y]: [f64; 2], [from_x, from_y]: [f64; 2]| {
        [(x - from_x) * frame[0], (y - from_y) * frame[1]]
    };
    let ([along_x, along_y], [x, y]) = (pixels(b, a), pixels(point, a));
    let length = along_x.powi(2) + along_y.powi(2);
    // The nearest place of it, from 0 at `a` to 1 at `b`.
    let nearest = match length > 0.0 {
        true => ((x * along_x + y * along_y) / length).clamp(0.0, 1.0),
        false => 0.0,
    };
    let [off_x, off_y] = [x - nearest * along_x, y - nearest * along_y];
    (off_x.powi(2) + off_y.powi(2)).sqrt()
}

// Whether `b` to `c` runs over `a` to `b`, or one of the two has no length.
fn folds_back(a: [f64; 2], b: [f64; 2], c: [f64; 2]) -> bool {
    let ahead = (b[0] - a[0]) * (c[0] - b[0]) + (b[1] - a[1]) * (c[1] - b[1]);
    a == b || b == c || (turn(a, b, c) == 0.0 && ahead < 0.0)
}

fn meet((a, b): ([f64; 2], [f64; 2]), (c, d): ([f64; 2], [f64; 2])) -> bool {
    let within = |p: [f64; 2], q: [f64; 2], r: [f64; 2]| {
        turn(p, q, r) == 0.0
            && (0..2).all(|axis| (p[axis].min(q[axis])..=p[axis].max(q[axis])).contains(&r[axis]))
    };
    let parted = |p, q, r, s| turn(p, q, r) * turn(p, q, s) < 0.0;
    (parted(a, b, c, d) && parted(c, d, a, b))
        || within(a, b, c)
        || within(a, b, d)
        || within(c, d, a)
        || within(c, d, b)
}

// As a value of an expression: `point in region`.
#[derive(Debug)]
pub(super) struct RegionValue(pub(super) Region);

impl Object for RegionValue {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    // What is in it is what it has a value for.
    fn get_value(self: &Arc<Self>, point: &Value) -> Option<Value> {
        let point: Option<Vec<f64>> = point
            .try_iter()
            .ok()?
            .map(|side| f64::try_from(side).ok())
            .collect();
        let point = <[f64; 2]>::try_from(point?).ok()?;
        self.0.contains(point).then(|| Value::from(true))
    }
}

#[cfg(test)]
mod tests {
    use super::Region;

    // Not convex: a notch from above between x 0.4 and 0.6, down to y 0.8.
    const CUP: [[f64; 2]; 8] = [
        [0.0, 0.0],
        [0.4, 0.0],
        [0.4, 0.8],
        [0.6, 0.8],
        [0.6, 0.0],
        [1.0, 0.0],
        [1.0, 1.0],
        [0.0, 1.0],
    ];

    #[test]
    fn a_point_is_inside_whichever_way_the_corners_go() {
        let mut backwards = CUP;
        backwards.reverse();
        for corners in [CUP, backwards] {
            let region = Region::new(&corners).unwrap();
            for (point, inside) in [
                ([0.2, 0.5], true),
                ([0.8, 0.5], true),
                ([0.5, 0.5], false),
                ([0.5, 0.9], true),
                ([1.5, 0.9], false),
                ([-0.5, 0.5], false),
                ([f64::NAN, 0.5], false),
            ] {
                assert_eq!(region.contains(point), inside, "{point:?}");
            }
        }
    }

    #[test]
    fn the_distance_to_the_nearest_side_is_in_pixels() {
        let region = Region::new(&CUP).unwrap();
        let frame = [1000.0, 500.0];
        for (point, distance) in [
            ([0.2, 0.5], 200.0),
            ([0.45, 0.5], 50.0),
            ([0.5, 0.9], 50.0),
            ([0.4, 0.3], 0.0),
            // A corner.
            ([1.3, 1.8], 500.0),
        ] {
            let told = region.distance(point, frame);
            assert!((told - distance).abs() < 1e-9, "{point:?}: {told}");
        }
    }

    #[test]
    fn what_is_no_polygon_is_told() {
        let wrong = |corners: &[[f64; 2]]| Region::new(corners).unwrap_err();
        assert!(wrong(&[[0.0, 0.0], [1.0, 1.0]]).starts_with("has 2 corners"));
        assert!(wrong(&[[0.0, 0.0]; 201]).starts_with("has 201 corners"));
        assert!(wrong(&[[0.0, 0.0], [640.0, 0.0], [640.0, 360.0]]).contains("[640, 0]"));
        assert!(wrong(&[[0.0, f64::NAN], [1.0, 0.0], [1.0, 1.0]]).contains("NaN"));
        let crosses = "has sides that cross or touch each other";
        for corners in [
            // An hourglass.
            &[[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0]][..],
            // A line, a corner twice, and a side that another corner lies on.
            &[[0.0, 0.0], [0.5, 0.5], [1.0, 1.0]],
            &[[0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [1.0, 1.0]],
            &[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.5, 0.0], [0.0, 1.0]],
        ] {
            assert!(wrong(corners).starts_with(crosses), "{corners:?}");
        }
        // Three corners in a row on a straight side are fine.
        assert!(Region::new(&[[0.0, 0.0], [0.5, 0.0], [1.0, 0.0], [1.0, 1.0]]).is_ok());
    }
}
