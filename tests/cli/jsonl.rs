//! `merge.formats = ["jsonl"]`: a line a frame, while the run goes on and at its end.

use crate::support::program;
use crate::support::program::vpipe;
use crate::support::repository::CLIP;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

const RECIPE: &str = r#"
version = 1
[stages.extract]
fps = 2
dedup = true
dedup_threshold = 255
[stages.yolo]
inputs = ["extract"]
[stages.closer]
kind = "yolo"
inputs = ["yolo.crops"]
[stages.save]
inputs = ["extract"]
[stages.merge]
inputs = ["yolo", "closer", "save"]
formats = ["jsonl"]
"#;

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "{text}");
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

// What the results say of each frame, as a line would.
fn entries(results: &Value) -> Vec<Value> {
    let beside = |place: usize, stage: &str| {
        let mut entry = results["stages"][stage]["detections"][place].clone();
        let fields = entry.as_object_mut().unwrap();
        fields.retain(|key, _| {
            !["timestamp", "frame_number", "samples", "same_as", "saved"].contains(&&**key)
        });
        entry
    };
    let entries = results["detections"].as_array().unwrap().iter().enumerate();
    entries
        .map(|(place, entry)| {
            let mut entry = entry.clone();
            for stage in ["yolo", "closer"] {
                entry["stages"][stage] = beside(place, stage);
            }
            entry
        })
        .collect()
}

#[test]
fn the_lines_are_the_entries_of_the_results() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("all.toml"), RECIPE).unwrap();
    let said = vpipe(folder.path(), &["run", "all.toml", CLIP, "--first", "6s"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    let output = folder.path().join("output");
    let results = fs::read_to_string(output.join("clip_results.json")).unwrap();
    let results: Value = serde_json::from_str(&results).unwrap();
    let lines = lines(&output.join("clip.jsonl"));
    assert_eq!(lines.len(), 12);
    assert!(lines.iter().any(|line| line.get("same_as").is_some()));
    assert_eq!(lines, entries(&results));
    assert!(!output.join("clip_results.partial.jsonl").exists());
}

#[cfg(unix)]
#[test]
fn what_is_killed_leaves_whole_lines_in_order() {
    let folder = TempDir::new().unwrap();
    let recipe = RECIPE
        .replace("fps = 2", "fps = 30")
        .replace("dedup = true", "dedup = false");
    fs::write(folder.path().join("all.toml"), recipe).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_vpipe"));
    program::quiet_environment(&mut command);
    command.current_dir(folder.path());
    let mut run = command
        .args(["run", "all.toml", CLIP, "-q"])
        .spawn()
        .unwrap();
    let grown = folder.path().join("output/clip_results.partial.jsonl");
    while fs::read_to_string(&grown).map_or(0, |text| text.lines().count()) < 5 {
        assert!(
            run.try_wait().unwrap().is_none(),
            "it ended before it was killed"
        );
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    let lines = lines(&grown);
    assert!((5..770).contains(&lines.len()), "{}", lines.len());
    for (place, line) in lines.iter().enumerate() {
        assert_eq!(
            line["frame_number"], place,
            "30 frames a second are all of them"
        );
    }
    assert!(!folder.path().join("output/clip_results.json").exists());
}
