//! Boxes as other formats measure them.

use crate::output::results::results::Object;

/// Left, top, width and height in pixels, to 0.01.
pub(super) fn left_top_size(object: &Object) -> [f64; 4] {
    let [x1, y1, x2, y2] = object.bbox;
    // The difference of two hundredths is one.
    let size = |from: f64, to: f64| ((to - from) * 1e2).round() / 1e2;
    [x1, y1, size(x1, x2), size(y1, y2)]
}

/// The centre and the size as parts of a frame of `width` and `height`, cut at its edges; `None` for a
/// box that is outside of it.
pub(super) fn part_of_frame(object: &Object, width: u32, height: u32) -> Option<[f64; 4]> {
    let [x1, y1, x2, y2] = object.bbox;
    let part = |side: f64, whole: u32| (side / f64::from(whole)).clamp(0.0, 1.0);
    let (x1, x2) = (part(x1, width), part(x2, width));
    let (y1, y2) = (part(y1, height), part(y2, height));
    let is_inside = x1 < x2 && y1 < y2;
    is_inside.then(|| {
        [
            f64::midpoint(x1, x2),
            f64::midpoint(y1, y2),
            x2 - x1,
            y2 - y1,
        ]
    })
}
