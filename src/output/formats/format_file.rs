//! A file or a folder of a format: what it is called, and how it is filled from results alone.

use crate::output::folder::FolderParts;
use crate::output::folder::NewFolder;
use crate::output::results::results::Results;
use crate::output::results::results::StageOutput;
use crate::output::results::transcription::Transcription;
use std::io;
use std::io::Write;
use std::path::Path;

/// A file or a folder of a format.
pub(in crate::output) struct FormatFile {
    /// What follows the stem of the video in its name.
    pub(in crate::output) ending: &'static str,
    /// What results have to tell for it to be written.
    pub(super) subject: Subject,
    /// What is written.
    pub(in crate::output) content: FormatContent,
}

/// What is written, from its beginning to its end: no more than a part of it is held at once.
pub(in crate::output) enum FormatContent {
    /// A file.
    File(fn(&mut Sink<'_>, &Telling<'_>) -> io::Result<()>),
    /// A folder of files.
    Folder {
        /// Writes them.
        fill: fn(&NewFolder<'_>, &Telling<'_>) -> io::Result<()>,
        /// What is in one, which may be replaced by another.
        parts: FolderParts<'static>,
    },
}

/// What a file tells of.
pub(super) enum Subject {
    /// What is said.
    Speech,
    /// What is said, and what of the sound has no answer.
    Sound,
    /// What is seen.
    Frames,
    /// All that there is.
    All,
}

/// What is told, and of which video.
pub(in crate::output) struct Telling<'a> {
    /// The results.
    pub(in crate::output) results: &'a Results,
    /// What the names of its files begin with.
    pub(in crate::output) stem: &'a str,
    /// The folder that they are in.
    pub(in crate::output) folder: &'a Path,
}

/// Where the bytes of a file go.
pub(in crate::output) type Sink<'a> = dyn Write + Send + 'a;

impl FormatFile {
    /// Whether there is something to tell in it: a stage transcribed, or one looked at frames. Where
    /// nobody spoke there is, and the file says so.
    pub(in crate::output) fn is_told_by(&self, results: &Results) -> bool {
        match self.subject {
            Subject::Speech => matches!(results.transcription, Transcription::Transcribed(_)),
            Subject::Sound => {
                let is_skipped = matches!(results.transcription, Transcription::Skipped { .. });
                let mut stages = results.stages.values();
                let is_heard =
                    |output: &StageOutput| matches!(output, StageOutput::Transcribed { .. });
                !is_skipped || stages.any(is_heard)
            }
            Subject::Frames => !results.detections.is_empty(),
            Subject::All => true,
        }
    }
}
