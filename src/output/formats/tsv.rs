//! `tsv`: a table of segments with their times in milliseconds, as Whisper writes it.

use super::text::milliseconds;
use super::text::one_line;
use crate::output::results::transcription::SegmentEntry;
use std::fmt::Result;
use std::fmt::Write;

pub(super) fn write(out: &mut String, segments: &[SegmentEntry]) -> Result {
    writeln!(out, "start\tend\ttext")?;
    for segment in segments {
        let (start, end) = (milliseconds(segment.start), milliseconds(segment.end));
        writeln!(out, "{start}\t{end}\t{}", one_line(&segment.text))?;
    }
    Ok(())
}
