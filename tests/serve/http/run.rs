//! A run on a server of this machine gives what a run without it gives.

use super::client::ask_with;
use super::process::KEY;
use super::process::Process;
use crate::support::program::vpipe_beside;
use crate::support::repository::CLIP;
use crate::support::repository::ROOT;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use serde_json::json;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

async fn run(folder: &Path, recipe: &str, input: &str, more: &[&str]) -> Value {
    let words = [&["run", recipe, input, "--json"], more].concat();
    let said = vpipe_beside(folder, &words, &[("SERVE_KEY", KEY)]).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    assert!(!said.talk.contains(KEY), "{}", said.talk);
    let said: Value = serde_json::from_str(&said.out).unwrap();
    let results = said["videos"][0]["results"].as_str().unwrap();
    let text = fs::read_to_string(folder.join(results)).unwrap();
    assert!(!text.contains(KEY));
    serde_json::from_str(&text).unwrap()
}

async fn post_with_key(address: SocketAddr, body: &Value) -> Value {
    let headers = format!("authorization: {KEY}\r\n");
    let body = body.to_string();
    let said = ask_with(
        address,
        "POST",
        "/v2/any/runsync",
        &headers,
        body.as_bytes(),
    );
    said.await.json()
}

fn corners(object: &Value) -> [f64; 4] {
    let bbox = object["bbox"].as_array().unwrap();
    std::array::from_fn(|at| bbox[at].as_f64().unwrap())
}

// Intersection over union.
fn overlap(a: &Value, b: &Value) -> f64 {
    let (a, b) = (corners(a), corners(b));
    let area = |it: [f64; 4]| (it[2] - it[0]).max(0.0) * (it[3] - it[1]).max(0.0);
    let both = [
        a[0].max(b[0]),
        a[1].max(b[1]),
        a[2].min(b[2]),
        a[3].min(b[3]),
    ];
    area(both) / (area(a) + area(b) - area(both))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_on_a_server_finds_what_one_without_it_finds() {
    let folder = TempDir::new().unwrap();
    let server = Process::start(folder.path());
    let recipe = format!("{ROOT}/recipes/examples/box.toml");
    let url = format!("url=http://{}/v2", server.address);
    let first = ["--first", "10s", "--output-dir"];
    let finest = ["there", "--var", &url, "--set", "extract.quality=100"];
    let there = [&first[..], &finest].concat();
    let there = run(folder.path(), &recipe, CLIP, &there).await;
    let here = [&first[..], &["here"]].concat();
    let here = run(folder.path(), "default", CLIP, &here).await;
    // Sound is sent without loss.
    let said = |results: &Value| results["transcription"]["text"].clone();
    assert!(said(&here).as_str().unwrap().len() > 50, "{}", said(&here));
    assert_eq!(said(&there), said(&here));
    let frames = |results: &Value| results["detections"].as_array().unwrap().clone();
    let (here, there) = (frames(&here), frames(&there));
    assert_eq!((here.len(), there.len()), (10, 10));
    let mut overlaps = Vec::new();
    for (here, there) in here.iter().zip(&there) {
        let objects = |frame: &Value| frame["detections"].as_array().unwrap().clone();
        let (here, there) = (objects(here), objects(there));
        assert_eq!(here.len(), there.len());
        for object in &here {
            let same = there.iter().filter(|it| it["class"] == object["class"]);
            let best = same.map(|other| overlap(object, other)).fold(0.0, f64::max);
            assert!(best > 0.85, "{object} in {there:?}");
            overlaps.push(best);
        }
    }
    // Where two boxes of an object are all but equally likely, JPEG decides which of them stays.
    let close = overlaps.iter().filter(|it| **it >= 0.95).count();
    assert!(
        overlaps.len() > 50 && close * 20 >= overlaps.len() * 19,
        "{overlaps:?}"
    );
    #[cfg(unix)]
    assert_eq!(server.terminate(), Some(0));
}

// A picture is looked at as it is, wherever that is.
#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_seen_alike_here_and_at_a_server() {
    let folder = TempDir::new().unwrap();
    let at = folder.path();
    let server = Process::start(at);
    for name in ["a picture.png", "a picture.jpg"] {
        is_seen_alike(at, name, server.address).await;
    }
}

async fn is_seen_alike(at: &Path, name: &str, server: SocketAddr) {
    let picture = at.join(name);
    let mut ffmpeg = Command::new("ffmpeg");
    let words = ["-v", "error", "-ss", "3", "-i", CLIP, "-frames:v", "1"];
    assert!(ffmpeg.args(words).arg(&picture).status().unwrap().success());
    let here = run(
        at,
        "default",
        picture.to_str().unwrap(),
        &["--without", "whisper"],
    )
    .await;
    let config = &here["config"];
    let input = json!({
        "image": STANDARD.encode(fs::read(&picture).unwrap()),
        "conf": config["yolo_conf"], "iou": config["yolo_iou"], "imgsz": config["yolo_imgsz"],
    });
    let said = post_with_key(server, &json!({ "input": input })).await;
    assert_eq!(said["status"], "COMPLETED", "{said}");
    let rounded = |value: &Value, digits: f64| (value.as_f64().unwrap() * digits).round() / digits;
    let there = said["output"]["detections"].as_array().unwrap().iter();
    let there: Vec<Value> = there
        .map(|it| {
            let bbox = corners(it).map(|side| rounded(&json!(side), 100.0));
            let confidence = rounded(&it["confidence"], 10_000.0);
            json!({ "bbox": bbox, "confidence": confidence, "class": it["class"], "class_name": it["class_name"] })
        })
        .collect();
    let here: Vec<Value> = here["detections"][0]["detections"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let bbox = corners(it);
            json!({ "bbox": bbox, "confidence": it["confidence"], "class": it["class"], "class_name": it["class_name"] })
        })
        .collect();
    assert!(here.len() > 3, "{here:?}");
    assert_eq!(there, here);
}
