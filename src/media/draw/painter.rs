//! Boxes with labels on frames of one size.

use crate::item::PixelFormat;
use crate::item::Pixels;
use crate::item::Size;
use crate::media::draw::canvas::Canvas;
use crate::media::draw::canvas::Rectangle;
use crate::media::draw::typeface::Typeface;
use crate::media::error::MediaError;
use bytes::BytesMut;

/// A box to draw, and what stands on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Annotation {
    /// `[x1, y1, x2, y2]` in pixels of the frame; what is outside of it is left out.
    pub bbox: [f64; 4],
    /// Red, green and blue of the box and of the ground of its label.
    pub colour: [u8; 3],
    /// What is written; where the font lacks a letter its escape is.
    pub label: String,
}

impl Annotation {
    /// The label of an object, such as `car 0.87 #3`.
    pub fn label_of(name: &str, confidence: f64, track: Option<u64>) -> String {
        match track {
            Some(track) => format!("{name} {confidence:.2} #{track}"),
            None => format!("{name} {confidence:.2}"),
        }
    }
}

/// Draws on frames of one size: lines and letters are as large as suits it.
pub struct Painter {
    size: Size,
    stroke: i32,
    typeface: Typeface,
}

/// Lines take this share of half the sides of a frame, and at least so many pixels.
const STROKE: f64 = 0.003;
const THINNEST: f64 = 2.0;

/// Letters, likewise.
const LINE_HEIGHT: f64 = 0.017;
const SMALLEST: f64 = 14.0;

/// From this luma on (BT.601, 0 to 255) a ground is too bright for white letters.
const BRIGHT: f64 = 140.0;

impl Painter {
    /// One for frames of `size`.
    ///
    /// # Errors
    ///
    /// Where the font cannot be read.
    pub fn new(size: Size) -> Result<Self, MediaError> {
        let side = f64::midpoint(size.width.into(), size.height.into());
        let typeface = Typeface::new((side * LINE_HEIGHT).max(SMALLEST).round() as f32)?;
        Ok(Self {
            size,
            stroke: (side * STROKE).round().max(THINNEST) as i32,
            typeface,
        })
    }

    /// The pixels of a frame with `annotations` on them, later ones over earlier ones, and labels
    /// over all boxes.
    ///
    /// # Errors
    ///
    /// Where the pixels are not those of such a frame in RGB.
    pub fn paint(
        &mut self,
        pixels: Pixels,
        annotations: &[Annotation],
    ) -> Result<Pixels, MediaError> {
        let (row, rows) = (self.size.width as usize * 3, self.size.height as usize);
        let least = pixels.stride * rows.saturating_sub(1) + row;
        if pixels.format != PixelFormat::Rgb24 || pixels.stride < row || pixels.data.len() < least {
            return Err(MediaError::NotDrawable { size: self.size });
        }
        let stride = pixels.stride;
        // Copied only where somebody else looks at them too.
        let shared = |data: bytes::Bytes| BytesMut::from(&*data);
        let mut data = pixels.data.try_into_mut().unwrap_or_else(shared);
        let mut canvas = Canvas {
            data: &mut data,
            stride,
            size: self.size,
        };
        let boxes = annotations
            .iter()
            .filter_map(|it| Some((it, rectangle(it.bbox, self.size)?)));
        let boxes: Vec<(&Annotation, Rectangle)> = boxes.collect();
        for (annotation, area) in &boxes {
            self.outline(&mut canvas, *area, annotation.colour);
        }
        for (annotation, area) in &boxes {
            self.label(&mut canvas, *area, annotation);
        }
        Ok(Pixels {
            format: PixelFormat::Rgb24,
            data: data.freeze(),
            stride,
        })
    }

    // Its lines lie within the box.
    fn outline(&self, canvas: &mut Canvas<'_>, area: Rectangle, colour: [u8; 3]) {
        let across = self.stroke.min(area.right - area.left);
        let down = self.stroke.min(area.bottom - area.top);
        for side in [
            Rectangle {
                bottom: area.top + down,
                ..area
            },
            Rectangle {
                top: area.bottom - down,
                ..area
            },
            Rectangle {
                right: area.left + across,
                ..area
            },
            Rectangle {
                left: area.right - across,
                ..area
            },
        ] {
            canvas.fill(side, colour);
        }
    }

    // Above the box where there is room, else within it; never outside of the frame.
    fn label(&mut self, canvas: &mut Canvas<'_>, area: Rectangle, annotation: &Annotation) {
        if annotation.label.is_empty() {
            return;
        }
        let (width, height) = (
            self.size.width.cast_signed(),
            self.size.height.cast_signed(),
        );
        let margin = self.stroke;
        let (line, taken) = self.typeface.fitted(&annotation.label, width - 2 * margin);
        let (wide, high) = (taken + 2 * margin, self.typeface.height());
        let left = area.left.min(width - wide).max(0);
        let above = area.top - high;
        let top = if above >= 0 { above } else { area.top };
        let top = top.min(height - high).max(0);
        let ground = Rectangle {
            left,
            top,
            right: left + wide,
            bottom: top + high,
        };
        canvas.fill(ground, annotation.colour);
        let letters = letters_on(annotation.colour);
        self.typeface
            .draw(canvas, (left + margin, top), &line, letters);
    }
}

