//! Boxes: which box of one frame is which of another, by overlap and class.
//!
//! All boxes of a frame are assigned together: first so that as many as possible are the same within
//! the tolerance, then so that they overlap the most. In what order they stand changes nothing.

use crate::output::compare::tolerance::Tolerance;
use crate::output::results::results::Object;
use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;
use std::cmp::Ordering;
use std::cmp::Reverse;

/// Boxes of a class that overlap less are two objects, of which one is lost and one gained.
const LEAST_OVERLAP: f64 = 0.1;

/// Boxes of two classes that overlap less are two objects; others are one that changed its class.
const LEAST_OVERLAP_OF_CLASSES: f64 = 0.5;

/// How much less than its overlap a pair of two classes counts.
const OTHER_CLASS: f64 = 0.5;

/// Parts of an overlap that are told apart.
const PARTS: f64 = 1e9;

/// Of boxes that lie equally well, those of like confidence are one: so many parts at most.
const PARTS_OF_CONFIDENCE: f64 = 100.0;

/// Boxes that overlap each other, in one crowd. Of more than these, the pairs that overlap most are
/// taken one after the other: the best assignment would take time by the third power.
const LARGEST_CROWD: usize = 400;

/// Pairs that are weighed against each other in one frame. Where there are more, each box takes in
/// turn the one that it overlaps most.
const MOST_CANDIDATES: usize = 250_000;

/// Two boxes that are one object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pair {
    /// Which of the old boxes.
    pub(super) old: usize,
    /// Which of the new boxes.
    pub(super) new: usize,
    /// Their overlap, as intersection over union.
    pub(super) iou: f64,
}

/// Which boxes are one object.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Pairing {
    /// In the order of the old boxes.
    pub(super) pairs: Vec<Pair>,
    /// The old boxes that are in no pair.
    pub(super) lost: Vec<usize>,
    /// The new boxes that are in no pair.
    pub(super) gained: Vec<usize>,
}

/// Pairs the boxes of a frame.
pub(super) fn pair(old: &[Object], new: &[Object], tolerance: &Tolerance) -> Pairing {
    let (olds, news) = (in_order(old), in_order(new));
    let scene = Scene {
        old: olds.iter().map(|at| &old[*at]).collect(),
        new: news.iter().map(|at| &new[*at]).collect(),
        tolerance,
    };
    let pairs = match scene.candidates() {
        Some(candidates) => assigned(&candidates, news.len()),
        None => scene.in_turn(),
    };
    let pairs = pairs.into_iter().filter_map(|it| {
        Some(Pair {
            old: *olds.get(it.row)?,
            new: *news.get(it.column)?,
            iou: it.iou,
        })
    });
    let mut pairs: Vec<Pair> = pairs.collect();
    pairs.sort_by_key(|pair| pair.old);
    let unpaired = |count: usize, paired: &mut dyn Iterator<Item = usize>| {
        let mut is_paired = vec![false; count];
        paired.for_each(|at| is_paired[at] = true);
        (0..count).filter(|at| !is_paired[*at]).collect()
    };
    Pairing {
        lost: unpaired(old.len(), &mut pairs.iter().map(|pair| pair.old)),
        gained: unpaired(new.len(), &mut pairs.iter().map(|pair| pair.new)),
        pairs,
    }
}

/// The overlap of two boxes, as intersection over union; 0 where one has no area, but for the same
/// box.
pub(super) fn iou(a: &[f64; 4], b: &[f64; 4]) -> f64 {
    if a == b {
        return 1.0;
    }
    let area = |[x1, y1, x2, y2]: [f64; 4]| (x2 - x1).max(0.0) * (y2 - y1).max(0.0);
    let shared = area([
        a[0].max(b[0]),
        a[1].max(b[1]),
        a[2].min(b[2]),
        a[3].min(b[3]),
    ]);
    let whole = area(*a) + area(*b) - shared;
    if whole > 0.0 { shared / whole } else { 0.0 }
}

