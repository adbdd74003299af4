//! Folders that are there whole or not at all: filled under a name that nobody can guess, then moved
//! to where an older one of the same kind may stand.

use crate::output::file::OutputRoot;
use crate::output::file::Refusal;
use crate::output::file::WriteError;
use crate::output::stoppable::go_on;
use std::ffi::OsStr;
use std::fs;
use std::fs::File;
use std::io;
use std::io::BufWriter;
use std::path::Path;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;

/// What is in a folder, so that another of its kind may take its place.
pub(in crate::output) struct FolderParts<'a> {
    /// The folders in it.
    pub(in crate::output) folders: &'a [&'a str],
    /// Whether a file at this path within is one of it.
    pub(in crate::output) is_file: &'a dyn Fn(&Path) -> bool,
}

impl<'a> FolderParts<'a> {
    fn flat(is_file: &'a dyn Fn(&Path) -> bool) -> Self {
        let folders = &[];
        Self { folders, is_file }
    }
}

/// A folder that gets its name when it is whole.
pub(in crate::output) struct NewFolder<'a> {
    path: PathBuf,
    stop: &'a AtomicBool,
}

impl NewFolder<'_> {
    /// A new file in it; of a folder within, which is made where it is not there. None once it is asked
    /// to stop.
    pub(in crate::output) fn create(&self, within: &Path) -> io::Result<BufWriter<File>> {
        go_on(self.stop)?;
        let path = self.path.join(within);
        if let Some(folder) = within.parent().filter(|it| !it.as_os_str().is_empty()) {
            fs::create_dir_all(self.path.join(folder))?;
        }
        File::create_new(path).map(BufWriter::new)
    }
}

impl OutputRoot {
    /// Proves that a folder can be put at `path`: to be asked before a run spends hours on what it
    /// could not keep. `is_part` says whether a file of this name is one of such a folder.
    ///
    /// # Errors
    ///
    /// Where something else stands there, or no folder can be made.
    pub fn prepare_folder(
        &self,
        path: &Path,
        is_part: &dyn Fn(&OsStr) -> bool,
    ) -> Result<(), WriteError> {
        let above = self.make_folder_above(path)?;
        let is_file = |path: &Path| is_part(path.as_os_str());
        self.check_replaced(path, &FolderParts::flat(&is_file))?;
        let probe = temporary(&above).and_then(TempDir::close);
        probe.map_err(|source| failed(path, source))
    }

    /// Puts a folder with these `files` at `path`, in place of one that holds nothing but files of
    /// which `is_part` holds.
    ///
    /// # Errors
    ///
    /// Where it may not or cannot be written; what stood there stands there still.
    pub fn write_folder(
        &self,
        path: &Path,
        files: &[(String, Vec<u8>)],
        is_part: &dyn Fn(&OsStr) -> bool,
    ) -> Result<(), WriteError> {
        let is_file = |path: &Path| is_part(path.as_os_str());
        let never = AtomicBool::new(false);
        self.fill_folder(path, &FolderParts::flat(&is_file), &never, |new| {
            let mut files = files.iter();
            files.try_for_each(|(name, bytes)| fs::write(new.path.join(name), bytes))
        })
    }

    /// Whether a folder may be put at `path`; changes nothing.
    pub(super) fn check_folder(
        &self,
        path: &Path,
        parts: &FolderParts<'_>,
    ) -> Result<(), WriteError> {
        self.check_above(path)?;
        self.check_replaced(path, parts)
    }

    /// Lets `fill` write a folder, which then takes the name `path`, in place of one that holds nothing
    /// but these `parts`. Once `stop` is set it fails, and nothing of it is left.
    pub(super) fn fill_folder(
        &self,
        path: &Path,
        parts: &FolderParts<'_>,
        stop: &AtomicBool,
        fill: impl FnOnce(&NewFolder<'_>) -> io::Result<()>,
    ) -> Result<(), WriteError> {
        tracing::debug!(path = %path.display(), "writing");
        let above = self.make_folder_above(path)?;
        self.check_replaced(path, parts)?;
        let name = path.file_name().unwrap_or_default();
        put(&above, &above.join(name), stop, fill).map_err(|source| failed(path, source))
    }

    // What stands at `path` may be replaced: it is nothing, or such a folder.
    fn check_replaced(&self, path: &Path, parts: &FolderParts<'_>) -> Result<(), WriteError> {
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failed(path, error)),
            Ok(about) if !about.is_dir() => Err(WriteError::Refused {
                path: path.to_owned(),
                why: Refusal::NoFolder,
            }),
            Ok(_) => self.check_within(path, Path::new(""), parts),
        }
    }

    // All that is in the folder `within` of the one at `path` is a part of it.
    fn check_within(
        &self,
        path: &Path,
        within: &Path,
        parts: &FolderParts<'_>,
    ) -> Result<(), WriteError> {
        let refused = |why| {
            Err(WriteError::Refused {
                path: path.to_owned(),
                why,
            })
        };
        for entry in fs::read_dir(path.join(within)).map_err(|source| failed(path, source))? {
            let entry = entry.map_err(|source| failed(path, source))?;
            let part = within.join(entry.file_name());
            match entry.file_type() {
                Ok(kind) if kind.is_file() && (parts.is_file)(&part) => {}
                Ok(kind)
                    if kind.is_dir() && parts.folders.iter().any(|it| part == Path::new(it)) =>
                {
                    self.check_within(path, &part, parts)?;
                }
                _ => return refused(Refusal::OtherFiles),
            }
            if self.reads().holds(&entry.path()) {
                return refused(Refusal::Read);
            }
        }
        Ok(())
    }
}

