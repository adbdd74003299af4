//! Servers of this machine, and the program that is sent to them.

use crate::program::Said;
use crate::program::vpipe_with;
use axum::Router;
use serde_json::Value;
use std::fs;
use tempfile::TempDir;

pub(crate) const ROOT: &str = env!("CARGO_MANIFEST_DIR");
pub(crate) const KEY: &str = "A-KEY-THAT-NOBODY-MAY-SEE";

/// The address of a server with `app`.
pub(crate) async fn serve(app: Router) -> String {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    format!("http://{address}")
}

/// Runs a recipe over the demo clip; gives its results.
pub(crate) async fn run(recipe: &str, options: &[String]) -> (Said, Value) {
    let mut words = vec!["run".to_owned(), "recipe.toml".to_owned(), clip()];
    words.extend_from_slice(options);
    let (said, folder) = vpipe(recipe, words).await;
    let text = fs::read_to_string(folder.path().join("output/clip_results.json"));
    let text = text.unwrap_or_else(|_| "null".to_owned());
    assert!(!text.contains(KEY));
    (said, serde_json::from_str(&text).unwrap())
}

/// Runs the program in a folder with a recipe, `recipe.toml`, and a key, `MY_KEY`.
pub(crate) async fn vpipe(recipe: &str, words: Vec<String>) -> (Said, TempDir) {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("recipe.toml"), recipe).unwrap();
    tokio::task::spawn_blocking(move || {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let key = [("MY_KEY".to_owned(), KEY.to_owned())];
        let said = vpipe_with(folder.path(), &words, &key);
        assert!(!said.talk.contains(KEY) && !said.out.contains(KEY));
        (said, folder)
    })
    .await
    .unwrap()
}

pub(crate) fn clip() -> String {
    format!("{ROOT}/tests/demo/clip.mp4")
}

pub(crate) fn example(name: &str) -> String {
    fs::read_to_string(format!("{ROOT}/recipes/examples/{name}.toml")).unwrap()
}

pub(crate) fn options(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

pub(crate) fn entries(results: &Value) -> &Vec<Value> {
    results["detections"].as_array().unwrap()
}

pub(crate) fn is_jpeg(image: &Value) -> bool {
    image.as_str().unwrap().starts_with("/9j/")
}
