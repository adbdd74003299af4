//! The first command of the README, run as a user runs it, against the truth of the demo clip.
//!
//! Boxes of real inference differ in their last digits between machines, so they are compared by
//! overlap with the truth; numbers of frames, times and the shape of the file are exact.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use assert_cmd::Command;
use insta::Settings;
use insta::assert_json_snapshot;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use tempfile::TempDir;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

// The threshold of the model card, src/backends/local/demo/shapes.md.
const CARD_CONFIDENCE: f64 = 0.5;

#[derive(Deserialize)]
struct Truth {
    frames: Vec<Frame>,
}

#[derive(Deserialize)]
struct Frame {
    frame_number: u64,
    objects: Vec<Object>,
}

#[derive(Deserialize)]
struct Object {
    class_name: String,
    bbox: [f64; 4],
    #[serde(default = "whole")]
    visible: f64,
    #[serde(default)]
    confidence: f64,
}

fn whole() -> f64 {
    1.0
}

fn clip() -> PathBuf {
    Path::new(ROOT).join("tests/demo/clip.mp4")
}

fn vpipe(folder: &TempDir, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vpipe"));
    command.current_dir(folder).args(words);
    // The user's keys lead nowhere from here.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("RUNPOD_") {
            command.env_remove(name);
        }
    }
    command
}

fn results(words: &[&str]) -> Value {
    let folder = TempDir::new().unwrap();
    vpipe(&folder, words).arg(clip()).assert().success();
    let text = fs::read_to_string(folder.path().join("output/clip_results.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_demo_finds_what_is_there() {
    let results = results(&["run", "default"]);
    let truth = fs::read_to_string(Path::new(ROOT).join("tests/demo/truth.json")).unwrap();
    let truth: Truth = serde_json::from_str(&truth).unwrap();
    let truth: BTreeMap<u64, Vec<Object>> = truth
        .frames
        .into_iter()
        .map(|frame| (frame.frame_number, frame.objects))
        .collect();
    let (mut hits, mut found, mut there) = (0, 0, 0);
    for entry in results["detections"].as_array().unwrap() {
        let truth = &truth[&entry["frame_number"].as_u64().unwrap()];
        let seen: Vec<Object> = serde_json::from_value(entry["detections"].clone()).unwrap();
        let seen: Vec<_> = seen
            .into_iter()
            .filter(|object| object.confidence >= CARD_CONFIDENCE)
            .collect();
        let mut left: Vec<&Object> = truth
            .iter()
            .filter(|object| object.visible >= 0.6)
            .collect();
        there += left.len();
        found += seen.len();
        for object in &seen {
            let same = |other: &&Object| {
                other.class_name == object.class_name && overlap(other.bbox, object.bbox) >= 0.5
            };
            if let Some(place) = left.iter().position(same) {
                left.swap_remove(place);
                hits += 1;
            }
        }
    }
    let (precision, recall) = (
        f64::from(hits) / found as f64,
        f64::from(hits) / there as f64,
    );
    assert!(
        precision >= 0.9,
        "precision {precision:.3}: {hits} of {found} boxes are right"
    );
    assert!(
        recall >= 0.9,
        "recall {recall:.3}: {hits} of {there} shapes were found"
    );
}

#[test]
fn the_results_have_the_promised_structure() {
    let mut results = results(&["run", "default", "--set", "yolo.conf=0.5"]);
    for entry in results["detections"].as_array_mut().unwrap() {
        let mut classes: Vec<_> = entry["detections"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|object| object["confidence"].as_f64().unwrap() >= 0.8)
            .map(|object| object["class_name"].as_str().unwrap().to_owned())
            .collect();
        classes.sort();
        entry["detections"] = json!({ "confident": classes });
        entry["count"] = json!("[count]");
    }
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path(Path::new(ROOT).join("snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        assert_json_snapshot!("demo", results, {
            ".video" => "[video]",
            ".processed_at" => "[time]",
            ".processing_time" => "[seconds]",
            ".run" => "[run]",
            ".summary.objects" => "[objects]",
            ".summary.classes" => "[classes]",
            ".source.digest" => "[digest]",
            ".models.yolo.digest" => "[digest]",
        });
    });
}

#[test]
fn only_the_beginning_is_looked_at_when_asked() {
    let results = results(&["run", "default", "--first", "2500ms", "--fps", "2"]);
    let times: Vec<_> = results["detections"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["timestamp"].as_f64().unwrap())
        .collect();
    assert_eq!(times, [0.0, 0.5, 1.0, 1.5, 2.0]);
}

#[test]
fn two_videos_of_one_name_are_refused_before_anything_is_done() {
    let folder = TempDir::new().unwrap();
    let other = folder.path().join("clip.mp4");
    fs::copy(clip(), &other).unwrap();
    let assert = vpipe(&folder, &["run", "default"])
        .arg(clip())
        .arg(&other)
        .assert()
        .code(2);
    let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(said.contains("would both be written to"), "{said}");
    assert!(!folder.path().join("output").exists());
}

#[test]
fn what_cannot_be_run_is_said_in_one_message() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write(
        "text.mp4",
        b"this is no video at all, whatever its name says\n",
    );
    write("empty.mp4", b"");
    write("model.onnx", b"not a model");
    write("file", b"");
    let clip = clip();
    let clip = clip.to_str().unwrap();
    let cases: [(&[&str], i32, &str); 8] = [
        (
            &["run", "default", "nowhere.mp4"],
            2,
            "there is no file or folder",
        ),
        (&["run", "default", "text.mp4"], 3, "is not a video"),
        (&["run", "default", "empty.mp4"], 3, "is empty (0 bytes)"),
        (
            &["run", "defautl", clip],
            2,
            "there is no preset and no file called `defautl`",
        ),
        (
            &["run", "default", clip, "--set", "yolo.model=model.onnx"],
            3,
            "is not a whole ONNX model",
        ),
        (
            &["run", "default", clip, "--set", "yolo.model=gone.onnx"],
            3,
            "gone.onnx does not exist",
        ),
        (
            &["run", "default", clip, "--output-dir", "file"],
            3,
            "cannot write to file",
        ),
        (&["run", "default", "*.webm"], 2, "nothing matches `*.webm`"),
    ];
    for (words, code, message) in cases {
        let assert = vpipe(&folder, words).assert().code(code);
        let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert!(said.contains(message), "{words:?} said:\n{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}

#[test]
fn a_file_cut_in_half_gives_what_it_has() {
    let folder = TempDir::new().unwrap();
    let whole = fs::read(clip()).unwrap();
    // With its index in front, as web servers want it, a file can be read as far as it goes.
    let cut = whole.get(..whole.len() / 2).unwrap();
    fs::write(folder.path().join("cut.mp4"), cut).unwrap();
    let assert = vpipe(&folder, &["run", "default", "cut.mp4"]).assert();
    let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(!said.contains("panicked"), "{said}");
    let code = assert.get_output().status.code();
    assert!([Some(0), Some(1), Some(3)].contains(&code), "{said}");
}

fn overlap(a: [f64; 4], b: [f64; 4]) -> f64 {
    let width = (a[2].min(b[2]) - a[0].max(b[0])).max(0.0);
    let height = (a[3].min(b[3]) - a[1].max(b[1])).max(0.0);
    let area = |a: [f64; 4]| (a[2] - a[0]) * (a[3] - a[1]);
    width * height / (area(a) + area(b) - width * height)
}
