//! Which file is which video: a video is known by its content, a file by its path, size and time.

use crate::engine::journal::journal::Journal;
use crate::engine::journal::journal::KnownVideo;
use crate::engine::journal::store::Outlasts;
use crate::engine::journal::store::lock;
use crate::failure::Failure;
use crate::name::VideoId;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::params;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

/// A file that was written this short a time ago may be written again without a later time.
const SETTLED: Duration = Duration::from_secs(2);

/// A file as it stands on the disk: while its stamp is the same, so is its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStamp {
    path: PathBuf,
    bytes: u64,
    modified: i64,
    is_settled: bool,
}

impl FileStamp {
    /// The stamp of the plain file at `path`.
    ///
    /// # Errors
    ///
    /// Where it cannot be looked at.
    pub fn of(path: &Path) -> io::Result<Self> {
        let about = fs::metadata(path)?;
        let modified = about.modified()?;
        let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
        let age = SystemTime::now().duration_since(modified);
        Ok(Self {
            path: fs::canonicalize(path)?,
            bytes: about.len(),
            modified: i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
            is_settled: about.is_file() && age.is_ok_and(|age| age >= SETTLED),
        })
    }

    // No path that is text is the same as another that is not.
    fn name(&self) -> String {
        match self.path.to_str() {
            Some(path) => path.to_owned(),
            None => format!("{:?}", self.path),
        }
    }
}

impl Journal {
    /// The digest of the content that `file` had when it was last read; `None` where it is not
    /// known, or may have changed.
    ///
    /// # Errors
    ///
    /// Where that cannot be read.
    pub fn remembered(&self, file: &FileStamp) -> Result<Option<String>, Failure> {
        if !file.is_settled {
            return Ok(None);
        }
        let digest = self.store.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT videos.digest FROM files JOIN videos ON videos.id = video
                    WHERE path = ?1 AND files.bytes = ?2 AND modified = ?3",
            )?;
            let bytes = file.bytes.cast_signed();
            let digest = select.query_row(params![file.name(), bytes, file.modified], |row| {
                row.get::<_, Option<String>>(0)
            });
            digest.optional()
        });
        let digest = digest.map_err(|error| self.unread(&error))?;
        Ok(digest.flatten())
    }

    /// Remembers that the content of `file` has this digest.
    ///
    /// # Errors
    ///
    /// Where that cannot be kept.
    pub fn remember(&self, file: &FileStamp, digest: &str) -> Result<(), Failure> {
        if !file.is_settled {
            return Ok(());
        }
        let bytes = file.bytes.cast_signed();
        let kept = self.store.write(Outlasts::Process, |change| {
            let video = number_video(change, digest)?;
            change.execute("UPDATE videos SET bytes = ?1 WHERE id = ?2", [bytes, video])?;
            change.execute(
                "INSERT OR REPLACE INTO files (path, bytes, modified, video)
                    VALUES (?1, ?2, ?3, ?4)",
                params![file.name(), bytes, file.modified, video],
            )
        });
        kept.map(drop).map_err(|error| self.unwritten(&error))
    }

    /// From here on what is looked up and noted of `video` is that of the content with this digest.
    ///
    /// # Errors
    ///
    /// Where that cannot be kept.
    pub fn name_video(&self, video: VideoId, digest: &str) -> Result<(), Failure> {
        let number = self
            .store
            .write(Outlasts::Process, |change| number_video(change, digest));
        let number = number.map_err(|error| self.unwritten(&error))?;
        let digest = digest.into();
        lock(&self.videos).insert(video, KnownVideo { number, digest });
        Ok(())
    }

    /// The same for a reader, which changes nothing.
    ///
    /// # Errors
    ///
    /// Where it cannot be read.
    pub fn find_video(&self, video: VideoId, digest: &str) -> Result<(), Failure> {
        let number = self
            .store
            .read(|connection| video_number(connection, digest));
        if let Some(number) = number.map_err(|error| self.unread(&error))? {
            let digest = digest.into();
            lock(&self.videos).insert(video, KnownVideo { number, digest });
        }
        Ok(())
    }
}

fn video_number(connection: &Connection, digest: &str) -> rusqlite::Result<Option<i64>> {
    let mut select = connection.prepare_cached("SELECT id FROM videos WHERE digest = ?1")?;
    select.query_row([digest], |row| row.get(0)).optional()
}

fn number_video(change: &Connection, digest: &str) -> rusqlite::Result<i64> {
    if let Some(number) = video_number(change, digest)? {
        return Ok(number);
    }
    change.execute("INSERT INTO videos (digest) VALUES (?1)", [digest])?;
    Ok(change.last_insert_rowid())
}

#[cfg(test)]
mod tests {
    use super::FileStamp;
    use crate::engine::journal::journal::Journal;
    use std::fs;
    use std::fs::File;
    use std::time::Duration;
    use std::time::SystemTime;
    use tempfile::tempdir;

    #[test]
    fn a_file_is_known_while_its_stamp_is_the_same() {
        let folder = tempdir().unwrap();
        let journal = Journal::open(&folder.path().join("state")).unwrap();
        let path = folder.path().join("a.mp4");
        let hour = Duration::from_secs(3600);
        let write = |text: &str, age: Duration| {
            fs::write(&path, text).unwrap();
            let file = File::options().write(true).open(&path).unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
            FileStamp::of(&path).unwrap()
        };
        let stamp = write("abc", hour);
        assert_eq!(journal.remembered(&stamp).unwrap(), None);
        journal.remember(&stamp, "1").unwrap();
        let same = FileStamp::of(&path).unwrap();
        assert_eq!(journal.remembered(&same).unwrap().as_deref(), Some("1"));
        for other in [write("abcd", hour), write("abc", 2 * hour)] {
            assert_eq!(journal.remembered(&other).unwrap(), None);
        }
        // The next write may not change the time of a file that was just written.
        let new = write("xyz", Duration::ZERO);
        journal.remember(&new, "2").unwrap();
        assert_eq!(journal.remembered(&new).unwrap(), None);
    }
}
