//! A cassette of format 1 with answers of every kind, as it was written when that format was new: it
//! is replayed for ever, and whatever is changed in it is told with the file and the line.
//!
//! `UPDATE_GOLDEN=1` records it anew, which is right only where a new format has a golden one of its
//! own.

use super::files;
use super::results;
use super::servers::Servers;
use crate::support::fleet::KEY;
use crate::support::program::vpipe;
use crate::support::program::vpipe_beside;
use crate::support::repository::CLIP;
use crate::support::repository::ROOT;
use crate::support::snapshots::settings;
use serde_json::Value;
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use tempfile::TempDir;
use vpipe::engine::cassette::Cassette;
use vpipe::engine::cassette::CassetteError;
use vpipe::engine::cassette::CassetteHead;

fn golden() -> PathBuf {
    Path::new(ROOT).join("tests/cli/cassette/golden")
}

async fn record() {
    let servers = Servers::start().await;
    let folder = TempDir::new().unwrap();
    let recipe = golden().join("recipe.toml").display().to_string();
    let cassette = golden().join("format-1").display().to_string();
    let words = ["run", &recipe, CLIP, "--record", &cassette];
    let variables = [
        ("VPIPE_SERVER", servers.address.as_str()),
        ("RUNPOD_API_KEY", KEY),
    ];
    let said = vpipe_beside(folder.path(), &words, &variables).await;
    assert_eq!(said.code, 0, "{}", said.talk);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_format_is_replayed_for_ever() {
    if env::var_os("UPDATE_GOLDEN").is_some() {
        record().await;
    }
    let folder = TempDir::new().unwrap();
    let recipe = golden().join("recipe.toml").display().to_string();
    let cassette = golden().join("format-1").display().to_string();
    let said = vpipe(folder.path(), &["run", &recipe, "--replay", &cassette]);
    assert_eq!(said.code, 0, "{}", said.talk);
    let results: Value = serde_json::from_str(&results(folder.path())).unwrap();
    settings().bind(|| insta::assert_snapshot!("cassette_golden", format!("{results:#}")));
}

#[test]
fn it_has_answers_of_every_kind() {
    let text: String = files(&golden().join("format-1")).into_values().collect();
    for kind in [
        "\"frame\":",
        "\"same_as\":",
        "\"sampled\":",
        "\"objects\":[[",
        "\"crop\":",
        "\"fields\":",
        "\"heard\":",
        "\"transcript\":",
        "\"segment\":",
        "\"words\":",
        "\"skipped\":",
    ] {
        assert!(text.contains(kind), "{kind} is in none of its files");
    }
}

/// A golden cassette in which files can be changed, one at a time.
struct Changed {
    folder: TempDir,
    files: BTreeMap<String, String>,
    head: CassetteHead,
}

impl Changed {
    fn new() -> Self {
        let (folder, files) = (TempDir::new().unwrap(), files(&golden().join("format-1")));
        for (name, text) in &files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let head = Cassette::open(folder.path()).unwrap().head().clone();
        Self {
            folder,
            files,
            head,
        }
    }

    // What is said of the cassette with this in place of a file; `None` where it says the same.
    fn said(&self, name: &str, bytes: &[u8]) -> Option<CassetteError> {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let opened = Cassette::open(self.folder.path());
        fs::write(&path, &self.files[name]).unwrap();
        let opened = opened.map(|cassette| assert_eq!(cassette.head(), &self.head, "{name}"));
        opened.err()
    }
}

// Asserts that a change at this line is told there.
fn assert_told(error: &CassetteError, name: &str, line: usize, lines: usize) {
    let text = error.to_string();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(!text.contains('\u{1b}'), "{text:?}");
    match error {
        CassetteError::Broken {
            path,
            line: told,
            why,
        } => {
            assert!(path.ends_with(name), "{text}");
            let told = usize::try_from(*told).unwrap();
            // The check of the head is of all its lines, and so is the digest of a file.
            let is_of_all = name == "cassette.json" || why.contains("of another recording");
            assert!(told == line || is_of_all, "{text}, not line {line}");
            assert!((1..=lines + 1).contains(&told), "{text}");
        }
        CassetteError::Newer { .. } => assert_eq!(name, "cassette.json", "{text}"),
        CassetteError::Missing { .. } => assert!(text.contains(".jsonl"), "{text}"),
        CassetteError::Unreadable { .. } => panic!("{text}"),
    }
}

#[test]
fn no_place_in_it_is_changed_in_silence() {
    let golden = Changed::new();
    let mut told = 0;
    for (name, text) in &golden.files {
        let lines = text.lines().count();
        for at in (0..text.len()).step_by(7) {
            let mut bytes = text.as_bytes().to_vec();
            // In one of these ways after the other.
            match at % 5 {
                0 => bytes[at] ^= 1,
                1 => bytes[at] = b'7',
                2 => bytes[at] = 0xff,
                3 => drop(bytes.remove(at)),
                _ => bytes.insert(at, b'"'),
            }
            let line = text.as_bytes()[..at]
                .iter()
                .filter(|it| **it == b'\n')
                .count()
                + 1;
            match golden.said(name, &bytes) {
                Some(error) => {
                    assert_told(&error, name, line, lines);
                    told += 1;
                }
                // A space in the head, or the last end of a line.
                None => assert!(
                    bytes == text.as_bytes() || name == "cassette.json" || at + 1 == text.len(),
                    "byte {at} of {name}, in line {line}"
                ),
            }
        }
    }
    assert!(told > 1000, "{told}");
}

#[test]
fn no_line_of_it_is_changed_in_silence() {
    let golden = Changed::new();
    for (name, text) in golden
        .files
        .iter()
        .filter(|(name, _)| name.ends_with(".jsonl"))
    {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let other = golden
            .files
            .iter()
            .find(|(other, _)| *other != name && other.ends_with(".jsonl"));
        let other = other.unwrap().1.lines().next().unwrap();
        for at in 0..lines.len() {
            let changed = |change: &dyn Fn(&mut Vec<String>)| {
                let mut lines = lines.clone();
                change(&mut lines);
                lines.join("\n") + "\n"
            };
            let half = lines[at].get(..lines[at].len() / 2).unwrap();
            for changed in [
                changed(&|lines| drop(lines.remove(at))),
                changed(&|lines| lines.insert(at, lines[at].clone())),
                changed(&|lines| lines[at] = half.to_owned()),
                changed(&|lines| lines[at].clear()),
                changed(&|lines| lines[at] = "{}".to_owned()),
                changed(&|lines| lines[at] = other.to_owned()),
                changed(&|lines| lines.truncate(at)),
                changed(&|lines| lines.rotate_left(1)),
            ] {
                if changed == *text {
                    continue;
                }
                let error = golden.said(name, changed.as_bytes());
                let error = error.unwrap_or_else(|| panic!("line {} of {name}", at + 1));
                let text = error.to_string();
                assert!(matches!(error, CassetteError::Broken { .. }), "{text}");
                assert!(text.contains(name) && text.lines().count() == 1, "{text}");
            }
        }
    }
}
