//! The jobs of the page about backends are answered as it shows.

use super::files::Files;
use super::files::files;
use super::jobs::answer;
use super::jobs::handlers;
use crate::support::repository::ROOT;
use serde_json::Value;
use std::path::Path;
use vpipe::serve::handlers::ModelOptions;

/// The JSON blocks of the page.
fn blocks() -> Vec<Value> {
    let page = std::fs::read_to_string(Path::new(ROOT).join("src/backends/README.md")).unwrap();
    let blocks = page.split("```json\n").skip(1);
    let text = |block: &str| block.split_once("```").unwrap().0.to_owned();
    blocks
        .map(|block| serde_json::from_str(&text(block)).unwrap())
        .collect()
}

fn filled(input: &Value, files: &Files) -> Value {
    let text = input.to_string();
    let text = text.replace("<picture>", &files["$frame.png"]);
    serde_json::from_str(&text.replace("<sound>", &files["$clip.mp4"])).unwrap()
}

/// The keys of a value and of the first of each list in it, in their order, with the kinds of values.
fn shape(value: &Value) -> String {
    match value {
        Value::Object(keys) => {
            let keys = keys
                .iter()
                .map(|(key, value)| format!("{key}: {}", shape(value)));
            format!("{{{}}}", keys.collect::<Vec<_>>().join(", "))
        }
        Value::Array(list) => format!("[{}]", list.first().map(shape).unwrap_or_default()),
        Value::Number(_) => "number".to_owned(),
        Value::String(_) => "text".to_owned(),
        Value::Bool(_) => "flag".to_owned(),
        Value::Null => "null".to_owned(),
    }
}

#[test]
fn the_jobs_of_the_page_are_answered_as_it_shows() {
    let blocks = blocks();
    let files = files();
    let handlers = handlers(&ModelOptions::default());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut shown = 0;
    for pair in blocks
        .windows(2)
        .filter(|pair| pair[0].get("input").is_some())
    {
        let input = filled(&pair[0]["input"], &files);
        let output = runtime.block_on(answer(&handlers, input)).unwrap();
        assert_eq!(shape(&output), shape(&pair[1]), "{}", pair[0]);
        shown += 1;
    }
    assert_eq!(shown, 4);
}
