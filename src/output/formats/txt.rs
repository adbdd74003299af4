//! `txt`: the text alone, a line a segment.

use super::text::one_line;
use crate::output::results::transcription::SegmentEntry;
use std::fmt::Result;
use std::fmt::Write;

pub(super) fn write(out: &mut String, segments: &[SegmentEntry]) -> Result {
    let mut texts = segments.iter().map(|segment| one_line(&segment.text));
    texts.try_for_each(|text| writeln!(out, "{text}"))
}
