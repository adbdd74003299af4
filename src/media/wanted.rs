//! What a caller asks of an input.
//!
//! Knows nothing of how it is done.

use crate::item::PixelFormat;
use crate::time::Ratio;
use std::num::NonZero;
use std::thread;

/// What to take from an input.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// Pictures a second of video; positive. Means nothing for picture files.
    pub fps: Ratio,
    /// The longest side, in pixels, that a picture may have; longer ones are scaled down.
    pub max_side: u32,
    /// The layout of the pixels.
    pub format: PixelFormat,
    /// Samples earlier than this many seconds after the first frame are left out.
    pub from: Option<f64>,
    /// Samples this many seconds after the first frame or later are left out.
    pub until: Option<f64>,
    /// Which frames can show a sample, and how they are come by.
    pub mode: Mode,
    /// The number of decoders that work side by side; at least 1.
    pub decoders: usize,
}

impl Wanted {
    /// All of an input at `fps`, with as many decoders as this machine has cores.
    pub fn new(fps: Ratio, max_side: u32, format: PixelFormat) -> Self {
        Self {
            fps,
            max_side,
            format,
            from: None,
            until: None,
            mode: Mode::Exact,
            decoders: thread::available_parallelism().map_or(1, NonZero::get),
        }
    }
}

/// Which frames can show a sample, and how they are come by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The frame on screen at each sample; no more is decoded than that takes.
    #[default]
    Exact,
    /// The keyframe nearest to each sample, with the time of that keyframe. Nothing else is
    /// decoded.
    Keyframes,
    /// As exact, and every frame is decoded: what the other modes do of themselves where a
    /// stream does not say what can be left out.
    Full,
}
