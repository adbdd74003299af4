//! Speech: segments as they come, and what they come to.

use super::files::clip;
use super::files::files;
use super::jobs::handlers;
use super::jobs::job;
use serde_json::Value;
use serde_json::json;
use vpipe::backends::models::whisper::TranscribeParams;
use vpipe::serve::Handler;
use vpipe::serve::Update;
use vpipe::serve::Updates;
use vpipe::serve::handlers::Handlers;
use vpipe::serve::handlers::ModelOptions;
use vpipe::serve::handlers::ServedModel;
use vpipe::serve::handlers::TranscriptText;

fn listeners() -> Handlers {
    handlers(&ModelOptions {
        yolo: ServedModel::None,
        ..ModelOptions::default()
    })
}

/// The chunks of a job, and its output.
fn heard(handlers: &Handlers, input: Value) -> (Vec<Value>, Value) {
    let job = job(input);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (updates, mut heard) = Updates::pair();
        let listening = async move {
            let mut chunks = Vec::new();
            while let Some(update) = heard.recv().await {
                if let Update::Chunk(chunk) = update {
                    chunks.push(chunk);
                }
            }
            chunks
        };
        let (output, chunks) = tokio::join!(handlers.handle(&job, updates), listening);
        (chunks, output.unwrap())
    })
}

#[test]
fn segments_come_one_by_one_and_then_together() {
    let handlers = listeners();
    let clip = files()["$clip.mp4"].clone();
    let ask = |stream: bool| json!({ "audio": clip, "stream": stream });
    assert!(handlers.streams(&job(ask(true))));
    assert!(!handlers.streams(&job(ask(false))));
    assert!(!handlers.streams(&job(json!({ "image": "", "stream": true }))));
    let (chunks, output) = heard(&handlers, ask(true));
    assert!(chunks.len() > 3, "{chunks:?}");
    assert_eq!(Value::Array(chunks), output["transcription"]);
    let (chunks, whole) = heard(&handlers, ask(false));
    assert_eq!(chunks, [Value::Null; 0]);
    assert_eq!(whole["transcription"], output["transcription"]);
    let meter = handlers.meter();
    assert_eq!((meter.sounds, meter.open_sounds), (2, 0));
    let seconds = output["duration"].as_f64().unwrap();
    assert!((meter.heard_seconds - 2.0 * seconds).abs() < 0.01);
}

#[test]
fn a_file_is_transcribed_for_whoever_has_no_job() {
    let handlers = listeners();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let file = std::fs::read(clip()).unwrap();
    let params = TranscribeParams {
        language: Some("en".to_owned()),
        ..TranscribeParams::default()
    };
    let said = handlers.transcribe(file.into(), "the file", &params);
    let said = runtime.block_on(said).unwrap();
    assert_eq!(said.language.as_deref(), Some("en"));
    assert_eq!(said.language_probability, Some(1.0));
    let segments = said.segments.iter().map(|it| &it.segment);
    let text = TranscriptText::Plain.of(segments);
    assert!(text.to_lowercase().contains("circle"), "{text}");
    let none = handlers.transcribe(b"text".as_slice().into(), "the file", &params);
    let error = runtime.block_on(none).unwrap_err().0;
    assert!(error.starts_with("the file is not a video"), "{error}");
}
