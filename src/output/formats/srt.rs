//! `srt`: SubRip captions, which most players read.

use super::caption::Caption;
use super::text::clock;
use std::fmt::Result;
use std::fmt::Write;

pub(super) fn write(out: &mut String, captions: &[Caption]) -> Result {
    for (number, caption) in (1..).zip(captions) {
        let (start, end) = (clock(caption.start, ','), clock(caption.end, ','));
        // Some players would read another time here.
        let text = caption.lines.join("\n").replace("-->", "->");
        writeln!(out, "{number}\n{start} --> {end}\n{text}\n")?;
    }
    Ok(())
}
