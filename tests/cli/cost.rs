//! What a run on paid workers says of its cost, and that it ends before it costs too much: the
//! program as a user has it, against a fleet on this machine.

use crate::support::fleet::Fault;
use crate::support::fleet::Fleet;
use crate::support::fleet::Setting;
use crate::support::program::Said;
use crate::support::program::vpipe_beside;
use crate::support::repository::CLIP;
use axum::Json;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;
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
async fn a_budget_that_is_too_small_is_refused_before_anything_is_paid() {
    let fleet = Fleet::start(&[Fault::HtmlGateway], 0, 1).await;
    let folder = TempDir::new().unwrap();
    let said = run(folder.path(), &fleet, &["--max-cost", "0.001"]).await;
    assert_eq!(said.code, 4, "{}", said.talk);
    assert_eq!(fleet.sizes(), [0; 0]);
    // Two workers of 5 s of idle tail, half a second of start, and 0.0125 s a frame.
    insta::assert_snapshot!(said.talk, @r"
    error: what is left to ask costs at least $0.0048, and --max-cost allows $0.001
      help: allow that or more (about $0.0128 is expected); --first TIME takes less of the input
    ");
    assert!(
        !folder
            .path()
            .join("output/clip_results.partial.json")
            .exists()
    );
    let history = vpipe_beside(folder.path(), &["history", "--json"], &[]).await;
    let told: Value = serde_json::from_str(&history.out).unwrap();
    assert_eq!(told["runs"], serde_json::json!([]), "no run has begun");
    // What is known costs nothing.
    let paid = run(folder.path(), &fleet, &["--max-cost", "10"]).await;
    assert_eq!(paid.code, 0, "{}", paid.talk);
    let again = run(folder.path(), &fleet, &["--max-cost", "0.001"]).await;
    assert_eq!(again.code, 0, "{}", again.talk);
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
    // 10 s of start, 26 frames of 0.053 s and 25 pauses of 0.2 s, and 5 s of idle tail.
    let notice = "--max-cost allows $0.02, and about $0.0220 is expected: earlier inputs are done \
                  first, and none is begun that does not fit";
    assert!(said.talk.contains(notice), "{}", said.talk);
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

// A worker that is as slow as it says: every job takes 2 s. Gives where it is, and how many frames
// of each width it was sent.
async fn slow_worker() -> (String, Arc<Mutex<BTreeMap<u32, usize>>>) {
    let seen: Arc<Mutex<BTreeMap<u32, usize>>> = Arc::default();
    let noted = Arc::clone(&seen);
    let job = async move |Json(body): Json<Value>| {
        let images = body["input"]["images"].as_array().unwrap().clone();
        for image in &images {
            let bytes = STANDARD.decode(image.as_str().unwrap()).unwrap();
            let width = image_width(&bytes);
            *noted.lock().unwrap().entry(width).or_default() += 1;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        let found = vec![json!([]); images.len()];
        Json(json!({
            "id": format!("job-{}", noted.lock().unwrap().values().sum::<usize>()),
            "status": "COMPLETED", "workerId": "w0", "delayTime": 0, "executionTime": 2000,
            "output": { "detections": found },
        }))
    };
    let app = Router::new()
        .route("/v2/detect/runsync", post(job))
        .layer(DefaultBodyLimit::disable());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/v2", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (base, seen)
}

// Of a JPEG: two bytes in the segment that begins with the marker of a frame.
fn image_width(jpeg: &[u8]) -> u32 {
    let at = jpeg.windows(2).position(|two| two == [0xff, 0xc0]).unwrap();
    u32::from(jpeg[at + 7]) << 8 | u32::from(jpeg[at + 8])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_is_spent_on_whole_videos() {
    let (base, seen) = slow_worker().await;
    let folder = TempDir::new().unwrap();
    // One worker that starts at once, a tenth of a cent a second, and four videos of four frames
    // in two requests of 2 s each: two videos take 8 s and 5 s of idle tail, three 4 s more.
    let recipe = "version = 1\nextends = \"default\"\n[backends.paid]\nkind = \"runpod\"\n\
         mode = \"sync\"\nconcurrency = 1\nfleet = 1\nprice_per_second = 0.001\nidle_timeout = 5\n\
         cold_start = 0.01\n[stages.batch]\nsize = 2\n[stages.yolo]\nbackend = \"paid\"\n";
    fs::write(folder.path().join("paid.toml"), recipe).unwrap();
    let widths = [320, 336, 352, 368];
    let names = widths.map(|width| {
        let name = format!("{width}.avi");
        let made = Command::new("ffmpeg")
            .args(["-v", "error", "-f", "lavfi", "-i"])
            .arg(format!("testsrc=size={width}x180:rate=10:duration=4"))
            .args(["-pix_fmt", "yuv420p", "-c:v", "mpeg4", "-q:v", "2"])
            .arg(folder.path().join(&name))
            .status();
        assert!(made.unwrap().success());
        name
    });
    let names = names.each_ref().map(String::as_str);
    let variables = [
        ("RUNPOD_API_KEY", "a-key-of-nobody"),
        ("RUNPOD_YOLO_ENDPOINT_ID", "detect"),
        ("RUNPOD_ENDPOINT_BASE_URL", &base),
    ];
    let stated = recipe.replace("cold_start", "frame_time = 0.5\ncold_start");
    fs::write(folder.path().join("stated.toml"), stated).unwrap();
    let run = async |recipe: &str, most: &str| {
        let words = [&["run", recipe], &names[..], &["--max-cost", most]].concat();
        vpipe_beside(folder.path(), &words, &variables).await
    };
    let is_whole = |width| {
        let results = format!("output/{width}_results.json");
        folder.path().join(results).exists()
    };
    // Half a second a frame is stated, so at least 0.45 s: 1.8 s a video, and 5 s of idle tail.
    for (most, fits) in [
        ("0.005", "not even the first of the 4 inputs fits"),
        ("0.008", "the first of the 4 inputs costs at least $0.0070"),
        ("0.01", "the first 2 of the 4 inputs cost at least $0.0090"),
    ] {
        let said = run("stated.toml", most).await;
        assert_eq!(said.code, 4, "{}", said.talk);
        assert!(
            said.talk.contains("costs at least $0.0130"),
            "{}",
            said.talk
        );
        assert!(said.talk.contains(fits), "{}", said.talk);
        assert!(seen.lock().unwrap().is_empty());
    }
    // A first request about the third would fit, and all of it would not.
    let said = run("paid.toml", "0.0165").await;
    assert_eq!(said.code, 4, "{}", said.talk);
    let frames = seen.lock().unwrap().clone();
    assert_eq!(frames, [(320, 4), (336, 4)].into(), "{}", said.talk);
    assert_eq!(widths.map(is_whole), [true, true, false, false]);
    assert!(
        said.talk.contains("the budget was reached"),
        "{}",
        said.talk
    );
    // The same again goes on where the money ended, and is told what that will cost.
    let said = run("paid.toml", "1").await;
    assert_eq!(said.code, 0, "{}", said.talk);
    assert!(
        said.talk.contains("yolo: 8 of 16 frames in 4 requests to "),
        "{}",
        said.talk
    );
    let all = widths.map(|width| (width, 4));
    assert_eq!(*seen.lock().unwrap(), all.into());
    assert_eq!(widths.map(is_whole), [true; 4]);
}
