//! What is said, on the clock of a player: results count from the first frame, and players from the
//! earliest stream.

use super::caption::Caption;
use super::caption::CaptionLayout;
use super::captions::captions;
use crate::output::results::results::Results;
use crate::output::results::transcription::SegmentEntry;
use crate::output::results::transcription::Transcription;

pub(super) fn segments(results: &Results) -> Vec<SegmentEntry> {
    let offset = results.source.start_offset;
    let segments = results.transcription.segments().iter();
    segments.map(|segment| segment.later_by(offset)).collect()
}

/// What is said in a video, as captions that the recipe of its results lays out.
pub fn spoken_captions(results: &Results) -> Vec<Caption> {
    let duration = match &results.transcription {
        Transcription::Transcribed(said) => said.duration,
        Transcription::Error { .. } | Transcription::Skipped { .. } => 0.0,
    };
    captions(&segments(results), duration, CaptionLayout::of(results))
}
