//! Keys that a server says: they are in nothing that is told or kept, in no spelling; and what is
//! parsed is what came.

use super::harness::asking;
use super::harness::entries;
use super::lies::LIAR;
use crate::support::program::Said;
use crate::support::program::vpipe_beside;
use crate::support::repository::CLIP;
use crate::support::repository::ROOT;
use crate::support::server::serve;
use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::post;
use serde_json::Value;
use serde_json::json;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use tempfile::TempDir;

/// The key of the spellings.
const KEY: &str = "sk-Test/Key+42&x=Zz";

// It in every spelling that is known, as Python writes them.
fn spellings() -> Vec<String> {
    let path = "src/backends/transport/redaction/redaction/spellings.json";
    let text = fs::read_to_string(format!("{ROOT}/{path}")).unwrap();
    let spelled: Vec<Value> = serde_json::from_str(&text).unwrap();
    let texts = spelled
        .iter()
        .map(|it| it["text"].as_str().unwrap().to_owned());
    texts.collect()
}

/// Runs the program with `key` in `MY_KEY`; gives also its results and its log.
async fn vpipe(recipe: &str, key: &str, words: &[&str]) -> (Said, Value, String) {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("recipe.toml"), recipe).unwrap();
    let said = vpipe_beside(folder.path(), words, &[("MY_KEY", key)]).await;
    let read = |name: &str| fs::read_to_string(folder.path().join(name));
    let results = read("output/clip_results.json").unwrap_or_else(|_| "null".to_owned());
    let results = serde_json::from_str(&results).unwrap();
    (said, results, read("run.log").unwrap_or_default())
}

// More frames than there are spellings.
async fn run(recipe: &str, key: &str) -> (Said, Value, String) {
    let recipe = recipe.replace("fps = 1", "fps = 3");
    vpipe(
        &recipe,
        key,
        &["run", "recipe.toml", CLIP, "-vv", "--log", "run.log"],
    )
    .await
}

fn is_without_key(said: &Said, results: &Value, log: &str) {
    let results = results.to_string();
    for text in [&said.out, &said.talk, &results, log] {
        assert!(!text.contains(KEY), "{text}");
        for spelled in spellings() {
            assert!(!text.contains(&spelled), "{spelled} in {text}");
        }
    }
}

// A server whose answer to the request of that number is `answer`.
async fn server<R: IntoResponse + 'static>(answer: fn(usize) -> R) -> String {
    let number = Arc::new(AtomicUsize::new(0));
    let app = Router::new().route(
        "/",
        post(move |headers: HeaderMap, _: Bytes| async move {
            assert_eq!(headers["authorization"], format!("Bearer {KEY}"));
            answer(number.fetch_add(1, Ordering::SeqCst))
        }),
    );
    serve(app).await
}

fn spelled(number: usize) -> String {
    let spellings = spellings();
    spellings[number % spellings.len()].clone()
}

const OWN_KEY: &str = "api_key_env = \"MY_KEY\"\nattempts = 1\nconcurrency = 4";

