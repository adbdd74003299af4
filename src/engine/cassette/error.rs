//! Why a cassette cannot be used: one sentence with the file and the line.

use std::io;
use std::path::PathBuf;

/// Why a cassette cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CassetteError {
    /// There is none.
    #[error("{} is no cassette: there is no {}", .folder.display(), .file)]
    Missing {
        /// The folder.
        folder: PathBuf,
        /// The file that is not there.
        file: String,
    },
    /// A file cannot be read.
    #[error("{} cannot be read: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A later version of this program wrote it.
    #[error(
        "{} is a cassette of format {format}, and this vpipe knows those up to {known}",
        .folder.display()
    )]
    Newer {
        /// The folder.
        folder: PathBuf,
        /// Its format.
        format: u64,
        /// The newest that is known.
        known: u64,
    },
    /// It is not what was written.
    #[error("{}, line {line}: {why}", .path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: u64,
        /// What is wrong there.
        why: String,
    },
}

impl CassetteError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "`vpipe run RECIPE INPUT --record DIR` makes one",
            Self::Unreadable { .. } | Self::Broken { .. } => {
                "bring it back from where it came, or record it again with --record"
            }
            Self::Newer { .. } => "use a newer vpipe, or record it again with this one",
        }
    }
}
