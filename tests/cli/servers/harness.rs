//! The program on a recipe that asks a server, with a key that nobody may see.

use crate::support::program::Said;
use crate::support::program::vpipe_beside;
use crate::support::repository::CLIP;
use crate::support::repository::ROOT;
use serde_json::Value;
use std::fs;
use tempfile::TempDir;

pub(crate) const KEY: &str = "A-KEY-THAT-NOBODY-MAY-SEE";

/// Runs a recipe over the demo clip; gives its results.
pub(crate) async fn run(recipe: &str, options: &[&str]) -> (Said, Value) {
    let mut words = vec!["run", "recipe.toml", CLIP];
    words.extend_from_slice(options);
    let (said, folder) = vpipe(recipe, &words).await;
    let text = fs::read_to_string(folder.path().join("output/clip_results.json"));
    let text = text.unwrap_or_else(|_| "null".to_owned());
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
