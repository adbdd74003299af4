//! The file of the journal: how it is opened, written and read.
//!
//! One connection writes; those that read are as many as threads read at once, and none waits for
//! the disk of the one that writes.

use crate::engine::journal::error::JournalError;
use crate::engine::journal::schema;
use rusqlite::Connection;
use rusqlite::ErrorCode;
use rusqlite::OpenFlags;
use rusqlite::Transaction;
use rusqlite::TransactionBehavior;
use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

/// How long the work of another process is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// The largest file that is read whole before it is believed.
const CHECKED: u64 = 64 << 20;

/// What a write outlasts once it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outlasts {
    /// The end of this process.
    Process,
    /// A loss of power.
    Power,
}

/// An open file.
pub(super) struct Store {
    path: PathBuf,
    writer: Mutex<Writer>,
    readers: Mutex<Vec<Connection>>,
}

struct Writer {
    connection: Connection,
    outlasts: Option<Outlasts>,
}

// What the names of the files of SQLite end in that stand beside a database.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// A store, and the file that a damaged one was set aside as.
pub(super) struct Opened {
    pub(super) store: Store,
    pub(super) set_aside: Option<PathBuf>,
}

impl Store {
    /// Opens the journal at `path`, or makes one. One that is damaged is set aside.
    pub(super) fn open(path: &Path) -> Result<Opened, JournalError> {
        let unusable = |error: io::Error| JournalError::Unusable {
            path: path.to_owned(),
            why: error.to_string(),
        };
        let folder = path.parent().unwrap_or(Path::new("."));
        make_folder(folder).map_err(unusable)?;
        // One process at a time makes a file, brings it up to date or sets it aside.
        let opening = own_file(&path.with_extension("lock")).map_err(unusable)?;
        locked(&opening).map_err(unusable)?;
        let (store, set_aside) = match Self::try_open(path) {
            Err(JournalError::Damaged { .. }) => {
                let aside = set_aside(path).map_err(unusable)?;
                (Self::try_open(path)?, Some(aside))
            }
            opened => (opened?, None),
        };
        Ok(Opened { store, set_aside })
    }

    /// Opens the journal at `path` where there is one.
    pub(super) fn open_existing(path: &Path) -> Result<Option<Self>, JournalError> {
        match fs::symlink_metadata(path) {
            Err(error) if is_absent(&error) => Ok(None),
            _ => Self::try_open(path).map(Some),
        }
    }

