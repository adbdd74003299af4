//! Files of results: written under another name, then renamed, so that no reader ever sees half
//! a file and no crash leaves one.
//!
//! Knows nothing of what is in them.

use super::json;
use super::results::Results;
use std::fs;
use std::fs::File;
use std::io;
use std::io::BufWriter;
use std::path::Path;
use std::path::PathBuf;

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to {path}: {source}", path = path.display())]
pub struct WriteError {
    path: PathBuf,
    source: io::Error,
}

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

    /// Makes the folder and proves that files can be made in it: to be asked before a run
    /// spends hours on what it could not keep.
    pub fn check(&self) -> Result<(), WriteError> {
        let probe = self.temporary();
        let tried = fs::create_dir_all(&self.folder)
            .and_then(|()| File::create(&probe))
            .and_then(|_| fs::remove_file(&probe));
        tried.map_err(|source| WriteError {
            path: self.folder.clone(),
            source,
        })
    }

    /// Writes results and says where they are. A complete file takes the place of a partial one;
    /// a partial one leaves a complete one of an earlier run alone.
    pub fn write(&self, results: &Results, partial: bool) -> Result<PathBuf, WriteError> {
        let path = if partial {
            self.partial()
        } else {
            self.complete()
        };
        let written = self.replace(&path, results).and_then(|()| {
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

    fn replace(&self, path: &Path, results: &Results) -> io::Result<()> {
        let temporary = self.temporary();
        let mut out = BufWriter::new(File::create(&temporary)?);
        json::write(&mut out, results)?;
        out.into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_all()?;
        fs::rename(&temporary, path)
    }

    fn temporary(&self) -> PathBuf {
        self.folder.join(format!(".{}_results.tmp", self.stem))
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
