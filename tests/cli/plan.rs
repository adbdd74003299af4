//! What `plan` says of a run before it is run: the program as a user has it, with a fleet that hears of
//! nothing.

use crate::support::fleet::Fleet;
use crate::support::program::Said;
use crate::support::program::vpipe;
use crate::support::program::vpipe_beside;
use crate::support::repository::CLIP;
use crate::support::snapshots::settings;
use serde_json::Value;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

fn json(said: &Said) -> Value {
    serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}", said.talk))
}

async fn with(fleet: &Fleet, folder: &Path, words: &[&str]) -> Said {
    vpipe_beside(folder, words, &fleet.variables()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_is_what_is_asked() {
    let fleet = Fleet::start(&[], 0, 1).await;
    let folder = TempDir::new().unwrap();
    for preset in ["default", "max-speed", "conservative", "high-detail"] {
        let said = with(&fleet, folder.path(), &["plan", preset, CLIP, "--json"]).await;
        assert_eq!(said.code, 0, "{}", said.talk);
        let planned = json(&said);
        assert_eq!(fleet.sizes(), [0; 0], "nothing is sent");
        assert!(!folder.path().join("output").exists(), "nothing is written");
        let stage = &planned["forecast"][0];
        let ran = Fleet::start(&[], 0, 1).await;
        let said = with(&ran, folder.path(), &["run", preset, CLIP, "--json"]).await;
        assert_eq!(said.code, 0, "{}", said.talk);
        let images: usize = ran.sizes().iter().sum();
        assert_eq!(stage["work"]["count"], images, "{preset}");
        assert_eq!(stage["work"]["exact"], true);
        for which in ["low", "expected", "high"] {
            assert_eq!(stage["requests"][which], ran.sizes().len(), "{preset}");
        }
        let results = fs::read_to_string(folder.path().join("output/clip_results.json")).unwrap();
        let results: Value = serde_json::from_str(&results).unwrap();
        let sent = results["run"]["stages"]["yolo"]["requests"]["bytes_sent"]
            .as_u64()
            .unwrap();
        let bound = |which: &str| stage["bytes"][which].as_u64().unwrap();
        assert!(
            (bound("low")..=bound("high")).contains(&sent),
            "{preset}: {sent}, {stage:#}"
        );
        assert!(
            said.talk
                .contains(&format!("{images} frames in {} request", ran.sizes().len()))
        );
        fs::remove_dir_all(folder.path().join("output")).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_where_and_why_and_what_is_unlike_default() {
    let fleet = Fleet::start(&[], 0, 1).await;
    let folder = TempDir::new().unwrap();
    let words = [
        "plan",
        "max-speed",
        CLIP,
        "--set",
        "batch.size=24",
        "--first",
        "10s",
    ];
    let said = with(&fleet, folder.path(), &words).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    assert!(
        said.talk
            .contains("24 frames of 1280 px take about 24 GB of a GPU"),
        "{}",
        said.talk
    );
    // What was measured on this machine differs.
    let text = said.out.replace(CLIP, "clip.mp4");
    let mut settings = settings();
    for (pattern, word) in [
        (
            r"up to \d+ frames|at most \d+ frames, \d+ MiB.*",
            "[memory]",
        ),
        (r"(extract.encode .*threads +)\d+", "$1[cores]"),
        (r"after about [\d.]+ s", "after about [time]"),
        (r"about \$.*", "about [cost]"),
        (r"  about \d.*", "  about [times]"),
    ] {
        settings.add_filter(pattern, word);
    }
    settings.bind(|| insta::assert_snapshot!("plan_text", text));
    let said = with(&fleet, folder.path(), &[&words[..], &["--json"]].concat()).await;
    let planned = json(&said);
    assert_eq!(planned["hosts"], serde_json::json!(["127.0.0.1"]));
    assert_eq!(
        planned["stages"][2]["why"],
        "RUNPOD_API_KEY and RUNPOD_YOLO_ENDPOINT_ID are set"
    );
    let differences = planned["differences"].as_array().unwrap();
    let keys: Vec<&Value> = differences
        .iter()
        .map(|difference| &difference["key"])
        .collect();
    assert_eq!(keys, ["batch.size", "yolo.concurrency"]);
    assert_eq!(planned["diagnostics"][0]["severity"], "warning");
    assert_eq!(planned["forecast"][0]["vram"]["fit"], "risky");
    assert_eq!(planned["forecast"][0]["figures"][0]["source"], "default");
}

#[test]
fn without_an_account_there_is_a_plan_too() {
    let folder = TempDir::new().unwrap();
    let said = vpipe(folder.path(), &["plan", "default", CLIP]);
    assert_eq!(said.code, 0, "{}", said.talk);
    assert!(
        said.out.contains("nothing leaves this machine"),
        "{}",
        said.out
    );
    assert!(
        said.out
            .contains("because no stage has a model or a server"),
        "{}",
        said.out
    );
    assert!(!said.out.contains("unlike"), "{}", said.out);
}

#[test]
fn what_cannot_be_planned_is_told() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("bad.mp4"), "not a video").unwrap();
    let said = vpipe(folder.path(), &["plan", "default", "bad.mp4"]);
    assert_eq!(said.code, 3, "{}", said.talk);
    assert!(said.out.contains("bad.mp4"), "{}", said.out);
    let said = vpipe(
        folder.path(),
        &["plan", "default", "bad.mp4", CLIP, "--json"],
    );
    assert_eq!(said.code, 1, "{}", said.talk);
    let planned = json(&said);
    assert_eq!(planned["unreadable"][0]["path"], "bad.mp4");
    assert_eq!(planned["inputs"][0]["survey"]["frames"], 26);
    let said = vpipe(folder.path(), &["plan", "default", "none.mp4"]);
    assert_eq!((said.out.as_str(), said.code), ("", 2), "{}", said.talk);
    let said = vpipe(
        folder.path(),
        &["plan", "default", CLIP, "--set", "yolo.conf=7"],
    );
    assert_eq!((said.out.as_str(), said.code), ("", 2), "{}", said.talk);
}

#[test]
fn a_graph_shows_what_a_run_took() {
    let folder = TempDir::new().unwrap();
    let requests = serde_json::json!({
        "count": 36, "bytes_sent": 71_000_000, "queue_seconds": { "p50": 0.2, "p95": 1.4 },
        "execution_seconds": { "p50": 0.85, "p95": 1.1 }, "workers_seen": 3,
        "executed_seconds": 31.2, "billed_seconds": 48, "start_seconds": null,
        "cost_usd": 0.0192, "speed_up": 2.8,
    });
    let stage =
        serde_json::json!({ "workers": 5, "retries": 2, "splits": 1, "requests": requests });
    let short = ["run", "default", CLIP, "--set", "extract.end=1"];
    assert_eq!(vpipe(folder.path(), &short).code, 0);
    let written = folder.path().join("output/clip_results.json");
    let mut results: Value = serde_json::from_slice(&fs::read(written).unwrap()).unwrap();
    results["run"]["stages"]["yolo"] = stage;
    fs::write(folder.path().join("results.json"), results.to_string()).unwrap();
    let words = ["graph", "default", "--stages", "--results", "results.json"];
    let said = vpipe(folder.path(), &words);
    assert_eq!(said.code, 0, "{}", said.talk);
    for figure in [
        "36 requests, 2 sent again, 1 halved, 71.0 MB",
        "in the queue 0.2 s, 95 % within 1.4 s",
        "at a worker 0.85 s, 95 % within 1.1 s",
        "48 s of 3 workers, $0.0192",
    ] {
        assert!(said.out.contains(figure), "{}", said.out);
    }
    for (recipe, told) in [
        (
            ["default", "extract.fps=2"],
            "results.json is of `default` with other settings",
        ),
        (
            ["high-detail", "extract.end=1"],
            "results.json is of another recipe, `default`",
        ),
        (["default", "extract.end=1"], ""),
    ] {
        let [recipe, set] = recipe;
        let words = ["graph", recipe, "--set", set, "--results", "results.json"];
        let said = vpipe(folder.path(), &words);
        assert_eq!(said.code, 0, "{}", said.talk);
        assert!(said.talk.starts_with(told), "{}", said.talk);
        assert_eq!(said.talk.is_empty(), told.is_empty(), "{}", said.talk);
    }
    fs::write(folder.path().join("results.json"), "[]").unwrap();
    for (file, why) in [
        ("results.json", "is not the results of a video"),
        ("none.json", "cannot be read"),
    ] {
        let said = vpipe(folder.path(), &["graph", "default", "--results", file]);
        assert_eq!((said.out.as_str(), said.code), ("", 2), "{}", said.talk);
        assert!(
            said.talk.contains(&format!("{file} {why}")),
            "{}",
            said.talk
        );
    }
}

#[test]
fn what_runs_here_is_measured_and_told_as_measured() {
    let folder = TempDir::new().unwrap();
    let said = vpipe(folder.path(), &["plan", "default", CLIP]);
    assert_eq!(said.code, 0, "{}", said.talk);
    for line in [
        "yolo: 26 frames on the CPU of this machine",
        "whisper: 26 s of sound on the CPU of this machine",
        "they share the cores of this machine: ",
    ] {
        assert!(said.out.contains(line), "{}", said.out);
    }
    let said = vpipe(folder.path(), &["plan", "default", CLIP, "--json"]);
    let planned: Value = serde_json::from_str(&said.out).unwrap();
    let local = planned["local"].as_array().unwrap();
    assert_eq!(local.len(), 2, "{planned}");
    for stage in local {
        let seconds = |key: &str| stage[key].as_f64().unwrap();
        let each = stage["speed"]["seconds"].as_f64().unwrap();
        let amount = stage["work"]["all"].as_f64().unwrap();
        let lanes = seconds("at_once");
        // 26 frames, and 25.6 s of sound.
        assert!((25.0..=26.0).contains(&amount), "{stage}");
        assert!(each > 0.0, "{stage}");
        assert!(
            (seconds("seconds") - amount * each / lanes).abs() < 1e-6,
            "{stage}"
        );
    }
    // A run measures nothing, and a stage that is not here has nothing to be measured.
    let words = ["plan", "default", CLIP, "--without", "whisper", "--json"];
    let said = vpipe(folder.path(), &words);
    let planned: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        planned["local"].as_array().map(Vec::len),
        Some(1),
        "{planned}"
    );
    assert_eq!(planned["local_seconds"], Value::Null);
}
