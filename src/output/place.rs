//! Files of results: where they go, and which of them stands when a run is stopped early.
//!
//! Knows nothing of what is in them.

use crate::output::file::WriteError;
use crate::output::file::check_writable;
use crate::output::file::replace;
use crate::output::results::json;
use crate::output::results::results::Results;
use crate::recipe::CaptionFormat;
use std::fs;
use std::fs::File;
use std::io;
use std::io::BufWriter;
use std::path::Path;
use std::path::PathBuf;

/// Where the results of one video go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The folder.
    pub folder: PathBuf,
    /// The name of the video without its extension.
    pub stem: String,
}

impl Place {
    /// The file of a video that was seen to its end.
    pub fn complete(&self) -> PathBuf {
        self.folder.join(format!("{}_results.json", self.stem))
    }

    /// The file of a video whose run was stopped early.
    pub fn partial(&self) -> PathBuf {
        self.folder
            .join(format!("{}_results.partial.json", self.stem))
    }

    /// The file of a format; never that of the results.
    pub fn format(&self, format: CaptionFormat) -> PathBuf {
        let extension = format.extension();
        self.folder
            .join(format!("{}_results.{extension}", self.stem))
    }

    /// Makes the folder and proves that files can be made in it: to be asked before a run
    /// spends hours on what it could not keep.
    pub fn check(&self) -> Result<(), WriteError> {
        check_writable(&self.complete())
    }

    /// Writes results and says where they are. A complete file takes the place of a partial one;
    /// a partial one leaves a complete one of an earlier run alone.
    pub fn write(&self, results: &Results, partial: bool) -> Result<PathBuf, WriteError> {
        let path = if partial {
            self.partial()
        } else {
            self.complete()
        };
        let written = replace(&path, |file| fill(file, results)).and_then(|()| {
            if partial {
                Ok(())
            } else {
                remove_if_there(&self.partial())
            }
        });
        match written {
            Ok(()) => Ok(path),
            Err(source) => Err(WriteError { path, source }),
        }
    }
}

fn fill(file: &Path, results: &Results) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(file)?);
    json::write(&mut out, results)?;
    out.into_inner()
        .map_err(io::IntoInnerError::into_error)?
        .sync_all()
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
