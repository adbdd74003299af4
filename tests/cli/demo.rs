//! The first command of the README, run as a user runs it, against the truth of the demo clip.
//!
//! Boxes of real inference differ in their last digits between machines, so they are compared by
//! overlap with the truth; numbers of frames, times and the shape of the file are exact.

use crate::support::program::vpipe;
use crate::support::repository::ROOT;
use crate::support::snapshots::settings;
use insta::assert_json_snapshot;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

// The threshold of the model card, src/backends/models/demo/shapes.md.
const CARD_CONFIDENCE: f64 = 0.25;

#[derive(Deserialize)]
struct Truth {
    frames: Vec<Frame>,
    speech: Vec<Sentence>,
}

#[derive(Deserialize)]
struct Sentence {
    start: f64,
    end: f64,
    text: String,
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

fn truth() -> Truth {
    let text = fs::read_to_string(Path::new(ROOT).join("tests/demo/truth.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn results(words: &[&str]) -> Value {
    let folder = TempDir::new().unwrap();
    let clip = Path::new(ROOT).join("tests/demo/clip.mp4");
    let said = vpipe(folder.path(), &[words, &[clip.to_str().unwrap()]].concat());
    assert_eq!(said.code, 0, "{}", said.talk);
    let text = fs::read_to_string(folder.path().join("output/clip_results.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_demo_finds_what_is_there() {
    let results = results(&["run", "default"]);
    let truth: BTreeMap<u64, Vec<Object>> = truth()
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
fn the_demo_hears_what_is_said() {
    let results = results(&["run", "default"]);
    assert_eq!(results["demo"], true);
    let transcription = &results["transcription"];
    assert_eq!(transcription["language"], "en");
    let heard: Vec<Sentence> = serde_json::from_value(transcription["segments"].clone()).unwrap();
    let said = truth().speech;
    let texts = |sentences: &[Sentence]| -> Vec<String> {
        sentences
            .iter()
            .map(|it| it.text.trim().to_owned())
            .collect()
    };
    assert_eq!(texts(&heard), texts(&said));
    for (heard, said) in heard.iter().zip(&said) {
        for (heard, said) in [(heard.start, said.start), (heard.end, said.end)] {
            assert!((heard - said).abs() < 0.25, "{heard} s for {said} s");
        }
    }
}

#[test]
fn the_built_in_voice_is_not_passed_off_as_a_real_one() {
    // What it does not know it is not asked for, and beside a real backend it stays away.
    let skipped = |words: &[&str]| {
        let results = results(&[&["run", "default", "--first", "1s"], words].concat());
        let why = results["transcription"]["skipped"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(why.contains("it has no backend"), "{why}");
    };
    skipped(&["--set", "whisper.language=de"]);
    skipped(&["--set", "yolo.backend=local"]);
}

#[test]
fn the_results_have_the_promised_structure() {
    let mut results = results(&["run", "default", "--set", "yolo.conf=0.25"]);
    for entry in results["detections"].as_array_mut().unwrap() {
        let mut classes: Vec<_> = entry["detections"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|object| object["confidence"].as_f64().unwrap() >= 0.3)
            .map(|object| object["class_name"].as_str().unwrap().to_owned())
            .collect();
        classes.sort();
        entry["detections"] = json!({ "confident": classes });
        entry["count"] = json!("[count]");
    }
    for segment in results["transcription"]["segments"].as_array_mut().unwrap() {
        for key in ["start", "end", "avg_logprob", "no_speech_prob"] {
            assert!(segment[key].is_number(), "{segment}");
            segment[key] = json!(format!("[{key}]"));
        }
    }
    for passage in results["timeline"].as_array_mut().unwrap() {
        for key in ["start", "end", "seen", "frames"] {
            assert!(!passage[key].is_null(), "{passage}");
            passage[key] = json!(format!("[{key}]"));
        }
    }
    settings().bind(|| {
        assert_json_snapshot!("demo", results, {
            ".video" => "[video]",
            ".processed_at" => "[time]",
            ".processing_time" => "[seconds]",
            ".run" => "[run]",
            ".summary.objects" => "[objects]",
            ".summary.classes" => "[classes]",
            ".source.digest" => "[digest]",
            ".models.yolo.digest" => "[digest]",
            ".models.whisper.digest" => "[digest]",
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
fn what_is_seen_and_heard_has_the_same_beginning_and_end() {
    let window = ["--set", "extract.start=10", "--set", "extract.end=20"];
    let results = results(&[&["run", "default"], &window[..]].concat());
    let entries = results["detections"].as_array().unwrap();
    let times: Vec<_> = entries.iter().map(|entry| &entry["timestamp"]).collect();
    assert_eq!((times.len(), times[0]), (10, &Value::from(10.0)));
    let segments = results["transcription"]["segments"].as_array().unwrap();
    assert!(!segments.is_empty());
    for segment in segments {
        let (start, end) = (&segment["start"], &segment["end"]);
        assert!(start.as_f64().unwrap() >= 10.0, "{segment}");
        assert!(end.as_f64().unwrap() <= 20.1, "{segment}");
    }
}

fn overlap(a: [f64; 4], b: [f64; 4]) -> f64 {
    let width = (a[2].min(b[2]) - a[0].max(b[0])).max(0.0);
    let height = (a[3].min(b[3]) - a[1].max(b[1])).max(0.0);
    let area = |a: [f64; 4]| (a[2] - a[0]) * (a[3] - a[1]);
    width * height / (area(a) + area(b) - width * height)
}
