//! Forgetting: what no run has used for long goes out of the journal, and its file becomes smaller.

use crate::engine::journal::journal::Journal;
use crate::engine::journal::journal::now;
use crate::engine::journal::runs::sign;
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
    /// what they cost stay. While a run goes on nothing is forgotten, and its number is given.
    ///
    /// # Errors
    ///
    /// Where the journal cannot be written, or another process uses it all the time.
    pub fn forget(&self, age: Duration) -> Result<Result<Forgotten, i64>, Failure> {
        let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        let before = now().saturating_sub(age);
        let bytes_before = bytes(self.path());
        let forgotten = self.store.write(Outlasts::Process, |change| {
            // None can begin before this is done.
            if let Some(run) = self.running(change)? {
                return Ok(Err(run));
            }
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
            Ok(Ok((answers, kept, tickets)))
        });
        let (answers, kept, tickets) = match forgotten.map_err(|error| self.unwritten(&error))? {
            Ok(forgotten) => forgotten,
            Err(run) => return Ok(Err(run)),
        };
        let shrunk = self.store.maintain(shrink);
        shrunk.map_err(|error| self.unwritten(&error))?;
        Ok(Ok(Forgotten {
            answers,
            kept: i64::unsigned_abs(kept),
            tickets,
            bytes_before,
            bytes_after: bytes(self.path()),
        }))
    }

    // A run that goes on.
    fn running(&self, connection: &Connection) -> rusqlite::Result<Option<i64>> {
        let mut select =
            connection.prepare("SELECT id FROM runs WHERE ended IS NULL ORDER BY id DESC")?;
        let runs: Vec<i64> = select
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        Ok(runs.into_iter().find(|run| self.is_held(&sign(*run))))
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
    use super::Forgotten;
    use crate::engine::answers::Answers;
    use crate::engine::journal::journal::Journal;
    use crate::engine::journal::runs::RunEnd;
    use crate::engine::journal::tests::samples;
    use std::path::Path;
    use std::thread;
    use std::time::Duration;
    use std::time::Instant;
    use tempfile::tempdir;

    const DONE: RunEnd = RunEnd {
        exit_code: 0,
        stopped: None,
    };

    fn forget(folder: &Path, age: u64) -> Forgotten {
        let journal = Journal::open(folder).unwrap();
        journal.forget(Duration::from_secs(age)).unwrap().unwrap()
    }

    fn age(journal: &Journal, uses: &str) {
        let long_ago = format!("UPDATE uses SET used = 0 {uses}; UPDATE tickets SET noted = 0");
        let aged = journal.store.maintain(|it| it.execute_batch(&long_ago));
        aged.unwrap();
    }

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
        age(&journal, "");
        drop(journal);
        // The next run looks one of them up.
        let journal = samples::journal(folder.path());
        assert!(journal.has(&samples::frame_key(2, 0)).unwrap());
        journal.note_ticket(&samples::ticket("new", &[0])).unwrap();
        journal.end(&DONE).unwrap();
        let forgotten = forget(folder.path(), 60);
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
        let rest = forget(folder.path(), 0);
        assert_eq!((rest.answers, rest.kept), (2, 0));
    }

    #[test]
    fn a_run_keeps_what_it_has_found_until_it_is_over() {
        let folder = tempdir().unwrap();
        samples::journal(folder.path()).end(&DONE).unwrap();
        let key = samples::frame_key(1, 0);
        let cleaner = Journal::open(folder.path()).unwrap();
        let (mut forgotten, mut refused) = (0, 0);
        thread::scope(|scope| {
            let runs = scope.spawn(|| {
                for _ in 0..12 {
                    let journal = samples::journal(folder.path());
                    if !journal.has(&key).unwrap() {
                        let answer = samples::noted(key, samples::objects(0));
                        journal.note_answers(&[answer]).unwrap();
                    }
                    for _ in 0..20 {
                        assert!(journal.has(&key).unwrap(), "it was taken away");
                    }
                    journal.end(&DONE).unwrap();
                }
            });
            while !runs.is_finished() {
                match cleaner.forget(Duration::ZERO).unwrap() {
                    Ok(it) => forgotten += it.answers,
                    Err(_) => refused += 1,
                }
            }
        });
        eprintln!("{forgotten} answers were forgotten; refused {refused} times");
        let journal = samples::journal(folder.path());
        assert_eq!(cleaner.forget(Duration::ZERO).unwrap(), Err(14));
        // As the end of a process ends its run.
        drop(journal);
        assert!(cleaner.forget(Duration::ZERO).unwrap().is_ok());
    }

    // 200 videos with 500 answers each, of which half were used long ago.
    fn fill(journal: &Journal) {
        let fill = "
            WITH RECURSIVE numbers(n) AS
                (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 200)
            INSERT INTO videos (id, digest) SELECT 1000 + n, 'video ' || n FROM numbers;
            INSERT INTO files SELECT digest, 1, 1, 1, '1', id FROM videos WHERE id > 1000;
            INSERT INTO uses SELECT id, 1, 9e15 FROM videos WHERE id > 1000;
            WITH RECURSIVE numbers(n) AS
                (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 500)
            INSERT INTO answers
                SELECT videos.id, 1, 1, n, -1, 1, NULL, randomblob(250) FROM videos, numbers
                WHERE videos.id > 1000";
        journal.store.maintain(|it| it.execute_batch(fill)).unwrap();
        age(journal, "WHERE video % 2 = 0");
    }

    #[test]
    fn half_of_a_hundred_thousand_answers_go_and_their_room_with_them() {
        let folder = tempdir().unwrap();
        let journal = samples::journal(folder.path());
        fill(&journal);
        journal.end(&DONE).unwrap();
        let begun = Instant::now();
        let half = forget(folder.path(), 60);
        let took = begun.elapsed();
        eprintln!("{half:?} in {took:?}");
        assert_eq!((half.answers, half.kept), (50_000, 50_000));
        assert!(half.bytes_before > 25_000_000, "{half:?}");
        assert!(half.bytes_after * 10 < half.bytes_before * 6, "{half:?}");
        let files = "SELECT count(*) FROM files";
        let files = journal
            .store
            .read(|it| it.query_row(files, [], |row| row.get::<_, i64>(0)));
        assert_eq!(files, Ok(100));
        let again = forget(folder.path(), 60);
        assert_eq!((again.answers, again.kept), (0, 50_000));
    }
}
