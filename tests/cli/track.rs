//! Things of the demo clip, counted: the same ones however a run is cut into pieces.

use crate::support::program::Said;
use crate::support::program::vpipe;
use crate::support::repository::CLIP;
use crate::support::repository::ROOT;
use serde_json::Value;
use serde_json::json;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

fn run(folder: &Path, words: &[&str]) -> Said {
    run_example("things", folder, words)
}

fn run_example(name: &str, folder: &Path, words: &[&str]) -> Said {
    let recipe = format!("{ROOT}/recipes/examples/{name}.toml");
    vpipe(folder, &[&["run", &recipe, CLIP], words].concat())
}

// The results, without what may differ between two runs.
fn results(folder: &Path) -> Value {
    let text = fs::read_to_string(folder.join("output/clip_results.json")).unwrap();
    let mut results: Value = serde_json::from_str(&text).unwrap();
    for varying in ["processed_at", "processing_time", "run", "recipe", "config"] {
        results[varying] = Value::Null;
    }
    results
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap()
}

// `truth.json` and the script that drew the clip know nine shapes.
#[test]
fn each_shape_of_the_clip_is_one_thing() {
    let folder = TempDir::new().unwrap();
    let said = run(folder.path(), &[]);
    assert_eq!(said.code, 0, "{}", said.talk);
    assert!(said.talk.contains("; 9 things"), "{}", said.talk);
    let results = results(folder.path());
    let things = json!({"circle": 2, "cross": 1, "ring": 1, "square": 2, "star": 2, "triangle": 1});
    assert_eq!(results["summary"]["tracks"], things);
    let tracks = list(&results["tracks"]);
    for (number, track) in tracks.iter().enumerate() {
        assert_eq!(track["track"], number + 1);
        let sights = list(&results["detections"]).iter().flat_map(|entry| {
            let objects = list(&entry["detections"]).iter();
            let of_track = objects.filter(|object| object["track"] == track["track"]);
            of_track.map(|object| (&entry["timestamp"], object))
        });
        let sights: Vec<_> = sights.collect();
        assert_eq!(track["frames"], sights.len());
        assert_eq!(Some(&track["first"]), sights.first().map(|(at, _)| *at));
        assert_eq!(Some(&track["last"]), sights.last().map(|(at, _)| *at));
        let path = list(&track["path"]);
        assert_eq!(path.len(), sights.len());
        for (point, (at, object)) in path.iter().zip(&sights) {
            assert_eq!(object["class_name"], track["class_name"]);
            let side = |number: usize| object["bbox"][number].as_f64().unwrap();
            let centre = (side(0) + side(2)) / 2.0;
            assert_eq!(point[0], **at);
            assert!((point[1].as_f64().unwrap() - centre).abs() < 0.011);
        }
    }
}

#[test]
fn tracks_are_the_same_however_a_run_is_made() {
    let whole = TempDir::new().unwrap();
    let said = run(whole.path(), &["--first", "8s", "--record", "cas"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    let expected = results(whole.path());
    assert!(list(&expected["tracks"]).len() >= 6);
    // One by one; and in two runs, the second of which knows what the first was told.
    let single = TempDir::new().unwrap();
    let one = ["--first", "8s", "--set", "yolo.concurrency=1"];
    assert_eq!(run(single.path(), &one).code, 0);
    assert_eq!(results(single.path()), expected);
    let pieces = TempDir::new().unwrap();
    for first in ["3s", "8s"] {
        assert_eq!(run(pieces.path(), &["--first", first]).code, 0);
    }
    assert_eq!(results(pieces.path()), expected);
    // With nobody to ask.
    fs::remove_dir_all(whole.path().join("output")).unwrap();
    let said = run(whole.path(), &["--first", "8s", "--replay", "cas"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    assert_eq!(results(whole.path()), expected);
}

#[test]
fn other_parameters_of_a_track_ask_nobody_again() {
    let folder = TempDir::new().unwrap();
    assert_eq!(run(folder.path(), &["--first", "4s"]).code, 0);
    let known = list(&results(folder.path())["tracks"]).len();
    let more = ["--first", "4s", "--set", "track.min_frames=1000", "-v"];
    let said = run(folder.path(), &more);
    assert_eq!(said.code, 0, "{}", said.talk);
    assert!(said.talk.contains("known"), "{}", said.talk);
    let results = results(folder.path());
    assert!(known > 0 && results["tracks"].is_null());
    assert!(results["summary"]["objects"].as_u64().unwrap() > 0);
}

// The script that drew the clip moves the red circle from x 1060 to 810 and from there past the
// right border, the purple cross from 1090 to 940, and the white circle from the top to 360, 540;
// the gate is at x 998, and the corner is around that.
#[test]
fn those_who_cross_a_line_or_enter_a_region_are_counted() {
    for fps in ["1", "2"] {
        let folder = TempDir::new().unwrap();
        let said = run_example("crossings", folder.path(), &["--fps", fps]);
        assert_eq!(said.code, 0, "{}", said.talk);
        let told = "; gate: 1 forward, 2 backward; corner: 1 entered";
        assert!(said.talk.contains(told), "{}", said.talk);
        let results = results(folder.path());
        let gate = json!({"forward": {"circle": 1}, "backward": {"circle": 1, "cross": 1}});
        assert_eq!(results["summary"]["crossed"], json!({ "gate": gate }));
        assert_eq!(
            results["summary"]["entered"],
            json!({"corner": {"circle": 1}})
        );
        let objects = list(&results["detections"]).iter();
        let objects = objects.flat_map(|entry| {
            let objects = list(&entry["detections"]).iter();
            objects.map(|object| (entry["timestamp"].as_f64().unwrap(), object))
        });
        let passed: Vec<_> = objects
            .filter(|(_, object)| !object["crossed"].is_null() || !object["entered"].is_null())
            .collect();
        let expected = [
            ("circle", 0.5..2.5, json!({"gate": "backward"}), Value::Null),
            ("circle", 12.0..14.5, Value::Null, json!(["corner"])),
            (
                "cross",
                14.5..16.5,
                json!({"gate": "backward"}),
                Value::Null,
            ),
            (
                "circle",
                23.0..25.0,
                json!({"gate": "forward"}),
                Value::Null,
            ),
        ];
        assert_eq!(passed.len(), expected.len(), "{passed:?}");
        for ((at, object), (class, when, crossed, entered)) in passed.into_iter().zip(expected) {
            assert_eq!(object["class_name"], class);
            assert!(when.contains(&at), "{class} at {at}");
            assert_eq!(
                (&object["crossed"], &object["entered"]),
                (&crossed, &entered)
            );
        }
    }
}

#[test]
fn a_crossing_is_counted_once_however_a_run_is_made() {
    let passed = |folder: &Path| {
        let results = results(folder);
        let counts = results["summary"]["crossed"].clone();
        (counts, results["detections"].clone())
    };
    let whole = TempDir::new().unwrap();
    let said = run_example("crossings", whole.path(), &["--fps", "4", "--first", "4s"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    let expected = passed(whole.path());
    let gate = json!({"forward": {}, "backward": {"circle": 1}});
    assert_eq!(expected.0["gate"], gate);
    // The circle crosses between the two, and in the second run again.
    let pieces = TempDir::new().unwrap();
    for first in ["1.25s", "4s"] {
        let words = ["--fps", "4", "--first", first];
        assert_eq!(run_example("crossings", pieces.path(), &words).code, 0);
    }
    assert_eq!(passed(pieces.path()), expected);
}
