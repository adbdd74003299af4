//! The README, kept true: its recipes are run, and so is every command in it.

use crate::support::program::vpipe;
use crate::support::repository::ROOT;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// The blocks of a language, without their fences.
fn blocks(readme: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let parts = readme.split(&fence).skip(1);
    parts
        .map(|part| part.split("```").next().unwrap().to_owned())
        .collect()
}

fn readme() -> String {
    fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap()
}

#[test]
fn every_command_does_what_it_should() {
    let readme = readme();
    let folder = TempDir::new().unwrap();
    fs::copy(
        Path::new(ROOT).join("tests/demo/clip.mp4"),
        folder.path().join("clip.mp4"),
    )
    .unwrap();
    for recipe in blocks(&readme, "toml") {
        let name = recipe
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("# "))
            .unwrap();
        fs::write(folder.path().join(name), &recipe).unwrap();
        let said = vpipe(folder.path(), &["check", name]);
        assert_eq!(said.code, 0, "{name}: {}", said.talk);
    }
    let commands = blocks(&readme, "console");
    let commands = commands.iter().flat_map(|block| block.lines());
    let mut tried = 0;
    for command in commands.filter_map(|line| line.strip_prefix("$ vpipe ")) {
        let words: Vec<&str> = command.split_whitespace().collect();
        let said = vpipe(folder.path(), &words);
        assert_eq!(said.code, 0, "vpipe {command}: {}", said.talk);
        tried += 1;
    }
    assert!(tried >= 10, "only {tried} commands were found");
}

#[test]
fn the_first_command_finds_the_shapes() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| Path::new(ROOT).join(name).to_str().unwrap().to_owned();
    let readme = readme();
    let blocks = blocks(&readme, "console");
    let first = blocks.iter().flat_map(|block| block.lines());
    let first = first
        .filter_map(|line| line.strip_prefix("$ cargo run --release -- "))
        .next();
    let words: Vec<String> = first
        .unwrap()
        .split_whitespace()
        .map(|word| {
            if word.contains('/') {
                path(word)
            } else {
                word.to_owned()
            }
        })
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let said = vpipe(folder.path(), &words);
    assert_eq!(said.code, 0, "{}", said.talk);
    assert!(folder.path().join("output/clip_results.json").is_file());
}

#[test]
fn the_lines_of_a_run_are_as_shown() {
    let readme = readme();
    let shown = blocks(&readme, "text").remove(0);
    let folder = TempDir::new().unwrap();
    let clip = Path::new(ROOT).join("tests/demo/clip.mp4");
    let words = ["run", "default", clip.to_str().unwrap(), "--first", "1s"];
    let said = vpipe(folder.path(), &words);
    // Those that neither the terminal nor the machine has a part in.
    for line in shown
        .lines()
        .filter(|line| line.contains("whisper:") || line.contains("no model"))
    {
        assert!(
            said.talk.contains(line),
            "the README shows `{line}`; it said:\n{}",
            said.talk
        );
    }
}

#[test]
fn mistakes_are_told_as_shown() {
    let readme = readme();
    let shown = blocks(&readme, "text");
    let shown = shown
        .iter()
        .find(|block| block.contains("bad.toml"))
        .unwrap();
    let folder = TempDir::new().unwrap();
    let recipe = "version = 1\nextends = \"default\"\n[stages.yolo]\nconf = 1.5\nimgsize = 640\n";
    fs::write(folder.path().join("bad.toml"), recipe).unwrap();
    let said = vpipe(folder.path(), &["check", "bad.toml"]);
    assert_eq!((said.talk.trim(), said.code), (shown.trim(), 2));
}
