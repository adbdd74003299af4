//! The file of a format, out of a transcript.

use super::caption::CaptionLayout;
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
