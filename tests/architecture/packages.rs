//! What images, packages and workflows are made by holds together: what they name is there, and they
//! agree about versions. Whether they work, only their being run says.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

// The files of a folder whose names end so, as (path from the top level, text).
fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let entries = fs::read_dir(Path::new(ROOT).join(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let found: Vec<_> = names
        .filter(|name| name.ends_with(ending))
        .map(|name| format!("{folder}/{name}"))
        .map(|path| {
            (
                path.clone(),
                fs::read_to_string(Path::new(ROOT).join(path)).unwrap(),
            )
        })
        .collect();
    assert!(!found.is_empty(), "{folder} has no *{ending}");
    found
}

fn is_there(path: &str) -> bool {
    Path::new(ROOT).join(path).exists()
}

// What stands behind `mark` up to where `ends`, wherever `mark` is in `text`.
fn behind<'a>(text: &'a str, mark: &str, ends: fn(char) -> bool) -> Vec<&'a str> {
    let parts = text.split(mark).skip(1);
    parts.map(|part| part.split(ends).next().unwrap()).collect()
}

// What a Dockerfile takes out of the folder that it is built in.
fn copied(dockerfile: &str) -> Vec<&str> {
    let lines = dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix("COPY "));
    let lines = lines.filter(|line| !line.starts_with("--from="));
    lines
        .flat_map(|line| line.rsplit_once(' ').unwrap().0.split(' '))
        .collect()
}

// How a stage is made, line by line.
fn stage<'a>(dockerfile: &'a str, name: &str) -> Vec<&'a str> {
    let end = format!(" AS {name}");
    let lines = dockerfile.lines().skip_while(|line| !line.ends_with(&end));
    lines.take_while(|line| !line.is_empty()).collect()
}

#[test]
fn an_image_copies_what_is_there_and_is_let_through() {
    for (path, text) in files(".ci/images", ".Dockerfile") {
        let allowed =
            fs::read_to_string(Path::new(ROOT).join(format!("{path}.dockerignore"))).unwrap();
        let sources = copied(&text);
        assert!(sources.len() > 5, "{path} copies {sources:?}");
        for source in sources {
            assert!(is_there(source), "{path}: {source} is not there");
            let is_allowed = allowed
                .lines()
                .filter_map(|line| line.strip_prefix('!'))
                .any(|line| {
                    let begins = line
                        .strip_suffix('*')
                        .is_some_and(|begin| source.starts_with(begin));
                    begins || source == line
                });
            assert!(is_allowed, "{path}.dockerignore keeps {source} away");
        }
    }
}

#[test]
fn images_are_built_alike() {
    let images = files(".ci/images", ".Dockerfile");
    let stages: BTreeSet<Vec<&str>> = images
        .iter()
        .map(|(_, text)| stage(text, "build"))
        .collect();
    assert_eq!(stages.len(), 1, "{stages:#?}");
    assert!(stages.first().unwrap().len() > 5);
}

#[test]
fn scripts_that_are_called_are_there() {
    let callers = [
        files(".ci/images", ".Dockerfile"),
        files(".github/workflows", ".yml"),
        files(".ci/package", ""),
        files(".ci/wheel", ""),
    ];
    let mut calls = 0;
    for (path, text) in callers.iter().flatten() {
        for script in behind(text, "bash .ci/", |c: char| " )\n".contains(c)) {
            calls += 1;
            assert!(
                is_there(&format!(".ci/{script}")),
                "{path}: there is no .ci/{script}"
            );
        }
    }
    assert!(calls > 10, "only {calls} were found");
}

#[test]
fn all_is_built_by_one_rust_that_is_new_enough() {
    let callers = [
        files(".ci/images", ".Dockerfile"),
        files(".github/workflows", ".yml"),
    ];
    let texts = callers.iter().flatten().map(|(_, text)| text.as_str());
    let images: BTreeSet<&str> = texts
        .flat_map(|text| behind(text, " rust:", |c: char| c.is_whitespace()))
        .collect();
    assert_eq!(images.len(), 1, "{images:?}");
    let number = |text: &str| -> Vec<u32> {
        let digits = text.split(|c: char| !c.is_ascii_digit());
        digits.map_while(|part| part.parse().ok()).collect()
    };
    let manifest = fs::read_to_string(Path::new(ROOT).join("Cargo.toml")).unwrap();
    let needed = behind(&manifest, "rust-version = \"", |c| c == '"');
    assert!(number(images.first().unwrap()) >= number(needed.first().unwrap()));
}

#[test]
fn an_action_is_named_by_its_commit() {
    for (path, text) in files(".github/workflows", ".yml") {
        assert!(
            text.contains("\npermissions:\n  contents: read\n"),
            "{path}"
        );
        for action in behind(&text, "uses: ", |c: char| c.is_whitespace()) {
            let commit = action.split_once('@').map_or("", |(_, commit)| commit);
            let is_commit = commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit());
            assert!(is_commit, "{path}: {action}");
        }
    }
}
