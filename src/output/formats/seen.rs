//! What each stage saw, the one at the top of the results first.

use crate::name::StageId;
use crate::output::results::results::Entry;
use crate::output::results::results::Results;
use crate::output::results::results::Seen;
use crate::output::results::results::StageOutput;

/// What a stage saw.
#[derive(Clone, Copy)]
pub(super) struct Looked<'a> {
    /// Its id; `None` where the results do not say.
    pub(super) stage: Option<&'a StageId>,
    /// A sampled frame each, in order.
    pub(super) entries: &'a [Entry],
}

/// What each detecting stage saw.
pub(super) fn looked(results: &Results) -> Vec<Looked<'_>> {
    let top = Looked {
        stage: results.primary.as_ref(),
        entries: &results.detections,
    };
    let others = results
        .stages
        .iter()
        .filter_map(|(id, output)| match output {
            StageOutput::Detected(found) if Some(id) != top.stage => Some(Looked {
                stage: Some(id),
                entries: &found.detections,
            }),
            StageOutput::Detected(_)
            | StageOutput::Recorded { .. }
            | StageOutput::Transcribed { .. } => None,
        });
    std::iter::once(top).chain(others).collect()
}

/// Why a frame has no boxes to be told of, in a word: so it looks like no frame in which nothing is.
/// `None` for one that was looked at.
pub(super) fn unanswered(entry: &Entry) -> Option<&'static str> {
    match &entry.seen {
        Seen::Objects { .. } => None,
        Seen::Error { .. } => Some("failed"),
        Seen::Skipped { .. } | Seen::Record { .. } | Seen::Crops { .. } => Some("skipped"),
    }
}
