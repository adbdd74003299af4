//! Letterboxing: a frame fitted into the size that a model takes, and boxes mapped back.
//!
//! Sizes, paddings and every pixel are those of Ultralytics' `LetterBox` over OpenCV's linear
//! resize, and boxes go back as its `scale_boxes` takes them. Knows nothing of models.

use crate::backends::models::yolo::resize::Rows;
use crate::item::Size;

/// The grey that pads a frame.
const PADDING: u8 = 114;

/// Where a frame lies in a model's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::backends) struct Letterbox {
    /// The whole input.
    pub(in crate::backends) input: Size,
    /// The frame within it.
    pub(in crate::backends) resized: Size,
    /// Grey columns left of the frame.
    pub(in crate::backends) left: u32,
    /// Grey rows above the frame.
    pub(in crate::backends) top: u32,
}

impl Letterbox {
    /// Fits `frame` into exactly `target`.
    pub(in crate::backends) fn fixed(frame: Size, target: Size) -> Self {
        let resized = fitted(frame, target);
        Self::padded(
            resized,
            target.width.saturating_sub(resized.width),
            target.height.saturating_sub(resized.height),
        )
    }

    /// Fits `frame` into `target` with no more padding than makes both sides multiples of
    /// `stride`.
    pub(in crate::backends) fn tight(frame: Size, target: Size, stride: u32) -> Self {
        let resized = fitted(frame, target);
        Self::padded(
            resized,
            target.width.saturating_sub(resized.width) % stride,
            target.height.saturating_sub(resized.height) % stride,
        )
    }

    fn padded(resized: Size, across: u32, down: u32) -> Self {
        Self {
            input: Size {
                width: resized.width + across,
                height: resized.height + down,
            },
            resized,
            // An odd row or column goes to the right or the bottom.
            left: across / 2,
            top: down / 2,
        }
    }

    /// The input of a model: red, green and blue planes of values from 0 to 1. `pixels` are RGB
    /// rows of `frame`, `stride` bytes apart; `None` if they are fewer than that.
    pub(in crate::backends) fn tensor(
        self,
        pixels: &[u8],
        frame: Size,
        stride: usize,
    ) -> Option<Vec<f32>> {
        let value: [f32; 256] = std::array::from_fn(|byte| byte as f32 / 255.0);
        let width = self.input.width as usize;
        let plane = width * self.input.height as usize;
        let mut tensor = vec![value[usize::from(PADDING)]; 3 * plane];
        let (red, rest) = tensor.split_at_mut(plane);
        let (green, blue) = rest.split_at_mut(plane);
        let mut rows = Rows::new(pixels, frame, stride, self.resized)?;
        for y in 0..self.resized.height {
            let start = (self.top + y) as usize * width + self.left as usize;
            let places = start..start + self.resized.width as usize;
            let row = rows.row(y);
            let (red, green, blue) = (
                &mut red[places.clone()],
                &mut green[places.clone()],
                &mut blue[places],
            );
            for (x, rgb) in row.chunks_exact(3).enumerate() {
                red[x] = value[usize::from(rgb[0])];
                green[x] = value[usize::from(rgb[1])];
                blue[x] = value[usize::from(rgb[2])];
            }
        }
        Some(tensor)
    }
}

/// The size of `frame` scaled to touch `target` from within.
fn fitted(frame: Size, target: Size) -> Size {
    let scale = (f64::from(target.height) / f64::from(frame.height))
        .min(f64::from(target.width) / f64::from(frame.width));
    scaled(frame, scale)
}

// Python's `round` takes halves to the even number.
fn scaled(size: Size, scale: f64) -> Size {
    let side = |side: u32| ((f64::from(side) * scale).round_ties_even() as u32).max(1);
    Size {
        width: side(size.width),
        height: side(size.height),
    }
}

/// The way from boxes in a model's input back to boxes in the source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::backends) struct Mapping {
    pad: [f32; 2],
    gain: [f32; 2],
    frame: [f32; 2],
    source: [f32; 2],
}

