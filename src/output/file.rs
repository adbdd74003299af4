//! Files that are there whole or not at all: written under a name that nobody can guess, then
//! renamed; below one folder, over a plain file or nothing, and never over what the run reads.
//!
//! Knows nothing of what is in them.

use crate::output::read_files::ReadFiles;
use std::ffi::OsStr;
use std::fs;
use std::fs::File;
use std::fs::Metadata;
use std::io;
use std::io::Write;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::NamedTempFile;

// What a file is called before it is whole.
const PREFIX: &str = ".vpipe-";
const SUFFIX: &str = ".tmp";
const RANDOM_LETTERS: usize = 16;

/// A file that is not whole after so long was left by a process that is gone.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// It cannot be written.
    #[error("cannot write to {}: {source}", .path.display())]
    Failed {
        /// The file, or its folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It could be written, and may not be.
    #[error("{} is not written: {why}", .path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// Why.
        why: Refusal,
    },
}

/// Why a file may not be written.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The run reads it.
    #[error("it is a file that this run reads")]
    Read,
    /// It is not below the folder that may be written to.
    #[error("it is outside of {}", .below.display())]
    Outside {
        /// That folder.
        below: PathBuf,
    },
    /// No file can have this name.
    #[error("its name is too long for this disk, or not allowed on it")]
    Name,
    /// Something stands there that is more than its content.
    #[error("there is a link, a folder or a device, and no plain file")]
    Special,
    /// Something stands there that is no folder.
    #[error("there is something that is no folder")]
    NoFolder,
    /// The folder that stands there is not this program's alone.
    #[error("the folder holds other files, which would be lost")]
    OtherFiles,
}

impl Refusal {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Read => "give another folder with --output-dir",
            Self::Outside { .. } => {
                "--output-dir DIR writes there; a recipe alone writes below the folder you are in"
            }
            Self::Name => {
                "give the input a shorter name, or another `name` or `output_dir` where frames are saved"
            }
            Self::Special => "remove it, or give another folder with --output-dir",
            Self::NoFolder | Self::OtherFiles => "name a folder that is not there yet",
        }
    }
}

/// Where a run may write: below one folder, and to no file that it reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputRoot {
    below: PathBuf,
    reads: Arc<ReadFiles>,
}

impl OutputRoot {
    /// Files may be written below `below`, but for `reads`.
    pub fn new(below: PathBuf, reads: &Arc<ReadFiles>) -> Self {
        let here = below.as_os_str().is_empty();
        Self {
            below: if here { ".".into() } else { below },
            reads: Arc::clone(reads),
        }
    }

    /// The folder that files are written below.
    pub fn folder(&self) -> &Path {
        &self.below
    }

    /// Whether `path` may be written; changes nothing.
    ///
    /// # Errors
    ///
    /// Where it may not be, or its folder cannot be looked at.
    pub fn check(&self, path: &Path) -> Result<(), WriteError> {
        let folder = resolved(parent(path)).map_err(failed(parent(path)))?;
        self.check_in(&folder, path)
    }

    /// Makes the folder of `path` and proves that a file can be made there: to be asked before a run
    /// spends hours on what it could not keep.
    ///
    /// # Errors
    ///
    /// Where `path` may not be written, or no file can be made.
    pub fn prepare(&self, path: &Path) -> Result<(), WriteError> {
        let folder = self.make_folder(path)?;
        let probe = temporary(&folder).and_then(NamedTempFile::close);
        probe.map_err(failed(parent(path)))?;
        remove_abandoned(&folder);
        Ok(())
    }

