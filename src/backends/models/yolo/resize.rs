//! Linear resizing of 8-bit frames with the results of OpenCV's `INTER_LINEAR`, bit for bit.
//!
//! OpenCV works in fixed point: weights of 11 bits, a pass along the rows that keeps all of
//! them, and a pass down the columns that drops 4, then 16, then 2 bits. A detector's
//! confidences follow the last bits of its input, so they are the same only if these are.
//! Knows nothing of padding or models.

use crate::item::Size;

/// One, as a weight.
const ONE: f32 = 2048.0;

/// A frame that is resized row by row, from the top.
pub(in crate::backends) struct Rows<'a> {
    pixels: &'a [u8],
    stride: usize,
    width: usize,
    height: i64,
    across: Vec<Tap>,
    down: Vec<Tap>,
    /// The last two source rows that were resized along their length.
    passed: [(i64, Vec<i32>); 2],
    row: Vec<u8>,
}

/// The first of two neighbours and the weights of both.
#[derive(Clone, Copy)]
struct Tap {
    first: i64,
    weights: [i32; 2],
}

impl<'a> Rows<'a> {
    /// Resizes `from`, RGB rows of `pixels` that start `stride` bytes apart, to `to`; `None` if
    /// there are too few bytes or no pixels.
    pub(in crate::backends) fn new(
        pixels: &'a [u8],
        from: Size,
        stride: usize,
        to: Size,
    ) -> Option<Self> {
        let width = from.width as usize;
        let last = (from.height as usize).checked_sub(1)?.checked_mul(stride)?;
        let enough = last.checked_add(3 * width)? <= pixels.len() && 3 * width <= stride;
        if !enough || width == 0 {
            return None;
        }
        let mut across = taps(from.width, to.width);
        for tap in &mut across {
            clamp(tap, from.width);
        }
        Some(Self {
            pixels,
            stride,
            width,
            height: i64::from(from.height),
            across,
            down: taps(from.height, to.height),
            passed: [(-1, Vec::new()), (-1, Vec::new())],
            row: vec![0; 3 * to.width as usize],
        })
    }

    /// Row `y` of the result: RGB.
    pub(in crate::backends) fn row(&mut self, y: u32) -> &[u8] {
        let tap = self.down[y as usize];
        let clamped = |row: i64| row.clamp(0, self.height - 1);
        let (upper, lower) = (clamped(tap.first), clamped(tap.first + 1));
        // Going down, the lower row of one pair is often the upper row of the next.
        if self.passed[0].0 != upper {
            self.passed.swap(0, 1);
            self.pass(0, upper);
        }
        if self.passed[1].0 != lower {
            self.pass(1, lower);
        }
        let [(_, upper), (_, lower)] = &self.passed;
        let [above, below] = tap.weights;
        for ((byte, &upper), &lower) in self.row.iter_mut().zip(upper).zip(lower) {
            let sum = ((above * (upper >> 4)) >> 16) + ((below * (lower >> 4)) >> 16);
            *byte = ((sum + 2) >> 2) as u8;
        }
        &self.row
    }

    /// Resizes source row `y` along its length into place `slot`.
    fn pass(&mut self, slot: usize, y: i64) {
        let (at, passed) = &mut self.passed[slot];
        if *at == y {
            return;
        }
        *at = y;
        passed.clear();
        let start = y as usize * self.stride;
        let source = &self.pixels[start..start + 3 * self.width];
        for tap in &self.across {
            let left = 3 * tap.first as usize;
            let right = (left + 3).min(3 * (self.width - 1));
            for channel in 0..3 {
                let (left, right) = (source[left + channel], source[right + channel]);
                passed.push(i32::from(left) * tap.weights[0] + i32::from(right) * tap.weights[1]);
            }
        }
    }
}

/// For each place of `to`, the neighbours of its centre among the places of `from`.
fn taps(from: u32, to: u32) -> Vec<Tap> {
    // Two divisions and a narrowing, as OpenCV has them: the last bits matter.
    let scale = 1.0 / (f64::from(to) / f64::from(from));
    (0..to)
        .map(|place| {
            let centre = ((f64::from(place) + 0.5) * scale - 0.5) as f32;
            let first = centre.floor();
            let weight = |share: f32| (share * ONE).round_ties_even() as i32;
            let share = centre - first;
            Tap {
                first: first as i64,
                weights: [weight(1.0 - share), weight(share)],
            }
        })
        .collect()
}

/// Beyond the first or last place there is only that place; OpenCV does this across, while down
/// it weighs the same row twice, which rounds differently.
fn clamp(tap: &mut Tap, places: u32) {
    let last = i64::from(places) - 1;
    if tap.first < 0 || tap.first >= last {
        *tap = Tap {
            first: tap.first.clamp(0, last),
            weights: [ONE as i32, 0],
        };
    }
}

#[cfg(test)]
mod tests {
    use super::Rows;
    use crate::item::Size;

    fn resized(pixels: &[u8], from: (u32, u32), stride: usize, to: (u32, u32)) -> Vec<u8> {
        let size = |(width, height)| Size { width, height };
        let mut rows = Rows::new(pixels, size(from), stride, size(to)).unwrap();
        (0..to.1).flat_map(|y| rows.row(y).to_vec()).collect()
    }

    /// The frame that the expected sums were made from.
    fn pattern(width: u32, height: u32) -> Vec<u8> {
        let bytes = 3 * width * height;
        (0..bytes)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect()
    }

    // FNV-1a of what OpenCV 5.0 (`cv2.resize`, INTER_LINEAR) makes of the pattern.
    #[test]
    fn every_bit_is_opencvs() {
        for (from, to, expected) in [
            ((131, 97), (320, 237), 0xcbef_628b),
            ((1280, 720), (320, 180), 0x0665_a731),
            ((640, 360), (320, 180), 0xcca5_e2ce),
            ((641, 481), (320, 240), 0xeaff_e2c8),
            ((50, 33), (213, 320), 0xbd6b_9398),
            ((7, 5), (640, 457), 0xbe04_5467),
            ((333, 500), (213, 320), 0xdaaf_caa2),
            ((1, 1), (9, 4), 0x87c8_e405),
            ((900, 3), (320, 1), 0xef47_786c),
        ] {
            let pixels = pattern(from.0, from.1);
            let result = resized(&pixels, from, 3 * from.0 as usize, to);
            let sum = result.iter().fold(0x811c_9dc5_u32, |sum, &byte| {
                (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193)
            });
            assert_eq!(sum, expected, "{from:?} to {to:?}");
        }
    }

    #[test]
    fn the_same_size_changes_nothing_and_strides_are_skipped() {
        let pixels = pattern(5, 4);
        assert_eq!(resized(&pixels, (5, 4), 15, (5, 4)), pixels);
        assert_eq!(resized(&pixels, (4, 4), 15, (4, 4))[12..24], pixels[15..27]);
    }

    #[test]
    fn too_few_bytes_are_refused() {
        let size = |width, height| Size { width, height };
        for (bytes, from, stride) in [
            (11, size(2, 2), 6),
            (12, size(2, 2), 5),
            (0, size(0, 0), 0),
            (12, size(0, 2), 6),
            (12, size(2, 0), 6),
        ] {
            let pixels = vec![0; bytes];
            assert!(Rows::new(&pixels, from, stride, size(4, 4)).is_none());
        }
    }
}