    fn try_open(path: &Path) -> Result<Self, JournalError> {
        let refused = |error: rusqlite::Error| refused(path, &error);
        let damaged = |why: &str| JournalError::Damaged {
            path: path.to_owned(),
            why: why.to_owned(),
        };
        plain(path).map_err(|error| JournalError::Unusable {
            path: path.to_owned(),
            why: error.to_string(),
        })?;
        let mut connection = connect(path).map_err(refused)?;
        match schema::format(&connection).map_err(refused)? {
            None => return Err(damaged("it is a file of another program")),
            Some(format) if format > schema::FORMAT => {
                return Err(JournalError::Newer {
                    path: path.to_owned(),
                    format,
                    known: schema::FORMAT,
                });
            }
            Some(_) => {}
        }
        let bytes = fs::metadata(path).map_or(0, |about| about.len());
        if bytes <= CHECKED {
            let said: String = connection
                .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
                .map_err(refused)?;
            if said != "ok" {
                return Err(damaged(&said));
            }
        }
        // Where the file system does not allow it, SQLite stays with a journal of its own.
        let mode = "PRAGMA journal_mode = WAL";
        connection
            .query_row(mode, [], |row| row.get::<_, String>(0))
            .map_err(refused)?;
        if schema::format(&connection).map_err(refused)? != Some(schema::FORMAT) {
            schema::migrate(&mut connection).map_err(refused)?;
        }
        if !schema::is_whole(&connection).map_err(refused)? {
            return Err(damaged("its tables are not those of a journal"));
        }
        Ok(Self {
            path: path.to_owned(),
            writer: Mutex::new(Writer {
                connection,
                outlasts: None,
            }),
            readers: Mutex::default(),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Does all of `act`, or nothing of it.
    pub(super) fn write<T>(
        &self,
        outlasts: Outlasts,
        act: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let mut writer = lock(&self.writer);
        if writer.outlasts != Some(outlasts) {
            let level = match outlasts {
                Outlasts::Process => "NORMAL",
                Outlasts::Power => "FULL",
            };
            writer
                .connection
                .pragma_update(None, "synchronous", level)?;
            writer.outlasts = Some(outlasts);
        }
        let connection = &mut writer.connection;
        let change = Transaction::new(connection, TransactionBehavior::Immediate)?;
        let done = act(&change)?;
        change.commit()?;
        Ok(done)
    }

    /// What `act` reads.
    pub(super) fn read<T>(
        &self,
        act: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let idle = lock(&self.readers).pop();
        let reader = match idle {
            Some(reader) => reader,
            None => connect(&self.path)?,
        };
        let read = act(&reader);
        lock(&self.readers).push(reader);
        read
    }

    /// Does what no transaction can hold.
    pub(super) fn maintain<T>(
        &self,
        act: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        act(&lock(&self.writer).connection)
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(32);
    // On macOS a disk is told to keep what it has only so.
    connection.pragma_update(None, "fullfsync", true)?;
    Ok(connection)
}

fn refused(path: &Path, error: &rusqlite::Error) -> JournalError {
    let (path, why) = (path.to_owned(), error.to_string());
    match error.sqlite_error_code() {
        // What it says is not what such a file says.
        None | Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt | ErrorCode::Unknown) => {
            JournalError::Damaged { path, why }
        }
        Some(_) => JournalError::Unusable { path, why },
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

// Whether a file is there. A link, which somebody else may have laid here, leads to one that is not
// the journal's.
fn is_there(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(about) if !about.is_file() => {
            Err(io::Error::other("it is a link, a folder or a device"))
        }
        Ok(_) => Ok(true),
        Err(error) if is_absent(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

// The database, which is made where it is not there, and the files that SQLite puts beside it.
fn plain(path: &Path) -> io::Result<()> {
    for ending in BESIDE {
        let beside = beside(path, ending);
        let named = |error| io::Error::other(format!("{}: {error}", beside.display()));
        is_there(&beside).map_err(named)?;
    }
    match is_there(path)? {
        true => Ok(()),
        false => own_file(path).map(drop),
    }
}

/// Opens a file that its user alone can read, or makes it. A link is not followed.
pub(super) fn own_file(path: &Path) -> io::Result<File> {
    is_there(path)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // Elsewhere a file takes the rights of its folder.
        options.mode(0o600);
    }
    options.open(path)
}

fn make_folder(folder: &Path) -> io::Result<()> {
    if fs::symlink_metadata(folder).is_ok_and(|about| about.is_dir()) {
        return Ok(());
    }
    if let Some(above) = folder.parent() {
        fs::create_dir_all(above)?;
    }
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has modes"))]
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    match builder.create(folder) {
        // Another process was faster, or a link leads to a folder.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        made => made,
    }
}

// Where a file system knows no locks, the file is opened without.
fn locked(file: &File) -> io::Result<()> {
    match file.lock() {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
        locked => locked,
    }
}

// The journal under a name that is free, with what was not yet written into it.
fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let named = |number: u32| path.with_extension(format!("damaged-{number}.sqlite"));
    let free = |name: &PathBuf| fs::symlink_metadata(name).is_err();
    let aside = (1..).map(named).find(free);
    let aside = aside.ok_or_else(|| io::Error::other("no name is free to set it aside"))?;
    fs::rename(path, &aside)?;
    for ending in BESIDE {
        match fs::rename(beside(path, ending), beside(&aside, ending)) {
            Err(error) if !is_absent(&error) => return Err(error),
            _ => {}
        }
    }
    Ok(aside)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
