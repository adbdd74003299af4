//! Passages: which lines a thing crosses and which regions it enters, from sight to sight.
//!
//! Boxes shake. A thing that stands on a line crosses it once: it may cross again when it was a
//! good way off. Likewise it may enter a region again when it was a good way outside.

use crate::item::Size;
use crate::recipe::TrackPoint;
use crate::recipe::TrackSpec;
use crate::stages::track::model::Outline;
use crate::template::Direction;
use crate::template::Line;
use crate::template::Region;
use std::collections::BTreeMap;
use std::sync::Arc;

// What a good way off is, as a share of the size of the box; boxes shake by less.
const OFF: f64 = 0.1;

/// The lines and regions of a video.
pub(super) struct Places {
    lines: Vec<(Arc<str>, Line)>,
    regions: Vec<(Arc<str>, Region)>,
    point: TrackPoint,
    /// The width and height of a frame in pixels.
    pub(super) frame: [f64; 2],
}

/// How one thing stands to the lines and regions, in their order.
pub(super) struct Passage {
    lines: Vec<Approach>,
    inside: Vec<bool>,
}

struct Approach {
    // Where the thing was last, as a share of the frame.
    from: [f64; 2],
    // Whether that was a good way off the line.
    is_off: bool,
}

/// What a thing has passed since its last sight.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Passed {
    pub(super) crossed: BTreeMap<Arc<str>, Direction>,
    pub(super) entered: Vec<Arc<str>>,
}

impl Places {
    /// Those of `spec` in frames of this size.
    pub(super) fn new(spec: &TrackSpec, frame: Size) -> Self {
        let lines = spec.lines.iter();
        let regions = spec.regions.iter();
        Self {
            lines: lines
                .map(|(name, line)| (name.as_str().into(), line.clone()))
                .collect(),
            regions: regions
                .map(|(name, region)| (name.as_str().into(), region.clone()))
                .collect(),
            point: spec.point,
            frame: [frame.width, frame.height].map(|side| f64::from(side.max(1))),
        }
    }

    fn point(&self, outline: &Outline) -> [f64; 2] {
        let y = match self.point {
            TrackPoint::Centre => outline.y,
            TrackPoint::Foot => outline.y + outline.height / 2.0,
        };
        [outline.x / self.frame[0], y / self.frame[1]]
    }
}

impl Passage {
    /// That of a thing which was seen first in `outline`.
    pub(super) fn new(places: &Places, outline: &Outline) -> Self {
        let from = places.point(outline);
        let is_off = |line: &Line| line.distance(from, places.frame) >= off(outline);
        let lines = places.lines.iter().map(|(_, line)| Approach {
            from,
            is_off: is_off(line),
        });
        let inside = places.regions.iter();
        Self {
            lines: lines.collect(),
            inside: inside.map(|(_, region)| region.contains(from)).collect(),
        }
    }

    /// What it has passed now that it is seen in `outline`.
    pub(super) fn step(&mut self, places: &Places, outline: &Outline) -> Passed {
        let mut passed = Passed::default();
        let (point, off) = (places.point(outline), off(outline));
        for ((name, line), approach) in places.lines.iter().zip(&mut self.lines) {
            let is_off = line.distance(point, places.frame) >= off;
            let way = line.passed(approach.from, point);
            let way = way.filter(|_| approach.is_off || is_off);
            if way.is_some() || is_off {
                (approach.from, approach.is_off) = (point, is_off);
            }
            passed.crossed.extend(way.map(|way| (name.clone(), way)));
        }
        for ((name, region), inside) in places.regions.iter().zip(&mut self.inside) {
            match (*inside, region.contains(point)) {
                (false, true) => {
                    *inside = true;
                    passed.entered.push(name.clone());
                }
                (true, false) if region.distance(point, places.frame) >= off => *inside = false,
                _ => {}
            }
        }
        passed
    }
}

