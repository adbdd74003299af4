//! How a frame is turned before it is shown: the eight ways to lay a rectangle on itself.

use crate::item::Size;

/// A turn, told by where each pixel of the shown frame lies in the coded one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::media) struct Orientation {
    // Rows become columns; the flips are those of the coded frame, after that.
    transpose: bool,
    flip_x: bool,
    flip_y: bool,
}

impl Orientation {
    /// Reads the display matrix of a container: nine 32-bit numbers in the byte order of this
    /// machine, of which the first, second, fourth and fifth are the rotation. Turns that are
    /// not by right angles count as the nearest one that is.
    pub(in crate::media) fn from_display_matrix(matrix: &[u8]) -> Self {
        let part = |index: usize| {
            let bytes = matrix.get(index * 4..index * 4 + 4)?;
            Some(i64::from(i32::from_ne_bytes(bytes.try_into().ok()?)))
        };
        let (Some(a), Some(b), Some(c), Some(d)) = (part(0), part(1), part(3), part(4)) else {
            return Self::default();
        };
        // A coded point (x, y) is shown at (ax + cy, bx + dy); the inverse is the transpose.
        if a.abs() >= b.abs() {
            Self {
                transpose: false,
                flip_x: a < 0,
                flip_y: d < 0,
            }
        } else {
            Self {
                transpose: true,
                flip_x: b < 0,
                flip_y: c < 0,
            }
        }
    }

    /// Reads the orientation tag of a photograph, 1 to 8.
    pub(in crate::media) fn from_exif(orientation: u8) -> Self {
        let (transpose, flip_x, flip_y) = match orientation {
            2 => (false, true, false),
            3 => (false, true, true),
            4 => (false, false, true),
            5 => (true, false, false),
            6 => (true, false, true),
            7 => (true, true, true),
            8 => (true, true, false),
            _ => (false, false, false),
        };
        Self {
            transpose,
            flip_x,
            flip_y,
        }
    }

    /// Whether nothing is turned.
    pub(in crate::media) fn is_none(self) -> bool {
        self == Self::default()
    }

    /// Clockwise degrees, mirroring left aside: 0, 90, 180 or 270.
    pub(in crate::media) fn degrees(self) -> u16 {
        match (self.transpose, self.flip_x, self.flip_y) {
            (false, true, true) => 180,
            (false, ..) => 0,
            (true, true, _) => 270,
            (true, false, _) => 90,
        }
    }

    /// The size as shown of a frame of `coded` size, and the other way round.
    pub(in crate::media) fn size(self, coded: Size) -> Size {
        if self.transpose {
            Size {
                width: coded.height,
                height: coded.width,
            }
        } else {
            coded
        }
    }

    /// Turns one plane of pixels of `N` bytes. `from` holds rows of `from_stride` bytes of a
    /// frame of `coded` size; `to` takes rows of `to_stride` bytes of [`Orientation::size`] of it.
    pub(in crate::media) fn apply<const N: usize>(
        self,
        coded: Size,
        (from, from_stride): (&[u8], usize),
        (to, to_stride): (&mut [u8], usize),
    ) {
        let (width, height) = (coded.width as usize, coded.height as usize);
        let shown = self.size(coded);
        let at = |x: usize, y: usize| {
            let (x, y) = if self.transpose { (y, x) } else { (x, y) };
            let x = if self.flip_x { width - 1 - x } else { x };
            let y = if self.flip_y { height - 1 - y } else { y };
            y * from_stride + x * N
        };
        for y in 0..shown.height as usize {
            let row = &mut to[y * to_stride..][..shown.width as usize * N];
            for (x, pixel) in row.chunks_exact_mut(N).enumerate() {
                let start = at(x, y);
                pixel.copy_from_slice(&from[start..start + N]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Orientation;
    use crate::item::Size;

    fn matrix(a: i32, b: i32, c: i32, d: i32) -> Vec<u8> {
        let one = 1 << 16;
        [a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30]
            .into_iter()
            .flat_map(i32::to_ne_bytes)
            .collect()
    }

    fn turned(turn: Orientation) -> String {
        // ab
        // cd
        // ef
        let coded = Size {
            width: 2,
            height: 3,
        };
        let shown = turn.size(coded);
        let mut to = vec![0; 6];
        turn.apply::<1>(coded, (b"abcdef", 2), (&mut to, shown.width as usize));
        let rows: Vec<_> = to.chunks(shown.width as usize).collect();
        String::from_utf8(rows.join(&b'/')).unwrap()
    }

    #[test]
    fn containers_turn_clockwise() {
        let of = |a, b, c, d| Orientation::from_display_matrix(&matrix(a, b, c, d));
        assert_eq!(turned(of(1, 0, 0, 1)), "ab/cd/ef");
        assert_eq!(
            (turned(of(0, 1, -1, 0)), of(0, 1, -1, 0).degrees()),
            ("eca/fdb".into(), 90)
        );
        assert_eq!(
            (turned(of(-1, 0, 0, -1)), of(-1, 0, 0, -1).degrees()),
            ("fe/dc/ba".into(), 180)
        );
        assert_eq!(
            (turned(of(0, -1, 1, 0)), of(0, -1, 1, 0).degrees()),
            ("bdf/ace".into(), 270)
        );
        assert_eq!(turned(of(-1, 0, 0, 1)), "ba/dc/fe");
    }

    #[test]
    fn photographs_turn_by_their_tag() {
        assert_eq!(turned(Orientation::from_exif(6)), "eca/fdb");
        assert_eq!(turned(Orientation::from_exif(3)), "fe/dc/ba");
        assert_eq!(turned(Orientation::from_exif(8)), "bdf/ace");
        assert_eq!(turned(Orientation::from_exif(5)), "ace/bdf");
        assert_eq!(turned(Orientation::from_exif(7)), "fdb/eca");
    }
}
