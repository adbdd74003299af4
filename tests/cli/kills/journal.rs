//! The journal as a kill has left it, read from a copy: whoever opens it mends it.

use crate::support::fleet::KEY;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use tempfile::TempDir;

/// What an answer is of: its video, its stage and what of the video.
pub(super) type Key = (String, Vec<u8>, [i64; 3]);

/// What stands in a journal.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) answers: BTreeMap<Key, Vec<u8>>,
    pub(super) tickets: BTreeSet<String>,
}

/// What the journal of the runs in `folder` holds; nothing where there is none yet.
pub(super) fn content(folder: &Path) -> Content {
    let copy = TempDir::new().unwrap();
    for file in files(&folder.join("output/.vpipe")) {
        let name = file.file_name().unwrap();
        if name.to_string_lossy().starts_with("journal.sqlite") {
            fs::copy(&file, copy.path().join(name)).unwrap();
        }
    }
    let path = copy.path().join("journal.sqlite");
    if fs::metadata(&path).map_or(0, |about| about.len()) == 0 {
        return Content::default();
    }
    let journal = Connection::open(path).unwrap();
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name = 'answers'";
    let tables: i64 = journal.query_row(tables, [], |row| row.get(0)).unwrap();
    match tables {
        0 => Content::default(),
        _ => Content {
            answers: answers(&journal),
            tickets: tickets(&journal),
        },
    }
}

fn answers(journal: &Connection) -> BTreeMap<Key, Vec<u8>> {
    let text = "SELECT videos.digest, stages.digest, kind, first, second, content FROM answers
        JOIN videos ON videos.id = video JOIN stages ON stages.id = stage";
    let mut select = journal.prepare(text).unwrap();
    let rows = select.query_map([], |row| {
        let place = [row.get(2)?, row.get(3)?, row.get(4)?];
        Ok(((row.get(0)?, row.get(1)?, place), undated(row.get(5)?)))
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

// A file that was saved has a time, and so another checksum.
fn undated(mut content: Vec<u8>) -> Vec<u8> {
    let time = b"\"modified\"";
    if let Some(start) = content.windows(time.len()).position(|it| it == time) {
        content.truncate(start);
    }
    content
}

fn tickets(journal: &Connection) -> BTreeSet<String> {
    let mut select = journal.prepare("SELECT ticket FROM tickets").unwrap();
    let rows = select.query_map([], |row| row.get(0));
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

/// No key and nothing of a frame or of sound is in the journal, and its files are the user's own.
pub(super) fn tells_nothing(folder: &Path) {
    let state = folder.join("output/.vpipe");
    if !state.exists() {
        return;
    }
    for file in files(&state) {
        let bytes = fs::read(&file).unwrap();
        for (what, mark) in marks() {
            let found = bytes.windows(mark.len()).any(|window| window == mark);
            assert!(!found, "{} holds {what}", file.display());
        }
        is_own(&file, 0o600);
    }
    is_own(&state, 0o700);
}

// How files of frames and sound begin, as they are and in base64; and the key.
fn marks() -> Vec<(&'static str, Vec<u8>)> {
    let marks: [(&str, &[u8]); 6] = [
        ("a key", KEY.as_bytes()),
        ("a JPEG", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"),
        ("a PNG", b"\x89PNG\r\n\x1a\n"),
        ("a WAV", b"WAVEfmt "),
        ("a FLAC", b"fLaC\x00\x00\x00\x22"),
        ("an Ogg", b"OggS\x00\x02\x00\x00"),
    ];
    let coded = |mark: &[u8]| {
        let mut text = STANDARD.encode(mark).into_bytes();
        // What comes after the mark has a part in the last four.
        text.truncate(mark.len() / 3 * 4);
        text
    };
    let plain = marks.iter().map(|(what, mark)| (*what, mark.to_vec()));
    plain
        .chain(marks.iter().map(|(what, mark)| (*what, coded(mark))))
        .collect()
}

#[cfg(unix)]
fn is_own(path: &Path, wanted: u32) {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let path = path.display();
    assert_eq!(
        mode & 0o077,
        0,
        "others may read {path}: {mode:o}, not {wanted:o}"
    );
}

#[cfg(not(unix))]
fn is_own(_: &Path, _: u32) {}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => files(&path),
            false => vec![path],
        })
        .collect()
}
