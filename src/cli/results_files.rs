//! Results that are named on the command line: files, folders of some, and patterns.

use crate::app::AppError;
use crate::cli::inputs;
use crate::cli::inputs::InputError;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;

// What results in a folder are called, and those of a run that was stopped early.
const COMPLETE: &str = "_results.json";
const PARTIAL: &str = "_results.partial.json";

/// The results files that `words` mean, in their order, each once. A folder stands for the results in
/// it: the partial ones where there are no complete ones of the same video.
///
/// # Errors
///
/// Where a pattern matches nothing, or a folder cannot be read or holds no results.
pub(super) fn expand(words: &[PathBuf]) -> Result<Vec<PathBuf>, AppError> {
    let mut files: Vec<PathBuf> = Vec::new();
    for word in words {
        let named = inputs::matches(word).map_err(no_match)?;
        for path in named {
            let within = match path.is_dir() {
                true => within(&path)?,
                false => vec![path],
            };
            let new = within.into_iter().filter(|file| !files.contains(file));
            files.extend(new.collect::<Vec<_>>());
        }
    }
    Ok(files)
}

// A folder stands for something else here than where videos are named.
fn no_match(error: InputError) -> AppError {
    match error {
        InputError::NoMatch(word) => AppError::Request {
            message: format!(
                "nothing matches `{word}`; the name of a folder stands for the results in it"
            ),
            help: None,
        },
        InputError::Pattern(..) | InputError::Unreadable(..) => AppError::request(&error),
    }
}

fn within(folder: &Path) -> Result<Vec<PathBuf>, AppError> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = entries
        .map_err(|error| AppError::request(&InputError::Unreadable(folder.to_owned(), error)))?;
    let names = entries.iter().map(fs::DirEntry::file_name);
    let mut names: Vec<String> = names.filter_map(|name| name.into_string().ok()).collect();
    names.sort();
    let is_complete = |stem: &str| names.binary_search(&format!("{stem}{COMPLETE}")).is_ok();
    let is_results = |name: &&String| {
        let partial = name.strip_suffix(PARTIAL);
        name.ends_with(COMPLETE) || partial.is_some_and(|stem| !is_complete(stem))
    };
    let files = names
        .iter()
        .filter(is_results)
        .map(|name| folder.join(name));
    let files: Vec<PathBuf> = files.collect();
    match files.is_empty() {
        false => Ok(files),
        true => Err(AppError::Request {
            message: format!("there are no results in {}", folder.display()),
            help: Some(format!(
                "results in a folder are the files that end with {COMPLETE}"
            )),
        }),
    }
}
