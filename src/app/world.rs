//! The world that recipes are read from: files and the environment of this process.

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

    fn variables(&self) -> BTreeMap<String, String> {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }
}
