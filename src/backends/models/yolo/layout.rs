//! Output layouts: how detection models write their candidates, told apart by shape.
//!
//! | layout | shape | columns | written by |
//! |---|---|---|---|
//! | columns | 1 x 4+classes x N | centre, size, a score a class | v5u, v8, v9, 11, 12, v10 and 26 without their end-to-end head |
//! | rows | 1 x N x 4+classes | the same, transposed | converters |
//! | objectness | 1 x N x 5+classes | centre, size, objectness, a score a class | the first v5, v7 |
//! | end to end | 1 x N x 6 | corners, score, class | v10, 26, exports with `nms=True` |
//!
//! Knows nothing of frames or of which candidates overlap.

use crate::backends::models::yolo::nms::Candidate;
use std::fmt;

/// How a model's output is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::backends) enum Layout {
    /// One candidate a column, with a score a class.
    Columns,
    /// One candidate a row, with a score a class.
    Rows,
    /// One candidate a row, with an objectness that all scores are multiplied by.
    Objectness,
    /// One object a row, overlaps already gone.
    EndToEnd,
}

/// What is known of an output before the model has run.
#[derive(Clone, Copy, Debug)]
pub(in crate::backends) struct Clues<'a> {
    /// Its dimensions, `None` for one that is decided at run time.
    pub(in crate::backends) dims: &'a [Option<usize>],
    /// The number of classes, where names are known.
    pub(in crate::backends) classes: Option<usize>,
    /// Whether Ultralytics wrote the file: it writes only columns and end to end.
    pub(in crate::backends) ultralytics: bool,
}

impl Clues<'_> {
    /// The layout and the number of classes that it has room for (`None` where an output does
    /// not show it); an error in words that follow "its output ".
    pub(in crate::backends) fn layout(self) -> Result<(Layout, Option<usize>), String> {
        let &[_, middle, last] = self.dims else {
            return Err(format!("has the shape {}, not 1x?x?", Shape(self.dims)));
        };
        // One class of the first v5 looks like end to end, but has thousands of rows.
        let one_class_v5 =
            self.classes == Some(1) && !self.ultralytics && middle.is_none_or(|rows| rows > 1000);
        if last == Some(6) && !one_class_v5 {
            return Ok((Layout::EndToEnd, None));
        }
        let Some(classes) = self.classes else {
            return match (middle, last) {
                (Some(rows), columns) if rows > 4 && columns.is_none_or(|n| rows < n) => {
                    Ok((Layout::Columns, Some(rows - 4)))
                }
                _ => Err(format!(
                    "has the shape {}, which cannot be read without class names: give them \
                     in a file, one a line, as `names`",
                    Shape(self.dims)
                )),
            };
        };
        let layout = if middle == Some(4 + classes) {
            Layout::Columns
        } else if last == Some(4 + classes) && !self.ultralytics {
            Layout::Rows
        } else if last == Some(5 + classes) && !self.ultralytics {
            Layout::Objectness
        } else {
            return Err(format!(
                "has the shape {}; a detector of {classes} classes has 1x{}xN, or 1xNx6 end to end",
                Shape(self.dims),
                4 + classes
            ));
        };
        Ok((layout, Some(classes)))
    }
}

/// Dimensions as people write them, `?` for one that is not known.
struct Shape<'a>(&'a [Option<usize>]);

impl fmt::Display for Shape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |side: &Option<usize>| side.map_or_else(|| "?".to_owned(), |n| n.to_string());
        f.write_str(&self.0.iter().map(side).collect::<Vec<_>>().join("x"))
    }
}

impl Layout {
    /// The candidates of an output of `middle` x `last` numbers whose score is above `conf`,
    /// with the best class of each.
    ///
    /// Numbers that are no numbers are taken for no candidate.
    pub(in crate::backends) fn candidates(
        self,
        data: &[f32],
        (middle, last): (usize, usize),
        conf: f32,
    ) -> Vec<Candidate> {
        let found = match self {
            Self::Columns => columns(data, middle, last, conf),
            Self::Rows => rows(data, last, 4, conf),
            Self::Objectness => rows(data, last, 5, conf),
            Self::EndToEnd => data
                .chunks_exact(last.max(6))
                .filter(|row| row[4] > conf && row[5] >= 0.0)
                .map(|row| Candidate {
                    bbox: [row[0], row[1], row[2], row[3]],
                    score: row[4],
                    class: row[5] as u32,
                })
                .collect(),
        };
        let finite = |candidate: &Candidate| {
            candidate.score.is_finite() && candidate.bbox.iter().all(|side| side.is_finite())
        };
        found.into_iter().filter(finite).collect()
    }
}

fn columns(data: &[f32], rows: usize, count: usize, conf: f32) -> Vec<Candidate> {
    if rows < 5 || count == 0 || data.len() < rows * count {
        return Vec::new();
    }
    // Class by class along memory, which is a good deal faster than column by column.
    let mut best = vec![(conf, u32::MAX); count];
    for (class, scores) in (0..).zip(data.chunks_exact(count).take(rows).skip(4)) {
        for (best, &score) in best.iter_mut().zip(scores) {
            if score > best.0 {
                *best = (score, class);
            }
        }
    }
    let at = |row: usize, column: usize| data[row * count + column];
    best.iter()
        .enumerate()
        .filter(|(_, (_, class))| *class != u32::MAX)
        .map(|(i, &(score, class))| Candidate {
            bbox: corners([at(0, i), at(1, i), at(2, i), at(3, i)]),
            score,
            class,
        })
        .collect()
}

