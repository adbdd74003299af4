//! What an input is, by its content: a file for FFmpeg, or pictures.

use crate::media::error::MediaError;
use crate::media::input::signature;
use std::cmp::Ordering;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;

/// Something to take pictures from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaInput {
    /// A file that FFmpeg reads.
    Video(PathBuf),
    /// One picture, or a folder of them.
    Pictures {
        /// What the user named.
        path: PathBuf,
        /// The JPEG and PNG files, in natural order of their names (`2.png` before `10.png`).
        files: Vec<PathBuf>,
    },
}

impl MediaInput {
    /// What the user named.
    pub fn path(&self) -> &Path {
        match self {
            Self::Video(path) | Self::Pictures { path, .. } => path,
        }
    }
}

/// Finds out what is at `path`. A file counts as a picture by its bytes, whatever its name, and a
/// stream of pictures as a video; in a folder, a file is also known by its name, so that a damaged
/// picture is noticed rather than left out.
///
/// # Errors
///
/// Where nothing is there, nothing can be read, a file is empty or a folder has no pictures; and
/// for an address or a pipe, since a file is read more than once.
pub fn identify(path: &Path) -> Result<MediaInput, MediaError> {
    let meta = match fs::metadata(path) {
        Ok(meta) => meta,
        Err(_) if is_address(path) => return Err(MediaError::Address { path: path.into() }),
        Err(_) if path == Path::new("-") => return Err(MediaError::Pipe { path: path.into() }),
        Err(source) => return Err(unreadable(path, source)),
    };
    if meta.is_dir() {
        return folder(path);
    }
    // A pipe would be waited for.
    if !meta.is_file() {
        return Err(MediaError::Pipe { path: path.into() });
    }
    if meta.len() == 0 {
        return Err(MediaError::Empty { path: path.into() });
    }
    let path = path.to_path_buf();
    if signature::is_still(&path).map_err(|source| unreadable(&path, source))? {
        let files = vec![path.clone()];
        return Ok(MediaInput::Pictures { path, files });
    }
    Ok(MediaInput::Video(path))
}

fn folder(path: &Path) -> Result<MediaInput, MediaError> {
    let failed = |source| unreadable(path, source);
    let (mut files, mut has_folders) = (Vec::new(), false);
    for entry in fs::read_dir(path).map_err(failed)? {
        let file = entry.map_err(failed)?.path();
        has_folders |= file.is_dir();
        if file.is_file()
            && (is_named_as_picture(&file) || signature::is_still(&file).unwrap_or(false))
        {
            files.push(file);
        }
    }
    if files.is_empty() {
        return Err(MediaError::NoPictures {
            path: path.into(),
            has_folders,
        });
    }
    files.sort_by(|a, b| natural(&a.to_string_lossy(), &b.to_string_lossy()));
    let path = path.to_path_buf();
    Ok(MediaInput::Pictures { path, files })
}

pub(in crate::media) fn unreadable(path: &Path, source: io::Error) -> MediaError {
    let path = path.to_path_buf();
    match source.kind() {
        io::ErrorKind::NotFound => MediaError::Missing { path },
        _ => MediaError::Unreadable { path, source },
    }
}

// A scheme has at least two letters: one is a drive.
fn is_address(path: &Path) -> bool {
    let scheme = path.to_str().and_then(|text| text.split_once("://"));
    let is_letter = |it: char| it.is_ascii_alphanumeric() || "+-.".contains(it);
    scheme.is_some_and(|(scheme, _)| scheme.len() > 1 && scheme.chars().all(is_letter))
}

fn is_named_as_picture(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        ["jpg", "jpeg", "png"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

// Runs of digits compare as numbers, all else as text; names that differ only in leading
// zeros keep an order of their own.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        let (Some(x), Some(y)) = (left.chars().next(), right.chars().next()) else {
            return left.len().cmp(&right.len()).then_with(|| a.cmp(b));
        };
        let ordering = if x.is_ascii_digit() && y.is_ascii_digit() {
            let (number, other) = (take_digits(&mut left), take_digits(&mut right));
            number.len().cmp(&other.len()).then(number.cmp(other))
        } else {
            left = left.strip_prefix(x).unwrap_or_default();
            right = right.strip_prefix(y).unwrap_or_default();
            x.cmp(&y)
        };
        if ordering.is_ne() {
            return ordering;
        }
    }
}

fn take_digits<'text>(text: &mut &'text str) -> &'text str {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    *text = rest;
    digits.trim_start_matches('0')
}

#[cfg(test)]
mod tests {
    use super::natural;

    #[test]
    fn names_sort_as_people_count() {
        let mut names = ["f10.png", "f2.png", "f01.png", "f1.png", "a.png", "f2b.png"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(
            names,
            ["a.png", "f01.png", "f1.png", "f2.png", "f2b.png", "f10.png"]
        );
    }
}
