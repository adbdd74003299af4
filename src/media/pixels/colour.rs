//! Colours as JPEG has them: YUV of any matrix and range to full-range BT.601, in place.
//!
//! swscale would go over RGB for this, which costs more than the whole scaling.

use crate::item::Size;

/// The luma weights of red and blue that define a YUV matrix.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::media) struct Matrix {
    red: f64,
    blue: f64,
}

impl Matrix {
    const BT601: Self = Self {
        red: 0.299,
        blue: 0.114,
    };

    /// The matrix with FFmpeg's (and ISO/IEC 23001-8's) number; BT.601 where it is not known.
    pub(in crate::media) fn numbered(number: i32) -> Self {
        let (red, blue) = match number {
            1 => (0.2126, 0.0722),
            4 => (0.30, 0.11),
            7 => (0.212, 0.087),
            9 | 10 => (0.2627, 0.0593),
            _ => return Self::BT601,
        };
        Self { red, blue }
    }

    // Red, green and blue (rows) of luma and the two chromas (columns).
    fn to_rgb(self) -> [[f64; 3]; 3] {
        let green = 1.0 - self.red - self.blue;
        let (from_u, from_v) = (2.0 * (1.0 - self.blue), 2.0 * (1.0 - self.red));
        [
            [1.0, 0.0, from_v],
            [1.0, -from_u * self.blue / green, -from_v * self.red / green],
            [1.0, from_u, 0.0],
        ]
    }
}

/// Fractional bits of the coefficients.
const BITS: u32 = 14;

/// A conversion to full-range BT.601.
pub(in crate::media) struct ToJpeg {
    // What a step of luma and of each chroma adds to the new luma and to the new chromas, and
    // what black is, all in units of 1 / 2^BITS.
    luma: [i32; 3],
    black: i32,
    chroma: [[i32; 2]; 2],
    crosses: bool,
}

impl ToJpeg {
    /// The conversion from `matrix`; `None` where there is nothing to do.
    pub(in crate::media) fn new(matrix: Matrix, full_range: bool) -> Option<Self> {
        if full_range && matrix == Matrix::BT601 {
            return None;
        }
        let (luma_gain, chroma_gain, black) = if full_range {
            (1.0, 1.0, 0.0)
        } else {
            (255.0 / 219.0, 255.0 / 224.0, 16.0)
        };
        let rgb = matrix.to_rgb();
        // The new luma of a colour, and the new chromas, as BT.601 makes them from RGB.
        let Matrix { red, blue } = Matrix::BT601;
        let luma_of = |column: usize| {
            red * rgb[0][column] + (1.0 - red - blue) * rgb[1][column] + blue * rgb[2][column]
        };
        let u_of = |column: usize| (rgb[2][column] - luma_of(column)) / (2.0 * (1.0 - blue));
        let v_of = |column: usize| (rgb[0][column] - luma_of(column)) / (2.0 * (1.0 - red));
        let fixed = |value: f64| (value * f64::from(1 << BITS)).round() as i32;
        Some(Self {
            luma: [
                fixed(luma_gain),
                fixed(chroma_gain * luma_of(1)),
                fixed(chroma_gain * luma_of(2)),
            ],
            black: fixed(luma_gain * black),
            chroma: [
                [fixed(chroma_gain * u_of(1)), fixed(chroma_gain * u_of(2))],
                [fixed(chroma_gain * v_of(1)), fixed(chroma_gain * v_of(2))],
            ],
            crosses: matrix != Matrix::BT601,
        })
    }

    /// Converts the planes of a 4:2:0 frame; chroma rows have half the stride of luma rows.
    pub(in crate::media) fn apply(&self, size: Size, stride: usize, planes: [&mut [u8]; 3]) {
        let [luma, u, v] = planes;
        let (width, half) = (size.width as usize, size.width.div_ceil(2) as usize);
        for (index, row) in luma
            .chunks_mut(stride)
            .take(size.height as usize)
            .enumerate()
        {
            let start = index / 2 * (stride / 2);
            let chroma = (&u[start..start + half], &v[start..start + half]);
            self.luma_row(&mut row[..width], chroma);
        }
        for index in 0..size.height.div_ceil(2) as usize {
            let start = index * (stride / 2);
            self.chroma_row(&mut u[start..start + half], &mut v[start..start + half]);
        }
    }

    fn luma_row(&self, row: &mut [u8], (u, v): (&[u8], &[u8])) {
        let rounding = (1 << (BITS - 1)) - self.black;
        if !self.crosses {
            for luma in row {
                *luma = clamp(self.luma[0] * i32::from(*luma) + rounding);
            }
            return;
        }
        for ((pair, u), v) in row.chunks_mut(2).zip(u).zip(v) {
            let tint = self.luma[1] * centred(*u) + self.luma[2] * centred(*v) + rounding;
            for luma in pair {
                *luma = clamp(self.luma[0] * i32::from(*luma) + tint);
            }
        }
    }

    fn chroma_row(&self, u: &mut [u8], v: &mut [u8]) {
        let middle = (128 << BITS) + (1 << (BITS - 1));
        let [for_u, for_v] = self.chroma;
        for (u, v) in u.iter_mut().zip(v) {
            let (old_u, old_v) = (centred(*u), centred(*v));
            *u = clamp(for_u[0] * old_u + for_u[1] * old_v + middle);
            *v = clamp(for_v[0] * old_u + for_v[1] * old_v + middle);
        }
    }
}

fn centred(chroma: u8) -> i32 {
    i32::from(chroma) - 128
}

fn clamp(fixed: i32) -> u8 {
    (fixed >> BITS).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::Matrix;
    use super::ToJpeg;
    use crate::item::Size;

    fn convert(matrix: i32, full_range: bool, [luma, u, v]: [u8; 3]) -> [u8; 3] {
        let size = Size {
            width: 2,
            height: 2,
        };
        let mut planes = (vec![luma; 4], vec![u], vec![v]);
        if let Some(it) = ToJpeg::new(Matrix::numbered(matrix), full_range) {
            it.apply(size, 2, [&mut planes.0, &mut planes.1, &mut planes.2]);
        }
        [planes.0[3], planes.1[0], planes.2[0]]
    }

    #[test]
    fn black_and_white_fill_the_range() {
        for matrix in [1, 2, 6, 9] {
            assert_eq!(convert(matrix, false, [16, 128, 128]), [0, 128, 128]);
            assert_eq!(convert(matrix, false, [235, 128, 128]), [255, 128, 128]);
            assert_eq!(convert(matrix, false, [5, 128, 128]), [0, 128, 128]);
            assert_eq!(convert(matrix, true, [77, 128, 128]), [77, 128, 128]);
        }
    }

    #[test]
    fn red_of_bt709_is_red_of_bt601() {
        // Pure red: limited BT.709 (63, 102, 240), full BT.601 (76, 85, 255).
        let red = convert(1, false, [63, 102, 240]);
        for (got, wanted) in red.into_iter().zip([76_i32, 85, 255]) {
            assert!((i32::from(got) - wanted).abs() <= 1, "{red:?}");
        }
    }
}
