//! Files whose names are nearly those that the user wrote.

use crate::diag::did_you_mean;
use std::fs;
use std::path::Path;

// Of a folder more names than these are not looked at.
const MOST_NAMES: usize = 1_000;

// Of shorter names any two are alike.
const SHORTEST: usize = 4;

/// What to do about a `path` that is not there; `None` where nobody can say.
pub(super) fn help(path: &Path) -> Option<String> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let Ok(entries) = fs::read_dir(folder) else {
        return Some(format!("there is no folder `{}` either", folder.display()));
    };
    let name = path
        .file_name()?
        .to_str()
        .filter(|it| it.len() >= SHORTEST)?;
    let names = entries
        .take(MOST_NAMES)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let names: Vec<String> = names.collect();
    let meant = did_you_mean(name, names.iter().map(String::as_str))?;
    let meant = path.with_file_name(meant);
    Some(format!("did you mean `{}`?", meant.display()))
}
