//! Which file is which video: a video is known by its content, a file by its stamp.
//!
//! While the content of a file is not known yet, what is noted of it stands under its stamp, so that
//! nothing is lost if the process ends first. Once it is known, all of that is noted of the content.

use crate::answer::StageDigest;
use crate::engine::journal::content;
use crate::engine::journal::journal::Journal;
use crate::engine::journal::journal::KnownVideo;
use crate::engine::journal::journal::about;
use crate::engine::journal::stamp::FileStamp;
use crate::engine::journal::store::Outlasts;
use crate::facts::VideoContent;
use crate::failure::Failure;
use crate::name::VideoId;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::params;

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
        let found = self.store.read(|connection| find_file(connection, file));
        let found = found.map_err(|error| self.unread(&error))?;
        Ok(found.and_then(|(_, digest)| digest))
    }

    /// Whether anything may be known of a file of so many bytes, whatever is in it.
    ///
    /// # Errors
    ///
    /// Where that cannot be read.
    pub fn may_know(&self, bytes: u64) -> Result<bool, Failure> {
        let known = self.store.read(|connection| {
            let select = "SELECT EXISTS (SELECT 1 FROM videos WHERE bytes = ?1 OR bytes IS NULL)";
            let mut select = connection.prepare_cached(select)?;
            select.query_row([bytes.cast_signed()], |row| row.get(0))
        });
        known.map_err(|error| self.unread(&error))
    }

    /// Remembers that `file` has this content.
    ///
    /// # Errors
    ///
    /// Where that cannot be kept.
    pub fn remember(&self, file: &FileStamp, content: &VideoContent) -> Result<(), Failure> {
        if !file.is_settled {
            return Ok(());
        }
        let kept = self.store.write(Outlasts::Process, |change| {
            // What a run has noted that ended before it knew the content.
            if let Some((unread, None)) = find_file(change, file)? {
                return make_known(change, unread, file, content).map(drop);
            }
            let video = number_video(change, content)?;
            note_file(change, file, video)
        });
        kept.map_err(|error| self.unwritten(&error))
    }

    /// From here on what is looked up and noted of `video` is that of this content.
    ///
    /// # Errors
    ///
    /// Where that cannot be kept.
    pub fn name_video(&self, video: VideoId, content: &VideoContent) -> Result<(), Failure> {
        let number = self
            .store
            .write(Outlasts::Process, |change| number_video(change, content));
        let number = number.map_err(|error| self.unwritten(&error))?;
        let name = content.digest.as_str().into();
        self.videos_mut().insert(video, KnownVideo { number, name });
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
            let name = digest.into();
            self.videos_mut().insert(video, KnownVideo { number, name });
        }
        Ok(())
    }

    /// From here on what is noted of `video` is of what is in `file`, which has not been read yet.
    ///
    /// # Errors
    ///
    /// Where that cannot be kept.
    pub fn name_unread(&self, video: VideoId, file: &FileStamp) -> Result<(), Failure> {
        let number = self.store.write(Outlasts::Process, |change| {
            let mut insert = change.prepare_cached("INSERT INTO videos (bytes) VALUES (?1)")?;
            insert.execute([file.bytes.cast_signed()])?;
            let number = change.last_insert_rowid();
            note_file(change, file, number)?;
            Ok(number)
        });
        let number = number.map_err(|error| self.unwritten(&error))?;
        let name = file.key().into();
        self.videos_mut().insert(video, KnownVideo { number, name });
        Ok(())
    }

    /// What was and will be noted of `video`, whose `file` had not been read, is of this content.
    ///
    /// # Errors
    ///
    /// Where that cannot be kept.
    pub fn name_read(
        &self,
        video: VideoId,
        file: &FileStamp,
        content: &VideoContent,
    ) -> Result<(), Failure> {
        // Nothing is noted under the old name meanwhile.
        let mut videos = self.videos_mut();
        let Some(known) = videos.get_mut(&video) else {
            return Ok(());
        };
        let number = self.store.write(Outlasts::Process, |change| {
            make_known(change, known.number, file, content)
        });
        let number = number.map_err(|error| self.unwritten(&error))?;
        let name = content.digest.as_str().into();
        *known = KnownVideo { number, name };
        Ok(())
    }
}

