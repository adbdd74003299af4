//! The file of a format, out of a transcript.

use super::captions::CaptionLayout;
use super::captions::captions;
use super::srt;
use super::tsv;
use super::txt;
use super::vtt;
use crate::output::results::results::Results;
use crate::output::results::transcription::SegmentEntry;
use crate::output::results::transcription::Transcription;
use crate::recipe::OutputFormat;

/// The content of the file of `format`; `None` where there is nothing to tell in it, as no stage
/// transcribed. Where nobody spoke there is: the file is empty then.
pub fn render(results: &Results, format: OutputFormat, layout: CaptionLayout) -> Option<String> {
    let Transcription::Transcribed(said) = &results.transcription else {
        return None;
    };
    // Results count from the first frame, and players from the earliest stream.
    let offset = results.source.start_offset;
    let segments: Vec<SegmentEntry> = said.segments.iter().map(|it| it.later_by(offset)).collect();
    let segments = segments.as_slice();
    let captions = || captions(segments, said.duration, layout);
    let mut out = String::new();
    let written = match format {
        OutputFormat::Srt => srt::write(&mut out, &captions()),
        OutputFormat::Vtt => vtt::write(&mut out, &captions()),
        OutputFormat::Tsv => tsv::write(&mut out, segments),
        OutputFormat::Txt => txt::write(&mut out, segments),
    };
    written.is_ok().then_some(out)
}

/// The text of a segment on one line, whatever a model put into it.
pub(super) fn one_line(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Milliseconds to the nearest.
pub(super) fn milliseconds(seconds: f64) -> u64 {
    (seconds * 1e3).round().max(0.0) as u64
}

/// The time of a caption as hours, minutes, seconds and, after `point`, milliseconds.
pub(super) fn clock(ms: u64, point: char) -> String {
    let (hours, minutes) = (ms / 3_600_000, ms / 60_000 % 60);
    let (seconds, ms) = (ms / 1000 % 60, ms % 1000);
    format!("{hours:02}:{minutes:02}:{seconds:02}{point}{ms:03}")
}
