//! Files that are there whole or not at all: written under another name, then renamed.
//!
//! Knows nothing of what is in them.

use std::fs;
use std::fs::File;
use std::io;
use std::path::Path;
use std::path::PathBuf;

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to {path}: {source}", path = path.display())]
pub struct WriteError {
    pub(super) path: PathBuf,
    pub(super) source: io::Error,
}

/// Writes `bytes` to `path`, whose folder is made where it is not there. What stood there before
/// is replaced.
///
/// # Errors
///
/// Where the folder or the file cannot be written; nothing of it is left behind then.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    replace(path, |temporary| fs::write(temporary, bytes)).map_err(|source| WriteError {
        path: path.to_owned(),
        source,
    })
}

/// Makes the folder of `path` and proves that a file can be made there: to be asked before a run
/// spends hours on what it could not keep.
///
/// # Errors
///
/// Where it cannot.
pub fn check_writable(path: &Path) -> Result<(), WriteError> {
    let probe = temporary(path);
    let tried = make_folder(path)
        .and_then(|()| File::create(&probe))
        .and_then(|_| fs::remove_file(&probe));
    tried.map_err(|source| WriteError {
        path: path.parent().unwrap_or(path).to_owned(),
        source,
    })
}

/// Lets `fill` write a file, which then takes the name `path`.
pub(super) fn replace(path: &Path, fill: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let temporary = temporary(path);
    tracing::debug!(path = %path.display(), "writing");
    let written = make_folder(path)
        .and_then(|()| fill(&temporary))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // It may not even have been begun.
        fs::remove_file(&temporary).unwrap_or_default();
    }
    written
}

fn make_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => fs::create_dir_all(folder),
        None => Ok(()),
    }
}

// Hidden, and in the same folder: a name on another disk could not be renamed.
fn temporary(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = format!(".{name}.tmp");
    // The name itself may be as long as names can be.
    if temporary.len() > 255 {
        let digest = blake3::hash(name.as_bytes()).to_hex();
        return path.with_file_name(format!(".{digest}.tmp"));
    }
    path.with_file_name(temporary)
}
