//! A server that lies, in every way that is known: to a detector and to stages of kind `http`.

use super::harness::KEY;
use super::harness::entries;
use super::harness::run;
use crate::support::server::serve;
use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::post;
use serde_json::Value;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

pub(crate) const LIAR: &str = r#"
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

/// The answer to the request of that number: the truth, then every lie, then the truth.
fn lie(number: usize) -> Response {
    let object =
        |bbox: Value| json!({ "bbox": bbox, "class": 0, "class_name": "a", "confidence": 0.5 });
    let fine = object(json!([1, 2, 3, 4]));
    match number.wrapping_sub(1) {
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
        9 => Json(json!([[object(json!([100_000, 0, 100_010, 10]))]])).into_response(),
        10 => {
            let drop = async |()| {
                tokio::time::sleep(Duration::from_millis(100)).await;
                Some((Ok::<_, std::io::Error>(b"[".to_vec()), ()))
            };
            Body::from_stream(futures_util::stream::unfold((), drop)).into_response()
        }
        11 => {
            let pause = [("retry-after", "18446744073709551615")];
            (StatusCode::TOO_MANY_REQUESTS, pause).into_response()
        }
        12 => {
            let told = format!("who is {KEY}?");
            (StatusCode::INTERNAL_SERVER_ERROR, told).into_response()
        }
        // What is odd and can be read.
        13 => format!("\u{feff}{}", json!([[fine]])).into_response(),
        14 => (json!([[fine]]).to_string())
            .replacen('{', "{\"loss\": NaN, ", 1)
            .into_response(),
        15 => Json(json!(json!([[fine]]).to_string())).into_response(),
        16 => Json(json!([[[fine]]])).into_response(),
        17 => {
            let twice = "{\"bbox\": [], \"class\": -1, ";
            (json!([[fine]]).to_string())
                .replacen('{', twice, 1)
                .into_response()
        }
        _ => Json(json!([[fine]])).into_response(),
    }
}

