//! Every key that a results file has stands in `src/output/README.md`.

use super::page::Page;
use crate::support::program::vpipe;
use crate::support::repository::CLIP;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
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

[stages.whisper]
inputs = ["extract"]

[stages.merge]
inputs = ["yolo", "closer", "whisper", "save"]
"#;

// Objects whose keys are names of the run's own, and what the page calls those.
const NAMED: [(&str, &str); 7] = [
    ("models", "STAGE"),
    ("skipped", "STAGE"),
    ("stages", "STAGE"),
    ("timeline[].stages", "STAGE"),
    ("run.stages", "STAGE"),
    ("run.engines", "STAGE"),
    ("recipe.settings", "STAGE"),
];

// Objects that are written about as a whole.
const WHOLE: [&str; 6] = [
    "summary.classes",
    "timeline[].seen",
    "timeline[].stages.STAGE.seen",
    "recipe.settings.STAGE",
    "run.stages.STAGE.requests.queue_seconds",
    "run.stages.STAGE.requests.execution_seconds",
];

#[test]
fn every_key_of_the_results_is_explained() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("all.toml"), RECIPE).unwrap();
    let said = vpipe(folder.path(), &["run", "all.toml", CLIP, "--first", "4s"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    let text = fs::read_to_string(folder.path().join("output/clip_results.json")).unwrap();
    let results: Value = serde_json::from_str(&text).unwrap();
    let mut keys = BTreeSet::new();
    collect(&results, "", &mut keys);
    assert!(keys.len() > 60, "{keys:?}");
    let page = Page::read("src/output/README.md");
    let explained: BTreeSet<&str> = page
        .text
        .lines()
        .filter(|line| line.starts_with("| `"))
        .filter_map(|line| line.split('|').nth(1))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect();
    let unexplained: Vec<_> = keys
        .iter()
        .filter(|key| !explained.contains(key.as_str()))
        .collect();
    assert!(unexplained.is_empty(), "without a line: {unexplained:?}");
}

// The keys of all that has no keys itself, and of lists.
fn collect(value: &Value, path: &str, keys: &mut BTreeSet<String>) {
    // What a stage found is as at the top.
    let path = path.strip_prefix("stages.STAGE.").unwrap_or(path);
    match value {
        Value::Object(fields) if !WHOLE.contains(&path) => {
            let named = NAMED.iter().find(|(object, _)| *object == path);
            for (key, value) in fields {
                let key = named.map_or(key.as_str(), |(_, name)| name);
                let path = match path {
                    "" => key.to_owned(),
                    path => format!("{path}.{key}"),
                };
                collect(value, &path, keys);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            let path = format!("{path}[]");
            keys.insert(path.clone());
            for item in items {
                collect(item, &path, keys);
            }
        }
        _ => {
            // Lists of numbers, texts, and what may be empty.
            let empty = value.as_array().is_some_and(Vec::is_empty);
            let path = if empty {
                format!("{path}[]")
            } else {
                path.to_owned()
            };
            keys.insert(path);
        }
    }
}