    /// Writes `bytes` to `path`, whose folder is made where it is not there. A plain file that stood
    /// there before is replaced.
    ///
    /// # Errors
    ///
    /// Where `path` may not or cannot be written; nothing of it is left behind then.
    pub fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
        self.fill(path, |file| file.write_all(bytes))
    }

    /// Lets `fill` write a file, which then takes the name `path`.
    pub(super) fn fill(
        &self,
        path: &Path,
        fill: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<(), WriteError> {
        let mut begun = self.begin(path)?;
        fill(begun.temporary.as_file_mut()).map_err(failed(path))?;
        begun.keep()
    }

    /// Begins a file that takes the name `path` once it is whole.
    ///
    /// # Errors
    ///
    /// Where `path` may not or cannot be written.
    pub fn begin(&self, path: &Path) -> Result<NewFile, WriteError> {
        tracing::debug!(path = %path.display(), "writing");
        let folder = self.make_folder(path)?;
        let temporary = temporary(&folder).map_err(failed(path))?;
        Ok(NewFile {
            path: path.to_owned(),
            target: folder.join(path.file_name().unwrap_or_default()),
            temporary,
        })
    }

    /// A new, empty file at `path`, in place of a plain file that stood there before: for what is
    /// read while it grows.
    pub(super) fn create(&self, path: &Path) -> Result<File, WriteError> {
        let folder = self.make_folder(path)?;
        let name = path.file_name().unwrap_or_default();
        // Not opened by its name, which could lead elsewhere by now.
        let file = temporary(&folder).and_then(|it| Ok(it.persist(folder.join(name))?));
        file.map_err(failed(path))
    }

    /// Removes a file, if it is there and may be written.
    pub(super) fn remove(&self, path: &Path) -> Result<(), WriteError> {
        match self.check(path).is_ok().then(|| fs::remove_file(path)) {
            Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => Err(failed(path)(error)),
            _ => Ok(()),
        }
    }

    /// The files that are never written.
    pub(super) fn reads(&self) -> &ReadFiles {
        &self.reads
    }

    /// The folder above `path` as the disk knows it, once it is there; nothing need be right with
    /// `path` itself.
    pub(super) fn make_folder_above(&self, path: &Path) -> Result<PathBuf, WriteError> {
        let below = self.check_above(path)?;
        fs::create_dir_all(parent(path)).map_err(failed(parent(path)))?;
        let folder = fs::canonicalize(parent(path)).map_err(failed(parent(path)))?;
        // A link may have come between.
        match folder.starts_with(&below) {
            true => Ok(folder),
            false => Err(refused(path, Refusal::Outside { below })),
        }
    }

    /// Whether the folder above `path` may be written to; changes nothing. Gives the one that all is
    /// below.
    pub(super) fn check_above(&self, path: &Path) -> Result<PathBuf, WriteError> {
        if path.file_name().is_none() {
            return Err(refused(path, Refusal::OtherFiles));
        }
        let below = resolved(&self.below).map_err(failed(&self.below))?;
        let planned = resolved(parent(path)).map_err(failed(parent(path)))?;
        match planned.starts_with(&below) {
            true => Ok(below),
            false => Err(refused(path, Refusal::Outside { below })),
        }
    }

    // The folder of `path` as the disk knows it, once it is there and `path` may be written.
    fn make_folder(&self, path: &Path) -> Result<PathBuf, WriteError> {
        self.check(path)?;
        fs::create_dir_all(parent(path)).map_err(failed(parent(path)))?;
        let folder = fs::canonicalize(parent(path)).map_err(failed(parent(path)))?;
        // A link may have come between.
        self.check_in(&folder, path)?;
        Ok(folder)
    }

    fn check_in(&self, folder: &Path, path: &Path) -> Result<(), WriteError> {
        let below = resolved(&self.below).map_err(failed(&self.below))?;
        if !folder.starts_with(&below) {
            return Err(refused(path, Refusal::Outside { below }));
        }
        let target = folder.join(path.file_name().unwrap_or(OsStr::new("..")));
        match fs::symlink_metadata(&target) {
            Ok(about) if !about.is_file() => Err(refused(path, Refusal::Special)),
            Ok(_) if self.reads.holds(&target) => Err(refused(path, Refusal::Read)),
            Err(error) if error.kind() == io::ErrorKind::InvalidFilename => {
                Err(refused(path, Refusal::Name))
            }
            _ => Ok(()),
        }
    }
}

/// A file without a name of its own yet; nothing of it is left where it does not get one.
#[derive(Debug)]
pub struct NewFile {
    path: PathBuf,
    // The same, as the disk knows it.
    target: PathBuf,
    temporary: NamedTempFile,
}