fn put(
    above: &Path,
    target: &Path,
    stop: &AtomicBool,
    fill: impl FnOnce(&NewFolder<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let new = temporary(above)?;
    let path = new.path().to_owned();
    fill(&NewFolder { path, stop })?;
    // What is replaced goes with this one.
    let old = temporary(above)?;
    let aside = old.path().join("old");
    match fs::rename(target, &aside) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        moved => moved?,
    }
    if let Err(error) = fs::rename(new.path(), target) {
        if aside.exists() {
            fs::rename(&aside, target)?;
        }
        return Err(error);
    }
    // It has another name now, and is not to be removed.
    drop::<PathBuf>(new.keep());
    old.close()
}

fn failed(path: &Path, source: io::Error) -> WriteError {
    WriteError::Failed {
        path: path.to_owned(),
        source,
    }
}

// Hidden, and beside the one that it becomes.
fn temporary(folder: &Path) -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".vpipe-").suffix(".tmp").rand_bytes(16);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // What the user's umask leaves of it; elsewhere a folder takes the rights of the one above.
        builder.permissions(fs::Permissions::from_mode(0o777));
    }
    builder.tempdir_in(folder)
}

#[cfg(test)]
mod tests {
    use crate::output::file::OutputRoot;
    use crate::output::read_files::ReadFiles;
    use std::collections::BTreeMap;
    use std::ffi::OsStr;
    use std::fs;
    use std::path::Path;
    use std::sync::Arc;

    fn is_part(name: &OsStr) -> bool {
        Path::new(name).extension() == Some(OsStr::new("part"))
    }

    fn root(top: &Path, reads: &[&str]) -> OutputRoot {
        let mut read = ReadFiles::default();
        reads.iter().for_each(|path| read.add(&top.join(path)));
        OutputRoot::new(top.to_owned(), &Arc::new(read))
    }

    fn write(root: &OutputRoot, path: &Path, names: &[&str]) -> Result<(), String> {
        let files = names
            .iter()
            .map(|name| ((*name).to_owned(), b"new".to_vec()));
        let files: Vec<_> = files.collect();
        let told = root.prepare_folder(path, &is_part);
        let done = root.write_folder(path, &files, &is_part);
        assert_eq!(told.is_ok(), done.is_ok(), "{told:?} {done:?}");
        done.map_err(|error| error.to_string())
    }

    fn content(folder: &Path) -> BTreeMap<String, String> {
        let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
        let file = |entry: fs::DirEntry| {
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read_to_string(entry.path()).unwrap_or_default())
        };
        entries.map(file).collect()
    }

    #[test]
    fn a_folder_is_replaced_as_a_whole() {
        let top = tempfile::tempdir().unwrap();
        let folder = top.path().join("a/b");
        for names in [&["1.part", "2.part"][..], &["3.part"]] {
            assert_eq!(write(&root(top.path(), &[]), &folder, names), Ok(()));
            let found = content(&folder);
            assert_eq!(found.keys().collect::<Vec<_>>(), names);
            assert!(found.values().all(|text| text == "new"));
            assert_eq!(
                content(&top.path().join("a")).len(),
                1,
                "nothing is left over"
            );
        }
    }

    #[test]
    fn what_is_of_another_kind_is_left_alone() {
        let top = tempfile::tempdir().unwrap();
        let at = |path: &str| top.path().join(path);
        fs::create_dir_all(at("mixed/inner")).unwrap();
        fs::create_dir_all(at("read")).unwrap();
        fs::create_dir_all(at("others")).unwrap();
        for file in ["file", "others/1.part", "others/thesis.tex", "read/1.part"] {
            fs::write(at(file), "old").unwrap();
        }
        for (path, expected) in [
            ("file", "no folder"),
            ("others", "other files"),
            ("mixed", "other files"),
            ("read", "that this run reads"),
        ] {
            let said = write(&root(top.path(), &["read/1.part"]), &at(path), &["1.part"]);
            assert!(said.as_ref().unwrap_err().contains(expected), "{said:?}");
        }
        assert_eq!(fs::read(at("others/1.part")).unwrap(), b"old");
        assert_eq!(content(top.path()).len(), 4, "nothing is left over");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_no_folder() {
        let top = tempfile::tempdir().unwrap();
        fs::create_dir(top.path().join("real")).unwrap();
        let link = top.path().join("link");
        std::os::unix::fs::symlink(top.path().join("real"), &link).unwrap();
        let said = write(&root(top.path(), &[]), &link, &["1.part"]);
        assert!(said.unwrap_err().contains("no folder"));
    }
}
