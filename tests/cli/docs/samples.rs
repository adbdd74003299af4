//! What the pages show of the program's output is what it writes, numbers aside where they are
//! those of a machine.

use super::page::Page;
use crate::support::program::vpipe;
use crate::support::program::vpipe_with;
use crate::support::repository::CLIP;
use crate::support::repository::ROOT;
use std::fs;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use vpipe::duration::spelled;

// A block of sample output that holds `part`.
fn sample(path: &'static str, part: &str) -> String {
    let mut blocks = Page::read(path).fenced("text").into_iter();
    let block = blocks.find(|block| block.contains(part));
    block.unwrap_or_else(|| panic!("{path} shows nothing with `{part}`"))
}

// Every number as `#`: times and counts of boxes differ between machines in their last digits.
fn without_numbers(line: &str) -> String {
    let mut text = String::new();
    for letter in line.chars() {
        let is_part = letter.is_ascii_digit() || (letter == '.' && text.ends_with('#'));
        match (is_part, text.ends_with('#')) {
            (true, true) => {}
            (true, false) => text.push('#'),
            (false, _) => text.push(letter),
        }
    }
    // A length of a minute on one machine may be one of seconds on another.
    let lengths = ["# min # s", "# h # min", "# min", "# h"];
    lengths
        .iter()
        .fold(text, |text, length| text.replace(length, "# s"))
}

// The lines of `shown` that are not in what was written.
fn missing(shown: &str, written: &str) -> Vec<String> {
    let written: Vec<String> = written.lines().map(without_numbers).collect();
    let shown = shown.lines().map(without_numbers);
    let shown: Vec<String> = shown.collect();
    assert!(!shown.is_empty());
    shown
        .into_iter()
        .filter(|line| !written.contains(line))
        .collect()
}

#[test]
fn a_line_of_a_run_is_the_same_however_long_it_took() {
    for seconds in [
        0.004, 0.4, 3.4, 12.3, 59.97, 60.0, 67.2, 125.0, 3599.7, 3600.0, 3725.0,
    ] {
        let took = spelled(Duration::from_secs_f64(seconds));
        let line = format!("26 frames in {took}, {:.1}/s", 26.0 / seconds);
        assert_eq!(without_numbers(&line), "# frames in # s, #/s", "{line}");
    }
}

#[test]
fn the_lines_of_a_run_are_as_shown() {
    let folder = TempDir::new().unwrap();
    let clip = folder.path().join("tests/demo/clip.mp4");
    fs::create_dir_all(clip.parent().unwrap()).unwrap();
    fs::copy(CLIP, &clip).unwrap();
    let said = vpipe(folder.path(), &["run", "default", "tests/demo/clip.mp4"]);
    let shown = sample("README.md", "clip_results.json");
    assert_eq!(
        missing(&shown, &said.talk),
        [""; 0],
        "it said:\n{}",
        said.talk
    );
    assert!(folder.path().join("output/clip_results.json").is_file());
}

#[test]
fn mistakes_are_told_as_shown() {
    let shown = sample("recipes/README.md", "bad.toml");
    let folder = TempDir::new().unwrap();
    let recipe = "version = 1\nextends = \"default\"\n[stages.yolo]\nconf = 1.5\nimgsize = 640\n";
    fs::write(folder.path().join("bad.toml"), recipe).unwrap();
    let said = vpipe(folder.path(), &["check", "bad.toml"]);
    assert_eq!((said.talk.trim(), said.code), (shown.trim(), 2));
}

#[test]
fn a_comparison_is_as_shown() {
    let shown = sample("src/output/README.md", "word error rate");
    let pairs = fs::read_to_string(Path::new(ROOT).join("snapshots/compare_pairs.snap")).unwrap();
    assert!(
        pairs.contains(&shown),
        "no pair of results is told so:\n{shown}"
    );
}

#[test]
fn a_test_is_as_shown() {
    let said = vpipe(Path::new(ROOT), &["test", "tests"]);
    assert_eq!((said.out, said.code), (sample("README.md", "1 test"), 0));
}

#[test]
fn a_plan_is_as_shown() {
    let shown = sample("src/backends/README.md", "of a GPU");
    let variables = [
        ("RUNPOD_API_KEY", "none"),
        ("RUNPOD_YOLO_ENDPOINT_ID", "abc123"),
    ];
    let folder = TempDir::new().unwrap();
    let said = vpipe_with(folder.path(), &["plan", "high-detail", CLIP], &variables);
    assert_eq!(
        missing(&shown, &said.out),
        [""; 0],
        "it said:\n{}",
        said.out
    );
    // These are exact.
    let counts = shown.lines().next().unwrap();
    assert!(said.out.contains(counts), "{counts}\n{}", said.out);
    assert!(!Path::new(folder.path()).join("output").exists());
}
