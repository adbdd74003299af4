//! `compare`: what differs between two results, or between the results in two folders.

use crate::app::error::AppError;
use crate::output;
use crate::output::Comparison;
use crate::output::Tolerance;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;

/// What is compared.
#[derive(Clone, Debug)]
pub struct CompareRequest {
    /// A results file, or a folder of some.
    pub old: PathBuf,
    /// The same kind.
    pub new: PathBuf,
    /// How far apart things may be and still be the same.
    pub tolerance: Tolerance,
}

/// What became of one results file.
#[derive(Clone, Debug)]
pub struct ComparedFile {
    /// Its name, where folders are compared.
    pub name: Option<String>,
    /// What differs.
    pub outcome: ComparedOutcome,
}

/// What became of one results file.
#[derive(Clone, Debug)]
pub enum ComparedOutcome {
    /// It is there twice.
    Both(Box<Comparison>),
    /// It is in the old folder alone.
    Lost,
    /// It is in the new folder alone.
    Gained,
}

impl ComparedFile {
    /// Whether nothing differs beyond the tolerance.
    pub fn is_same(&self) -> bool {
        match &self.outcome {
            ComparedOutcome::Both(comparison) => comparison.is_same(),
            ComparedOutcome::Lost | ComparedOutcome::Gained => false,
        }
    }
}

/// Compares two results files, or the files of one name in two folders, and hands over each as soon
/// as it is compared.
///
/// # Errors
///
/// Where a file is not there or holds no results, a file is compared with a folder, or two folders
/// hold no results.
pub fn compare(
    request: &CompareRequest,
    each: &mut dyn FnMut(ComparedFile) -> Result<(), AppError>,
) -> Result<(), AppError> {
    let (old, new) = (&request.old, &request.new);
    match (old.is_dir(), new.is_dir()) {
        (false, false) => each(ComparedFile {
            name: None,
            outcome: both(old, new, &request.tolerance)?,
        }),
        (true, true) => folders(request, each),
        (is_old, _) => {
            let (folder, file) = if is_old { (old, new) } else { (new, old) };
            Err(AppError::Request {
                message: format!(
                    "{} is a folder, and {} is not",
                    folder.display(),
                    file.display()
                ),
                help: Some("compare two results files, or two folders of some".to_owned()),
            })
        }
    }
}

fn folders(
    request: &CompareRequest,
    each: &mut dyn FnMut(ComparedFile) -> Result<(), AppError>,
) -> Result<(), AppError> {
    let (olds, news) = (names(&request.old)?, names(&request.new)?);
    let all: BTreeSet<&OsString> = olds.union(&news).collect();
    if all.is_empty() {
        return Err(AppError::Request {
            message: format!(
                "there are no results in {} and {}",
                request.old.display(),
                request.new.display()
            ),
            help: Some("results are the files in a folder whose names end in .json".to_owned()),
        });
    }
    for name in all {
        let outcome = match (olds.contains(name), news.contains(name)) {
            (true, true) => both(
                &request.old.join(name),
                &request.new.join(name),
                &request.tolerance,
            )?,
            (true, false) => ComparedOutcome::Lost,
            (false, _) => ComparedOutcome::Gained,
        };
        each(ComparedFile {
            name: Some(name.to_string_lossy().into_owned()),
            outcome,
        })?;
    }
    Ok(())
}

fn both(old: &Path, new: &Path, tolerance: &Tolerance) -> Result<ComparedOutcome, AppError> {
    let old = output::read_results(old).map_err(|error| AppError::unread(&error))?;
    let new = output::read_results(new).map_err(|error| AppError::unread(&error))?;
    let comparison = output::compare(&old, &new, tolerance);
    Ok(ComparedOutcome::Both(Box::new(comparison)))
}

// The names of the results in a folder.
fn names(folder: &Path) -> Result<BTreeSet<OsString>, AppError> {
    let read = || -> io::Result<BTreeSet<OsString>> {
        let mut names = BTreeSet::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let is_json = path.extension().is_some_and(|it| it == "json");
            names.extend(path.file_name().filter(|_| is_json).map(OsString::from));
        }
        Ok(names)
    };
    read().map_err(|error| AppError::Request {
        message: format!("{} cannot be read: {error}", folder.display()),
        help: None,
    })
}
