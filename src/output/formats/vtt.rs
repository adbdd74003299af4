//! `vtt`: WebVTT captions, for browsers (<https://www.w3.org/TR/webvtt1/>).

use super::caption::Caption;
use super::text::clock;
use std::fmt::Result;
use std::fmt::Write;

pub(super) fn write(out: &mut String, captions: &[Caption]) -> Result {
    writeln!(out, "WEBVTT\n")?;
    for caption in captions {
        let (start, end) = (clock(caption.start, '.'), clock(caption.end, '.'));
        let text = caption.lines.join("\n").replace('&', "&amp;");
        let text = text.replace('<', "&lt;").replace('>', "&gt;");
        writeln!(out, "{start} --> {end}\n{text}\n")?;
    }
    Ok(())
}
