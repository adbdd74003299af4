//! The environment that recipes are read in: files, the variables of this process, and `.env`.

use crate::disk;
use crate::recipe::Environment;
use std::collections::BTreeMap;
use std::io;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;

/// The most bytes of a recipe and of `.env`, 1 MB.
const LARGEST_TEXT: u64 = 1_000_000;

/// The disk and the variables of this process.
pub(super) struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn read(&self, path: &Path) -> io::Result<String> {
        let content = disk::read_plain(path, LARGEST_TEXT)?;
        let not_text = |_| io::Error::new(io::ErrorKind::InvalidData, "it is not text in UTF-8");
        String::from_utf8(content).map_err(not_text)
    }

    // A `.env` in the working directory adds to the environment and overrides nothing in it; one
    // further up is not looked for. A line that is wrong is left out, and those after it are not.
    fn variables(&self) -> BTreeMap<String, String> {
        // A pipe would be waited for. What is too long is read to its bound.
        let file = disk::open_plain(&Path::new(".").join(".env"), u64::MAX);
        let file = file.map(|file| dotenvy::from_read_iter(file.take(LARGEST_TEXT)));
        let is_read = |line: &Result<_, _>| !matches!(line, Err(dotenvy::Error::Io(_)));
        let file = file.into_iter().flatten().take_while(is_read).flatten();
        let here = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        file.chain(here).collect()
    }

    fn home(&self) -> Option<PathBuf> {
        std::env::home_dir().filter(|home| !home.as_os_str().is_empty())
    }

    fn has_folder(&self, path: &Path) -> bool {
        path.is_dir()
    }
}