/// The most that an edge of a box moved, in pixels.
pub(super) fn edge_shift(a: &[f64; 4], b: &[f64; 4]) -> f64 {
    let shifts = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    shifts.fold(0.0, f64::max)
}

/// Whether two boxes are of one class. Models number the classes of one name differently.
pub(super) fn is_one_class(old: &Object, new: &Object) -> bool {
    old.class_name == new.class_name
}

// Two boxes that may be one object; by their places in order.
#[derive(Clone, Copy)]
struct Candidate {
    row: usize,
    column: usize,
    iou: f64,
    weight: i64,
}

// The boxes in an order that does not depend on that of the file.
fn in_order(objects: &[Object]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..objects.len()).collect();
    order.sort_by(|a, b| by_content(&objects[*a], &objects[*b]));
    order
}

fn by_content(a: &Object, b: &Object) -> Ordering {
    let sides = a.bbox.iter().zip(&b.bbox).map(|(a, b)| a.total_cmp(b));
    let by_class = a.class_name.cmp(&b.class_name);
    let by_box = sides.fold(by_class, Ordering::then);
    by_box.then(a.confidence.total_cmp(&b.confidence))
}

// The boxes of a frame, in order.
struct Scene<'a> {
    old: Vec<&'a Object>,
    new: Vec<&'a Object>,
    tolerance: &'a Tolerance,
}

impl Scene<'_> {
    // The pairs that may be one object; `None` where there are too many to weigh.
    fn candidates(&self) -> Option<Vec<Candidate>> {
        let mut candidates = Vec::new();
        for row in 0..self.old.len() {
            candidates.extend(self.row(row));
            if candidates.len() > MOST_CANDIDATES {
                return None;
            }
        }
        Some(candidates)
    }

    fn in_turn(&self) -> Vec<Candidate> {
        let mut is_taken = vec![false; self.new.len()];
        let take = |row| {
            let free = self.row(row).filter(|it| !is_taken[it.column]);
            let best = free.max_by_key(|it| (it.weight, Reverse(it.column)))?;
            is_taken[best.column] = true;
            Some(best)
        };
        (0..self.old.len()).filter_map(take).collect()
    }

    fn row(&self, row: usize) -> impl Iterator<Item = Candidate> {
        let columns = 0..self.new.len();
        columns.filter_map(move |column| self.candidate(row, column))
    }

    fn candidate(&self, row: usize, column: usize) -> Option<Candidate> {
        let (old, new) = (self.old[row], self.new[column]);
        let iou = iou(&old.bbox, &new.bbox);
        let shift = edge_shift(&old.bbox, &new.bbox);
        let one_class = is_one_class(old, new);
        let counted = match one_class {
            true if iou >= LEAST_OVERLAP || shift < 1.0 => iou,
            false if iou >= LEAST_OVERLAP_OF_CLASSES => iou * OTHER_CLASS,
            _ => return None,
        };
        let likeness = 1.0 - (old.confidence - new.confidence).abs();
        let parts = counted * PARTS + likeness * PARTS_OF_CONFIDENCE;
        let is_same = one_class
            && self.tolerance.is_one_box(iou, shift)
            && self.tolerance.is_one_number(old.confidence, new.confidence);
        // It outweighs all that the boxes of a frame overlap together.
        let most = (PARTS + PARTS_OF_CONFIDENCE) as i64;
        let same = most * (self.old.len().min(self.new.len()) as i64 + 1);
        Some(Candidate {
            row,
            column,
            iou,
            weight: (parts as i64).max(1) + if is_same { same } else { 0 },
        })
    }
}

fn assigned(candidates: &[Candidate], columns: usize) -> Vec<Candidate> {
    let mut pairs = Vec::new();
    for crowd in crowds(candidates, columns) {
        pairs.extend(match crowd.rows.len().max(crowd.columns.len()) {
            0..=LARGEST_CROWD => assign(&crowd),
            _ => best_first(crowd.candidates),
        });
    }
    pairs
}

