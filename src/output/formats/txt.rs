//! `txt`: the text alone, a line a segment.

use super::format_file::FormatContent;
use super::format_file::FormatFile;
use super::format_file::Sink;
use super::format_file::Subject;
use super::speech::segments;
use super::text::one_line;
use crate::output::results::transcription::SegmentEntry;
use std::io::Result;

pub(super) const FILES: &[FormatFile] = &[FormatFile {
    ending: "_results.txt",
    subject: Subject::Speech,
    content: FormatContent::File(|out, of| write(out, &segments(of.results))),
}];

pub(super) fn write(out: &mut Sink<'_>, segments: &[SegmentEntry]) -> Result<()> {
    let mut texts = segments.iter().map(|segment| one_line(&segment.text));
    texts.try_for_each(|text| writeln!(out, "{text}"))
}
