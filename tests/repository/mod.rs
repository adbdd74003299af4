//! The world that recipes under test are read from: the files of this repository and an
//! environment of three variables.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use vpipe::recipe::World;

pub(crate) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The files of this repository and an environment of three variables.
pub(crate) struct Repository;

impl World for Repository {
    fn read(&self, path: &Path) -> io::Result<String> {
        std::fs::read_to_string(Path::new(ROOT).join(path))
    }

    fn variables(&self) -> BTreeMap<String, String> {
        [("ENGINE", "rten"), ("THREADS", "2"), ("MY_TOKEN", "secret")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }
}
