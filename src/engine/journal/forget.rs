//! Forgetting: what no run has used for long goes out of the journal, and its file becomes smaller.

use crate::engine::journal::journal::Journal;
use crate::engine::journal::journal::now;
use crate::engine::journal::store::Outlasts;
use crate::failure::Failure;
use rusqlite::Connection;
use serde::Serialize;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// What was forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Forgotten {
    /// Answers.
    pub answers: u64,
    /// Answers that stay.
    pub kept: u64,
    /// Jobs at a server whose answers nobody came for.
    pub tickets: u64,
    /// Bytes of the journal before.
    pub bytes_before: u64,
    /// Bytes of it now.
    pub bytes_after: u64,
}

impl Journal {
    /// Forgets the answers that no run has used for `age`, and the tickets that are as old. Runs and
    /// what they cost stay.
    ///
    /// # Errors
    ///
    /// Where the journal cannot be written, or another process uses it all the time.
    pub fn forget(&self, age: Duration) -> Result<Forgotten, Failure> {
        let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        let before = now().saturating_sub(age);
        let bytes_before = bytes(self.path());
        let forgotten = self.store.write(Outlasts::Process, |change| {
            let delete = |text: &str| change.execute(text, [before]).map(|it| it as u64);
            let answers = delete(
                "DELETE FROM answers WHERE NOT EXISTS (SELECT 1 FROM uses
                    WHERE uses.video = answers.video AND uses.stage = answers.stage AND used > ?1)",
            )?;
            let tickets = delete("DELETE FROM tickets WHERE noted <= ?1")?;
            delete("DELETE FROM uses WHERE used <= ?1")?;
            // Names and addresses that nothing refers to any more. Digests stay: a run that has just
            // begun has their numbers.
            change.execute_batch(
                "DELETE FROM files WHERE video NOT IN (SELECT video FROM answers);
                DELETE FROM origins WHERE id NOT IN
                    (SELECT origin FROM answers WHERE origin IS NOT NULL);",
            )?;
            let kept = change.query_row("SELECT count(*) FROM answers", [], |row| row.get(0))?;
            Ok((answers, kept, tickets))
        });
        let (answers, kept, tickets) = forgotten.map_err(|error| self.unwritten(&error))?;
        let shrunk = self.store.maintain(shrink);
        shrunk.map_err(|error| self.unwritten(&error))?;
        Ok(Forgotten {
            answers,
            kept: i64::unsigned_abs(kept),
            tickets,
            bytes_before,
            bytes_after: bytes(self.path()),
        })
    }
}

fn shrink(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("VACUUM")?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

fn bytes(path: &Path) -> u64 {
    let mut beside = path.as_os_str().to_owned();
    beside.push("-wal");
    let size = |path: &Path| fs::metadata(path).map_or(0, |about| about.len());
    size(path) + size(Path::new(&beside))
}

#[cfg(test)]
mod tests {
    use crate::engine::answers::Answers;
    use crate::engine::journal::journal::Journal;
    use crate::engine::journal::tests::samples;
    use std::time::Duration;
    use tempfile::tempdir;

    #[test]
    fn what_was_used_stays_and_what_was_not_goes() {
        let folder = tempdir().unwrap();
        let journal = samples::journal(folder.path());
        let frame = |stage, pts| {
            let key = samples::frame_key(stage, pts);
            samples::noted(key, samples::objects(pts))
        };
        let many: Vec<_> = (0..1_000).map(|pts| frame(1, pts)).collect();
        journal.note_answers(&many).unwrap();
        journal.note_answers(&[frame(2, 0), frame(3, 0)]).unwrap();
        journal.note_ticket(&samples::ticket("old", &[0])).unwrap();
        let long_ago = "UPDATE uses SET used = 0; UPDATE tickets SET noted = 0";
        journal
            .store
            .maintain(|it| it.execute_batch(long_ago))
            .unwrap();
        drop(journal);
        // The next run looks one of them up.
        let journal = samples::journal(folder.path());
        assert!(journal.has(&samples::frame_key(2, 0)).unwrap());
        journal.note_ticket(&samples::ticket("new", &[0])).unwrap();
        let forgotten = journal.forget(Duration::from_secs(60)).unwrap();
        assert_eq!(
            (forgotten.answers, forgotten.kept, forgotten.tickets),
            (1_001, 1, 1)
        );
        assert!(
            forgotten.bytes_after < forgotten.bytes_before / 2,
            "{forgotten:?}"
        );
        let here = |journal: &Journal| {
            [1, 2, 3].map(|stage| journal.has(&samples::frame_key(stage, 0)).unwrap())
        };
        assert_eq!(here(&journal), [false, true, false]);
        assert_eq!(journal.open_tickets().unwrap().len(), 1);
        assert_eq!(journal.history(None).unwrap().len(), 2);
        journal.note_answers(&[frame(1, 7)]).unwrap();
        assert!(journal.has(&samples::frame_key(1, 7)).unwrap());
        let rest = journal.forget(Duration::ZERO).unwrap();
        assert_eq!((rest.answers, rest.kept), (2, 0));
    }
}
