//! Stages of kind `http`: what is sent, and what comes of the answers.

use super::harness::KEY;
use super::harness::entries;
use super::harness::example;
use super::harness::is_jpeg;
use super::harness::run;
use crate::support::server::serve;
use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::Uri;
use axum::response::IntoResponse;
use axum::routing::post;
use axum::routing::put;
use serde_json::Value;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use tokio::sync::Notify;

const CROPS: &str = r#"
version = 1
[backends.boxes]
kind = "http"
url = "URL/boxes"
method = "PUT"
body = "file"
[backends.boxes.query]
seconds = "{{ frame.seconds }}"
[backends.words]
kind = "http"
url = "URL/words?v=1"
api_key_env = "MY_KEY"
api_key_header = "x-api-key"
[backends.words.headers]
x-video = "{{ video.name }} {{ video.width }}"
[backends.words.query]
model = "{{ params.model }}"
odd = "a&b=c#d"
[stages.extract]
fps = 1
[stages.boxes]
kind = "http"
inputs = ["extract"]
backend = "boxes"
[stages.each]
kind = "http"
inputs = ["boxes.crops"]
backend = "words"
model = "a model"
filter = "class == 0"
[stages.each.request]
image = "{{ image }}"
parent = "{{ frame.parent }}"
[stages.each.answer.record]
text = "output.text"
parent = "output.parent"
[stages.merge]
inputs = ["boxes", "each"]
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_one_server_finds_another_is_asked_about() {
    let boxes = put(|headers: HeaderMap, uri: Uri, body: Bytes| async move {
        assert_eq!(headers["content-type"], "image/jpeg");
        assert!(body.starts_with(b"\xff\xd8"));
        let seconds: f64 = uri
            .query()
            .unwrap()
            .strip_prefix("seconds=")
            .unwrap()
            .parse()
            .unwrap();
        let object = |class: u32, x: u32| json!({ "bbox": [x, 10, x + 40, 60], "class": class, "confidence": 0.5 });
        // Every third frame has none.
        let found = match seconds as u64 % 3 {
            2 => Vec::new(),
            _ => vec![object(1, 0), object(0, 50), object(0, 100)],
        };
        Json(json!(found))
    });
    let words = post(
        |headers: HeaderMap, uri: Uri, Json(body): Json<Value>| async move {
            assert_eq!(headers["x-api-key"], KEY);
            assert!(!headers.contains_key("authorization"));
            assert!(
                headers["x-video"]
                    .to_str()
                    .unwrap()
                    .starts_with("clip.mp4 ")
            );
            assert_eq!(uri.query().unwrap(), "v=1&model=a+model&odd=a%26b%3Dc%23d");
            assert!(is_jpeg(&body["image"]));
            Json(json!({ "text": "a thing", "parent": body["parent"], "key": KEY }))
        },
    );
    let app = Router::new().route("/boxes", boxes).route("/words", words);
    let recipe = CROPS.replace("URL", &serve(app).await);
    let (said, results) = run(&recipe, &["--first", "6s"]).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    assert_eq!(
        (
            &results["summary"]["objects"],
            &results["summary"]["records"]
        ),
        (&json!(12), &json!(4))
    );
    let records = results["stages"]["each"]["records"].as_array().unwrap();
    for (number, record) in records.iter().enumerate() {
        if number % 3 == 2 {
            assert_eq!(record["skipped"], "`boxes` found nothing in it");
            continue;
        }
        let crop = |parent: u32| json!({ "parent": parent, "record": { "text": "a thing", "parent": parent } });
        assert_eq!(record["crops"], json!([crop(1), crop(2)]));
    }
}

