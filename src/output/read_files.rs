//! The files that a run reads, known whatever they are called: a link and a second name lead to the
//! same file.

use file_id::FileId;
use file_id::get_file_id;
use std::collections::BTreeSet;
use std::path::Path;

/// The files that a run reads, and so never writes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadFiles(BTreeSet<FileId>);

impl ReadFiles {
    /// Adds the file at `path`, links followed. What is not there cannot be written to.
    pub fn add(&mut self, path: &Path) {
        self.0.extend(get_file_id(path));
    }

    /// Whether what is at `path` is one of them.
    pub(super) fn holds(&self, path: &Path) -> bool {
        get_file_id(path).is_ok_and(|id| self.0.contains(&id))
    }
}