/// A stage of kind `http` that asks the liar for the same.
const STAGE: &str = r#"
[stages.yolo]
kind = "http"
inputs = ["extract"]
backend = "liar"
concurrency = 1
request = { images = "{{ images }}" }
answer = { images = "output" }
[stages.merge]
"#;

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_lie_cost_their_frames_and_nothing_else() {
    let (detector, rest) = LIAR.split_once("[stages.yolo]").unwrap();
    assert!(rest.contains("[stages.merge]"));
    let stage = format!("{detector}{STAGE}inputs = [\"yolo\"]\n");
    for recipe in [LIAR.to_owned(), stage] {
        let number = Arc::new(AtomicUsize::new(0));
        let app = Router::new().route(
            "/",
            // The body is read: a server that answers before it is sent cuts the line.
            post(move |headers: HeaderMap, _: Bytes| async move {
                assert_eq!(headers["authorization"], format!("Bearer {KEY}"));
                lie(number.fetch_add(1, Ordering::SeqCst))
            }),
        );
        let recipe = recipe.replace("URL", &serve(app).await);
        let (said, results) = run(&recipe, &["--first", "20s"]).await;
        assert_eq!(said.code, 1, "{}", said.talk);
        // Which frame meets which lie is chance: the first body that is made is sent first.
        let mut errors: Vec<&str> = entries(&results)
            .iter()
            .map(|entry| entry["error"].as_str().unwrap_or("-"))
            .collect();
        errors.sort_unstable();
        // Where nothing comes back, it is asked again; the others are answers.
        let counted = [("-", 9), ("bad-answer", 9), ("busy", 1), ("worker", 1)];
        let counted = counted.map(|(error, count)| vec![error; count]);
        assert_eq!(errors, counted.concat(), "{:#}", results["run"]["errors"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_none_or_too_much_costs_its_frame() {
    let number = Arc::new(AtomicUsize::new(0));
    let app = Router::new().route(
        "/",
        post(move |_: Bytes| async move {
            match number.fetch_add(1, Ordering::SeqCst).wrapping_sub(1) {
                0 => Json(json!({ "tex": "a" })).into_response(),
                1 => "null".into_response(),
                2 => Json(json!({ "text": "a".repeat(900_000), "more": "b".repeat(90_000) }))
                    .into_response(),
                3 => {
                    format!("{{\"text\":{}1{}}}", "[".repeat(500), "]".repeat(500)).into_response()
                }
                // Text that looks like something else stays text.
                _ => Json(json!({ "text": "{{ vars }} \u{1b}[31m </script>", "more": null }))
                    .into_response(),
            }
        }),
    );
    let (head, _) = LIAR.split_once("[stages.yolo]").unwrap();
    let stage = STAGE.replace(
        "{ images = \"output\" }",
        "{ record = { text = \"output.text ~ ''\", more = \"output.more\" } }",
    );
    let recipe = format!("{head}{stage}inputs = [\"yolo\"]\n").replace("URL", &serve(app).await);
    let (said, results) = run(&recipe, &["--first", "6s"]).await;
    assert_eq!(said.code, 1, "{}", said.talk);
    let records = results["stages"]["yolo"]["records"].as_array().unwrap();
    let failed = records
        .iter()
        .filter(|record| record["error"] == "bad-answer");
    assert_eq!(failed.count(), 4, "{:#}", results["run"]["errors"]);
    let told = records
        .iter()
        .filter(|record| record["record"]["text"] == "{{ vars }} \u{1b}[31m </script>");
    assert_eq!(told.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_ends_the_run() {
    // A port that was free a moment ago.
    let gone = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = gone.local_addr().unwrap();
    drop(gone);
    let recipe = LIAR.replace("URL", &format!("http://{address}"));
    let (said, results) = run(&recipe, &["--set", "yolo.concurrency=1"]).await;
    assert_eq!(said.code, 3, "{}", said.talk);
    let words = "it has answered nothing so far: is it running, and is its address right?";
    assert!(said.talk.contains(words), "{}", said.talk);
    assert!(said.talk.contains(&address.to_string()), "{}", said.talk);
    let partial = "-> output/clip_results.partial.json (partial)";
    assert!(said.talk.contains(partial), "{}", said.talk);
    assert!(results["run"]["stopped"].is_string(), "{results:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_answer_that_cannot_be_read_is_shown_with_the_lines_that_read_it() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let app = Router::new().route(
        "/",
        post(move |_: Bytes| async move {
            count.fetch_add(1, Ordering::SeqCst);
            let object = json!({ "box": { "x1": 1, "y1": 2, "x2": 3, "y2": 4 }, "score": 0.5,
                                 "label": "cat" });
            Json(json!({ "found": { "boxes": [object] } }))
        }),
    );
    let url = serve(app).await;
    let recipe = LIAR
        .replace("URL", &url)
        .replace("concurrency = 1", "concurrency = 5");
    let (said, _) = run(&recipe, &["--first", "14s"]).await;
    assert_eq!(said.code, 3, "{}", said.talk);
    assert_eq!(asked.load(Ordering::SeqCst), 1, "{}", said.talk);
    let came = "it answered: {\"found\":{\"boxes\":[{\"box\":{\"x1\":1";
    assert!(said.talk.contains(came), "{}", said.talk);
    let lines = "[backends.liar.answer]\n      images = \"[output.found.boxes]\"\n";
    assert!(said.talk.contains(lines), "{}", said.talk);
    // As they stand there, they read it.
    let (_, told) = said.talk.split_once("[backends.liar.answer]").unwrap();
    let told: Vec<&str> = told
        .lines()
        .skip(1)
        .take_while(|line| line.contains(" = "))
        .collect();
    let recipe = format!("{recipe}\n[backends.liar.answer]\n{}\n", told.join("\n"));
    let (said, results) = run(&recipe, &["--first", "14s"]).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    assert!(
        entries(&results)
            .iter()
            .all(|entry| entry["detections"][0]["class_name"] == "cat")
    );
}
