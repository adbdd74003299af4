//! Backends of kind `http`: the examples of this repository against servers with the schemas of
//! their kinds, and a server that lies.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that panics fails the test that called it"
)]

mod program;

use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::post;
use program::Said;
use program::vpipe_with;
use serde_json::Value;
use serde_json::json;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use tempfile::TempDir;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const KEY: &str = "A-KEY-THAT-NOBODY-MAY-SEE";

/// The address of a server with `app`.
async fn serve(app: Router) -> String {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    format!("http://{address}")
}

/// Runs a recipe over the demo clip; gives its results.
async fn run(recipe: &str, options: &[String]) -> (Said, Value) {
    let clip = format!("{ROOT}/tests/demo/clip.mp4");
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("recipe.toml"), recipe).unwrap();
    let mut words = vec!["run".to_owned(), "recipe.toml".to_owned(), clip];
    words.extend_from_slice(options);
    tokio::task::spawn_blocking(move || {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let key = [("MY_KEY".to_owned(), KEY.to_owned())];
        let said = vpipe_with(folder.path(), &words, &key);
        let text = fs::read_to_string(folder.path().join("output/clip_results.json"));
        let text = text.unwrap_or_else(|_| "null".to_owned());
        assert!(!said.talk.contains(KEY) && !said.out.contains(KEY) && !text.contains(KEY));
        (said, serde_json::from_str(&text).unwrap())
    })
    .await
    .unwrap()
}

fn example(name: &str) -> String {
    fs::read_to_string(format!("{ROOT}/recipes/examples/{name}.toml")).unwrap()
}

