//! Test files: those that paths name, and those in folders.

use crate::app::error::AppError;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use walkdir::DirEntry;
use walkdir::WalkDir;

/// How the name of a test file ends.
pub(super) const ENDING: &str = ".test.toml";

/// Folders that hold what was built or installed, and nobody's tests.
const PASSED_OVER: [&str; 2] = ["target", "node_modules"];

/// Folders within folders.
const DEEPEST: usize = 64;

/// Files and folders that are looked at.
const MOST: usize = 1_000_000;

/// The test files that `paths` name or have in them, those of the working directory where there are
/// none: each once, in the order of `paths` and of their names. Links to folders are not followed.
pub(super) fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, AppError> {
    let here = [PathBuf::from(".")];
    let paths = match paths {
        [] => &here,
        paths => paths,
    };
    let (mut files, mut seen) = (Vec::new(), BTreeSet::new());
    let mut left = MOST;
    for path in paths {
        for file in at(path, &mut left)? {
            // One that is gone already is told when it is read.
            let whole = fs::canonicalize(&file).unwrap_or_else(|_| file.clone());
            if seen.insert(whole) {
                files.push(file);
            }
        }
    }
    if files.is_empty() {
        let places: Vec<String> = paths.iter().map(|it| it.display().to_string()).collect();
        return Err(AppError::Request {
            message: format!("there are no tests in {}", places.join(", ")),
            help: Some(format!(
                "a test is a file NAME{ENDING}; `vpipe test --new NAME RECIPE INPUT` makes one"
            )),
        });
    }
    Ok(files)
}

/// The name of the test in a file of this name; `None` where that is no test file.
pub(super) fn name_of(file: &Path) -> Option<&str> {
    let name = file.file_name()?.to_str()?.strip_suffix(ENDING)?;
    (!name.is_empty()).then_some(name)
}

fn at(path: &Path, left: &mut usize) -> Result<Vec<PathBuf>, AppError> {
    if path.is_file() {
        return match name_of(path) {
            Some(_) => Ok(vec![path.to_owned()]),
            None => Err(AppError::Request {
                message: format!("{} is not the name of a test", path.display()),
                help: Some(format!("a test is called NAME{ENDING}")),
            }),
        };
    }
    if !path.exists() {
        return Err(AppError::Request {
            message: format!("there is no test and no folder {}", path.display()),
            help: Some("name test files, or folders that have some".to_owned()),
        });
    }
    let mut files = Vec::new();
    let walk = WalkDir::new(path).max_depth(DEEPEST).sort_by_file_name();
    for entry in walk.into_iter().filter_entry(is_looked_at) {
        let entry = entry.map_err(|error| AppError::request(&error))?;
        *left = left.checked_sub(1).ok_or_else(|| AppError::Request {
            message: format!("{} has more than {MOST} files and folders", path.display()),
            help: Some("name the folders that have tests in them".to_owned()),
        })?;
        let file = entry.path();
        if name_of(file).is_some() && file.is_file() {
            // As a user would write it.
            files.push(file.strip_prefix(".").unwrap_or(file).to_owned());
        }
    }
    Ok(files)
}

fn is_looked_at(entry: &DirEntry) -> bool {
    // A folder that is named by itself may be called anything.
    if entry.depth() == 0 || !entry.file_type().is_dir() {
        return true;
    }
    let name = entry.file_name().to_string_lossy();
    !name.starts_with('.') && !PASSED_OVER.contains(&name.as_ref())
}