// Boxes that are bound to each other by candidates; no other box has a part in how they are paired.
#[derive(Default)]
struct Crowd {
    rows: Vec<usize>,
    columns: Vec<usize>,
    candidates: Vec<Candidate>,
}

// Candidates stand in the order of their rows.
fn crowds(candidates: &[Candidate], columns: usize) -> Vec<Crowd> {
    let by_row: Vec<&[Candidate]> = candidates.chunk_by(|a, b| a.row == b.row).collect();
    let mut by_column = vec![Vec::new(); columns];
    for (at, row) in by_row.iter().enumerate() {
        row.iter().for_each(|it| by_column[it.column].push(at));
    }
    let mut is_seen = vec![false; by_row.len()];
    let mut has_column = vec![false; columns];
    let mut crowds = Vec::new();
    for first in 0..by_row.len() {
        let mut open = vec![first];
        let mut crowd = Crowd::default();
        while let Some(at) = open.pop() {
            if std::mem::replace(&mut is_seen[at], true) {
                continue;
            }
            crowd.rows.push(by_row[at][0].row);
            crowd.candidates.extend(by_row[at]);
            for column in by_row[at].iter().map(|it| it.column) {
                if !std::mem::replace(&mut has_column[column], true) {
                    crowd.columns.push(column);
                    open.extend(&by_column[column]);
                }
            }
        }
        if !crowd.rows.is_empty() {
            crowds.push(crowd);
        }
    }
    crowds
}

// The assignment of the greatest weight.
fn assign(crowd: &Crowd) -> Vec<Candidate> {
    let is_wide = crowd.rows.len() <= crowd.columns.len();
    let mut rows = crowd.rows.clone();
    let mut columns = crowd.columns.clone();
    rows.sort_unstable();
    columns.sort_unstable();
    let place = |it: &Candidate| {
        let row = rows.binary_search(&it.row).unwrap_or_default();
        let column = columns.binary_search(&it.column).unwrap_or_default();
        if is_wide {
            (row, column)
        } else {
            (column, row)
        }
    };
    let (height, width) = match is_wide {
        true => (rows.len(), columns.len()),
        false => (columns.len(), rows.len()),
    };
    let mut weights = Matrix::new(height, width, 0_i64);
    for candidate in &crowd.candidates {
        weights[place(candidate)] = candidate.weight;
    }
    let (_, assigned) = kuhn_munkres(&weights);
    let candidates = crowd.candidates.iter().filter(|it| {
        let (row, column) = place(it);
        assigned.get(row) == Some(&column)
    });
    candidates.copied().collect()
}

fn best_first(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    candidates.sort_by_key(|it| (-it.weight, it.row, it.column));
    let most = |of: fn(&Candidate) -> usize| candidates.iter().map(of).max().unwrap_or(0) + 1;
    let mut has_row = vec![false; most(|it| it.row)];
    let mut has_column = vec![false; most(|it| it.column)];
    candidates.retain(|it| {
        let is_free = !has_row[it.row] && !has_column[it.column];
        if is_free {
            has_row[it.row] = true;
            has_column[it.column] = true;
        }
        is_free
    });
    candidates
}

#[cfg(test)]
mod tests {
    use super::LARGEST_CROWD;
    use super::MOST_CANDIDATES;
    use super::iou;
    use super::pair;
    use crate::output::compare::tolerance::Tolerance;
    use crate::output::results::rare::Rare;
    use crate::output::results::results::Object;

    fn object(bbox: [f64; 4], class: &str, confidence: f64) -> Object {
        Object {
            bbox,
            class: 0,
            class_name: class.into(),
            confidence,
            parent: None,
            track: None,
            crossed: Rare::default(),
            entered: Rare::default(),
        }
    }

    // Side by side from `x` on, 100 pixels wide and high.
    fn square(x: f64) -> Object {
        object([x, 0.0, x + 100.0, 100.0], "car", 0.5)
    }

    fn pairs(old: &[Object], new: &[Object]) -> Vec<(usize, usize)> {
        let pairing = pair(old, new, &Tolerance::default());
        let pairs = pairing.pairs.iter().map(|it| (it.old, it.new));
        pairs.collect()
    }

