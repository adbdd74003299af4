//! A folder for files that nobody keeps: it is gone when its owner is.

use std::io;
use std::path::Path;
use tempfile::TempDir;

/// A folder of its own among the temporary files of this machine, which no other user can read.
#[derive(Debug)]
pub struct Scratch(TempDir);

impl Scratch {
    /// A new, empty one.
    ///
    /// # Errors
    ///
    /// Where the system has no room for temporary files.
    pub fn new() -> io::Result<Self> {
        tempfile::Builder::new()
            .prefix("vpipe-")
            .tempdir()
            .map(Self)
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        self.0.path()
    }
}
