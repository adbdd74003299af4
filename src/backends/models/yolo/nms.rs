//! Of many overlapping candidates, those that stand: what Ultralytics' `non_max_suppression`
//! keeps, in its order. Knows nothing of how a model writes its candidates.

use std::cmp::Ordering;

/// More candidates than this are not looked at, as in Ultralytics.
const MOST_CANDIDATES: usize = 30_000;

/// Boxes of different classes are moved apart by this many pixels a class, as in Ultralytics:
/// in single precision it rounds the boxes, so it decides close calls.
const CLASS_OFFSET: f32 = 7680.0;

/// A box that a model proposes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::backends) struct Candidate {
    /// `[x1, y1, x2, y2]` in pixels of the model's input.
    pub(in crate::backends) bbox: [f32; 4],
    /// How sure the model is, from 0 to 1.
    pub(in crate::backends) score: f32,
    /// The index of the class.
    pub(in crate::backends) class: u32,
}

/// Puts the surest first; equal ones stay in their order.
pub(in crate::backends) fn sort(candidates: &mut [Candidate]) {
    candidates.sort_by(|a, b| b.score.partial_cmp(&a.score).unwrap_or(Ordering::Equal));
}

/// The at most `most` surest candidates that overlap none of the same class that is surer by
/// more than `iou` of their union; the surest first.
pub(in crate::backends) fn suppress(
    mut candidates: Vec<Candidate>,
    iou: f32,
    most: usize,
) -> Vec<Candidate> {
    sort(&mut candidates);
    candidates.truncate(MOST_CANDIDATES);
    let mut kept: Vec<Candidate> = Vec::new();
    let mut boxes: Vec<[f32; 4]> = Vec::new();
    for candidate in candidates {
        if kept.len() == most {
            break;
        }
        let offset = candidate.class as f32 * CLASS_OFFSET;
        let moved = candidate.bbox.map(|side| side + offset);
        if boxes
            .iter()
            .all(|stronger| overlap(stronger, &moved) <= iou)
        {
            kept.push(candidate);
            boxes.push(moved);
        }
    }
    kept
}

/// The share of the union of two boxes that both cover.
fn overlap(a: &[f32; 4], b: &[f32; 4]) -> f32 {
    let area = |bbox: &[f32; 4]| (bbox[2] - bbox[0]) * (bbox[3] - bbox[1]);
    let width = (a[2].min(b[2]) - a[0].max(b[0])).max(0.0);
    let height = (a[3].min(b[3]) - a[1].max(b[1])).max(0.0);
    let both = width * height;
    if both > 0.0 {
        both / (area(a) + area(b) - both)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::Candidate;
    use super::suppress;

    fn candidate(bbox: [f32; 4], score: f32, class: u32) -> Candidate {
        Candidate { bbox, score, class }
    }

    fn scores(candidates: &[Candidate], iou: f32, most: usize) -> Vec<f32> {
        let kept = suppress(candidates.to_vec(), iou, most);
        kept.iter().map(|kept| kept.score).collect()
    }

    #[test]
    fn the_weaker_of_two_that_overlap_goes_if_their_class_is_one() {
        let square = [0.0, 0.0, 10.0, 10.0];
        let half = [0.0, 0.0, 10.0, 5.0];
        let same = [candidate(half, 0.5, 0), candidate(square, 0.9, 0)];
        let other = [candidate(half, 0.5, 1), candidate(square, 0.9, 0)];
        // They share exactly 0.5 of their union, and only more than that is too much.
        assert_eq!(scores(&same, 0.5, 300), [0.9, 0.5]);
        assert_eq!(scores(&same, 0.49, 300), [0.9]);
        assert_eq!(scores(&other, 0.1, 300), [0.9, 0.5]);
    }

    #[test]
    fn what_was_dropped_drops_nothing() {
        let at = |x: f32, score| candidate([x, 0.0, x + 10.0, 10.0], score, 3);
        let row = [at(0.0, 0.9), at(5.0, 0.8), at(10.0, 0.7)];
        assert_eq!(scores(&row, 0.3, 300), [0.9, 0.7]);
        assert_eq!(scores(&row, 0.3, 1), [0.9]);
        assert_eq!(scores(&row, 0.3, 0), [0.0; 0]);
    }

    #[test]
    fn empty_boxes_and_equal_scores_keep_their_order() {
        let dot = |class| candidate([5.0, 5.0, 5.0, 5.0], 0.5, class);
        let kept = suppress(vec![dot(2), dot(1), dot(2)], 0.5, 300);
        let classes: Vec<u32> = kept.iter().map(|kept| kept.class).collect();
        assert_eq!(classes, [2, 1, 2]);
    }
}
