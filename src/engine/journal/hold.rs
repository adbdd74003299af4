//! Holds: one process at a time writes a video or a file of results.
//!
//! The system gives a lock back when its process ends, however it ends. Who has it stands in the
//! journal, for those who come second.

use crate::engine::journal::journal::Journal;
use crate::engine::journal::journal::now;
use crate::engine::journal::store::Outlasts;
use crate::engine::journal::store::own_file;
use crate::failure::Class;
use crate::failure::Failure;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::params;
use std::fs;
use std::fs::File;
use std::fs::TryLockError;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::process;

/// A place that is this process's own until the hold is dropped.
#[derive(Debug)]
pub struct Hold {
    // `None` where the file system knows no locks.
    _file: Option<File>,
}

/// Who has a place that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The number of the process; `None` where it has not said so yet.
    pub pid: Option<u32>,
    /// The name of its machine.
    pub host: Option<String>,
    /// Since when, in milliseconds since 1970.
    pub since: Option<i64>,
}

impl Journal {
    /// Takes a place, such as a file of results or the digest of a video; or says who has it.
    ///
    /// # Errors
    ///
    /// Where that cannot be found out.
    pub fn hold(&self, place: &str) -> Result<Result<Hold, Held>, Failure> {
        let Some(hold) = self.lock_place(place)? else {
            return self.holder(place).map(Err);
        };
        let noted = self
            .store
            .write(Outlasts::Process, |change| note_holder(change, place));
        noted.map_err(|error| self.unwritten(&error))?;
        Ok(Ok(hold))
    }

    /// Takes a place and notes nothing; `None` where somebody has it.
    pub(super) fn lock_place(&self, place: &str) -> Result<Option<Hold>, Failure> {
        let path = self.lock_path(place);
        let failed = |error: io::Error| {
            let message = format!("{} cannot be locked: {error}", path.display());
            Failure::new(Class::Disk, message)
        };
        let file = lock_file(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Hold { _file: Some(file) })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                Ok(Some(Hold { _file: None }))
            }
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Whether a process has `place`.
    pub(super) fn is_held(&self, place: &str) -> bool {
        let path = self.lock_path(place);
        let file = match path.exists() {
            true => own_file(&path),
            false => return false,
        };
        file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// Forgets the lock of a place that nobody will ask for again.
    pub(super) fn forget_hold(&self, place: &str) {
        // It is empty, and the next who cleans finds it again.
        fs::remove_file(self.lock_path(place)).unwrap_or_default();
    }

    fn holder(&self, place: &str) -> Result<Held, Failure> {
        let holder = self.store.read(|connection| {
            let select = "SELECT pid, host, since FROM holders WHERE place = ?1";
            let holder = connection.query_row(select, [place], |row| {
                Ok(Held {
                    pid: row.get(0)?,
                    host: row.get(1)?,
                    since: row.get(2)?,
                })
            });
            holder.optional()
        });
        let holder = holder.map_err(|error| self.unread(&error))?;
        Ok(holder.unwrap_or(Held {
            pid: None,
            host: None,
            since: None,
        }))
    }

    fn lock_path(&self, place: &str) -> PathBuf {
        let digest = blake3::hash(place.as_bytes()).to_hex();
        let name: String = digest.chars().take(16).collect();
        let folder = self.path().parent().unwrap_or(Path::new("."));
        folder.join("locks").join(name)
    }
}

/// Notes that this process has `place`.
pub(super) fn note_holder(change: &Connection, place: &str) -> rusqlite::Result<()> {
    change.execute(
        "INSERT OR REPLACE INTO holders (place, pid, host, since) VALUES (?1, ?2, ?3, ?4)",
        params![place, process::id(), host(), now()],
    )?;
    Ok(())
}

fn lock_file(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    own_file(path)
}

fn host() -> String {
    gethostname::gethostname().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use crate::engine::journal::journal::Journal;
    use std::process;
    use tempfile::tempdir;

    #[test]
    fn a_place_is_of_one_at_a_time() {
        let folder = tempdir().unwrap();
        let [one, other] = [(); 2].map(|()| Journal::open(folder.path()).unwrap());
        let hold = one.hold("output/a_results.json").unwrap().unwrap();
        let held = other.hold("output/a_results.json").unwrap().unwrap_err();
        assert_eq!(held.pid, Some(process::id()));
        assert!(held.since.is_some());
        assert!(held.host.is_some());
        assert!(other.is_held("output/a_results.json"));
        assert!(other.hold("output/b_results.json").unwrap().is_ok());
        drop(hold);
        // As after the end of a process, whose words still stand in the journal.
        assert!(!other.is_held("output/a_results.json"));
        assert!(other.hold("output/a_results.json").unwrap().is_ok());
    }
}
