//! Answers of speech servers as the field gives them, and the captions that they are to become:
//! `answers/NAME.json` or `.txt` is the answer, `answers/NAME.srt` what it says, by hand.

use crate::support::program::Said;
use crate::support::program::vpipe_beside;
use axum::Router;
use axum::body::Bytes;
use axum::extract::Path as UrlPath;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::post;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use tempfile::TempDir;

/// What all of them are about: 3.73 s that are never silent.
const SECONDS: f64 = 3.73;

const RECIPE: &str = r#"
version = 1
[backends.mine]
kind = "openai"
base_url = "ADDRESS/MODE"
attempts = 1
[stages.extract]
[stages.whisper]
inputs = ["extract"]
backend = "mine"
model = "tiny"
concurrency = 1
CHUNK
[stages.merge]
inputs = ["whisper"]
formats = ["srt", "vtt", "tsv", "txt"]
"#;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/speech/answers")
}

// Each request as whether it asks for `verbose_json`.
type Asked = Arc<Mutex<Vec<bool>>>;

async fn answer(
    State(asked): State<Asked>,
    UrlPath(mode): UrlPath<String>,
    body: Bytes,
) -> Response {
    let verbose = String::from_utf8_lossy(&body).contains("verbose_json");
    asked.lock().unwrap().push(verbose);
    if mode == "json_only" && verbose {
        let error = r#"{"error":{"message":"response_format 'verbose_json' is not supported by this model, use 'json'"}}"#;
        return (StatusCode::BAD_REQUEST, error).into_response();
    }
    let refused = r#"{"error":{"message":"bad key"}}"#;
    let events = "data: {\"text\": \"Hi\"}\n\ndata: [DONE]\n\n";
    match mode.as_str() {
        "refused" => return (StatusCode::UNAUTHORIZED, refused).into_response(),
        "moved" => {
            let to = [("location", "/plain/audio/transcriptions?token=hush")];
            return (StatusCode::TEMPORARY_REDIRECT, to).into_response();
        }
        "events" => return events.into_response(),
        "error" => return r#"{"error":{"message":"model not loaded"}}"#.into_response(),
        "gzip" => {
            let encoding = [("content-encoding", "gzip")];
            return (encoding, b"\x1f\x8b\x08\x00\xff".to_vec()).into_response();
        }
        _ => {}
    }
    let name = if mode == "json_only" {
        "text_alone"
    } else {
        mode.as_str()
    };
    let file = ["json", "txt"].map(|extension| folder().join(format!("{name}.{extension}")));
    match file.iter().find_map(|file| fs::read(file).ok()) {
        Some(content) => content.into_response(),
        None => (StatusCode::OK, "<html>Please log in.</html>").into_response(),
    }
}

