//! Why a journal cannot be used, before a run begins.

use std::path::PathBuf;

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// A later program wrote it.
    #[error(
        "the journal {} is of a newer vpipe: it has format {format}, and this one knows {known}",
        .path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: i64,
        /// The format of this program.
        known: i64,
    },
    /// It is no journal, or no longer.
    #[error("the journal {} is damaged: {why}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// It cannot be opened, read or written.
    #[error("the journal {} cannot be used: {why}", .path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
}

impl JournalError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Newer { .. } => {
                "run the newer vpipe, or give this one a journal of its own with --state-dir DIR"
            }
            Self::Damaged { .. } => "the next `vpipe run` sets it aside and begins a new one",
            Self::Unusable { .. } => {
                "--state-dir DIR keeps the journal elsewhere, best on a disk of this machine"
            }
        }
    }
}
