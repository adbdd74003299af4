//! A frame in the shape that a model takes: what can be done ahead of a session, on any thread.
//!
//! Knows nothing of what a model finds.

use crate::backends::engine::network::EngineError;
use crate::backends::engine::network::Tensor;
use crate::backends::models::yolo::letterbox::Letterbox;
use crate::backends::models::yolo::letterbox::Mapping;
use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Frame;
use crate::item::PixelFormat;
use crate::item::Pixels;
use crate::item::Size;
use std::sync::Arc;

/// A frame that is ready for a [`DetectorSession`](super::DetectorSession).
#[derive(Clone, Debug)]
pub struct FittedFrame {
    tensor: Arc<Tensor>,
    input: Size,
    mapping: Mapping,
}

impl FittedFrame {
    /// A frame with RGB pixels, laid as `letterbox` has it for its size.
    pub(in crate::backends) fn new(
        frame: &Frame,
        letterbox: impl FnOnce(Size) -> Letterbox,
    ) -> Result<Self, Failure> {
        let pixels = rgb(frame)?;
        let letterbox = letterbox(frame.size);
        let data = letterbox
            .tensor(&pixels.data, frame.size, pixels.stride)
            .ok_or_else(|| Failure::new(Class::Media, "a frame has fewer pixels than it says"))?;
        let input = letterbox.input;
        Ok(Self {
            tensor: Arc::new(Tensor {
                shape: vec![1, 3, input.height as usize, input.width as usize],
                data,
            }),
            input,
            mapping: Mapping::new(input, frame.size, frame.source),
        })
    }

    /// The size that the model is given: frames of one batch have the same.
    pub fn input(&self) -> Size {
        self.input
    }

    /// The bytes that a frame of this input size takes.
    pub fn bytes(input: Size) -> usize {
        3 * size_of::<f32>() * input.width as usize * input.height as usize
    }

    /// A box in the input as one in the source of the frame.
    pub(in crate::backends) fn back(&self, bbox: [f32; 4]) -> [f32; 4] {
        self.mapping.back(bbox)
    }

    /// One tensor of all `frames`, in their order.
    pub(in crate::backends) fn stacked(frames: &[&Self]) -> Result<Arc<Tensor>, EngineError> {
        let (first, rest) = frames
            .split_first()
            .ok_or_else(|| EngineError::new("there is no frame"))?;
        if rest.is_empty() {
            return Ok(Arc::clone(&first.tensor));
        }
        if rest.iter().any(|frame| frame.input != first.input) {
            return Err(EngineError::new("frames of several sizes are no batch"));
        }
        let mut data = Vec::with_capacity(frames.len() * first.tensor.data.len());
        for frame in frames {
            data.extend_from_slice(&frame.tensor.data);
        }
        let mut shape = first.tensor.shape.clone();
        if let Some(count) = shape.first_mut() {
            *count = frames.len();
        }
        Ok(Arc::new(Tensor { shape, data }))
    }
}

fn rgb(frame: &Frame) -> Result<&Pixels, Failure> {
    let content = frame.content.as_ref().map_err(Clone::clone)?;
    content
        .pixels
        .as_ref()
        .filter(|pixels| pixels.format == PixelFormat::Rgb24)
        .filter(|_| frame.size.width > 0 && frame.size.height > 0)
        .ok_or_else(|| Failure::new(Class::Media, "a frame has no RGB pixels"))
}
