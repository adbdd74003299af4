//! What a caller asks of an input.

use crate::item::PixelFormat;
use crate::time::Pts;
use crate::time::Ratio;
use crate::time::SamplingRules;
use crate::time::TimeBase;
use crate::time::TimeRanges;
use std::fmt;
use std::num::NonZero;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// What to take from an input.
#[derive(Clone, Debug)]
pub struct VideoSelection {
    /// Frames a second of video; positive. Means nothing for picture files.
    pub fps: Ratio,
    /// The longest side, in pixels, that a frame may have; longer ones are scaled down.
    pub max_side: u32,
    /// The layout of the pixels.
    pub format: PixelFormat,
    /// The parts that are sampled, each from its start on.
    pub ranges: TimeRanges,
    /// Which frames can show a sample, and how they are come by.
    pub mode: Mode,
    /// The number of decoders that work side by side; at least 1.
    pub decoders: usize,
    /// The frames that nobody needs to see: they come in their places and without content, and
    /// are not decoded for themselves.
    pub known: Option<KnownFrames>,
}

/// Tells of a frame, by its time stamp, whether nobody needs to see it. Asked on threads of the
/// decoder, of some frames more than once.
#[derive(Clone)]
pub struct KnownFrames(Arc<dyn Fn(Pts) -> bool + Send + Sync>);

impl KnownFrames {
    /// The frames of which `is_known` holds.
    pub fn new(is_known: impl Fn(Pts) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(is_known))
    }

    /// Whether nobody needs to see the frame at `pts`.
    pub fn has(&self, pts: Pts) -> bool {
        (self.0)(pts)
    }
}

impl fmt::Debug for KnownFrames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KnownFrames")
    }
}

impl VideoSelection {
    /// All of an input at `fps`, with as many decoders as this machine has cores.
    pub fn new(fps: Ratio, max_side: u32, format: PixelFormat) -> Self {
        Self {
            fps,
            max_side,
            format,
            ranges: TimeRanges::default(),
            mode: Mode::Exact,
            decoders: thread::available_parallelism().map_or(1, NonZero::get),
            known: None,
        }
    }

    /// Every frame of an input, as large as it is shown.
    pub fn every_frame(format: PixelFormat) -> Self {
        Self {
            mode: Mode::Full,
            ..Self::new(Ratio::MILLIARD, u32::MAX, format)
        }
    }

    /// Whether nobody needs to see the frame at `pts`.
    pub(in crate::media) fn knows(&self, pts: Pts) -> bool {
        self.known.as_ref().is_some_and(|known| known.has(pts))
    }

    /// The rules that its samples follow in a stream with ticks of `base` and this first frame.
    pub(in crate::media) fn rules(&self, base: TimeBase, first: Pts) -> SamplingRules {
        SamplingRules::new(self.fps, &self.ranges, base, first)
    }

    /// The number of samples in a video of this length.
    pub fn samples_in(&self, length: Duration) -> u64 {
        SamplingRules::count_in(self.fps, &self.ranges, length)
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
