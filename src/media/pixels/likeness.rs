//! Likeness: whether a frame shows anything that an earlier one does not.
//!
//! The measure is the mean luma of each cell of a grid, whose cells are small enough that a letter
//! changes one and large enough that the noise of a camera averages out.

use crate::item::PixelFormat;
use crate::item::Pixels;
use crate::item::Size;

// The longer side has at most so many cells; of a frame of 1280 px each is 8 px wide.
const CELLS: u32 = 160;

// Of a smaller cell the noise of a camera is too large.
const SMALLEST_CELL: u32 = 8;

// Means are kept in sixteenths of a level.
const FINE: u32 = 16;

// A change of all of the frame counts from this share of what a change of one cell counts from.
const ON_AVERAGE: f32 = 0.25;

/// The mean luma of each cell of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LumaGrid {
    size: Size,
    // Sixteenths of a level, row by row.
    means: Vec<u16>,
}

impl LumaGrid {
    /// The grid of a frame of `size`; `None` where its pixels are incomplete.
    pub fn of(pixels: &Pixels, size: Size) -> Option<Self> {
        let (width, height) = (size.width as usize, size.height as usize);
        let cell = size.width.max(size.height).div_ceil(CELLS);
        let cell = cell.max(SMALLEST_CELL) as usize;
        let row_bytes = match pixels.format {
            PixelFormat::Rgb24 => width * 3,
            PixelFormat::I420 => width,
        };
        if pixels.stride < row_bytes || width == 0 {
            return None;
        }
        let all = pixels.data.get(..pixels.stride * height)?;
        let mut means = Vec::with_capacity(width.div_ceil(cell) * height.div_ceil(cell));
        for rows in all.chunks(pixels.stride * cell) {
            let mut sums = vec![0_u32; width.div_ceil(cell)];
            for row in rows.chunks(pixels.stride) {
                let row = row.get(..row_bytes)?;
                add(pixels.format, row, cell, &mut sums);
            }
            let high = rows.len() / pixels.stride;
            let mean = |(column, sum): (usize, u32)| {
                let wide = cell.min(width - column * cell);
                // At most 255 x 16.
                (u64::from(sum * FINE) / (wide * high) as u64) as u16
            };
            means.extend(sums.into_iter().enumerate().map(mean));
        }
        Some(Self { size, means })
    }

    /// Whether this frame shows nothing that `earlier` does not: no cell differs by more than
    /// `threshold` levels of luma (of 255), and all together by no more than a quarter of that.
    pub fn shows_what(&self, earlier: &Self, threshold: f32) -> bool {
        if self.size != earlier.size {
            return false;
        }
        let most = f64::from(threshold) * f64::from(FINE);
        let mut sum = 0_u64;
        for (now, before) in self.means.iter().zip(&earlier.means) {
            let change = now.abs_diff(*before);
            if f64::from(change) > most {
                return false;
            }
            sum += u64::from(change);
        }
        sum as f64 <= most * f64::from(ON_AVERAGE) * self.means.len() as f64
    }
}

// Adds the luma of one row to the sums of its cells. A cell of the largest frame that JPEG can
// hold has less than 2^18 pixels, so that its sum in sixteenths fits.
fn add(format: PixelFormat, row: &[u8], cell: usize, sums: &mut [u32]) {
    match format {
        PixelFormat::I420 => {
            for (part, sum) in row.chunks(cell).zip(sums) {
                *sum += part.iter().map(|&luma| u32::from(luma)).sum::<u32>();
            }
        }
        PixelFormat::Rgb24 => {
            for (part, sum) in row.chunks(cell * 3).zip(sums) {
                let (pixels, _) = part.as_chunks::<3>();
                *sum += pixels.iter().copied().map(luma).sum::<u32>();
            }
        }
    }
}

// BT.601, as JPEG has it.
fn luma([red, green, blue]: [u8; 3]) -> u32 {
    (77 * u32::from(red) + 150 * u32::from(green) + 29 * u32::from(blue) + 128) >> 8
}

#[cfg(test)]
mod tests {
    use super::LumaGrid;
    use crate::item::PixelFormat;
    use crate::item::Pixels;
    use crate::item::Size;

    const SIZE: Size = Size {
        width: 322,
        height: 181,
    };

    // A frame whose luma at (x, y) is `at` of them, with rows longer than the frame.
    fn grid(format: PixelFormat, at: impl Fn(u32, u32) -> u8) -> LumaGrid {
        let bytes = match format {
            PixelFormat::Rgb24 => 3,
            PixelFormat::I420 => 1,
        };
        let stride = SIZE.width as usize * bytes + 10;
        let mut data = vec![99; stride * SIZE.height as usize];
        for y in 0..SIZE.height {
            for x in 0..SIZE.width {
                let start = y as usize * stride + x as usize * bytes;
                data[start..start + bytes].fill(at(x, y));
            }
        }
        let data = data.into();
        let pixels = Pixels {
            format,
            data,
            stride,
        };
        LumaGrid::of(&pixels, SIZE).unwrap()
    }

    #[test]
    fn planes_and_colours_have_the_same_grid() {
        let pattern = |x: u32, y: u32| (x * 7 + y * 3) as u8;
        assert_eq!(
            grid(PixelFormat::Rgb24, pattern),
            grid(PixelFormat::I420, pattern)
        );
    }

    #[test]
    fn one_cell_counts_whole_and_all_together_a_quarter() {
        let flat = grid(PixelFormat::I420, |_, _| 100);
        let spot = |level| {
            grid(PixelFormat::I420, move |x, y| match (x / 8, y / 8) {
                // The last cell, which is two pixels wide and five high.
                (40, 22) => level,
                _ => 100,
            })
        };
        assert!(spot(112).shows_what(&flat, 12.0));
        assert!(!spot(113).shows_what(&flat, 12.0));
        let lighter = |level| grid(PixelFormat::I420, move |_, _| level);
        assert!(lighter(103).shows_what(&flat, 12.0));
        assert!(!lighter(104).shows_what(&flat, 12.0));
        assert!(flat.shows_what(&flat, 0.0));
        assert!(!spot(101).shows_what(&flat, 0.0));
    }

    #[test]
    fn pixels_that_are_cut_short_have_no_grid() {
        let pixels = Pixels {
            format: PixelFormat::I420,
            data: vec![0; 100].into(),
            stride: 10,
        };
        let size = |width, height| Size { width, height };
        assert!(LumaGrid::of(&pixels, size(10, 10)).is_some());
        assert!(LumaGrid::of(&pixels, size(10, 11)).is_none());
        assert!(LumaGrid::of(&pixels, size(11, 9)).is_none());
    }
}