fn off(outline: &Outline) -> f64 {
    OFF * outline.area().sqrt()
}

#[cfg(test)]
mod tests {
    use super::Passage;
    use super::Places;
    use crate::item::Size;
    use crate::recipe::TrackPoint;
    use crate::recipe::TrackSpec;
    use crate::stages::track::model::Outline;
    use crate::template::Line;
    use crate::template::Region;
    use std::collections::BTreeMap;
    use std::sync::Arc;

    // In a frame of 1000 x 500 pixels: a line down its middle, and its right fifth.
    fn places(point: TrackPoint) -> Places {
        let line = Line::new(&[[0.5, 0.0], [0.5, 1.0]]).unwrap();
        let corners = [[0.8, 0.0], [1.0, 0.0], [1.0, 1.0], [0.8, 1.0]];
        let spec = TrackSpec {
            lines: Arc::new(BTreeMap::from([("middle".to_owned(), line)])),
            regions: Arc::new(BTreeMap::from([(
                "exit".to_owned(),
                Region::new(&corners).unwrap(),
            )])),
            point,
            ..TrackSpec::default()
        };
        let (width, height) = (1000, 500);
        Places::new(&spec, Size { width, height })
    }

    // What a thing of 100 x 100 pixels passes whose centre is at each of `xs` in turn.
    fn passed(xs: &[f64]) -> Vec<String> {
        let places = places(TrackPoint::Centre);
        let at = |x: f64| Outline {
            x,
            y: 250.0,
            width: 100.0,
            height: 100.0,
            is_cut: [false; 2],
        };
        let mut passage = Passage::new(&places, &at(xs[0]));
        let mut told = Vec::new();
        for &x in xs {
            let passed = passage.step(&places, &at(x));
            let crossed = passed.crossed.iter();
            told.extend(crossed.map(|(line, way)| format!("{line} {way} at {x}")));
            told.extend(passed.entered.iter().map(|it| format!("{it} at {x}")));
        }
        told
    }

    #[test]
    fn a_line_is_crossed_once_however_boxes_shake() {
        for (xs, expected) in [
            (&[400.0, 480.0, 560.0][..], &["middle backward at 560"][..]),
            (&[560.0, 400.0], &["middle forward at 400"]),
            // At the first chance, and not again while it is about the line.
            (
                &[400.0, 501.0, 497.0, 503.0, 499.0, 530.0],
                &["middle backward at 501"],
            ),
            // It came, and went where it had come from.
            (
                &[400.0, 503.0, 498.0, 480.0],
                &["middle backward at 503", "middle forward at 480"],
            ),
            (&[400.0, 495.0, 400.0], &[]),
            // It stood there from the beginning.
            (&[498.0, 502.0, 498.0, 502.0], &[]),
            (&[498.0, 502.0, 520.0], &["middle backward at 520"]),
        ] {
            assert_eq!(passed(xs), expected, "{xs:?}");
        }
    }

    #[test]
    fn a_region_is_entered_from_outside_alone() {
        for (xs, expected) in [
            (&[700.0, 790.0, 810.0, 900.0][..], &["exit at 810"][..]),
            (&[850.0, 900.0, 850.0], &[]),
            (&[700.0, 801.0, 799.0, 801.0], &["exit at 801"]),
            (
                &[700.0, 810.0, 780.0, 810.0],
                &["exit at 810", "exit at 810"],
            ),
        ] {
            assert_eq!(passed(xs), expected, "{xs:?}");
        }
    }

    #[test]
    fn the_foot_is_the_middle_of_the_lower_side() {
        let outline = Outline {
            x: 500.0,
            y: 200.0,
            width: 50.0,
            height: 100.0,
            is_cut: [false; 2],
        };
        assert_eq!(places(TrackPoint::Centre).point(&outline), [0.5, 0.4]);
        assert_eq!(places(TrackPoint::Foot).point(&outline), [0.5, 0.5]);
    }
}
