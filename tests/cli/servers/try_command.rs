//! `try`: a mapping is written by looking at a request, an answer, and what is made of it.

use super::harness::example;
use super::harness::vpipe;
use crate::support::program::Said;
use crate::support::repository::CLIP;
use crate::support::server::serve;
use crate::support::snapshots;
use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use insta::assert_snapshot;
use serde_json::json;

async fn try_stage(recipe: &str, words: &[&str]) -> Said {
    let all = ["try", "recipe.toml"].iter().chain(words);
    let all = all.map(|&word| if word == "CLIP" { CLIP } else { word });
    vpipe(recipe, &all.collect::<Vec<_>>()).await.0
}

fn settings() -> insta::Settings {
    let mut settings = snapshots::settings();
    settings.add_filter(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT");
    settings.add_filter(r"boundary=[0-9a-f]{64}", "boundary=BOUNDARY");
    settings.add_filter(r"\d{4,} bytes", "N bytes");
    settings
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_shown_and_not_sent() {
    // Nobody listens there.
    let said = try_stage(&example("captions"), &["captions", "CLIP", "--at", "2.5"]).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    settings().bind(|| assert_snapshot!("try_request", said.out));
    let said = try_stage(&example("frames-only"), &["objects", "CLIP"]).await;
    settings().bind(|| assert_snapshot!("try_form", said.out));
    let said = try_stage(&example("sound-only"), &["speech", "CLIP", "--at", "2"]).await;
    settings().bind(|| assert_snapshot!("try_sound", said.out));
    let said = try_stage(
        &example("detection-server"),
        &["yolo", "CLIP", "--at", "3s"],
    )
    .await;
    settings().bind(|| assert_snapshot!("try_batch", said.out));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_shown_beside_what_is_made_of_it() {
    let app = Router::new().route(
        "/",
        post(|_: Bytes| async {
            let choice = json!({ "message": { "role": "assistant", "content": "A red circle." } });
            Json(json!({ "choices": [choice], "system_fingerprint": "f".repeat(500) }))
        }),
    );
    let url = format!("url={}", serve(app).await);
    let words = ["captions", "CLIP", "--at", "1", "--send", "--var", &url];
    let said = try_stage(&example("captions"), &words).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    settings().bind(|| assert_snapshot!("try_answer", said.out));
    // A mapping that is wrong shows what it was wrong about.
    let wrong = example("captions").replace("output.choices[0].message", "output.message");
    let said = try_stage(&wrong, &words).await;
    assert_eq!(said.code, 1, "{}", said.talk);
    assert!(said.out.contains("A red circle."), "{}", said.out);
    let told = "# read as: nothing\nerror: the answer cannot be used: `output.message` is not there (bad-answer)\n";
    assert!(said.out.ends_with(told), "{}", said.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_tried_is_told() {
    let keyed = example("captions").replace(
        "# api_key_env = \"CHAT_API_KEY\"",
        "api_key_env = \"NO_SUCH_KEY\"",
    );
    for (recipe, words, code, told) in [
        (
            example("captions"),
            vec!["caption", "CLIP"],
            2,
            "did you mean `captions`?",
        ),
        (
            example("captions"),
            vec!["merge", "CLIP"],
            2,
            "asks no server",
        ),
        (
            example("captions"),
            vec!["captions", "none.mp4"],
            2,
            "none.mp4",
        ),
        (
            example("captions"),
            vec!["captions", "recipe.toml"],
            3,
            "recipe.toml",
        ),
        (
            example("captions"),
            vec!["captions", "CLIP", "--at", "1h"],
            2,
            "there is no frame at 3600 s",
        ),
        (
            example("captions"),
            vec!["captions", "CLIP", "--at=-1"],
            2,
            "--at",
        ),
        (
            example("sound-only"),
            vec!["speech", "CLIP", "--at", "1h"],
            2,
            "there is no sound at 3600 s",
        ),
        (keyed, vec!["captions", "CLIP"], 3, "NO_SUCH_KEY is not set"),
    ] {
        let said = try_stage(&recipe, &words).await;
        assert_eq!(said.code, code, "{words:?}: {}{}", said.out, said.talk);
        assert!(said.talk.contains(told), "{words:?}: {}", said.talk);
    }
}
