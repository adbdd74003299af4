//! A caption, and what it is made of.

use super::atoms::BreakQuality;
use unicode_width::UnicodeWidthStr;

/// How captions are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaptionLayout {
    /// Columns of a line; most letters take one, a Chinese, Japanese or Korean one takes two.
    pub line_width: usize,
    /// Lines of a caption.
    pub line_count: usize,
}

/// Text that is shown for some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caption {
    /// Milliseconds.
    pub(super) start: u64,
    /// Milliseconds; after `start`.
    pub(super) end: u64,
    /// At least one.
    pub(super) lines: Vec<String>,
}

impl Caption {
    /// Columns of its text.
    pub(super) fn width(&self) -> usize {
        self.lines.iter().map(|line| line.width()).sum()
    }
}

/// An atom of a segment, and when it is said.
#[derive(Clone, Debug)]
pub(super) struct TimedAtom {
    pub(super) text: String,
    /// Columns.
    pub(super) width: usize,
    pub(super) has_space: bool,
    pub(super) quality: BreakQuality,
    /// Seconds.
    pub(super) start: f64,
    /// Seconds; not before `start`.
    pub(super) end: f64,
    pub(super) ends_segment: bool,
    /// Seconds that its segment takes.
    pub(super) segment_length: f64,
}