impl Mapping {
    /// The way back from `input`, where `frame` was fitted in, to `source`, of which
    /// `frame` is a smaller copy.
    pub(in crate::backends) fn new(input: Size, frame: Size, source: Size) -> Self {
        // Ultralytics works this out from the sizes once more; with tight padding its second
        // scale can differ from the first in the last place, so that is what is done here.
        let resized = fitted(frame, input);
        let pad = |whole: u32, part: u32| (whole.saturating_sub(part) / 2) as f32;
        let gain = |part: u32, whole: u32| (f64::from(part) / f64::from(whole)) as f32;
        Self {
            pad: [
                pad(input.width, resized.width),
                pad(input.height, resized.height),
            ],
            gain: [
                gain(resized.width, frame.width),
                gain(resized.height, frame.height),
            ],
            frame: [frame.width as f32, frame.height as f32],
            source: [
                gain(source.width, frame.width),
                gain(source.height, frame.height),
            ],
        }
    }

    /// A box in the input as a box in the source, cut off at its edges.
    pub(in crate::backends) fn back(&self, bbox: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|i| {
            let axis = i % 2;
            let place = (bbox[i] - self.pad[axis]) / self.gain[axis];
            place.clamp(0.0, self.frame[axis]) * self.source[axis]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Letterbox;
    use super::Mapping;
    use crate::item::Size;

    fn size((width, height): (u32, u32)) -> Size {
        Size { width, height }
    }

    // Sizes as Ultralytics 8.4 gave them.
    #[test]
    fn frames_are_fitted_as_ultralytics_does() {
        for (frame, target, resized, left, top) in [
            ((1280, 720), (640, 640), (640, 360), 0, 140),
            ((720, 1280), (640, 640), (360, 640), 140, 0),
            ((320, 320), (320, 320), (320, 320), 0, 0),
            ((641, 481), (320, 320), (320, 240), 0, 40),
            ((101, 77), (320, 320), (320, 244), 0, 38),
            ((333, 500), (320, 320), (213, 320), 53, 0),
            ((5000, 3), (640, 640), (640, 1), 0, 319),
            ((500, 333), (640, 480), (640, 426), 0, 27),
        ] {
            let fitted = Letterbox::fixed(size(frame), size(target));
            assert_eq!(fitted.input, size(target));
            assert_eq!(fitted.resized, size(resized), "{frame:?}");
            assert_eq!((fitted.left, fitted.top), (left, top), "{frame:?}");
        }
    }

    #[test]
    fn a_dynamic_model_gets_no_more_grey_than_its_stride_asks_for() {
        for (frame, target, input, left, top) in [
            ((1280, 720), (640, 640), (640, 384), 0, 12),
            ((720, 404), (640, 640), (640, 384), 0, 12),
            ((500, 333), (320, 320), (320, 224), 0, 5),
            ((333, 500), (320, 320), (224, 320), 5, 0),
            ((320, 320), (320, 320), (320, 320), 0, 0),
        ] {
            let fitted = Letterbox::tight(size(frame), size(target), 32);
            assert_eq!(fitted.input, size(input), "{frame:?}");
            assert_eq!((fitted.left, fitted.top), (left, top), "{frame:?}");
        }
    }

    #[test]
    fn boxes_go_back_to_the_source_and_stay_inside() {
        let frame = size((1280, 720));
        let mapping = Mapping::new(size((640, 640)), frame, size((1920, 1080)));
        assert_eq!(
            mapping.back([0.0, 140.0, 640.0, 500.0]),
            [0.0, 0.0, 1920.0, 1080.0]
        );
        assert_eq!(
            mapping.back([-5.0, 100.0, 320.0, 320.0]),
            [0.0, 0.0, 960.0, 540.0]
        );
    }

    #[test]
    fn a_frame_lies_on_grey_with_its_planes_apart() {
        let pixels = [[255, 0, 51], [255, 0, 51]].concat();
        let frame = size((2, 1));
        let fitted = Letterbox::fixed(frame, size((2, 3)));
        let tensor = fitted.tensor(&pixels, frame, 6).unwrap();
        let grey = 114.0 / 255.0;
        let plane = |value| [grey, grey, value, value, grey, grey];
        assert_eq!(tensor, [plane(1.0), plane(0.0), plane(0.2)].concat());
        assert!(fitted.tensor(&pixels[1..], frame, 6).is_none());
    }
}