const BATCH: &str = r#"
version = 1
[backends.own]
kind = "http"
url = "URL"
retry_time = 30
retry_if = "output.state == 'loading'"
ok = "status == 200 and output.error is undefined"
[stages.extract]
fps = 1
[stages.batch]
inputs = ["extract"]
size = 4
[stages.scenes]
kind = "http"
inputs = ["batch"]
each = "batch"
backend = "own"
[stages.scenes.request]
images = "{{ images }}"
times = "{{ frames | map(attribute='seconds') | list }}"
[stages.scenes.answer]
images = "output.scenes"
[stages.scenes.answer.record]
at = "image"
[stages.merge]
inputs = ["scenes"]
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_one_request_and_one_record_a_frame() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let honest = Arc::new(Notify::new());
    let app = Router::new().route(
        "/",
        post(move |Json(body): Json<Value>| async move {
            let number = count.fetch_add(1, Ordering::SeqCst);
            if number == 0 {
                return Json(json!({ "state": "loading" })).into_response();
            }
            let images = body["images"].as_array().unwrap();
            assert!(images.iter().all(is_jpeg));
            let times = body["times"].as_array().unwrap();
            // The last batch is answered when another one was, and with too little.
            let lies = times.contains(&json!(8.0));
            if lies {
                honest.notified().await;
            } else {
                honest.notify_one();
            }
            let scenes = if lies { &times[1..] } else { &times[..] };
            Json(json!({ "scenes": scenes })).into_response()
        }),
    );
    let recipe = BATCH.replace("URL", &serve(app).await);
    let (said, results) = run(&recipe, &["--first", "10s"]).await;
    assert_eq!(said.code, 1, "{}", said.talk);
    assert_eq!(results["run"]["stages"]["scenes"]["retries"], 1);
    assert_eq!(results["run"]["stages"]["scenes"]["requests"]["count"], 4);
    for (number, record) in results["stages"]["scenes"]["records"]
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
    {
        match number {
            8.. => assert_eq!(record["error"], "bad-answer"),
            _ => assert_eq!(record["record"]["at"], record["timestamp"]),
        }
    }
    assert_eq!(asked.load(Ordering::SeqCst), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_not_ok_is_an_error_whatever_its_status() {
    for (status, body, class, code) in [
        (StatusCode::OK, "{\"error\": \"no model\"}", "worker", 1),
        // Nobody knows how the next ones would be read: the run ends.
        (StatusCode::OK, "<html>", "bad-answer", 3),
        (StatusCode::CREATED, "{\"scenes\": []}", "worker", 1),
        (StatusCode::UNPROCESSABLE_ENTITY, "{}", "worker", 1),
        (
            StatusCode::INTERNAL_SERVER_ERROR,
            "Internal Server Error",
            "worker",
            1,
        ),
    ] {
        let app = Router::new().route("/", post(move |_: Bytes| async move { (status, body) }));
        let recipe = BATCH.replace("URL", &serve(app).await);
        let (said, results) = run(&recipe, &["--first", "2s"]).await;
        assert_eq!(said.code, code, "{status} {body}: {}", said.talk);
        assert_eq!(
            results["stages"]["scenes"]["records"][0]["error"], class,
            "{status} {body}"
        );
        assert_eq!(results["summary"]["failed"], 2);
    }
}

const TOLD: &str = r#"
version = 1
[backends.own]
kind = "http"
url = "URL"
[stages.extract]
fps = 1
[stages.look]
kind = "yolo"
inputs = ["extract"]
backend = "local"
every = 2
[stages.told]
kind = "http"
inputs = ["look.boxes"]
backend = "own"
[stages.told.request]
seen = "{{ objects | map(attribute='class_name') | list }}"
at = "{{ frame.seconds }}"
[stages.told.answer.record]
story = "output.story"
[stages.merge]
inputs = ["look", "told"]
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_told_what_was_found() {
    let honest = Arc::new(Notify::new());
    let app = Router::new().route(
        "/",
        post(move |Json(body): Json<Value>| async move {
            let (seen, at) = (
                body["seen"].as_array().unwrap(),
                body["at"].as_f64().unwrap(),
            );
            if at == 4.0 {
                honest.notified().await;
                return Json(json!({ "no": "story" }));
            }
            honest.notify_one();
            Json(json!({ "story": format!("{} at {at}", seen.len()) }))
        }),
    );
    let recipe = TOLD.replace("URL", &serve(app).await);
    let (said, results) = run(&recipe, &["--first", "7s"]).await;
    assert_eq!(said.code, 1, "{}", said.talk);
    let told = results["stages"]["told"]["records"].as_array().unwrap();
    assert_eq!(told.len(), 7);
    for (entry, told) in entries(&results).iter().zip(told) {
        let at = told["timestamp"].as_f64().unwrap();
        match at as u64 {
            4 => assert_eq!(told["error"], "bad-answer"),
            1 | 3 | 5 => assert_eq!(told["skipped"], entry["skipped"]),
            _ => {
                let story = format!("{} at {at}", entry["count"]);
                assert_eq!(told["record"]["story"], story);
            }
        }
    }
}

const SPEECH: &str = r#"
version = 1
[backends.own]
kind = "http"
url = "URL"
[stages.extract]
[stages.speech]
kind = "http"
inputs = ["extract.sound"]
backend = "own"
chunk = 10
[stages.speech.request]
sound = "{{ sound }}"
from = "{{ chunk.start }}"
[stages.speech.answer]
segments = "output.said"
start = "segment.ms[0] / 1000"
end = "segment.ms[1] / 1000"
text = "segment.words | join(' ')"
language = "'de'"
[stages.merge]
inputs = ["speech"]
"#;

#[tokio::test(flavor = "multi_thread")]
async fn sound_is_sent_and_what_is_said_is_read_as_the_recipe_says() {
    // An answer that cannot be read comes after one that can, whatever the order of requests.
    let honest = Arc::new(Notify::new());
    let app = Router::new().route(
        "/",
        post(move |Json(body): Json<Value>| async move {
            // "fLaC" in base64.
            assert!(body["sound"].as_str().unwrap().starts_with("ZkxhQ"));
            let from = body["from"].as_f64().unwrap();
            if from > 15.0 {
                honest.notified().await;
                honest.notify_one();
                return Json(json!({ "said": [{ "ms": ["soon", 2], "words": [] }] }));
            }
            honest.notify_one();
            Json(json!({ "said": [{ "ms": [1000, 2000], "words": ["from", from] }] }))
        }),
    );
    let recipe = SPEECH.replace("URL", &serve(app).await);
    let (said, results) = run(&recipe, &["--first", "40s"]).await;
    assert_eq!(said.code, 1, "{}", said.talk);
    let spoken = &results["transcription"];
    assert_eq!(spoken["language"], "de");
    // The silence at the beginning is left out.
    let first = spoken["segments"][0]["text"].as_str().unwrap();
    assert!(first.starts_with("from 0."), "{first}");
    assert!(!spoken["gaps"].as_array().unwrap().is_empty());
    assert!(entries(&results).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn boxes_of_no_size_are_told_of_once_and_tracked_never() {
    let app = Router::new().route(
        "/detect",
        post(|Json(body): Json<Value>| async move {
            let object = |side: f64| {
                json!({ "box": [0.5, 0.5, 0.5 + side, 0.5 + side],
                "label_id": 0, "label": "cup", "score": 0.9 })
            };
            let frames = body["frames"].as_array().unwrap().iter();
            let objects = json!({ "objects": [object(0.2), object(0.0)] });
            let found: Vec<_> = frames.map(|_| &objects).collect();
            Json(json!({ "frames": found }))
        }),
    );
    let url = format!("url={}/detect", serve(app).await);
    let tracking = "[stages.track]\ninputs = [\"yolo\"]\n\n[stages.merge]\ninputs = [\"track\"]";
    let recipe = example("detection-server");
    let recipe = recipe.replace("[stages.merge]\ninputs = [\"yolo\"]", tracking);
    let (said, results) = run(&recipe, &["--var", &url, "--first", "6s"]).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    let told = "clip.mp4: boxes of no size are not tracked; the first is in frame 0";
    assert_eq!(said.talk.matches(told).count(), 1, "{}", said.talk);
    assert_eq!(results["summary"]["objects"], 12);
    assert_eq!(results["summary"]["tracks"], json!({"cup": 1}));
    assert_eq!(results["tracks"][0]["frames"], 5);
}
