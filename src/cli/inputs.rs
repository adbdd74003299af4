//! Inputs: from the words of the command line to the paths that are meant.
//!
//! Patterns are expanded here as well as by the shell, since some shells leave them alone. Does
//! not open anything; whether a path is a video is found out by others.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::ffi::OsString;
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

// Sound, which a folder stands for where it has no pictures alone, and pictures, which it does not
// stand for where it has videos. A picture that is not JPEG or PNG is read where it is named, or
// not at all.
const SOUND_EXTENSIONS: [&str; 19] = [
    "mp3", "wav", "m4a", "m4b", "mka", "aac", "flac", "ogg", "oga", "opus", "wma", "aiff", "aif",
    "amr", "au", "caf", "wv", "spx", "ac3",
];
const PICTURE_EXTENSIONS: [&str; 3] = ["jpg", "jpeg", "png"];
const OTHER_PICTURE_EXTENSIONS: [&str; 8] =
    ["webp", "gif", "bmp", "tif", "tiff", "heic", "avif", "jp2"];

// How many files that are left out are named.
const MOST_NAMED: usize = 5;

/// Whether a word is the name of a video or a sound file, by its extension.
pub(super) fn is_named_as_media(word: &str) -> bool {
    is_named(Path::new(word), &VIDEO_EXTENSIONS) || is_named(Path::new(word), &SOUND_EXTENSIONS)
}

/// What the words of the command line stand for.
#[derive(Debug, Default)]
pub(super) struct Expansion {
    /// The inputs in their order, each once.
    pub(super) paths: Vec<PathBuf>,
    /// Sound files of folders, which are inputs where anything takes sound.
    pub(super) sound_files: Vec<PathBuf>,
    /// Files of folders that look like inputs and are none.
    left_out: Vec<PathBuf>,
}

impl Expansion {
    // The sound of a video is often beside it, by the same name; so are two codings of one sound.
    fn leave_out_doubles(&mut self) {
        let mut taken: BTreeSet<OsString> = BTreeSet::new();
        let stem = |path: &PathBuf| path.file_stem().map(OsStr::to_owned);
        taken.extend(self.paths.iter().filter_map(stem));
        let paths = &self.paths;
        let sound_files = std::mem::take(&mut self.sound_files).into_iter();
        let sound_files = sound_files.filter(|file| !paths.contains(file));
        (self.sound_files, self.left_out) = sound_files.fold(
            (Vec::new(), std::mem::take(&mut self.left_out)),
            |(mut kept, mut left_out), file| {
                let is_new = stem(&file).is_none_or(|stem| taken.insert(stem));
                if is_new {
                    kept.push(file);
                } else {
                    left_out.push(file);
                }
                (kept, left_out)
            },
        );
    }

    /// One line about the files of folders that are left out; `None` where there are none.
    pub(super) fn left_out(&self) -> Option<String> {
        let named = self.left_out.iter().take(MOST_NAMED);
        let named: Vec<_> = named.map(|path| path.display().to_string()).collect();
        let more = match self.left_out.len() - named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let files = match self.left_out.len() {
            0 => return None,
            1 => "1 file of a folder is".to_owned(),
            count => format!("{count} files of folders are"),
        };
        Some(format!(
            "{files} left out: {}{more}; name a file to use it",
            named.join(", ")
        ))
    }
}

/// Why a word means nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum InputError {
    #[error("`{0}` is not a pattern: {1}")]
    Pattern(String, glob::PatternError),
    #[error(
        "nothing matches `{0}`; the name of a folder stands for all of its videos, `.` for those of this one"
    )]
    NoMatch(String),
    #[error("`{path}` cannot be read: {source}", path = .0.display(), source = .1)]
    Unreadable(PathBuf, io::Error),
}

/// The paths that `words` mean.
pub(super) fn expand(words: &[PathBuf]) -> Result<Expansion, InputError> {
    let mut all = Expansion::default();
    for word in words {
        for named in matches(word)? {
            let within = within(named)?;
            for path in within.paths {
                if !all.paths.contains(&path) {
                    all.paths.push(path);
                }
            }
            all.sound_files.extend(within.sound_files);
            all.left_out.extend(within.left_out);
        }
    }
    all.leave_out_doubles();
    all.left_out.retain(|path| !all.paths.contains(path));
    Ok(all)
}

