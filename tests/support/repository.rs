//! This repository: where it is, its recipes, and as the environment that recipes are loaded in.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use vpipe::recipe::Environment;

/// The top level.
pub(crate) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The demo clip.
pub(crate) const CLIP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/demo/clip.mp4");

/// The recipes in a folder, as sorted paths from the top level.
pub(crate) fn recipes(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(Path::new(ROOT).join(folder)).unwrap();
    let mut paths: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".toml"))
        .map(|name| format!("{folder}/{name}"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{folder} holds no recipe");
    paths
}

/// A file's name without its extension.
pub(crate) fn stem(path: &str) -> &str {
    Path::new(path).file_stem().unwrap().to_str().unwrap()
}

/// The files of this repository and an environment of three variables.
pub(crate) struct Repository;

impl Environment for Repository {
    fn read(&self, path: &Path) -> io::Result<String> {
        std::fs::read_to_string(Path::new(ROOT).join(path))
    }

    fn variables(&self) -> BTreeMap<String, String> {
        [("ENGINE", "rten"), ("THREADS", "2"), ("MY_TOKEN", "secret")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }
}