    #[test]
    fn overlap_is_intersection_over_union() {
        let one = [0.0, 0.0, 10.0, 10.0];
        for (other, wanted) in [
            (one, 1.0),
            ([5.0, 0.0, 15.0, 10.0], 50.0 / 150.0),
            ([0.0, 0.0, 5.0, 5.0], 0.25),
            ([10.0, 0.0, 20.0, 10.0], 0.0),
            ([2.0, 2.0, 2.0, 8.0], 0.0),
            ([9.0, 9.0, 1.0, 1.0], 0.0),
        ] {
            assert_eq!(iou(&one, &other), wanted, "{other:?}");
            assert_eq!(iou(&other, &one), wanted, "{other:?}");
        }
        let point = [3.0, 3.0, 3.0, 3.0];
        assert_eq!(iou(&point, &point), 1.0);
    }

    // One after the other, the first would take the box that the second needs.
    #[test]
    fn all_boxes_are_assigned_at_once() {
        // 20, 10 and 80 pixels apart: 0.667, 0.818 and 0.111.
        let (old, new) = ([square(0.0), square(30.0)], [square(20.0), square(80.0)]);
        // 0.667 + 0.333 is more than 0.818 + 0.111.
        assert_eq!(pairs(&old, &new), [(0, 0), (1, 1)]);
        assert_eq!(pairs(&new, &old), [(0, 0), (1, 1)]);
        // 0.538 and 0.429 are more than 0.667, which is the same where that is enough.
        let (old, new) = ([square(0.0), square(60.0)], [square(20.0), square(-30.0)]);
        assert_eq!(pairs(&old, &new), [(0, 1), (1, 0)]);
        let tolerance = Tolerance {
            iou: 0.6,
            ..Tolerance::default()
        };
        let pairing = pair(&old, &new, &tolerance);
        assert_eq!((pairing.pairs.len(), pairing.pairs[0].new), (1, 0));
        assert_eq!((pairing.lost, pairing.gained), (vec![1], vec![1]));
    }

    #[test]
    fn of_boxes_in_one_place_those_of_like_confidence_are_one() {
        let at = |confidence| object([0.0, 0.0, 9.0, 9.0], "car", confidence);
        let old = [at(0.9), at(0.3)];
        assert_eq!(pairs(&old, &[at(0.31), at(0.89)]), [(0, 1), (1, 0)]);
        assert_eq!(pairs(&old, &[at(0.31)]), [(1, 0)]);
    }

    #[test]
    fn boxes_of_two_classes_are_one_where_they_overlap_much() {
        let (car, van) = (square(0.0), object([0.0, 0.0, 100.0, 100.0], "van", 0.5));
        let half = object([40.0, 0.0, 140.0, 100.0], "van", 0.5);
        let old = [car];
        assert_eq!(pairs(&old, std::slice::from_ref(&van)), [(0, 0)]);
        assert_eq!(pairs(&old, &[half]), [], "60 / 140 is 0.429");
        // A box of its own class that overlaps by 0.538 is nearer than the half of 1.
        assert_eq!(pairs(&old, &[van, square(30.0)]), [(0, 1)]);
    }

    // More than can be assigned at once, and more than can be weighed.
    #[test]
    fn of_a_large_crowd_the_nearest_are_paired() {
        let crowd = |count: u32| (0..count).map(|at| square(f64::from(at) * 0.01)).collect();
        for count in [401, 501] {
            let crowd: Vec<Object> = crowd(count);
            let mut turned = crowd.clone();
            turned.reverse();
            let places = 0..crowd.len();
            let wanted: Vec<_> = places.clone().zip(places.rev()).collect();
            assert_eq!(pairs(&crowd, &turned), wanted, "{count}");
        }
        const {
            assert!(401 > LARGEST_CROWD && 401 * 401 < MOST_CANDIDATES);
            assert!(501 * 501 > MOST_CANDIDATES);
        }
    }
}