// The number and the digest of what is in a file, by its stamp.
fn find_file(
    connection: &Connection,
    file: &FileStamp,
) -> rusqlite::Result<Option<(i64, Option<String>)>> {
    let mut select = connection.prepare_cached(
        "SELECT videos.id, videos.digest FROM files JOIN videos ON videos.id = video
            WHERE path = ?1 AND files.bytes = ?2 AND modified = ?3 AND changed = ?4 AND file = ?5",
    )?;
    let bytes = file.bytes.cast_signed();
    let stamp = params![file.name(), bytes, file.modified, file.changed, file.file];
    let found = select.query_row(stamp, |row| Ok((row.get(0)?, row.get(1)?)));
    found.optional()
}

fn note_file(change: &Connection, file: &FileStamp, video: i64) -> rusqlite::Result<()> {
    let mut insert = change.prepare_cached(
        "INSERT OR REPLACE INTO files (path, bytes, modified, changed, file, video)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let bytes = file.bytes.cast_signed();
    let (name, modified, changed) = (file.name(), file.modified, file.changed);
    insert.execute(params![name, bytes, modified, changed, file.file, video])?;
    Ok(())
}

// Gives what stands under the stamp of `file` to its content, whose number is the result.
fn make_known(
    change: &Connection,
    unread: i64,
    file: &FileStamp,
    content: &VideoContent,
) -> rusqlite::Result<i64> {
    let known = video_number(change, &content.digest)?;
    let video = known.unwrap_or(unread);
    rename_answers(change, unread, &file.key(), video, &content.digest)?;
    if video == unread {
        let digest = "UPDATE videos SET digest = ?2 WHERE id = ?1";
        change.execute(digest, params![video, content.digest])?;
    } else {
        // Its number stays taken: another process may still note something under it.
        for text in [
            "UPDATE tickets SET video = ?2 WHERE video = ?1",
            "UPDATE OR REPLACE uses SET video = ?2 WHERE video = ?1",
        ] {
            change.execute(text, [unread, video])?;
        }
    }
    let bytes = content.bytes.cast_signed();
    change.execute("UPDATE videos SET bytes = ?1 WHERE id = ?2", [bytes, video])?;
    note_file(change, file, video)?;
    Ok(video)
}

// Each answer says what it is about, so each is written anew.
fn rename_answers(
    change: &Connection,
    from: i64,
    from_name: &str,
    to: i64,
    to_name: &str,
) -> rusqlite::Result<()> {
    let mut select = change.prepare(
        "SELECT stages.digest, stage, kind, first, second, run, origin, content
            FROM answers JOIN stages ON stages.id = stage WHERE video = ?1",
    )?;
    let rows = select.query_map([from], |row| {
        let digest = StageDigest(row.get(0)?);
        let place: [i64; 3] = [row.get(2)?, row.get(3)?, row.get(4)?];
        let content: Vec<u8> = row.get(7)?;
        let stage: i64 = row.get(1)?;
        let (run, origin): (i64, Option<i64>) = (row.get(5)?, row.get(6)?);
        Ok((digest, stage, place, run, origin, content))
    })?;
    let rows: Vec<_> = rows.collect::<rusqlite::Result<_>>()?;
    change.execute("DELETE FROM answers WHERE video = ?1", [from])?;
    let mut insert = change.prepare(
        "INSERT OR REPLACE INTO answers (video, stage, kind, first, second, run, origin, content)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for (digest, stage, place, run, origin, bytes) in rows {
        let [from, about_now] = [from_name, to_name].map(|name| about(name, &digest, place));
        // What is damaged is no answer.
        if let Some(bytes) = content::renamed(&from, &about_now, bytes) {
            let [kind, first, second] = place;
            insert.execute(params![to, stage, kind, first, second, run, origin, bytes])?;
        }
    }
    Ok(())
}

fn video_number(connection: &Connection, digest: &str) -> rusqlite::Result<Option<i64>> {
    let mut select = connection.prepare_cached("SELECT id FROM videos WHERE digest = ?1")?;
    select.query_row([digest], |row| row.get(0)).optional()
}

fn number_video(change: &Connection, content: &VideoContent) -> rusqlite::Result<i64> {
    let bytes = content.bytes.cast_signed();
    if let Some(number) = video_number(change, &content.digest)? {
        // Older journals do not have it.
        let size = "UPDATE videos SET bytes = ?2 WHERE id = ?1 AND bytes IS NULL";
        change.prepare_cached(size)?.execute([number, bytes])?;
        return Ok(number);
    }
    let mut insert = change.prepare_cached("INSERT INTO videos (digest, bytes) VALUES (?1, ?2)")?;
    insert.execute(params![content.digest, bytes])?;
    Ok(change.last_insert_rowid())
}