struct Server {
    address: String,
    asked: Asked,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    async fn start() -> Self {
        let asked = Asked::default();
        let router = Router::new()
            .route("/{mode}/audio/transcriptions", post(answer))
            .with_state(Arc::clone(&asked));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            address,
            asked,
            task,
        }
    }

    // Runs over sound of so many seconds with what `mode` answers.
    async fn run(&self, folder: &Path, mode: &str, seconds: f64, chunk: &str) -> Said {
        let input = format!("{mode}.wav");
        tone(&folder.join(&input), seconds);
        self.run_over(folder, &input, mode, chunk).await
    }

    async fn run_over(&self, folder: &Path, input: &str, mode: &str, chunk: &str) -> Said {
        let recipe = RECIPE
            .replace("ADDRESS", &self.address)
            .replace("MODE", mode);
        fs::write(folder.join("recipe.toml"), recipe.replace("CHUNK", chunk)).unwrap();
        vpipe_beside(folder, &["run", "--fresh", "recipe.toml", input], &[]).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

// A square wave of 100 Hz.
fn tone(path: &Path, seconds: f64) {
    let samples =
        (0..(seconds * 16e3) as u32).map(|at| if at / 80 % 2 == 0 { 5000_i16 } else { -5000 });
    let data: Vec<u8> = samples.flat_map(i16::to_le_bytes).collect();
    let length = data.len() as u32;
    let mut file = Vec::from(*b"RIFF");
    file.extend((36 + length).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data");
    file.extend(length.to_le_bytes());
    file.extend(data);
    fs::write(path, file).unwrap();
}

fn written(folder: &Path, mode: &str, extension: &str) -> String {
    let path = folder.join(format!("output/{mode}_results.{extension}"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn transcription(folder: &Path, mode: &str) -> Value {
    let results: Value = serde_json::from_str(&written(folder, mode, "json")).unwrap();
    results["transcription"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_becomes_the_captions_that_it_says() {
    let server = Server::start().await;
    let folder_of_run = TempDir::new().unwrap();
    let mut wrong = Vec::new();
    let mut modes = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "srt") {
            continue;
        }
        modes += 1;
        let mode = path.file_stem().unwrap().to_str().unwrap();
        let said = server.run(folder_of_run.path(), mode, SECONDS, "").await;
        if said.code != 0 {
            wrong.push(format!("{mode}: exit {}\n{}", said.code, said.talk));
            continue;
        }
        let (wanted, found) = (
            fs::read_to_string(&path).unwrap(),
            written(folder_of_run.path(), mode, "srt"),
        );
        if wanted != found {
            wrong.push(format!("{mode}:\n{found}"));
        }
    }
    assert_eq!(modes, 22);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let said = |mode: &str| transcription(folder_of_run.path(), mode);
    assert_eq!(said("out_of_order")["language"], "zh");
    assert_eq!(
        said("zh_words")["text"].as_str().unwrap().chars().count(),
        54
    );
    // One without times is between its neighbours.
    let forty = &said("untimed")["segments"][0]["words"][2];
    assert_eq!(
        (&forty["word"], &forty["start"], &forty["end"]),
        (&"40".into(), &1.0.into(), &1.4.into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_gives_text_alone_is_asked_for_it_once() {
    let server = Server::start().await;
    let folder = TempDir::new().unwrap();
    let said = server
        .run(folder.path(), "json_only", 24.0, "chunk = 8")
        .await;
    assert_eq!(said.code, 0, "{}", said.talk);
    assert!(
        said.talk.contains("gives text without times"),
        "{}",
        said.talk
    );
    let asked = server.asked.lock().unwrap().clone();
    assert!(asked.len() >= 4, "{asked:?}");
    assert_eq!(
        asked.iter().position(|verbose| !verbose),
        Some(1),
        "{asked:?}"
    );
    assert_eq!(
        asked.iter().filter(|verbose| **verbose).count(),
        1,
        "{asked:?}"
    );
    let segments = transcription(folder.path(), "json_only")["segments"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(segments, asked.len() - 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_is_shown_where_it_is_no_answer() {
    let server = Server::start().await;
    let folder = TempDir::new().unwrap();
    let moved = format!(
        "redirects to {}/plain/audio/transcriptions: put that address into the recipe",
        server.address
    );
    for (mode, told) in [
        ("page", "<html>Please log in.</html>"),
        (
            "events",
            "is a stream of events, which was not asked for: data: {",
        ),
        ("error", "model not loaded"),
        ("gzip", "`Content-Encoding: gzip`"),
        ("moved", &moved),
    ] {
        server.asked.lock().unwrap().clear();
        let said = server.run(folder.path(), mode, SECONDS, "").await;
        assert_eq!(said.code, 3, "{mode}: {}", said.talk);
        assert!(said.talk.contains(told), "{mode}: {}", said.talk);
        assert!(!said.talk.contains("hush"), "{mode}: {}", said.talk);
        assert_eq!(server.asked.lock().unwrap().len(), 1, "{mode}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_stopped_leaves_complete_results_alone() {
    let server = Server::start().await;
    let folder = TempDir::new().unwrap();
    tone(&folder.path().join("tone.wav"), SECONDS);
    let run = async |mode| server.run_over(folder.path(), "tone.wav", mode, "").await;
    let kept = || ["json", "srt"].map(|it| written(folder.path(), "tone", it));
    let said = run("plain").await;
    assert_eq!(said.code, 0, "{}", said.talk);
    let complete = kept();
    assert!(!complete[1].is_empty());
    for mode in ["refused", "moved", "error"] {
        let said = run(mode).await;
        assert_eq!(said.code, 3, "{mode}: {}", said.talk);
        assert_eq!(kept(), complete, "{mode}");
        written(folder.path(), "tone", "partial.json");
    }
}
