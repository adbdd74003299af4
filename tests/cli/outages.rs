//! A fleet that goes away in the middle of a run, for a while and for good: the program as a user
//! has it.
//!
//! `VPIPE_TEST_OUTAGE=60` lets it be away for so many seconds.

use crate::support::fleet::Fleet;
use crate::support::fleet::Setting;
use crate::support::program::Said;
use crate::support::program::vpipe_beside;
use crate::support::repository::CLIP;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

// The clip is 26 seconds long.
const FRAMES: usize = 2 * 26;

const LOG: &str = "run.log";

const RECIPE: &str = r#"
version = 1
[backends.fleet]
kind = "runpod"
endpoint = "detect"
LONGEST
[stages.extract]
fps = 2
[stages.batch]
inputs = ["extract"]
size = 2
[stages.yolo]
inputs = ["batch"]
backend = "fleet"
concurrency = 4
[stages.merge]
inputs = ["yolo"]
"#;

async fn fleet() -> Fleet {
    let setting = Setting {
        by_content: true,
        ..Setting::default()
    };
    Fleet::of(setting).await
}

async fn run(folder: &Path, fleet: &Fleet, longest: &str) -> Said {
    let recipe = RECIPE.replace("LONGEST", longest);
    fs::write(folder.join("recipe.toml"), recipe).unwrap();
    let words = ["run", "recipe.toml", CLIP, "--log", LOG];
    vpipe_beside(folder, &words, &fleet.variables()).await
}

// Until the run has found out that nobody answers, which its log is the first to say.
async fn found_out(folder: &Path) {
    let log = folder.join(LOG);
    let is_told = || fs::read_to_string(&log).is_ok_and(|log| log.contains("does not answer"));
    let told = async {
        while !is_told() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let patience = Duration::from_secs(300);
    tokio::time::timeout(patience, told).await.unwrap();
}

// Once a third of the jobs are there, nobody is.
async fn leaves(fleet: &Fleet) {
    while fleet.sizes().len() < FRAMES / 2 / 3 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    fleet.leave();
}

// Each frame was paid once, and each has an answer.
fn is_whole(folder: &Path, fleet: &Fleet) {
    let text = fs::read_to_string(folder.join("output/clip_results.json")).unwrap();
    let results: Value = serde_json::from_str(&text).unwrap();
    let entries = results["detections"].as_array().unwrap();
    assert_eq!(entries.len(), FRAMES);
    assert!(entries.iter().all(|entry| entry["count"] == 2), "{text}");
    let jobs = fleet.jobs();
    let paid: Vec<u64> = jobs.into_iter().flat_map(|(_, images)| images).collect();
    let frames: BTreeSet<u64> = paid.iter().copied().collect();
    assert_eq!((paid.len(), frames.len()), (FRAMES, FRAMES));
    assert_eq!(fleet.cancelled(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_that_comes_back_costs_no_frame_and_no_second_payment() {
    let (folder, fleet) = (TempDir::new().unwrap(), fleet().await);
    let away = async {
        leaves(&fleet).await;
        found_out(folder.path()).await;
        let longer = std::env::var("VPIPE_TEST_OUTAGE").ok();
        let longer = longer.map_or(0, |seconds| seconds.parse().unwrap());
        tokio::time::sleep(Duration::from_secs(longer)).await;
        fleet.come_back();
    };
    let (said, ()) = tokio::join!(run(folder.path(), &fleet, ""), away);
    assert_eq!(said.code, 0, "{}", said.talk);
    let began = "yolo: its backend does not answer (";
    assert!(said.talk.contains(began), "{}", said.talk);
    let over = "yolo: its backend is asked again, after ";
    assert!(said.talk.contains(over), "{}", said.talk);
    is_whole(folder.path(), &fleet);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_that_stays_away_ends_the_run_and_the_same_command_finishes_it() {
    let (folder, fleet) = (TempDir::new().unwrap(), fleet().await);
    let longest = "outage_timeout = 2";
    let (said, ()) = tokio::join!(run(folder.path(), &fleet, longest), leaves(&fleet));
    assert_eq!(said.code, 3, "{}", said.talk);
    let why = "no request was answered for 2 s";
    assert!(said.talk.contains(why), "{}", said.talk);
    let partial = folder.path().join("output/clip_results.partial.json");
    let text = fs::read_to_string(&partial).unwrap();
    let results: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(results["failures"], Value::Array(Vec::new()));
    fleet.come_back();
    let said = run(folder.path(), &fleet, longest).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    assert!(!partial.exists());
    is_whole(folder.path(), &fleet);
}
