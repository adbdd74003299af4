//! What a run on paid workers says of its cost, and that it ends before it costs too much: the
//! program as a user has it, against a fleet on this machine.

use crate::support::fleet::Fault;
use crate::support::fleet::Fleet;
use crate::support::fleet::Setting;
use crate::support::program::Said;
use crate::support::program::vpipe_beside;
use crate::support::repository::CLIP;
use serde_json::Value;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

async fn run(folder: &Path, fleet: &Fleet, more: &[&str]) -> Said {
    run_recipe(folder, "default", fleet, more).await
}

async fn run_recipe(folder: &Path, recipe: &str, fleet: &Fleet, more: &[&str]) -> Said {
    let words = [&["run", recipe, CLIP, "--json"], more].concat();
    vpipe_beside(folder, &words, &fleet.variables()).await
}

fn results(folder: &Path, name: &str) -> Value {
    let text = fs::read_to_string(folder.join("output").join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_says_what_it_will_cost_and_what_it_did() {
    let fleet = Fleet::start(&[Fault::HtmlGateway], 0, 1).await;
    let folder = TempDir::new().unwrap();
    let said = run(
        folder.path(),
        &fleet,
        &["--max-cost", "10", "--deadline", "1h"],
    )
    .await;
    assert_eq!(said.code, 0, "{}", said.talk);
    let before = "yolo: 26 frames in 2 requests to 2 workers of detect at 127.0.0.1";
    let (header, rest) = said.talk.split_once(before).unwrap_or_default();
    assert!(!header.contains("done"), "{}", said.talk);
    assert!(rest.contains("documented defaults, not measured"), "{rest}");
    assert!(rest.contains("yolo: 2 requests, "), "{rest}");
    assert!(
        rest.contains("without their start, whose length is not known"),
        "{rest}"
    );

    let asked = &results(folder.path(), "clip_results.json")["run"]["stages"]["yolo"]["requests"];
    assert_eq!(asked["count"], 2);
    assert!(asked["bytes_sent"].as_u64().unwrap() > 1000);
    assert_eq!(asked["execution_seconds"]["p50"], 0.005);
    let workers = asked["workers_seen"].as_u64().unwrap();
    assert!((1..=2).contains(&workers), "{asked}");
    assert_eq!(asked["executed_seconds"], 0.01);
    // A started second of work and 5 s of idle tail each, and the gaps between jobs.
    let billed = asked["billed_seconds"].as_u64().unwrap();
    assert!(billed >= 6 * workers, "{asked}");
    let cost = asked["cost_usd"].as_f64().unwrap();
    assert!((cost - billed as f64 * 0.0004).abs() < 1e-9, "{asked}");
    let told: Value = serde_json::from_str(&said.out).unwrap();
    let stages = told["stages"].as_array().unwrap();
    let yolo = stages.iter().find(|stage| stage["id"] == "yolo").unwrap();
    assert_eq!(yolo["requests"], *asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_that_is_too_small_spends_nothing() {
    let fleet = Fleet::start(&[Fault::HtmlGateway], 0, 1).await;
    let folder = TempDir::new().unwrap();
    let said = run(folder.path(), &fleet, &["--max-cost", "0.001"]).await;
    assert_eq!(said.code, 4, "{}", said.talk);
    assert!(
        said.talk.contains("the budget was reached"),
        "{}",
        said.talk
    );
    let results = results(folder.path(), "clip_results.partial.json");
    assert_eq!(results["run"]["stages"]["yolo"].get("requests"), None);
    assert_eq!(results["run"]["stopped"], "the budget was reached");
    let entries = results["detections"].as_array().unwrap();
    assert!(entries.iter().all(|entry| entry["skipped"].is_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_that_ends_on_the_way_keeps_what_was_paid() {
    // One worker that starts at once: a second a frame, 5 s of idle tail.
    let fleet = Fleet::of(Setting {
        workers: 1,
        execution: 1000,
        ..Setting::default()
    })
    .await;
    let folder = TempDir::new().unwrap();
    let recipe = folder.path().join("paid.toml");
    let text = r#"
        version = 1
        extends = "default"

        [backends.paid]
        kind = "runpod"
        concurrency = 1
        fleet = 1
        price_per_second = 0.001
        idle_timeout = 5
        cold_start = 0

        [stages.batch]
        size = 1

        [stages.yolo]
        backend = "paid"
    "#;
    fs::write(&recipe, text).unwrap();
    let said = run_recipe(folder.path(), "paid.toml", &fleet, &["--max-cost", "0.02"]).await;
    assert_eq!(said.code, 4, "{}", said.talk);
    let results = results(folder.path(), "clip_results.partial.json");
    assert_eq!(results["run"]["stopped"], "the budget was reached");
    let entries = results["detections"].as_array().unwrap();
    let paid = entries.iter().filter(|entry| entry["count"] == 1).count();
    let skipped = entries
        .iter()
        .filter(|entry| entry["skipped"].is_string())
        .count();
    assert_eq!(paid + skipped, entries.len());
    // Fewer on a slow machine, where a worker stands idle between jobs, which is paid too.
    assert!((1..=15).contains(&paid), "{paid}");
    let asked = &results["run"]["stages"]["yolo"]["requests"];
    assert_eq!(asked["count"], paid, "what was paid is there");
    assert!(asked["cost_usd"].as_f64().unwrap() <= 0.02, "{asked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_that_nothing_meets_sends_nothing() {
    let fleet = Fleet::start(&[Fault::HtmlGateway], 0, 1).await;
    let folder = TempDir::new().unwrap();
    let said = run(folder.path(), &fleet, &["--deadline", "1ms"]).await;
    assert_eq!(said.code, 4, "{}", said.talk);
    assert!(
        said.talk.contains("the deadline was reached"),
        "{}",
        said.talk
    );
    let told: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(told["stopped"], "the deadline was reached");
}