fn options(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn entries(results: &Value) -> &Vec<Value> {
    results["detections"].as_array().unwrap()
}

fn is_jpeg(image: &Value) -> bool {
    image.as_str().unwrap().starts_with("/9j/")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_detection_server_of_ones_own_is_asked_as_its_recipe_says() {
    let app = Router::new().route(
        "/detect",
        post(|Json(body): Json<Value>| async move {
            assert_eq!(body["threshold"], 0.25);
            let frames = body["frames"].as_array().unwrap();
            assert!(frames.iter().all(is_jpeg));
            let object = json!({ "box": [0.25, 0.5, 0.5, 1.0], "label_id": 3, "label": "cup", "score": 0.5 });
            let found: Vec<_> = frames.iter().map(|_| json!({ "objects": [object] })).collect();
            Json(json!({ "frames": found }))
        }),
    );
    let url = format!("url={}/detect", serve(app).await);
    let recipe = example("detection-server");
    let (said, results) = run(&recipe, &options(&["--var", &url, "--first", "10s"])).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    assert_eq!(entries(&results).len(), 10);
    let (width, height) = (&results["source"]["width"], &results["source"]["height"]);
    let (width, height) = (width.as_f64().unwrap(), height.as_f64().unwrap());
    for entry in entries(&results) {
        let object = &entry["detections"][0];
        assert_eq!(object["class_name"], "cup");
        let expected = json!([width / 4.0, height / 2.0, width / 2.0, height]);
        assert_eq!(object["bbox"], expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_roboflow_server_is_asked_as_its_schema_says() {
    let app = Router::new().route(
        "/infer/object_detection",
        post(|Json(body): Json<Value>| async move {
            assert_eq!(body["model_id"], "yolov8n-640");
            assert_eq!(body["image"]["type"], "base64");
            assert!(is_jpeg(&body["image"]["value"]));
            let found = json!({ "x": 60.0, "y": 40.0, "width": 20.0, "height": 10.0, "confidence": 0.9,
                "class": "person", "class_id": 0, "detection_id": "6b4f" });
            Json(json!({ "inference_id": "a1", "time": 0.05,
                "image": { "width": 640, "height": 360 }, "predictions": [found] }))
        }),
    );
    let url = format!("url={}/infer/object_detection", serve(app).await);
    let (said, results) = run(
        &example("roboflow"),
        &options(&["--var", &url, "--first", "4s"]),
    )
    .await;
    assert_eq!(said.code, 0, "{}", said.talk);
    assert_eq!(results["summary"]["classes"]["person"], 4);
    assert_eq!(results["models"]["yolo"]["model"], "yolov8n-640");
}

#[tokio::test(flavor = "multi_thread")]
async fn detectors_side_by_side_and_on_crops_run_as_they_are() {
    for (name, second) in [("crops", "second"), ("two-detectors", "seldom")] {
        let (said, results) = run(&example(name), &options(&["--first", "3s"])).await;
        assert_eq!(said.code, 0, "{name}: {}", said.talk);
        let output = results["stages"][second]["detections"].as_array().unwrap();
        assert_eq!(output.len(), entries(&results).len());
    }
}

const LIAR: &str = r#"
version = 1
[backends.liar]
kind = "http"
url = "URL"
api_key_env = "MY_KEY"
max_answer = 1_000_000
request_timeout = 2
attempts = 1
[stages.extract]
fps = 1
[stages.yolo]
inputs = ["extract"]
backend = "liar"
concurrency = 1
[stages.merge]
inputs = ["yolo"]
"#;

/// The answer to the request of that number: every lie, then the truth.
fn lie(number: usize) -> Response {
    let object =
        |bbox: Value| json!({ "bbox": bbox, "class": 0, "class_name": "a", "confidence": 0.5 });
    let fine = object(json!([1, 2, 3, 4]));
    match number {
        0 => "[[{\"bbox\": [NaN, 0, 1, 1], \"class\": 0, \"confidence\": 1}]]".into_response(),
        1 => Json(json!([[object(json!([0, 0, "x", 1]))]])).into_response(),
        2 => Json(json!([[object(json!([9, 9, 1, 1]))]])).into_response(),
        3 => {
            let object = r#"{"bbox":[1,2,3,4],"class":0,"confidence":0.5}"#;
            format!("[[{}]]", vec![object; 10_001].join(",")).into_response()
        }
        4 => format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)).into_response(),
        5 => Json(json!([[], []])).into_response(),
        6 => {
            let part = || Ok::<_, std::io::Error>(vec![b' '; 1 << 20]);
            let endless = futures_util::stream::iter((0..1024).map(move |_| part()));
            Body::from_stream(endless).into_response()
        }
        7 => Body::from_stream(futures_util::stream::pending::<
            Result<Vec<u8>, std::io::Error>,
        >())
        .into_response(),
        8 => "<html>sign in</html>".into_response(),
        _ => Json(json!([[fine]])).into_response(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_lie_cost_their_pictures_and_nothing_else() {
    let number = Arc::new(AtomicUsize::new(0));
    let app = Router::new().route(
        "/",
        // The body is read: a server that answers before it is sent cuts the line.
        post(move |headers: HeaderMap, _: Bytes| async move {
            assert_eq!(headers["authorization"], format!("Bearer {KEY}"));
            lie(number.fetch_add(1, Ordering::SeqCst))
        }),
    );
    let recipe = LIAR.replace("URL", &serve(app).await);
    let (said, results) = run(&recipe, &options(&["--first", "14s"])).await;
    assert_eq!(said.code, 1, "{}", said.talk);
    // Which picture meets which lie is chance: the first body that is made is sent first.
    let mut errors: Vec<&str> = entries(&results)
        .iter()
        .map(|entry| entry["error"].as_str().unwrap_or("-"))
        .collect();
    errors.sort_unstable();
    let bad = "bad-answer";
    let expected = [
        "-", "-", "-", "-", "-", bad, bad, bad, bad, bad, bad, bad, bad, "network",
    ];
    assert_eq!(errors, expected, "{:#}", results["run"]["errors"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_not_sent_to_a_stranger() {
    let recipe = LIAR.replace("URL", "https://detect.invalid/v1");
    let (said, _) = run(&recipe, &[]).await;
    assert_eq!(said.code, 3, "{}", said.talk);
    let told = "is not sent to detect.invalid unless you say `--allow-host detect.invalid`";
    assert!(said.talk.contains(told), "{}", said.talk);
}
