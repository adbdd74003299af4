//! The world that recipes are read from: files, the environment of this process, and `.env`.

use crate::recipe::World;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

/// Disk and environment.
pub(super) struct Here;

impl World for Here {
    fn read(&self, path: &Path) -> io::Result<String> {
        fs::read_to_string(path)
    }

    // A `.env` in the working directory adds to the environment and overrides nothing in it; one
    // further up is not looked for, and a line that is wrong ends it.
    fn variables(&self) -> BTreeMap<String, String> {
        let file = dotenvy::from_filename_iter(Path::new(".").join(".env"));
        let file = file.into_iter().flatten().map_while(Result::ok);
        let here = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        file.chain(here).collect()
    }
}
