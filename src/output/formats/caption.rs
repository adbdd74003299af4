//! A caption, and what it is made of.

use super::atoms::BreakQuality;
use crate::output::results::results::Results;
use crate::recipe::MergeSpec;
use std::ops::RangeInclusive;
use unicode_width::UnicodeWidthStr;

/// How captions are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CaptionLayout {
    /// Columns of a line; most letters take one, a Chinese, Japanese or Korean one takes two.
    pub(super) line_width: usize,
    /// Lines of a caption.
    pub(super) line_count: usize,
}

impl CaptionLayout {
    /// What the recipe of `results` says of it. Nobody else's results make it hard to compute with.
    pub(super) fn of(results: &Results) -> Self {
        let built_in = MergeSpec::default();
        let said = |key: &str, allowed: RangeInclusive<f64>, built_in: usize| {
            let mut settings = results.recipe.settings.values();
            let number = settings.find_map(|stage| stage.get(key)?.as_f64());
            let number = number.filter(|number| allowed.contains(number));
            number.map_or(built_in, |number| number as usize)
        };
        Self {
            line_width: said("line_width", 10.0..=1000.0, built_in.line_width),
            line_count: said("line_count", 1.0..=10.0, built_in.line_count),
        }
    }
}

/// Text that is shown for some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caption {
    /// Milliseconds since the clock of a player began.
    pub start: u64,
    /// Milliseconds; after `start`.
    pub end: u64,
    /// At least one.
    pub lines: Vec<String>,
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
