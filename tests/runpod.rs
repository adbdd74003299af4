//! The default recipe on a fleet, by nothing but the environment: the program as a user has it.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that panics fails the test that called it"
)]

mod fleet;
mod program;

use fleet::Fault;
use fleet::Fleet;
use fleet::KEY;
use program::Said;
use program::vpipe_with;
use serde_json::Value;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const CLIP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/demo/clip.mp4");

async fn run(folder: &Path, variables: &[(&str, &str)]) -> Said {
    let (folder, variables) = (folder.to_owned(), variables.to_vec());
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    tokio::task::spawn_blocking(move || vpipe_with(&folder, &["run", "default", CLIP], &variables))
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_default_recipe_runs_on_the_workers_of_whoever_has_some() {
    let fleet = Fleet::start(&[Fault::HtmlGateway, Fault::NoOutput], 30, 5).await;
    let folder = TempDir::new().unwrap();
    let said = run(
        folder.path(),
        &[
            ("RUNPOD_API_KEY", KEY),
            ("RUNPOD_YOLO_ENDPOINT_ID", "detect"),
            ("RUNPOD_ENDPOINT_BASE_URL", &fleet.base),
        ],
    )
    .await;
    assert_eq!(said.code, 0, "{}", said.talk);
    assert!(
        said.talk.contains("127.0.0.1"),
        "it does not say who gets the pictures: {}",
        said.talk
    );
    let text = fs::read_to_string(folder.path().join("output/clip_results.json")).unwrap();
    for told in [&said.talk, &said.out, &text] {
        assert!(!told.contains(KEY), "the key was told: {told}");
    }
    let results: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(results.get("demo"), None);
    assert_eq!(results["models"]["yolo"]["backend"], "runpod");
    let entries = results["detections"].as_array().unwrap();
    assert_eq!(entries.len(), 26);
    assert!(entries.iter().all(|entry| entry["count"] == 1));
    assert_eq!(fleet.submitted_twice(), [[0; 0]; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_variables_is_read_and_overrides_nothing() {
    let fleet = Fleet::start(&[Fault::Lost], 0, 1).await;
    let folder = TempDir::new().unwrap();
    let lines = format!("RUNPOD_API_KEY={KEY}\nRUNPOD_YOLO_ENDPOINT_ID=elsewhere\n");
    fs::write(folder.path().join(".env"), lines).unwrap();
    let said = run(
        folder.path(),
        &[
            ("RUNPOD_YOLO_ENDPOINT_ID", "detect"),
            ("RUNPOD_ENDPOINT_BASE_URL", &fleet.base),
        ],
    )
    .await;
    assert_eq!(said.code, 0, "{}", said.talk);
    assert_eq!(fleet.strangers(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_is_not_sent_to_a_stranger() {
    let folder = TempDir::new().unwrap();
    let said = run(
        folder.path(),
        &[
            ("RUNPOD_API_KEY", KEY),
            ("RUNPOD_YOLO_ENDPOINT_ID", "detect"),
            ("RUNPOD_ENDPOINT_BASE_URL", "https://runpod.invalid/v2"),
        ],
    )
    .await;
    assert_eq!(said.code, 3, "{}", said.talk);
    assert!(
        said.talk.contains("is not sent to runpod.invalid"),
        "{}",
        said.talk
    );
    assert!(!said.talk.contains(KEY));
}
