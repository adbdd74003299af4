//! A second detector on the crops of a first one: the program as a user has it, with the
//! built-in model in both places.

use crate::support::program::vpipe;
use crate::support::repository::CLIP;
use serde_json::Value;
use std::fs;
use tempfile::TempDir;

const RECIPE: &str = r#"
version = 1

[stages.extract]
fps = 1

[stages.first]
kind = "yolo"
inputs = ["extract"]
conf = 0.5

[stages.second]
kind = "yolo"
inputs = ["first.crops"]
padding = 1
conf = 0.5
every = 2
filter = 'class_name != "nothing"'

[stages.never]
kind = "yolo"
inputs = ["extract"]
when = "video.duration > 3600"

[stages.merge]
inputs = ["first", "second", "never"]
primary = "first"
"#;

fn results() -> Value {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("recipe.toml"), RECIPE).unwrap();
    let said = vpipe(
        folder.path(),
        &["run", "recipe.toml", CLIP, "--first", "6s"],
    );
    assert_eq!(said.code, 0, "{}", said.talk);
    let text = fs::read_to_string(folder.path().join("output/clip_results.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn bbox(object: &Value) -> [f64; 4] {
    serde_json::from_value(object["bbox"].clone()).unwrap()
}

// The intersection of two boxes over their union.
fn iou(a: [f64; 4], b: [f64; 4]) -> f64 {
    let area = |[x1, y1, x2, y2]: [f64; 4]| (x2 - x1).max(0.0) * (y2 - y1).max(0.0);
    let both = area([
        a[0].max(b[0]),
        a[1].max(b[1]),
        a[2].min(b[2]),
        a[3].min(b[3]),
    ]);
    both / (area(a) + area(b) - both)
}

#[test]
fn what_is_found_in_crops_lies_where_it_is_in_the_source() {
    let results = results();
    let entries = |stage: &str| {
        results["stages"][stage]["detections"]
            .as_array()
            .unwrap()
            .clone()
    };
    let (first, second) = (entries("first"), entries("second"));
    assert_eq!(first.len(), second.len());
    let mut found = 0;
    for (index, (whole, crops)) in first.iter().zip(&second).enumerate() {
        assert_eq!(whole["timestamp"], crops["timestamp"]);
        let parents = whole["detections"].as_array().unwrap();
        if index % 2 == 1 {
            assert_eq!(crops["skipped"], "one frame in 2 is looked at");
            continue;
        }
        for (number, parent) in parents.iter().enumerate() {
            let inner = crops["detections"].as_array().unwrap();
            let same = inner.iter().filter(|object| {
                object["parent"] == number
                    && object["class_name"] == parent["class_name"]
                    && iou(bbox(object), bbox(parent)) > 0.8
            });
            found += usize::from(same.count() > 0);
        }
    }
    let parents = first
        .iter()
        .step_by(2)
        .map(|entry| entry["count"].as_u64().unwrap());
    let parents: u64 = parents.sum();
    assert!(parents > 5, "only {parents} objects to be found again");
    assert!(
        found as u64 * 10 >= parents * 8,
        "{found} of {parents} objects were found again in their crops"
    );
    for entry in entries("never") {
        let why = entry["skipped"].as_str().unwrap();
        assert_eq!(
            why,
            "`when = video.duration > 3600` does not hold for this video"
        );
    }
}