#[tokio::test(flavor = "multi_thread")]
async fn no_spelling_of_a_key_is_kept_in_a_record() {
    let url = server(|number| Json(json!({ "text": { "a": ["so", spelled(number)] } }))).await;
    let recipe = asking(&url, OWN_KEY, "image = \"{{ image }}\"");
    let (said, results, log) = run(&recipe, KEY).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    is_without_key(&said, &results, &log);
    let records = results["stages"]["ask"]["records"].as_array().unwrap();
    assert!(records.len() > spellings().len());
    for record in records {
        let text = record["record"]["text"]["a"][1].as_str().unwrap();
        assert!(text.contains("(the key)"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_spelling_of_a_key_is_kept_in_the_name_of_a_class() {
    let url = server(|number| {
        let object = json!({ "bbox": [1, 2, 30, 40], "class": 0, "confidence": 0.5,
                             "class_name": spelled(number) });
        Json(json!({ "detections": [[object]] }))
    });
    let recipe = LIAR.replace("URL", &url.await);
    let (said, results, log) = run(&recipe, KEY).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    is_without_key(&said, &results, &log);
    for entry in entries(&results) {
        let name = entry["detections"][0]["class_name"].as_str().unwrap();
        assert!(name.contains("(the key)"), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_spelling_of_a_key_is_told_in_an_error() {
    let url = server(|number| match number {
        0 => Json(json!({ "text": "a" })).into_response(),
        number => {
            let told = format!("who is {}?", spelled(number));
            (StatusCode::UNPROCESSABLE_ENTITY, told).into_response()
        }
    });
    let recipe = asking(&url.await, OWN_KEY, "image = \"{{ image }}\"");
    let (said, results, log) = run(&recipe, KEY).await;
    assert_eq!(said.code, 1, "{}", said.talk);
    is_without_key(&said, &results, &log);
    assert!(
        said.talk.contains("answers 422: who is (the key)"),
        "{}",
        said.talk
    );
}

// The answer of a server that says all it knows of a request.
#[tokio::test(flavor = "multi_thread")]
async fn what_try_and_a_first_answer_show_holds_no_key() {
    let app = Router::new().route(
        "/",
        post(|headers: HeaderMap, _: Bytes| async move {
            let key = headers["authorization"].to_str().unwrap().to_owned();
            let escaped = key.bytes().map(|byte| format!("\\u{byte:04x}"));
            let escaped: String = escaped.collect();
            let answer = json!({ "headers": { "authorization": "ESCAPED" }, key.clone(): 1,
                                 "text": [key, "ESCAPED"] });
            answer.to_string().replace("ESCAPED", &escaped)
        }),
    );
    let url = serve(app).await;
    let recipe = asking(&url, OWN_KEY, "image = \"{{ image }}\"");
    let words = ["try", "recipe.toml", "ask", CLIP, "--send"];
    let (said, _, _) = vpipe(&recipe, KEY, &words).await;
    assert_eq!(said.code, 0, "{}{}", said.out, said.talk);
    is_without_key(&said, &Value::Null, "");
    assert!(said.out.contains("(the key)"), "{}", said.out);
    let recipe = recipe.replace("output.text", "output.words");
    let (said, results, log) = run(&recipe, KEY).await;
    assert_eq!(said.code, 3, "{}", said.talk);
    is_without_key(&said, &results, &log);
    let came = "it answered: {\"headers\":{\"authorization\":\"Bearer (the key)\"}";
    assert!(said.talk.contains(came), "{}", said.talk);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_key_is_sent_and_changes_no_answer_and_is_told_of_once() {
    let app = Router::new().route(
        "/",
        post(|headers: HeaderMap, _: Bytes| async move {
            assert_eq!(headers["authorization"], "Bearer test");
            Json(json!({ "text": "this is a test" }))
        }),
    );
    let url = serve(app).await;
    let recipe = asking(&url, OWN_KEY, "image = \"{{ image }}\"");
    let (head, _) = recipe.split_once("[stages.merge]").unwrap();
    let (_, stage) = head.split_once("[stages.ask]").unwrap();
    let other = format!(
        "[stages.other]{}",
        stage.replace("stages.ask", "stages.other")
    );
    let recipe = format!("{head}{other}[stages.merge]\ninputs = [\"ask\", \"other\"]\n");
    let (said, results, _) = run(&recipe, "test").await;
    assert_eq!(said.code, 0, "{}", said.talk);
    let record = &results["stages"]["ask"]["records"][0]["record"];
    assert_eq!(record["text"], "this is a test");
    let told = "the key in MY_KEY has fewer than 8 letters: it is sent, and not taken out of what \
                servers answer";
    // It may be wrapped.
    let talk = said.talk.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(talk.matches(told).count(), 1, "{talk}");
    let (said, _, _) = vpipe(&recipe, "test", &["plan", "recipe.toml", CLIP, "--json"]).await;
    assert_eq!(said.out.matches(told).count(), 1, "{}", said.out);
    let (said, _, _) = vpipe(&recipe, "tests for all", &["plan", "recipe.toml", CLIP]).await;
    assert!(!said.out.contains("fewer than"), "{}", said.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_a_word_of_the_protocol_changes_no_answer() {
    for key in ["detections", "class_name", "confidence"] {
        let object = json!({ "bbox": [1, 2, 30, 40], "class": 0, "class_name": "car",
                             "confidence": 0.5 });
        let answer = Json(json!({ "detections": [[object]] }));
        let app = Router::new().route("/", post(|_: Bytes| async { answer }));
        let recipe = LIAR.replace("URL", &serve(app).await);
        let words = ["run", "recipe.toml", CLIP, "--first", "2s"];
        let (said, _, _) = vpipe(&recipe, key, &words).await;
        assert_eq!(said.code, 0, "{}", said.talk);
    }
}
