//! Recorded and replayed: every recipe of this repository, over servers that are gone by then.

mod absent;
mod golden;
mod recipes;
mod servers;

use crate::support::fleet::KEY;
use crate::support::program::Said;
use crate::support::program::vpipe_beside;
use crate::support::repository::CLIP;
use crate::support::repository::ROOT;
use crate::support::server::serve;
use axum::Json;
use axum::Router;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use tempfile::TempDir;
use walkdir::WalkDir;

async fn run(folder: &Path, recipe: &str, words: &[&str], variables: &[(&str, &str)]) -> Said {
    let mut all = vec!["run", recipe, CLIP];
    all.extend_from_slice(words);
    vpipe_beside(folder, &all, variables).await
}

// The results without what may differ between two runs on the same answers.
fn results(folder: &Path) -> String {
    results_of(folder, "clip")
}

fn results_of(folder: &Path, stem: &str) -> String {
    let path = folder.join(format!("output/{stem}_results.json"));
    let text = fs::read_to_string(path).unwrap();
    let mut results: Value = serde_json::from_str(&text).unwrap();
    let fields = results.as_object_mut().unwrap();
    for varies in ["processed_at", "processing_time", "run"] {
        assert!(fields.shift_remove(varies).is_some(), "{varies}");
    }
    format!("{results:#}")
}

fn files(cassette: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(cassette).unwrap().map(Result::unwrap);
    let file = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        (name, fs::read_to_string(entry.path()).unwrap())
    };
    entries.map(file).collect()
}

fn remove_output(folder: &Path) {
    fs::remove_dir_all(folder.join("output")).unwrap();
}