// The whole pixels of a box within a frame; `None` where there are none.
fn rectangle([x1, y1, x2, y2]: [f64; 4], size: Size) -> Option<Rectangle> {
    if ![x1, y1, x2, y2].iter().all(|it| it.is_finite()) {
        return None;
    }
    let within = |at: f64, side: u32| at.clamp(0.0, f64::from(side)).round() as i32;
    let area = Rectangle {
        left: within(x1.min(x2), size.width),
        top: within(y1.min(y2), size.height),
        right: within(x1.max(x2), size.width),
        bottom: within(y1.max(y2), size.height),
    };
    (area.left < area.right && area.top < area.bottom).then_some(area)
}

fn letters_on([red, green, blue]: [u8; 3]) -> [u8; 3] {
    let luma = 0.299 * f64::from(red) + 0.587 * f64::from(green) + 0.114 * f64::from(blue);
    if luma < BRIGHT { [255; 3] } else { [0; 3] }
}

#[cfg(test)]
mod tests {
    use super::Annotation;
    use super::Painter;
    use super::letters_on;
    use crate::item::PixelFormat;
    use crate::item::Pixels;
    use crate::item::Size;
    use bytes::Bytes;

    const SIZE: Size = Size {
        width: 200,
        height: 100,
    };

    const GREY: u8 = 90;

    // Where a colour is, as left, top, right and bottom.
    fn painted(bbox: [f64; 4], label: &str) -> Vec<u8> {
        let stride = 640;
        let pixels = Pixels {
            format: PixelFormat::Rgb24,
            data: Bytes::from(vec![GREY; stride * SIZE.height as usize]),
            stride,
        };
        let annotation = Annotation {
            bbox,
            colour: [255, 0, 0],
            label: label.to_owned(),
        };
        let mut painter = Painter::new(SIZE).unwrap();
        let painted = painter.paint(pixels, &[annotation]).unwrap();
        let rows = painted.data.chunks(stride);
        rows.flat_map(|row| row[..SIZE.width as usize * 3].to_vec())
            .collect()
    }

    fn extent(pixels: &[u8]) -> Option<(usize, usize, usize, usize)> {
        let reds: Vec<(usize, usize)> = (pixels.chunks(3).enumerate())
            .filter(|(_, pixel)| *pixel == [255, 0, 0])
            .map(|(at, _)| (at % SIZE.width as usize, at / SIZE.width as usize))
            .collect();
        let (xs, ys) = (reds.iter().map(|it| it.0), reds.iter().map(|it| it.1));
        Some((
            xs.clone().min()?,
            ys.clone().min()?,
            xs.max()? + 1,
            ys.max()? + 1,
        ))
    }

    #[test]
    fn a_box_is_drawn_where_it_is() {
        let pixels = painted([20.0, 40.0, 80.0, 90.0], "");
        assert_eq!(extent(&pixels), Some((20, 40, 80, 90)));
        let at = |x: usize, y: usize| pixels[(y * SIZE.width as usize + x) * 3..][..3].to_vec();
        assert_eq!(at(21, 65), [255, 0, 0]);
        assert_eq!(at(22, 65), [GREY; 3], "lines of two pixels, within the box");
        assert_eq!(at(50, 65), [GREY; 3]);
    }

    #[test]
    fn labels_stay_within_the_frame() {
        for (bbox, wanted) in [
            // Above the box, at its upper corner, within it, moved to the left.
            ([20.0, 60.0, 150.0, 90.0], (20, 43, 150, 90)),
            ([20.0, 5.0, 150.0, 90.0], (20, 5, 150, 90)),
            ([0.0, 0.0, 200.0, 100.0], (0, 0, 200, 100)),
            ([190.0, 60.0, 199.0, 90.0], (95, 43, 200, 90)),
            ([10.0, 98.0, 150.0, 100.0], (10, 81, 150, 100)),
        ] {
            let got = extent(&painted(bbox, "circle 0.97 #12")).unwrap();
            let near = |a: usize, b: usize| a.abs_diff(b) <= 12;
            let all = [
                (got.0, wanted.0),
                (got.1, wanted.1),
                (got.2, wanted.2),
                (got.3, wanted.3),
            ];
            assert!(all.iter().all(|(a, b)| near(*a, *b)), "{bbox:?}: {got:?}");
        }
    }

    #[test]
    fn what_is_no_box_draws_nothing() {
        for bbox in [
            [f64::NAN, 0.0, 10.0, 10.0],
            [0.0, 0.0, f64::INFINITY, 10.0],
            [500.0, 500.0, 600.0, 600.0],
            [-50.0, -50.0, -1.0, -1.0],
            [10.0, 10.0, 10.0, 10.0],
        ] {
            assert_eq!(extent(&painted(bbox, "circle")), None, "{bbox:?}");
        }
        let beyond = painted([-1e9, 50.0, 1e9, 1e9], "");
        assert_eq!(extent(&beyond), Some((0, 50, 200, 100)));
    }

    #[test]
    fn letters_stand_out_from_their_ground() {
        assert_eq!(letters_on([255, 220, 0]), [0; 3]);
        assert_eq!(letters_on([0, 0, 160]), [255; 3]);
        assert_eq!(letters_on([200, 30, 30]), [255; 3]);
    }

    #[test]
    fn other_pixels_are_refused() {
        let pixels = Pixels {
            format: PixelFormat::Rgb24,
            data: Bytes::from(vec![0; 100]),
            stride: 640,
        };
        let refused = Painter::new(SIZE).unwrap().paint(pixels, &[]);
        assert!(refused.unwrap_err().to_string().contains("200x100"));
    }
}