/// `first` is where the scores begin; at 5 there is an objectness before them.
fn rows(data: &[f32], length: usize, first: usize, conf: f32) -> Vec<Candidate> {
    if length <= first {
        return Vec::new();
    }
    let candidate = |row: &[f32]| {
        let object = if first == 5 { row[4] } else { 1.0 };
        let mut best = None;
        let mut highest = conf;
        // Most rows show nothing, and no score is above 1.
        if object > conf {
            for (class, score) in (0..).zip(&row[first..]) {
                if score * object > highest {
                    highest = score * object;
                    best = Some(class);
                }
            }
        }
        best.map(|class| Candidate {
            bbox: corners([row[0], row[1], row[2], row[3]]),
            score: highest,
            class,
        })
    };
    data.chunks_exact(length).filter_map(candidate).collect()
}

/// Centre and size as corners.
fn corners([x, y, width, height]: [f32; 4]) -> [f32; 4] {
    let (half_width, half_height) = (width / 2.0, height / 2.0);
    [
        x - half_width,
        y - half_height,
        x + half_width,
        y + half_height,
    ]
}

#[cfg(test)]
mod tests {
    use super::Clues;
    use super::Layout;
    use super::Layout::Columns;
    use super::Layout::EndToEnd;
    use super::Layout::Objectness;
    use super::Layout::Rows;
    use crate::backends::models::yolo::nms::Candidate;

    fn layout(
        dims: &[usize],
        classes: Option<usize>,
        ultralytics: bool,
    ) -> Result<(Layout, Option<usize>), String> {
        // 0 stands for a dimension that is not known.
        let dims: Vec<_> = dims.iter().map(|&n| (n > 0).then_some(n)).collect();
        Clues {
            dims: &dims,
            classes,
            ultralytics,
        }
        .layout()
    }

    #[test]
    fn layouts_are_told_apart_by_shape() {
        for (dims, classes, ultralytics, expected) in [
            ([1, 84, 8400], Some(80), true, (Columns, Some(80))),
            ([0, 84, 0], Some(80), true, (Columns, Some(80))),
            ([1, 5, 2100], Some(1), true, (Columns, Some(1))),
            ([1, 300, 6], Some(80), true, (EndToEnd, None)),
            ([1, 300, 6], Some(1), true, (EndToEnd, None)),
            ([1, 300, 6], None, false, (EndToEnd, None)),
            ([1, 8400, 84], Some(80), false, (Rows, Some(80))),
            ([1, 25200, 85], Some(80), false, (Objectness, Some(80))),
            ([1, 25200, 6], Some(1), false, (Objectness, Some(1))),
            ([1, 84, 8400], None, false, (Columns, Some(80))),
            ([0, 84, 0], None, false, (Columns, Some(80))),
        ] {
            let found = layout(&dims, classes, ultralytics);
            assert_eq!(found, Ok(expected), "{dims:?} {classes:?} {ultralytics}");
        }
    }

    #[test]
    fn other_shapes_are_told_as_they_are() {
        for (dims, classes, ultralytics, expected) in [
            (
                vec![1, 1000],
                Some(1000),
                true,
                "has the shape 1x1000, not 1x?x?",
            ),
            (
                vec![1, 300, 84],
                Some(80),
                true,
                "has the shape 1x300x84; a detector of 80 classes has 1x84xN, or 1xNx6 end to end",
            ),
            (
                vec![1, 0, 85],
                None,
                false,
                "has the shape 1x?x85, which cannot be read without class names: give them \
                 in a file, one a line, as `names`",
            ),
        ] {
            assert_eq!(
                layout(&dims, classes, ultralytics),
                Err(expected.to_owned())
            );
        }
    }

    fn found(score: f32, class: u32) -> Candidate {
        Candidate {
            bbox: [5.0, 10.0, 15.0, 30.0],
            score,
            class,
        }
    }

    // Three candidates with the box 5, 10, 15, 30: one of class 1, one too weak, one broken.
    #[test]
    fn every_layout_gives_the_same_candidates() {
        let nan = f32::NAN;
        let columns = [
            [10.0, 10.0, nan],
            [20.0, 20.0, 20.0],
            [10.0, 10.0, 10.0],
            [20.0, 20.0, 20.0],
            [0.25, 0.1, 0.9],
            [0.75, 0.5, nan],
        ];
        let rows: Vec<f32> = (0..3).flat_map(|i| columns.map(|row| row[i])).collect();
        let objectness: Vec<f32> = rows
            .chunks(6)
            .flat_map(|row| [&row[..4], &[0.5], &row[4..]].concat())
            .collect();
        let end = [
            [5.0, 10.0, 15.0, 30.0, 0.75, 1.0],
            [5.0, 10.0, 15.0, 30.0, 0.5, 1.0],
            [5.0, 10.0, 15.0, 30.0, 0.9, nan],
        ];
        for (layout, data, shape, conf, score) in [
            (Columns, columns.concat(), (6, 3), 0.5, 0.75),
            (Rows, rows, (3, 6), 0.5, 0.75),
            (Objectness, objectness, (3, 7), 0.25, 0.375),
            (EndToEnd, end.concat(), (3, 6), 0.5, 0.75),
        ] {
            let candidates = layout.candidates(&data, shape, conf);
            assert_eq!(candidates, [found(score, 1)], "{layout:?}");
        }
    }

    #[test]
    fn outputs_that_are_too_small_hold_nothing() {
        for layout in [Columns, Rows, Objectness, EndToEnd] {
            for shape in [(0, 0), (4, 9), (9, 4), (1, 1)] {
                let data = vec![1.0; shape.0 * shape.1];
                let few = layout.candidates(&data, shape, 0.5);
                assert!(few.len() <= 9, "{layout:?} {shape:?}");
            }
        }
    }
}