// What nobody may find in a cassette.
fn assert_of_no_machine(folder: &Path) {
    for (name, text) in files(&folder.join("cas")) {
        for hidden in [KEY, "127.0.0.1", ROOT, "tests/demo", "\"detect\""] {
            assert!(!text.contains(hidden), "{hidden} stands in {name}");
        }
        assert!(!text.contains(&folder.display().to_string()), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_are_written_again_in_a_replay() {
    for name in recipes::WRITERS {
        let folder = TempDir::new().unwrap();
        let at = folder.path();
        let recipe = format!("{ROOT}/recipes/examples/{name}.toml");
        let mut words = vec!["--first", "25s"];
        if name != "frames" {
            words.extend(["--var", "who=circle"]);
        }
        let recorded = [&words[..], &["--record", "cas"]].concat();
        let said = run(at, &recipe, &recorded, &[]).await;
        assert_eq!(said.code, 0, "{name}: {}", said.talk);
        let expected = frames_below(&at.join("output"));
        assert!(!expected.is_empty(), "{name}: {}", said.talk);
        remove_output(at);
        words.extend(["--replay", "cas", "-vv", "--log", "log"]);
        let said = run(at, &recipe, &words, &[]).await;
        assert_eq!(said.code, 0, "{name}: {}", said.talk);
        assert!(frames_below(&at.join("output")) == expected, "{name}");
        assert_eq!(decoded(at), [true, false], "{name}");
    }
}

// The pictures in a folder and in those within it.
fn frames_below(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = WalkDir::new(folder).into_iter().map(Result::unwrap);
    let pictures = entries.filter(|entry| entry.path().extension().is_some_and(|end| end == "jpg"));
    let picture = |entry: walkdir::DirEntry| {
        let bytes = fs::read(entry.path()).unwrap();
        (entry.into_path(), bytes)
    };
    pictures.map(picture).collect()
}

const FIRST: [&str; 2] = ["--first", "3s"];

// Three seconds of the clip, as `cas`.
async fn record_default(folder: &Path) {
    let words = [&FIRST[..], &["--record", "cas"]].concat();
    let said = run(folder, "default", &words, &[]).await;
    assert_eq!(said.code, 0, "{}", said.talk);
}

// Whether packets of frames and whether sound were decoded in the run that wrote `log`.
fn decoded(folder: &Path) -> [bool; 2] {
    let log = fs::read_to_string(folder.join("log")).unwrap();
    let packets = log.lines().filter_map(|line| {
        let (_, rest) = line.split_once("frames read")?.1.split_once("packets=")?;
        Some(rest.split_whitespace().next()?.parse::<u64>().unwrap())
    });
    [
        packets.sum::<u64>() > 0,
        log.contains("sound decoder opened"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_decodes_what_must_be_seen_or_heard_alone() {
    let folder = TempDir::new().unwrap();
    let at = folder.path();
    record_default(at).await;
    for (set, code, expected) in [
        ("batch.size=2", 0, [false, false]),
        // Nobody is asked about what is missed.
        ("yolo.conf=0.3", 3, [false, false]),
        ("extract.fps=2", 3, [false, false]),
        ("extract.max_side=640", 3, [false, false]),
        // What repeats another must be seen.
        ("extract.dedup=true", 0, [true, false]),
        // Where it is cut depends on its pauses.
        ("whisper.chunk=5", 3, [false, true]),
    ] {
        fs::remove_file(at.join("log")).unwrap_or_default();
        let words = ["--replay", "cas", "-vv", "--log", "log", "--set", set];
        let said = run(at, "default", &[&FIRST[..], &words].concat(), &[]).await;
        assert_eq!(said.code, code, "{set}: {}", said.talk);
        assert_eq!(decoded(at), expected, "{set}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_recorded_is_an_error_that_says_why() {
    let folder = TempDir::new().unwrap();
    let at = folder.path();
    record_default(at).await;
    for (set, lines) in [
        (
            "yolo.conf=0.3",
            &[
                "3 items are not in the cassette; --record makes it anew:",
                "  yolo: 3 items: `conf` was 0.15 and is 0.3",
            ][..],
        ),
        (
            "extract.fps=2",
            &[
                "3 items are not in the cassette; --record makes it anew:",
                "  yolo: 3 items: this frame was not sampled then: `fps` was 1 and is 2",
            ],
        ),
        (
            "extract.max_side=640",
            &["  yolo: 3 items: `extract.max_side` was 1280 and is 640"],
        ),
        (
            "whisper.chunk=5",
            &["the sound was cut in another way then: `chunk` was not set and is 5"],
        ),
    ] {
        remove_output(at);
        let words = [&FIRST[..], &["--replay", "cas", "--set", set]].concat();
        let said = run(at, "default", &words, &[]).await;
        assert_eq!(said.code, 3, "{set}: {}", said.talk);
        for line in lines {
            assert!(said.talk.contains(line), "{set}: {}", said.talk);
        }
        let text = fs::read_to_string(at.join("output/clip_results.json")).unwrap();
        assert!(text.contains("\"not-recorded\""), "{set}: {text}");
        if set == "extract.fps=2" {
            let results: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(results["summary"]["frames"], 6);
            assert_eq!(results["summary"]["failed"], 3, "the others are there");
        }
    }
    // What decides nothing is replayed.
    for set in [
        "yolo.concurrency=1",
        "batch.size=3",
        "extract.concurrency=1",
    ] {
        let words = [&FIRST[..], &["--replay", "cas", "--set", set]].concat();
        let said = run(at, "default", &words, &[]).await;
        assert_eq!(said.code, 0, "{set}: {}", said.talk);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_video_is_not_in_it() {
    let folder = TempDir::new().unwrap();
    let at = folder.path();
    let words = ["--first", "1s", "--record", "cas"];
    let said = run(at, "default", &words, &[]).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    let mut other = fs::read(CLIP).unwrap();
    other.push(0);
    fs::write(at.join("other.mp4"), other).unwrap();
    let words = [
        "run",
        "default",
        "other.mp4",
        "--first",
        "1s",
        "--replay",
        "cas",
    ];
    let said = vpipe_beside(at, &words, &[]).await;
    assert_eq!(said.code, 3, "{}", said.talk);
    assert!(
        said.talk
            .contains("yolo: 1 item: the video other.mp4 is not in it"),
        "{}",
        said.talk
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_lacks_something_leaves_the_cassette_as_it_is() {
    let folder = TempDir::new().unwrap();
    let at = folder.path();
    let said = run(at, "default", &["--first", "1s", "--record", "cas"], &[]).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    let before = files(&at.join("cas"));
    let refuses = || async { Json(json!({ "success": false, "error": "no model" })) };
    let url = format!("url={}/", serve(Router::new().fallback(refuses)).await);
    let recipe = format!("{ROOT}/recipes/examples/frames-only.toml");
    let words = ["--first", "1s", "--var", &url, "--record", "cas"];
    let said = run(at, &recipe, &words, &[]).await;
    assert_eq!(said.code, 1, "{}", said.talk);
    let told = "cas is not recorded: 1 item has no answer";
    assert!(said.talk.contains(told), "{}", said.talk);
    assert!(files(&at.join("cas")) == before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_no_cassette_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let at = folder.path();
    fs::create_dir(at.join("mine")).unwrap();
    fs::write(at.join("mine/thesis.tex"), "all of it").unwrap();
    for (words, code, told) in [
        (
            ["--record", "mine"],
            2,
            "the folder holds other files, which would be lost",
        ),
        (
            ["--replay", "mine"],
            2,
            "mine is no cassette: there is no cassette.json",
        ),
        (
            ["--replay", "nowhere"],
            2,
            "nowhere is no cassette: there is no cassette.json",
        ),
    ] {
        let said = run(at, "default", &words, &[]).await;
        assert_eq!(said.code, code, "{}", said.talk);
        assert!(said.talk.contains(told), "{}", said.talk);
    }
    assert_eq!(fs::read(at.join("mine/thesis.tex")).unwrap(), b"all of it");
}
