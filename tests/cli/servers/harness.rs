//! The program on a recipe that asks a server, with a key that nobody may see.

use crate::support::program::Said;
use crate::support::program::vpipe_beside;
use crate::support::repository::CLIP;
use crate::support::repository::ROOT;
use crate::support::server::serve;
use axum::Json;
use axum::Router;
use axum::http::HeaderMap;
use axum::http::Method;
use axum::http::Uri;
use serde_json::Value;
use serde_json::json;
use std::fs;
use std::sync::Arc;
use std::sync::Mutex;
use tempfile::TempDir;

pub(crate) const KEY: &str = "A-KEY-THAT-NOBODY-MAY-SEE";

/// Runs a recipe over the demo clip; gives its results, partial ones where the run was stopped.
pub(crate) async fn run(recipe: &str, options: &[&str]) -> (Said, Value) {
    let mut words = vec!["run", "recipe.toml", CLIP];
    words.extend_from_slice(options);
    let (said, folder) = vpipe(recipe, &words).await;
    let mut files = ["json", "partial.json"]
        .iter()
        .map(|ending| folder.path().join(format!("output/clip_results.{ending}")));
    let text = files.find_map(|file| fs::read_to_string(file).ok());
    let text = text.unwrap_or_else(|| "null".to_owned());
    assert!(!text.contains(KEY));
    (said, serde_json::from_str(&text).unwrap())
}

/// Runs the program in a folder with a recipe, `recipe.toml`, and a key, `MY_KEY`.
pub(crate) async fn vpipe(recipe: &str, words: &[&str]) -> (Said, TempDir) {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("recipe.toml"), recipe).unwrap();
    let said = vpipe_beside(folder.path(), words, &[("MY_KEY", KEY)]).await;
    assert!(!said.talk.contains(KEY) && !said.out.contains(KEY));
    (said, folder)
}

pub(crate) fn example(name: &str) -> String {
    fs::read_to_string(format!("{ROOT}/recipes/examples/{name}.toml")).unwrap()
}

pub(crate) fn entries(results: &Value) -> &Vec<Value> {
    results["detections"].as_array().unwrap()
}

pub(crate) fn is_jpeg(image: &Value) -> bool {
    image.as_str().unwrap().starts_with("/9j/")
}

/// A server that keeps what it is sent.
pub(crate) async fn recorder() -> (String, Arc<Mutex<Vec<String>>>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&heard);
    let app = Router::new().fallback(
        move |method: Method, headers: HeaderMap, uri: Uri, body: String| {
            let said = format!("{method} {uri} {headers:?} {body}");
            kept.lock().unwrap().push(said);
            async { Json(json!({ "text": "a" })) }
        },
    );
    (serve(app).await, heard)
}

/// A recipe whose stage `ask` sends `fields` to `url`.
pub(crate) fn asking(url: &str, backend: &str, fields: &str) -> String {
    format!(
        r#"
version = 1
[backends.own]
kind = "http"
url = "{url}"
{backend}
[stages.extract]
fps = 1
[stages.ask]
kind = "http"
inputs = ["extract"]
backend = "own"
[stages.ask.request]
{fields}
[stages.ask.answer.record]
text = "output.text"
[stages.merge]
inputs = ["ask"]
"#
    )
}
