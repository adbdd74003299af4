//! The file of a format, out of results.

use super::caption::Caption;
use super::caption::CaptionLayout;
use super::captions::captions;
use super::jsonl;
use super::srt;
use super::tsv;
use super::txt;
use super::vtt;
use crate::output::results::results::Results;
use crate::output::results::transcription::SegmentEntry;
use crate::output::results::transcription::Transcription;
use crate::recipe::OutputFormat;

/// The content of the file of `format`; `None` where there is nothing to tell in it, as no stage
/// transcribed, or none looked at frames. Where nobody spoke there is: the file is empty then.
pub fn render(results: &Results, format: OutputFormat, layout: CaptionLayout) -> Option<String> {
    let mut out = String::new();
    let speech = speech(results);
    let written = match format {
        OutputFormat::Srt => srt::write(&mut out, &speech?.captions(layout)),
        OutputFormat::Vtt => vtt::write(&mut out, &speech?.captions(layout)),
        OutputFormat::Tsv => tsv::write(&mut out, &speech?.segments),
        OutputFormat::Txt => txt::write(&mut out, &speech?.segments),
        OutputFormat::Jsonl if results.detections.is_empty() => return None,
        OutputFormat::Jsonl => jsonl::write(&mut out, results),
    };
    written.is_ok().then_some(out)
}

// What is said, on the clock of a player.
struct PlayedSpeech {
    segments: Vec<SegmentEntry>,
    duration: f64,
}

impl PlayedSpeech {
    fn captions(&self, layout: CaptionLayout) -> Vec<Caption> {
        captions(&self.segments, self.duration, layout)
    }
}

fn speech(results: &Results) -> Option<PlayedSpeech> {
    let Transcription::Transcribed(said) = &results.transcription else {
        return None;
    };
    // Results count from the first frame, and players from the earliest stream.
    let offset = results.source.start_offset;
    let segments = said.segments.iter().map(|it| it.later_by(offset));
    Some(PlayedSpeech {
        segments: segments.collect(),
        duration: said.duration,
    })
}