// A path that is there is never a pattern, whatever its name: `clip [final].mp4`. Nor is an
// address, which may have a `?` in it.
pub(super) fn matches(word: &Path) -> Result<Vec<PathBuf>, InputError> {
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

// A folder stands for its videos and its sound, or else for its pictures; any other path for itself.
fn within(path: PathBuf) -> Result<Expansion, InputError> {
    let itself = |path| Expansion {
        paths: vec![path],
        ..Expansion::default()
    };
    if !path.is_dir() {
        return Ok(itself(path));
    }
    let entries = fs::read_dir(&path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = match entries {
        Ok(entries) => entries,
        Err(error) => return Err(InputError::Unreadable(path, error)),
    };
    let mut files: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    files.sort();
    files.retain(|file| !file.is_dir());
    let mut take = |extensions: &[&str]| -> Vec<PathBuf> {
        let is_meant = |file: &mut PathBuf| is_named(file, extensions) && file.is_file();
        files.extract_if(.., is_meant).collect()
    };
    let (videos, sound_files) = (take(&VIDEO_EXTENSIONS), take(&SOUND_EXTENSIONS));
    let pictures = take(&PICTURE_EXTENSIONS);
    let mut within = match (
        videos.is_empty(),
        sound_files.is_empty(),
        pictures.is_empty(),
    ) {
        (false, ..) => Expansion {
            paths: videos,
            sound_files,
            left_out: pictures,
        },
        (true, false, true) => Expansion {
            paths: sound_files,
            ..Expansion::default()
        },
        (true, ..) => Expansion {
            left_out: sound_files,
            ..itself(path)
        },
    };
    // The first two are links that lead nowhere.
    let known = [
        &VIDEO_EXTENSIONS[..],
        &SOUND_EXTENSIONS,
        &OTHER_PICTURE_EXTENSIONS,
    ]
    .concat();
    files.retain(|file| is_named(file, &known));
    within.left_out.extend(files);
    within.left_out.sort();
    Ok(within)
}

fn is_named(path: &Path, extensions: &[&str]) -> bool {
    path.extension().is_some_and(|extension| {
        extensions
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

#[cfg(test)]
mod tests {
    use super::expand;
    use std::path::MAIN_SEPARATOR;
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
        let paths = expand(&words).map_err(|error| error.to_string())?.paths;
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
        assert_eq!(expand(&words).unwrap().paths, words);
    }

    #[test]
    fn sound_of_a_folder_is_meant_where_it_has_a_name_of_its_own() {
        let folder = folder(&[
            "videos/a.mp4",
            "videos/a.wav",
            "videos/b.mp3",
            "videos/c.flac",
            "videos/c.mp3",
            "songs/1.ogg",
            "songs/2.m4b",
            "album/1.ogg",
            "album/cover.jpg",
        ]);
        let named = |words: &[&str]| {
            let words: Vec<PathBuf> = words.iter().map(|word| folder.path().join(word)).collect();
            let expansion = expand(&words).unwrap();
            [expansion.paths, expansion.sound_files, expansion.left_out].map(|paths| {
                let names = paths
                    .iter()
                    .map(|path| path.file_name().unwrap().to_str().unwrap());
                names.collect::<Vec<_>>().join(" ")
            })
        };
        assert_eq!(named(&["videos"]), ["a.mp4", "b.mp3 c.flac", "a.wav c.mp3"]);
        let with_b = ["videos", "videos/b.mp3"];
        assert_eq!(named(&with_b), ["a.mp4 b.mp3", "c.flac", "a.wav c.mp3"]);
        assert_eq!(named(&["songs"]), ["1.ogg 2.m4b", "", ""]);
        assert_eq!(named(&["album"]), ["album", "", "1.ogg"]);
    }

    #[test]
    fn files_of_a_folder_that_are_left_out_are_named() {
        let folder = folder(&[
            "mixed/a.mp4",
            "mixed/cover.PNG",
            "mixed/a.mp3",
            "mixed/notes.txt",
            "mixed/inner/b.mp4",
            "stills/1.png",
            "stills/2.webp",
        ]);
        let left_out = |words: &[&str]| {
            let words: Vec<PathBuf> = words.iter().map(|word| folder.path().join(word)).collect();
            let line = expand(&words).unwrap().left_out()?;
            Some(line.replace(
                &format!("{}{}", folder.path().display(), MAIN_SEPARATOR),
                "",
            ))
        };
        let mixed = PathBuf::from("mixed");
        let (cover, song) = (mixed.join("cover.PNG"), mixed.join("a.mp3"));
        assert_eq!(
            left_out(&["mixed"]).unwrap(),
            format!(
                "2 files of folders are left out: {}, {}; name a file to use it",
                cover.display(),
                song.display()
            )
        );
        let webp = PathBuf::from("stills").join("2.webp");
        assert_eq!(
            left_out(&["stills", "mixed/a.mp4"]).unwrap(),
            format!(
                "1 file of a folder is left out: {}; name a file to use it",
                webp.display()
            )
        );
        let named = ["mixed", "mixed/cover.PNG", "mixed/a.mp3"];
        assert_eq!(left_out(&named), None);
    }
}
