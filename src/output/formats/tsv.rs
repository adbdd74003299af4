//! `tsv`: a table of segments with their times in milliseconds, as Whisper writes it.

use super::format_file::FormatContent;
use super::format_file::FormatFile;
use super::format_file::Sink;
use super::format_file::Subject;
use super::speech::segments;
use super::text::milliseconds;
use super::text::one_line;
use crate::output::results::transcription::SegmentEntry;
use std::io::Result;

pub(super) const FILES: &[FormatFile] = &[FormatFile {
    ending: "_results.tsv",
    subject: Subject::Speech,
    content: FormatContent::File(|out, of| write(out, &segments(of.results))),
}];

pub(super) fn write(out: &mut Sink<'_>, segments: &[SegmentEntry]) -> Result<()> {
    writeln!(out, "start\tend\ttext")?;
    for segment in segments {
        let (start, end) = (milliseconds(segment.start), milliseconds(segment.end));
        writeln!(out, "{start}\t{end}\t{}", one_line(&segment.text))?;
    }
    Ok(())
}
