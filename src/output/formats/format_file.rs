//! A file of a format: what it is called, and how it is filled from results alone.

use crate::output::results::results::Results;
use crate::output::results::transcription::Transcription;
use std::io;
use std::io::Write;

/// A file of a format.
pub(in crate::output) struct FormatFile {
    /// What follows the stem of the video in its name.
    pub(in crate::output) ending: &'static str,
    /// What results have to tell for it to be written.
    pub(super) subject: Subject,
    /// Writes it from its beginning to its end, holding no more than a part of it.
    pub(in crate::output) fill: fn(&mut Sink<'_>, &Results) -> io::Result<()>,
}

/// What a file tells of.
pub(super) enum Subject {
    /// What is said.
    Speech,
    /// What is seen.
    Frames,
}

/// Where the bytes of a file go.
pub(in crate::output) type Sink<'a> = dyn Write + Send + 'a;

impl FormatFile {
    /// Whether there is something to tell in it: a stage transcribed, or one looked at frames. Where
    /// nobody spoke there is, and the file says so.
    pub(in crate::output) fn is_told_by(&self, results: &Results) -> bool {
        match self.subject {
            Subject::Speech => matches!(results.transcription, Transcription::Transcribed(_)),
            Subject::Frames => !results.detections.is_empty(),
        }
    }
}
