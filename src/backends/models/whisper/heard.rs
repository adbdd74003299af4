//! What is heard in a window, as soon as it is known.

use crate::speech::Segment;
use std::ops::ControlFlow;

/// A segment, and how the model came to it.
#[derive(Clone, Debug, PartialEq)]
pub struct HeardSegment {
    /// The segment.
    pub segment: Segment,
    /// Where its window begins, in hundredths of a second.
    pub seek: u64,
    /// Its tokens, those of its times among them.
    pub tokens: Vec<u32>,
    /// The highest temperature that was tried for its window.
    pub temperature: f32,
    /// How many bytes of the window's text one byte of zlib stands for.
    pub compression_ratio: f32,
}

/// Who is told the segments of each window, and up to which second all is heard, and says whether to
/// go on.
pub type HearingListener<'a> = dyn FnMut(&[HeardSegment], f64) -> ControlFlow<()> + 'a;
