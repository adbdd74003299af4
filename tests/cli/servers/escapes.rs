//! What a terminal would obey, in the recipes, names and answers that the program speaks of.

use crate::support::program::Said;
use crate::support::program::vpipe_beside;
use crate::support::repository::CLIP;
use crate::support::server::serve;
use axum::Json;
use axum::Router;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::post;
use serde_json::json;
use std::fs;
use tempfile::TempDir;

const RECIPE: &str = r#"
version = 1
description = "a \u001b[31mred\u0007 \u009b2J line"
[backends.mine]
kind = "http"
url = "URL"
headers = { "x-own" = "\u009b2J" }
query = { q = "\u001b[31m" }
attempts = 2
[stages.extract]
fps = 1
[stages.det]
kind = "http"
inputs = ["extract"]
backend = "mine"
model = "a\u001b[31mred"
request = { image = "{{ image }}", "\u001b[31m" = "\u0007" }
answer = { images = "output.detections", objects = "image", class_name = "object.class_name" }
[stages.merge]
inputs = ["det"]
"#;

// An object whose class is red and begins a line.
async fn class() -> impl IntoResponse {
    let object = json!({ "bbox": [1, 2, 30, 40], "class": 1, "class_name": "\u{1b}[31mred\nline", "confidence": 0.9 });
    Json(json!({ "detections": [[object]] }))
}

async fn body() -> impl IntoResponse {
    (
        StatusCode::IM_A_TEAPOT,
        "\u{1b}[31mshort\u{9b}2J and stout\u{7}",
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn no_name_and_no_answer_is_obeyed_by_a_terminal() {
    let app = Router::new()
        .route("/class", post(class))
        .route("/body", post(body));
    let address = serve(app).await;
    // A system that allows no such name gets a plain one.
    let clip = if cfg!(unix) {
        "a\u{1b}[31mred.mp4"
    } else {
        "red.mp4"
    };
    for (path, known) in [("class", "red"), ("body", "and stout")] {
        let folder = TempDir::new().unwrap();
        let address = format!("{}/{path}", address.trim_end_matches('/'));
        let recipe = RECIPE.replace("URL", &address);
        fs::write(folder.path().join("recipe.toml"), recipe).unwrap();
        fs::copy(CLIP, folder.path().join(clip)).unwrap();
        for words in [
            &["run", "recipe.toml", clip, "-v"][..],
            &["run", "recipe.toml", clip, "--quiet", "--json"],
            &["plan", "recipe.toml", clip],
            &["plan", "recipe.toml", clip, "--json"],
            &["show", "recipe.toml"],
            &["show", "recipe.toml", "--origins"],
            &["check", "recipe.toml", "--json"],
            &["graph", "recipe.toml"],
            &["check", "recipe.toml", "--set", "\u{1b}[31m=1"],
            &["try", "recipe.toml", "\u{1b}[31m", clip],
            &["try", "recipe.toml", "det", clip, "--send"],
            &["run", "recipe.toml", "none\u{1b}[31m.mp4"],
        ] {
            let no_color = [("NO_COLOR", "1")];
            let Said { out, talk, code } = vpipe_beside(folder.path(), words, &no_color).await;
            let said = out + &talk;
            assert!(
                !said.contains(['\u{1b}', '\u{9b}', '\u{7}']),
                "{words:?} {code}: {said:?}"
            );
            if words.contains(&"-v") {
                assert!(said.contains(known), "{said}");
                assert!(!cfg!(unix) || said.contains("\\u001b[31m"), "{said}");
            }
        }
    }
}
