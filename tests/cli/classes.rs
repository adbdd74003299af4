//! Classes by name and a confidence for each: the program as a user has it, here and at a server.

use crate::support::fleet::Fleet;
use crate::support::program::vpipe;
use crate::support::program::vpipe_beside;
use crate::support::repository::CLIP;
use serde_json::Value;
use serde_json::json;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

fn found(folder: &Path) -> Vec<Vec<Value>> {
    let text = fs::read_to_string(folder.join("output/clip_results.json")).unwrap();
    let results: Value = serde_json::from_str(&text).unwrap();
    let entries = results["detections"].as_array().unwrap().iter();
    let objects = entries.map(|entry| entry["detections"].as_array().unwrap().clone());
    objects.collect()
}

fn here(sets: &[&str]) -> Vec<Vec<Value>> {
    let folder = TempDir::new().unwrap();
    let mut words = vec![
        "run",
        "default",
        CLIP,
        "--first",
        "8s",
        "--without",
        "whisper",
    ];
    words.extend(sets.iter().flat_map(|set| ["--set", *set]));
    let said = vpipe(folder.path(), &words);
    assert_eq!(said.code, 0, "{}", said.talk);
    found(folder.path())
}

#[test]
fn classes_are_kept_by_name_and_each_by_its_own_confidence() {
    let all = here(&["yolo.conf=0.2"]);
    let keeping = |keep: &dyn Fn(&str, f64) -> bool| {
        let mut all = all.clone();
        for objects in &mut all {
            objects.retain(|object| {
                let name = object["class_name"].as_str().unwrap();
                keep(name, object["confidence"].as_f64().unwrap())
            });
        }
        all
    };
    let circles = keeping(&|name, _| name == "circle");
    assert!(circles.iter().any(|objects| !objects.is_empty()));
    assert_ne!(circles, all);
    assert_eq!(
        here(&["yolo.conf=0.2", "yolo.classes=[\"circle\"]"]),
        circles
    );
    let sure = keeping(&|name, sure| sure > if name == "circle" { 0.8 } else { 0.3 });
    assert!(sure != all && sure.concat().len() > circles.concat().len());
    assert_eq!(here(&["yolo.conf={ circle = 0.8, default = 0.3 }"]), sure);
}

#[test]
fn a_class_that_the_model_does_not_know_is_told_before_anything_runs() {
    let folder = TempDir::new().unwrap();
    let words = ["run", "default", CLIP, "--set", "yolo.classes=[\"cirle\"]"];
    let said = vpipe(folder.path(), &words);
    assert_eq!(said.code, 2, "{}", said.talk);
    let what = "built-in shapes has no class `cirle`";
    assert!(said.talk.contains(what), "{}", said.talk);
    assert!(
        said.talk.contains("did you mean `circle`?"),
        "{}",
        said.talk
    );
    assert!(!folder.path().join("output/clip_results.json").exists());
    let cured = words.map(|word| word.replace("cirle", "circle"));
    let cured: Vec<&str> = cured
        .iter()
        .map(String::as_str)
        .chain(["--first", "1s"])
        .collect();
    assert_eq!(vpipe(folder.path(), &cured).code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_asked_by_number_and_what_it_finds_is_told_by_name() {
    let fleet = Fleet::start(&[], 0, 1).await;
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    // What the fleet finds is of class 0, which it calls `n`.
    fs::write(path.join("names.txt"), "n\nother\n").unwrap();
    let run = async |sets: &[&str]| {
        let mut words = vec!["run", "default", CLIP, "--first", "4s"];
        words.extend(sets.iter().flat_map(|set| ["--set", *set]));
        vpipe_beside(path, &words, &fleet.variables()).await
    };
    let said = run(&["yolo.classes=[\"n\"]"]).await;
    assert_eq!(said.code, 2, "{}", said.talk);
    assert!(said.talk.contains("`n` has none here"), "{}", said.talk);
    assert_eq!(fleet.bodies(), Vec::<Value>::new());
    for (class, number, kept) in [("n", 0, 1), ("other", 1, 0)] {
        let classes = format!("yolo.classes=[{class:?}]");
        let said = run(&["yolo.names=\"names.txt\"", &classes]).await;
        assert_eq!(said.code, 0, "{}", said.talk);
        assert!(found(path).iter().all(|objects| objects.len() == kept));
        let body = fleet.bodies().pop().unwrap();
        assert_eq!(body["input"]["classes"], json!([number]));
    }
    // The lowest is asked for.
    let said = run(&["yolo.conf={ n = 1.0, default = 0.25 }"]).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    assert!(found(path).iter().all(|objects| objects.len() == 1));
    assert_eq!(fleet.bodies().pop().unwrap()["input"]["conf"], 0.25);
}
