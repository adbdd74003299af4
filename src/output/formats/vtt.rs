//! `vtt`: WebVTT captions, for browsers (<https://www.w3.org/TR/webvtt1/>).

use super::caption::Caption;
use super::format_file::FormatContent;
use super::format_file::FormatFile;
use super::format_file::Sink;
use super::format_file::Subject;
use super::speech::spoken_captions;
use super::text::clock;
use std::io::Result;

pub(super) const FILES: &[FormatFile] = &[FormatFile {
    ending: "_results.vtt",
    subject: Subject::Speech,
    content: FormatContent::File(|out, of| write(out, &spoken_captions(of.results))),
}];

pub(super) fn write(out: &mut Sink<'_>, captions: &[Caption]) -> Result<()> {
    writeln!(out, "WEBVTT\n")?;
    for caption in captions {
        let (start, end) = (clock(caption.start, '.'), clock(caption.end, '.'));
        let text = caption.lines.join("\n").replace('&', "&amp;");
        let text = text.replace('<', "&lt;").replace('>', "&gt;");
        writeln!(out, "{start} --> {end}\n{text}\n")?;
    }
    Ok(())
}
