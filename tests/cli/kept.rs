//! Files of earlier runs that know more than a later one: they stay, and the run says so.

use crate::support::program::vpipe;
use crate::support::repository::CLIP;
use serde_json::Value;
use serde_json::json;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

fn read(folder: &Path, name: &str) -> Value {
    let text = fs::read_to_string(folder.join("output").join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_try_with_the_beginning_of_a_video_leaves_its_results_alone() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let recipe = "version = 1\n[stages.extract]\nfps = 0.5\n[stages.yolo]\ninputs = [\"extract\"]\n\
                  [stages.merge]\ninputs = [\"yolo\"]\n";
    fs::write(folder.join("frames.toml"), recipe).unwrap();
    let run = |more: &[&str]| {
        let words = [&["run", "frames.toml", CLIP], more].concat();
        let said = vpipe(folder, &words);
        assert_eq!(said.code, 0, "{}", said.talk);
        said.talk
    };
    // Where nothing is there, what the user asked for is all there is.
    run(&["--first", "4s"]);
    let first = read(folder, "clip_results.json");
    assert_eq!(first["range"], json!({"start": 0.0, "end": 4.0}));
    assert_eq!(first["detections"].as_array().unwrap().len(), 2);
    run(&[]);
    let all = read(folder, "clip_results.json");
    assert_eq!(all.get("range"), None);
    assert_eq!(all["detections"].as_array().unwrap().len(), 13);
    let talk = run(&["--first", "4s"]);
    let kept = "clip_results.json is kept: it covers more of the video than 0 s to 4 s";
    assert!(talk.contains(kept), "{talk}");
    assert!(
        talk.contains("clip_results.partial.json (partial)"),
        "{talk}"
    );
    assert_eq!(read(folder, "clip_results.json"), all);
    let partial = read(folder, "clip_results.partial.json");
    assert_eq!(partial["detections"], first["detections"]);
    // Of two that are partial, the one with fewer answers goes.
    let talk = run(&["--first", "2s"]);
    let kept = "clip_results.partial.json is kept: it has 2 answers, and this run 1";
    assert!(talk.contains(kept), "{talk}");
    assert_eq!(read(folder, "clip_results.partial.json"), partial);
}

#[test]
fn results_say_what_the_recipe_said() {
    let folder = TempDir::new().unwrap();
    let recipe = "version = 1\nextends = \"default\"\n[vars]\nsure = 0.3\n[stages.yolo]\n\
                  conf = \"{{ vars.sure }}\"\n";
    fs::write(folder.path().join("own.toml"), recipe).unwrap();
    let run = |output: &str, more: &[&str]| {
        let words = [
            "run",
            "own.toml",
            CLIP,
            "--first",
            "1s",
            "--output-dir",
            output,
        ];
        let said = vpipe(folder.path(), &[&words, more].concat());
        assert_eq!(said.code, 0, "{}", said.talk);
        let text = fs::read_to_string(folder.path().join(output).join("clip_results.json"));
        let results: Value = serde_json::from_str(&text.unwrap()).unwrap();
        results["recipe"].clone()
    };
    let (one, same) = (run("a", &[]), run("b", &[]));
    assert_eq!(one, same, "where files go is no setting");
    assert_eq!(one["name"], "own");
    assert_eq!(one["settings"]["yolo"]["conf"], "0.3");
    assert_eq!(one["settings"]["yolo"]["iou"], 0.5);
    let other = run("c", &["--set", "yolo.iou=0.6"]);
    assert_eq!(other["settings"]["yolo"]["iou"], 0.6);
    assert_ne!(one["digest"], other["digest"]);
}
