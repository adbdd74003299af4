//! The default recipe on a fleet, by nothing but the environment: the program as a user has it.

use crate::support::fleet::Fault;
use crate::support::fleet::Fleet;
use crate::support::fleet::KEY;
use crate::support::fleet::Setting;
use crate::support::program::Said;
use crate::support::program::vpipe_beside;
use crate::support::repository::CLIP;
use crate::support::server::serve;
use axum::Json;
use axum::Router;
use axum::routing::get;
use axum::routing::post;
use serde_json::Value;
use serde_json::json;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use tempfile::TempDir;

async fn vpipe(folder: &Path, words: &[&str], variables: &[(&str, &str)]) -> Said {
    let said = vpipe_beside(folder, words, variables).await;
    for told in [&said.talk, &said.out] {
        assert!(!told.contains(KEY), "the key was told: {told}");
    }
    said
}

async fn run(folder: &Path, variables: &[(&str, &str)]) -> Said {
    vpipe(folder, &["run", "default", CLIP], variables).await
}

fn results(folder: &Path) -> Value {
    let text = fs::read_to_string(folder.join("output/clip_results.json")).unwrap();
    assert!(!text.contains(KEY), "the key was told: {text}");
    serde_json::from_str(&text).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_default_recipe_runs_on_the_workers_of_whoever_has_some() {
    let fleet = Fleet::start(&[Fault::HtmlGateway, Fault::NoOutput], 30, 5).await;
    let folder = TempDir::new().unwrap();
    let said = run(folder.path(), &fleet.variables()).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    assert!(
        said.talk.contains("127.0.0.1"),
        "it does not say who gets the frames: {}",
        said.talk
    );
    let results = results(folder.path());
    assert_eq!(results.get("demo"), None);
    assert_eq!(results["models"]["yolo"]["backend"], "runpod");
    let entries = results["detections"].as_array().unwrap();
    assert_eq!(entries.len(), 26);
    assert!(entries.iter().all(|entry| entry["count"] == 1));
    assert_eq!(fleet.submitted_twice(), [[0; 0]; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_with_other_answers_is_paid_once_and_shown_with_what_reads_it() {
    let setting = Setting {
        faults: vec![Fault::OtherShape],
        percent: 100,
        from_the_first: true,
        ..Setting::default()
    };
    let fleet = Fleet::of(setting).await;
    let folder = TempDir::new().unwrap();
    let said = run(folder.path(), &fleet.variables()).await;
    assert_eq!(said.code, 3, "{}", said.talk);
    assert_eq!(fleet.sizes(), [16], "{}", said.talk);
    let came = "it answered: {\"result\":{\"frames\":[[{\"rect\":{\"x1\":0,";
    assert!(said.talk.contains(came), "{}", said.talk);
    // The lines as they were shown, in a recipe that says nothing else of the handler.
    let (_, lines) = said
        .talk
        .split_once("these lines of the recipe read it:\n")
        .unwrap();
    let lines: Vec<&str> = lines
        .lines()
        .take_while(|line| line.is_empty() || line.starts_with("      "))
        .collect();
    let recipe = format!("version = 1\nextends = \"default\"\n{}\n", lines.join("\n"));
    fs::write(folder.path().join("fleet.toml"), recipe).unwrap();
    let words = ["run", "fleet.toml", CLIP];
    let said = vpipe(folder.path(), &words, &fleet.variables()).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    let results = results(folder.path());
    let entries = results["detections"].as_array().unwrap();
    let right = |entry: &Value| entry["detections"][0]["class_name"] == "n";
    assert!(entries.len() == 26 && entries.iter().all(right));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_speech_handler_with_other_answers_is_paid_once_and_shown() {
    let jobs = Arc::new(AtomicUsize::new(0));
    let asked = Arc::clone(&jobs);
    let submit = move || async move {
        let number = asked.fetch_add(1, Ordering::SeqCst);
        Json(json!({ "id": format!("job-{number}"), "status": "IN_QUEUE" }))
    };
    let status = || async {
        let said = json!({ "said": [{ "from": 0, "to": 2, "words": "a red circle" }] });
        Json(json!({ "id": "job-0", "status": "COMPLETED", "output": said }))
    };
    let app = Router::new()
        .route("/v2/listen/run", post(submit))
        .route("/v2/listen/status/{job}", get(status));
    let base = format!("{}/v2", serve(app).await);
    let folder = TempDir::new().unwrap();
    let variables = [
        ("RUNPOD_API_KEY", KEY),
        ("RUNPOD_WHISPER_ENDPOINT_ID", "listen"),
        ("RUNPOD_ENDPOINT_BASE_URL", &base),
    ];
    let said = run(folder.path(), &variables).await;
    assert_eq!(said.code, 3, "{}", said.talk);
    assert_eq!(jobs.load(Ordering::SeqCst), 1, "{}", said.talk);
    let told = "it answered: {\"said\":[{\"from\":0,\"to\":2,\"words\":\"a red circle\"}]}\n  \
                help: have its handler answer with a list `segments` of `start` and `end`, in \
                seconds, and `text`; ";
    assert!(said.talk.contains(told), "{}", said.talk);
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
    let stranger = "https://runpod.invalid/v2";
    let recipe = format!(
        "version = 1\nextends = \"default\"\n[backends.other]\nkind = \"runpod\"\n\
         endpoint = \"detect\"\nbase_url = \"{stranger}\"\n[stages.yolo]\nbackend = \"other\"\n"
    );
    fs::write(folder.path().join("other.toml"), recipe).unwrap();
    let key = ("RUNPOD_API_KEY", KEY);
    let by_variable = [
        key,
        ("RUNPOD_YOLO_ENDPOINT_ID", "detect"),
        ("RUNPOD_ENDPOINT_BASE_URL", stranger),
    ];
    for said in [
        run(folder.path(), &by_variable).await,
        vpipe(folder.path(), &["run", "other.toml", CLIP], &[key]).await,
        vpipe(folder.path(), &["check", "other.toml"], &[key]).await,
    ] {
        assert_eq!(said.code, 3, "{}", said.talk);
        let why = "the key for api.runpod.ai is not sent to runpod.invalid unless you say \
                   `--allow-host runpod.invalid`";
        assert!(said.talk.contains(why), "{}", said.talk);
    }
    let words = ["check", "other.toml", "--allow-host", "runpod.invalid"];
    let said = vpipe(folder.path(), &words, &[key]).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    assert!(said.out.contains("other, runpod.invalid"), "{}", said.out);
}

const NAMED: &str = r#"
version = 1
extends = "default"

[vars]
unit = "pixels"

[backends.fleet]
kind = "runpod"
mode = "sync"
dialect = "cloud"
api_key_env = "MY_KEY"
endpoint = "{{ env.MY_ENDPOINT }}"
base_url = "{{ env.MY_SERVER }}"
request = { images = "{{ images }}", threshold = "{{ params.conf }}", unit = "{{ vars.unit }}" }

[backends.fleet.answer]
images = "output.detections"
class_name = "'thing ' ~ object.class"

[stages.yolo]
backend = "fleet"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_is_described_in_a_recipe() {
    let fleet = Fleet::start(&[Fault::ServerError, Fault::ResetAnswer], 30, 5).await;
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("fleet.toml"), NAMED).unwrap();
    let variables = [
        ("MY_KEY", KEY),
        ("MY_ENDPOINT", "detect"),
        ("MY_SERVER", &fleet.base),
    ];
    let words = [
        "run",
        "fleet.toml",
        CLIP,
        "--set",
        "batch.size=4",
        "--allow-env",
        "MY_ENDPOINT",
        "--allow-env",
        "MY_SERVER",
    ];
    let said = vpipe(folder.path(), &words, &variables).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    let results = results(folder.path());
    assert_eq!(results["models"]["yolo"]["backend"], "fleet");
    let entries = results["detections"].as_array().unwrap();
    let named = |entry: &Value| entry["detections"][0]["class_name"] == "thing 0";
    assert!(entries.len() == 26 && entries.iter().all(named));
    let asked = json!({ "images": null, "threshold": 0.15, "unit": "pixels" });
    assert!(fleet.bodies().iter().all(|body| body["input"] == asked));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_needs_no_key_and_a_run_does() {
    let folder = TempDir::new().unwrap();
    let recipe = "version = 1\nextends = \"default\"\n[backends.fleet]\nkind = \"runpod\"\n\
                  [stages.yolo]\nbackend = \"fleet\"\n";
    fs::write(folder.path().join("fleet.toml"), recipe).unwrap();
    let said = vpipe(folder.path(), &["check", "fleet.toml"], &[]).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    for variable in ["RUNPOD_API_KEY", "RUNPOD_YOLO_ENDPOINT_ID"] {
        let why = format!("{variable} is not set, and `fleet` needs it");
        assert!(said.talk.contains(&why), "{}", said.talk);
    }
    let said = vpipe(folder.path(), &["graph", "fleet.toml"], &[]).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    assert!(said.out.contains("yolo.request"), "{}", said.out);
    let said = vpipe(folder.path(), &["run", "fleet.toml", CLIP], &[]).await;
    assert_eq!(said.code, 3, "{}", said.talk);
    assert!(
        said.talk.contains("RUNPOD_API_KEY is not set"),
        "{}",
        said.talk
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_video_is_paid_once() {
    let fleet = Fleet::start(&[], 0, 1).await;
    let folder = TempDir::new().unwrap();
    let names = ["a.mp4", "copy.mp4", "other.mp4"];
    for name in &names[..2] {
        fs::copy(CLIP, folder.path().join(name)).unwrap();
    }
    let mut other = fs::read(CLIP).unwrap();
    other.push(0);
    fs::write(folder.path().join(names[2]), other).unwrap();
    let words = [&["run", "default"], &names[..]].concat();
    let said = vpipe_beside(folder.path(), &words, &fleet.variables()).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    // The clip has 26 frames.
    assert_eq!(fleet.sizes().iter().sum::<usize>(), 2 * 26);
    let [one, copy, other] = ["a", "copy", "other"].map(|name| {
        let path = folder.path().join(format!("output/{name}_results.json"));
        let results: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        results["detections"].clone()
    });
    assert_eq!(one.as_array().unwrap().len(), 26);
    assert!(one == copy && one == other);
}
