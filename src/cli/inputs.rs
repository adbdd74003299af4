//! Inputs: from the words of the command line to the paths that are meant.
//!
//! Patterns are expanded here as well as by the shell, since some shells leave them alone. Does
//! not open anything; whether a path is a video is found out by others.

use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;

// What a video is called. It decides only which files of a folder are meant; a file that is
// named itself may be called anything.
const VIDEO_EXTENSIONS: [&str; 20] = [
    "mp4", "m4v", "mov", "mkv", "webm", "avi", "mpg", "mpeg", "vob", "ts", "mts", "m2ts", "wmv",
    "asf", "flv", "3gp", "ogv", "mxf", "mjpeg", "mjpg",
];

/// Why a word means nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum InputError {
    #[error("`{0}` is not a pattern: {1}")]
    Pattern(String, glob::PatternError),
    #[error("nothing matches `{0}`")]
    NoMatch(String),
    #[error("`{path}` cannot be read: {source}", path = .0.display(), source = .1)]
    Unreadable(PathBuf, io::Error),
}

/// The paths that `words` mean, in their order, each once.
pub(super) fn expand(words: &[PathBuf]) -> Result<Vec<PathBuf>, InputError> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for word in words {
        for named in matches(word)? {
            for path in within(named)? {
                if !paths.contains(&path) {
                    paths.push(path);
                }
            }
        }
    }
    Ok(paths)
}

// A path that is there is never a pattern, whatever its name: `clip [final].mp4`. Nor is an
// address, which may have a `?` in it.
fn matches(word: &Path) -> Result<Vec<PathBuf>, InputError> {
    let text = match word.to_str() {
        Some(text) if text.contains(['*', '?', '[']) && !text.contains("://") && !word.exists() => {
            text
        }
        _ => return Ok(vec![word.to_owned()]),
    };
    let found = glob::glob(text).map_err(|error| InputError::Pattern(text.to_owned(), error))?;
    let paths = found
        .map(|path| {
            path.map_err(|error| InputError::Unreadable(error.path().to_owned(), error.into()))
        })
        .collect::<Result<Vec<_>, _>>()?;
    if paths.is_empty() {
        return Err(InputError::NoMatch(text.to_owned()));
    }
    Ok(paths)
}

// A folder that holds videos stands for them; any other path for itself.
fn within(path: PathBuf) -> Result<Vec<PathBuf>, InputError> {
    if !path.is_dir() {
        return Ok(vec![path]);
    }
    let entries = fs::read_dir(&path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = match entries {
        Ok(entries) => entries,
        Err(error) => return Err(InputError::Unreadable(path, error)),
    };
    let mut videos: Vec<PathBuf> = entries
        .into_iter()
        .map(|entry| entry.path())
        .filter(|file| is_named_as_video(file) && file.is_file())
        .collect();
    videos.sort();
    if videos.is_empty() {
        videos.push(path);
    }
    Ok(videos)
}

fn is_named_as_video(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        VIDEO_EXTENSIONS
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

#[cfg(test)]
mod tests {
    use super::expand;
    use std::path::PathBuf;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"").unwrap();
        }
        folder
    }

    fn expanded(folder: &tempfile::TempDir, words: &[&str]) -> Result<Vec<String>, String> {
        let words: Vec<PathBuf> = words.iter().map(|word| folder.path().join(word)).collect();
        let paths = expand(&words).map_err(|error| error.to_string())?;
        let relative = |path: &PathBuf| {
            let path = path.strip_prefix(folder.path()).unwrap();
            path.to_str().unwrap().replace('\\', "/")
        };
        Ok(paths.iter().map(relative).collect())
    }

    #[test]
    fn patterns_are_expanded_in_order_and_each_path_is_meant_once() {
        let folder = folder(&["b.mp4", "a.mp4", "c.txt"]);
        assert_eq!(expanded(&folder, &["*.mp4"]).unwrap(), ["a.mp4", "b.mp4"]);
        assert_eq!(
            expanded(&folder, &["c.txt", "b.mp4", "?.mp4"]).unwrap(),
            ["c.txt", "b.mp4", "a.mp4"]
        );
        assert!(
            expanded(&folder, &["*.mkv"])
                .unwrap_err()
                .starts_with("nothing matches")
        );
        assert!(
            expanded(&folder, &["a***"])
                .unwrap_err()
                .contains("is not a pattern")
        );
    }

    #[test]
    fn a_name_with_brackets_is_a_name() {
        let folder = folder(&["clip [1].mp4"]);
        assert_eq!(
            expanded(&folder, &["clip [1].mp4"]).unwrap(),
            ["clip [1].mp4"]
        );
    }

    #[test]
    fn a_folder_stands_for_its_videos_or_for_its_pictures() {
        let folder = folder(&[
            "videos/b.MOV",
            "videos/a.mp4",
            "videos/a.jpg",
            "stills/1.png",
        ]);
        assert_eq!(
            expanded(&folder, &["videos", "stills"]).unwrap(),
            ["videos/a.mp4", "videos/b.MOV", "stills"]
        );
    }

    #[test]
    fn what_is_not_there_is_left_for_others_to_say() {
        let folder = folder(&[]);
        assert_eq!(expanded(&folder, &["none.mp4"]).unwrap(), ["none.mp4"]);
        let address = PathBuf::from("https://127.0.0.1/clip.mp4?quality=1");
        let words = [address];
        assert_eq!(expand(&words).unwrap(), words);
    }
}
