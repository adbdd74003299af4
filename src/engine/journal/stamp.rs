//! The stamp of a file: while it is the same, so is what is in the file.

use file_id::FileId;
use file_id::get_file_id;
use std::fs;
use std::fs::Metadata;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

/// A file that was written this short a time ago may be written again without a later time.
const SETTLED: Duration = Duration::from_secs(2);

/// A file as it stands on the disk.
///
/// The time of a file can be set back by whoever writes it, and two files of one size and time may
/// change names; so its number on the disk is a part, and where the system keeps it, the time at
/// which anything about it was changed.
#[derive(Clone, Debug)]
pub struct FileStamp {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    // Nanoseconds since 1970.
    pub(super) modified: i64,
    pub(super) changed: i64,
    pub(super) file: String,
    // Whether the next change will show; no part of what the file is.
    pub(super) is_settled: bool,
}

impl FileStamp {
    /// The stamp of the plain file at `path`.
    ///
    /// # Errors
    ///
    /// Where it cannot be looked at.
    pub fn of(path: &Path) -> io::Result<Self> {
        let about = fs::metadata(path)?;
        let (modified, changed) = (about.modified()?, changed(&about)?);
        let age = SystemTime::now().duration_since(modified.max(changed));
        Ok(Self {
            path: fs::canonicalize(path)?,
            bytes: about.len(),
            modified: nanoseconds(modified),
            changed: nanoseconds(changed),
            file: number(&get_file_id(path)?),
            is_settled: about.is_file() && age.is_ok_and(|age| age >= SETTLED),
        })
    }

    /// The size of the file.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether a change of the file from here on shows in its stamp; not where it has only just
    /// been written.
    pub fn is_settled(&self) -> bool {
        self.is_settled
    }

    /// Whether the file is still as it was.
    pub fn is_current(&self) -> bool {
        let now = Self::of(&self.path);
        now.is_ok_and(|now| now.key() == self.key())
    }

    // No path that is text is the same as another that is not.
    pub(super) fn name(&self) -> String {
        match self.path.to_str() {
            Some(path) => path.to_owned(),
            None => format!("{:?}", self.path),
        }
    }

    /// What stands for the content of the file until that is known.
    pub(super) fn key(&self) -> String {
        let Self {
            bytes,
            modified,
            changed,
            file,
            ..
        } = self;
        format!("{} {bytes} {modified} {changed} {file}", self.name())
    }
}

fn nanoseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

// Without that of its disk, which may be another after the next start of the machine.
fn number(file: &FileId) -> String {
    match file {
        FileId::Inode { inode_number, .. } => inode_number.to_string(),
        FileId::LowRes { file_index, .. } => file_index.to_string(),
        FileId::HighRes { file_id, .. } => file_id.to_string(),
    }
}

// The name counts too: who takes it away or gives it back changes this time.
#[cfg(unix)]
fn changed(about: &Metadata) -> io::Result<SystemTime> {
    use std::os::unix::fs::MetadataExt;
    let seconds = u64::try_from(about.ctime()).unwrap_or_default();
    let rest = u32::try_from(about.ctime_nsec()).unwrap_or_default();
    Ok(UNIX_EPOCH + Duration::new(seconds, rest))
}

// Windows keeps such a time too, and the standard library does not tell it.
#[cfg(not(unix))]
fn changed(about: &Metadata) -> io::Result<SystemTime> {
    about.modified()
}
