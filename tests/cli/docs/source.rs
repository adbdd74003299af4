//! The files and names that `src/README.md` speaks of are those of the source.

use super::page::Page;
use crate::support::repository::ROOT;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

#[test]
fn what_the_page_of_the_source_names_is_there() {
    let page = Page::read("src/README.md");
    let sources: Vec<PathBuf> = sources(&Path::new(ROOT).join("src"));
    let names: BTreeSet<String> = sources.iter().flat_map(|file| declared(file)).collect();
    let (mut files, mut types) = (0, 0);
    let prose = page.prose().join("\n");
    for code in prose.split('`').skip(1).step_by(2) {
        if code.ends_with(".rs") || code.ends_with('/') {
            files += 1;
            // From `src/`, or from the top level.
            let places = ["src", ""].map(|folder| Path::new(ROOT).join(folder).join(code));
            let is_there = places.iter().any(|place| place.exists());
            assert!(is_there, "{}: there is no `{code}`", page.path);
        } else if is_type(code) {
            types += 1;
            let parts = code.split("::").all(|part| names.contains(part));
            assert!(parts, "{}: nothing is called `{code}`", page.path);
        }
    }
    assert!(
        files > 20 && types > 20,
        "only {files} files and {types} types"
    );
}

#[test]
fn every_room_is_on_the_page_of_the_source() {
    let page = Page::read("src/README.md").text;
    let source = fs::read_to_string(Path::new(ROOT).join("src/lib.rs")).unwrap();
    let rooms = source
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod "));
    let mut seen = 0;
    for room in rooms.map(|line| line.trim_end_matches(';')) {
        seen += 1;
        let names = [format!("`{room}/`"), format!("`{room}.rs`")];
        let is_there = names.iter().any(|name| page.contains(name));
        assert!(is_there, "src/README.md does not say what `{room}` is");
    }
    assert!(seen > 10, "only {seen} rooms were found");
}

// `Frame`, `Verdict::Split`.
fn is_type(code: &str) -> bool {
    code.starts_with(|c: char| c.is_ascii_uppercase())
        && code.contains(|c: char| c.is_ascii_lowercase())
        && code.chars().all(|c| c.is_ascii_alphanumeric() || c == ':')
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

// The types, functions and variants that a file declares.
fn declared(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let mut names = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let name = |word: &str| {
            let end = word.find(|c: char| !c.is_alphanumeric() && c != '_');
            word.split_at(end.unwrap_or(word.len())).0.to_owned()
        };
        for pair in words.windows(2) {
            if let [word, next] = pair
                && ["struct", "enum", "trait", "type", "fn"].contains(word)
            {
                names.push(name(next));
            }
        }
        // A variant stands alone in its line.
        if let Some(first) = words
            .first()
            .filter(|word| word.starts_with(char::is_uppercase))
        {
            names.push(name(first));
        }
    }
    names
}