impl NewFile {
    /// What is written to.
    ///
    /// # Errors
    ///
    /// Where the system has no handles left.
    pub fn file(&self) -> Result<File, WriteError> {
        self.temporary
            .as_file()
            .try_clone()
            .map_err(failed(&self.path))
    }

    /// Gives it its name, in place of a plain file that had it.
    ///
    /// # Errors
    ///
    /// Where that cannot be.
    pub fn keep(self) -> Result<(), WriteError> {
        let kept = self.temporary.persist(self.target);
        kept.map_err(|error| failed(&self.path)(error.error))?;
        Ok(())
    }
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> WriteError + use<> {
    let path = path.to_owned();
    |source| {
        let source = match source.kind() {
            // What the system says of a folder to make, where a file has its name.
            kind @ io::ErrorKind::AlreadyExists => {
                io::Error::new(kind, "it is a file; name a folder")
            }
            _ => source,
        };
        WriteError::Failed { path, source }
    }
}

fn refused(path: &Path, why: Refusal) -> WriteError {
    let path = path.to_owned();
    WriteError::Refused { path, why }
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

// Hidden, and in the same folder: a name on another disk could not be renamed.
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder
        .prefix(PREFIX)
        .suffix(SUFFIX)
        .rand_bytes(RANDOM_LETTERS);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // What the user's umask leaves of it; elsewhere a file takes the rights of its folder.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

// Removes what processes that were killed have left behind. What cannot be removed stays hidden.
fn remove_abandoned(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| is_temporary(&entry.file_name())) {
        let about = entry.metadata().ok().filter(Metadata::is_file);
        let modified = about.and_then(|about| about.modified().ok());
        let age = modified.and_then(|modified| modified.elapsed().ok());
        if age.is_some_and(|age| age > ABANDONED) {
            fs::remove_file(entry.path()).unwrap_or_default();
        }
    }
}

fn is_temporary(name: &OsStr) -> bool {
    let name = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
    let letters = name.and_then(|name| name.strip_suffix(SUFFIX));
    letters.is_some_and(|it| it.len() == RANDOM_LETTERS && it.chars().all(char::is_alphanumeric))
}

// Where a folder is, links followed. What is not there yet holds no links.
fn resolved(folder: &Path) -> io::Result<PathBuf> {
    let whole = std::path::absolute(folder)?;
    for ancestor in whole.ancestors() {
        let mut place = match fs::canonicalize(ancestor) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            found => found?,
        };
        for part in whole
            .strip_prefix(ancestor)
            .iter()
            .flat_map(|it| it.components())
        {
            match part {
                Component::ParentDir => drop(place.pop()),
                part => place.push(part),
            }
        }
        return Ok(place);
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::OutputRoot;
    use crate::output::read_files::ReadFiles;
    use std::fs;
    use std::fs::File;
    use std::path::PathBuf;
    use std::sync::Arc;
    use std::time::Duration;
    use std::time::SystemTime;

    // What is said of a file under `top`, of which `top/in` may be written to but for `reads`.
    fn said(top: &tempfile::TempDir, reads: &[&str], path: &str) -> String {
        let mut read = ReadFiles::default();
        reads.iter().for_each(|it| read.add(&top.path().join(it)));
        let root = OutputRoot::new(top.path().join("in"), &Arc::new(read));
        let path: PathBuf = top.path().join(path);
        let told = root.check(&path);
        let done = root.write(&path, b"new");
        assert_eq!(told.is_ok(), done.is_ok(), "{told:?} {done:?}");
        done.map_or_else(|error| error.to_string(), |()| "written".to_owned())
    }

    #[test]
    fn files_go_below_one_folder_whatever_the_way_there() {
        let top = tempfile::tempdir().unwrap();
        for (path, expected) in [
            ("in/a", "written"),
            ("in/b/c/d", "written"),
            ("in/x/../e", "written"),
            ("in/../in/f", "written"),
            ("a", "outside of"),
            ("in/../a", "outside of"),
            ("in/y/../../a", "outside of"),
            ("inside/a", "outside of"),
        ] {
            let said = said(&top, &[], path);
            assert!(said.contains(expected), "{path}: {said}");
        }
        assert!(!top.path().join("a").exists() && !top.path().join("inside").exists());
    }

    #[test]
    fn what_is_read_is_never_written_whatever_its_name() {
        let top = tempfile::tempdir().unwrap();
        fs::create_dir(top.path().join("in")).unwrap();
        for file in ["in/a", "b", "in/free"] {
            fs::write(top.path().join(file), "old").unwrap();
        }
        fs::hard_link(top.path().join("b"), top.path().join("in/hard")).unwrap();
        fs::create_dir(top.path().join("in/folder")).unwrap();
        for (path, expected) in [
            ("in/a", "that this run reads"),
            ("in/x/../a", "that this run reads"),
            ("in/hard", "that this run reads"),
            ("in/folder", "no plain file"),
            ("in/free", "written"),
        ] {
            let said = said(&top, &["in/a", "b", "in/gone"], path);
            assert!(said.contains(expected), "{path}: {said}");
        }
        assert_eq!(fs::read(top.path().join("b")).unwrap(), b"old");
        assert_eq!(fs::read(top.path().join("in/free")).unwrap(), b"new");
    }

    #[test]
    fn what_a_killed_process_has_left_is_removed_and_nothing_else() {
        let top = tempfile::tempdir().unwrap();
        let names = [
            (".vpipe-0123456789abcdEF.tmp", 7_200, false),
            (".vpipe-0123456789abcdEG.tmp", 60, true),
            (".vpipe-0123456789abcdE.tmp", 7_200, true),
            (".vpipe-notes-of-mine-00.tmp", 7_200, true),
            ("0123456789abcdEF.tmp", 7_200, true),
        ];
        for (name, age, _) in names {
            let file = File::create(top.path().join(name)).unwrap();
            let then = SystemTime::now() - Duration::from_secs(age);
            file.set_modified(then).unwrap();
        }
        let root = OutputRoot::new(top.path().to_owned(), &Arc::default());
        root.prepare(&top.path().join("a")).unwrap();
        for (name, _, stays) in names {
            assert_eq!(top.path().join(name).exists(), stays, "{name}");
        }
        assert_eq!(fs::read_dir(top.path()).unwrap().count(), 4);
    }

    #[cfg(unix)]
    #[test]
    fn links_lead_nowhere() {
        use std::os::unix::fs::symlink;

        let top = tempfile::tempdir().unwrap();
        for folder in ["in", "out"] {
            fs::create_dir(top.path().join(folder)).unwrap();
        }
        fs::write(top.path().join("out/a"), "old").unwrap();
        symlink(top.path().join("out"), top.path().join("in/folder")).unwrap();
        symlink(top.path().join("out/a"), top.path().join("in/file")).unwrap();
        symlink(top.path().join("out/b"), top.path().join("in/dangling")).unwrap();
        symlink(top.path().join("in"), top.path().join("same")).unwrap();
        for (path, expected) in [
            ("in/folder/a", "outside of"),
            ("in/folder/new/a", "outside of"),
            ("in/file", "no plain file"),
            ("in/dangling", "no plain file"),
            ("same/a", "written"),
        ] {
            let said = said(&top, &[], path);
            assert!(said.contains(expected), "{path}: {said}");
        }
        assert_eq!(fs::read(top.path().join("out/a")).unwrap(), b"old");
        assert_eq!(fs::read_dir(top.path().join("out")).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_has_the_rights_that_the_umask_leaves() {
        use std::os::unix::fs::PermissionsExt;

        let top = tempfile::tempdir().unwrap();
        assert_eq!(said(&top, &[], "in/a"), "written");
        fs::write(top.path().join("usual"), "").unwrap();
        let mode = |file: &str| {
            let about = fs::metadata(top.path().join(file)).unwrap();
            about.permissions().mode()
        };
        assert_eq!(mode("in/a"), mode("usual"));
    }
}
