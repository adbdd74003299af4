//! `srt`: SubRip captions, which most players read.

use super::caption::Caption;
use super::format_file::FormatContent;
use super::format_file::FormatFile;
use super::format_file::Sink;
use super::format_file::Subject;
use super::speech::spoken_captions;
use super::text::clock;
use std::io::Result;

pub(super) const FILES: &[FormatFile] = &[FormatFile {
    ending: "_results.srt",
    subject: Subject::Speech,
    content: FormatContent::File(|out, of| write(out, &spoken_captions(of.results))),
}];

pub(super) fn write(out: &mut Sink<'_>, captions: &[Caption]) -> Result<()> {
    for (number, caption) in (1..).zip(captions) {
        let (start, end) = (clock(caption.start, ','), clock(caption.end, ','));
        // Some players would read another time here.
        let text = caption.lines.join("\n").replace("-->", "->");
        writeln!(out, "{number}\n{start} --> {end}\n{text}\n")?;
    }
    Ok(())
}
