//! Pixels of red, green and blue that are drawn on. What lies outside of them is left out.

use crate::item::Size;

/// The pixels of a frame.
pub(super) struct Canvas<'a> {
    /// Rows of three bytes a pixel.
    pub(super) data: &'a mut [u8],
    /// Bytes from one row to the next.
    pub(super) stride: usize,
    /// Pixels across and down.
    pub(super) size: Size,
}

/// A rectangle of whole pixels; the right and lower edges are outside of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rectangle {
    pub(super) left: i32,
    pub(super) top: i32,
    pub(super) right: i32,
    pub(super) bottom: i32,
}

impl Canvas<'_> {
    /// Fills a rectangle.
    pub(super) fn fill(&mut self, area: Rectangle, colour: [u8; 3]) {
        let within = |at: i32, side: u32| at.clamp(0, side.cast_signed()) as usize;
        let (left, right) = (
            within(area.left, self.size.width),
            within(area.right, self.size.width),
        );
        for y in within(area.top, self.size.height)..within(area.bottom, self.size.height) {
            let start = y * self.stride;
            let row = self
                .data
                .get_mut(start + left * 3..start + right.max(left) * 3);
            for pixel in row.into_iter().flat_map(|row| row.chunks_exact_mut(3)) {
                pixel.copy_from_slice(&colour);
            }
        }
    }

    /// Lays a colour over one pixel; a `share` of 1 hides what was there.
    pub(super) fn blend(&mut self, x: i32, y: i32, colour: [u8; 3], share: f32) {
        let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else {
            return;
        };
        if x >= self.size.width || y >= self.size.height {
            return;
        }
        let start = y as usize * self.stride + x as usize * 3;
        let share = share.clamp(0.0, 1.0);
        let pixel = self.data.get_mut(start..start + 3);
        for (old, new) in pixel.into_iter().flatten().zip(colour) {
            let (from, to) = (f32::from(*old), f32::from(new));
            *old = (from + (to - from) * share).round() as u8;
        }
    }
}
