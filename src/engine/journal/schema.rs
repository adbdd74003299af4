//! The tables of the journal, and how an older format becomes today's.

use rusqlite::Connection;
use rusqlite::Transaction;
use rusqlite::TransactionBehavior;

/// The format that this program writes.
pub(super) const FORMAT: i64 = STEPS.len() as i64;

/// What tells the file of a journal from other SQLite files: `vpip`.
const APPLICATION: i64 = 0x7670_6970;

// Each leads from one format to the next. What is published is never changed.
const STEPS: &[&str] = &[FORMAT_1, FORMAT_2];

// An answer has the numbers of a video and a stage for their digests, which stand here once.
// `kind`, `first` and `second` are the extent: 0 the whole; 1 a frame, its time stamp, and the
// object that was cut around or -1; 2 sound, its first sample, and the one after its last.
// `digest` of a video is null while it is not known yet. Times are milliseconds since 1970.
const FORMAT_1: &str = "
    CREATE TABLE videos (
        id INTEGER PRIMARY KEY,
        digest TEXT UNIQUE,
        bytes INTEGER
    );
    CREATE TABLE files (
        path TEXT PRIMARY KEY,
        bytes INTEGER NOT NULL,
        modified INTEGER NOT NULL,
        video INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE stages (
        id INTEGER PRIMARY KEY,
        digest BLOB NOT NULL UNIQUE
    );
    CREATE TABLE origins (
        id INTEGER PRIMARY KEY,
        text TEXT NOT NULL UNIQUE
    );
    CREATE TABLE answers (
        video INTEGER NOT NULL,
        stage INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        first INTEGER NOT NULL,
        second INTEGER NOT NULL,
        run INTEGER NOT NULL,
        origin INTEGER,
        content BLOB NOT NULL,
        PRIMARY KEY (video, stage, kind, first, second)
    ) WITHOUT ROWID;
    CREATE TABLE uses (
        video INTEGER NOT NULL,
        stage INTEGER NOT NULL,
        used INTEGER NOT NULL,
        PRIMARY KEY (video, stage)
    ) WITHOUT ROWID;
    CREATE TABLE tickets (
        id INTEGER PRIMARY KEY,
        ticket TEXT NOT NULL,
        address TEXT NOT NULL,
        backend TEXT NOT NULL,
        video INTEGER NOT NULL,
        stage INTEGER NOT NULL,
        question TEXT NOT NULL,
        run INTEGER NOT NULL,
        noted INTEGER NOT NULL,
        UNIQUE (ticket, address)
    );
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        started INTEGER NOT NULL,
        ended INTEGER,
        recipe TEXT NOT NULL,
        recipe_digest TEXT NOT NULL,
        exit_code INTEGER,
        stopped TEXT
    );
    CREATE TABLE run_inputs (
        run INTEGER NOT NULL,
        place INTEGER NOT NULL,
        path TEXT NOT NULL,
        state INTEGER NOT NULL,
        why TEXT,
        PRIMARY KEY (run, place)
    ) WITHOUT ROWID;
    CREATE TABLE spending (
        run INTEGER NOT NULL,
        place INTEGER NOT NULL,
        stage TEXT NOT NULL,
        requests INTEGER NOT NULL,
        worker_seconds REAL NOT NULL,
        cost REAL,
        PRIMARY KEY (run, place, stage)
    ) WITHOUT ROWID;
    CREATE TABLE holders (
        place TEXT PRIMARY KEY,
        pid INTEGER NOT NULL,
        host TEXT NOT NULL,
        since INTEGER NOT NULL
    ) WITHOUT ROWID;
";

// What a file is known by, besides its size and time: when anything about it was changed, and its
// number on the disk. `modified` and `changed` are nanoseconds since 1970. The video of a file that
// was not read yet has no digest. What older files were is forgotten: they are read once more.
const FORMAT_2: &str = "
    DROP TABLE files;
    CREATE TABLE files (
        path TEXT PRIMARY KEY,
        bytes INTEGER NOT NULL,
        modified INTEGER NOT NULL,
        changed INTEGER NOT NULL,
        file TEXT NOT NULL,
        video INTEGER NOT NULL
    ) WITHOUT ROWID;
";

/// The format of an open file; `None` where it is a journal of nobody's.
pub(super) fn format(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    let number = |pragma| connection.query_row(pragma, [], |row| row.get::<_, i64>(0));
    let (application, format) = (
        number("PRAGMA application_id")?,
        number("PRAGMA user_version")?,
    );
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    Ok(match application {
        APPLICATION => Some(format),
        // A file that is new.
        0 if format == 0 && tables == 0 => Some(0),
        _ => None,
    })
}

/// Whether the tables of an open file are those of its format, as they were made.
pub(super) fn is_whole(connection: &Connection) -> rusqlite::Result<bool> {
    let made = Connection::open_in_memory()?;
    for step in STEPS {
        made.execute_batch(step)?;
    }
    Ok(tables(connection)? == tables(&made)?)
}

fn tables(connection: &Connection) -> rusqlite::Result<Vec<(String, Option<String>)>> {
    let mut select = connection.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name")?;
    let tables = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    tables.collect()
}

/// Brings an open file of an older format, or a new one, to today's.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let change = Transaction::new(connection, TransactionBehavior::Immediate)?;
    let from = format(&change)?.unwrap_or(FORMAT);
    for step in STEPS.iter().skip(usize::try_from(from).unwrap_or(0)) {
        change.execute_batch(step)?;
    }
    change.pragma_update(None, "application_id", APPLICATION)?;
    change.pragma_update(None, "user_version", FORMAT)?;
    change.commit()
}

#[cfg(test)]
mod tests {
    use super::APPLICATION;
    use super::FORMAT;
    use super::STEPS;
    use super::format;
    use super::is_whole;
    use super::migrate;
    use rusqlite::Connection;

    #[test]
    fn every_older_format_becomes_the_one_of_today() {
        for old in 0..=STEPS.len() {
            let mut connection = Connection::open_in_memory().unwrap();
            for step in &STEPS[..old] {
                connection.execute_batch(step).unwrap();
            }
            if old > 0 {
                let set = |name, value| connection.pragma_update(None, name, value).unwrap();
                set("application_id", APPLICATION);
                set("user_version", old as i64);
                let video = "INSERT INTO videos (id, digest) VALUES (7, 'd')";
                connection.execute_batch(video).unwrap();
            }
            assert_eq!(format(&connection).unwrap(), Some(old as i64));
            migrate(&mut connection).unwrap();
            assert_eq!(format(&connection).unwrap(), Some(FORMAT));
            assert!(is_whole(&connection).unwrap());
            let videos = "SELECT count(*) FROM videos";
            let videos: i64 = connection.query_row(videos, [], |row| row.get(0)).unwrap();
            assert_eq!(videos, i64::from(old > 0));
        }
    }
}
