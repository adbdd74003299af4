//! Answers: a transcript in the format that was asked for.

use crate::backends::models::whisper::HeardSegment;
use crate::backends::models::whisper::Task;
use crate::serve::handlers::SoundTranscript;
use crate::serve::handlers::TranscriptText;
use crate::serve::http::openai::form::Form;
use crate::serve::http::openai::form::ResponseFormat;
use crate::speech::english_name;
use axum::Json;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::response::Response;
use serde_json::Value;
use serde_json::json;

/// What is said, as `form` asks for it.
pub(super) fn answer(said: &SoundTranscript, task: Task, form: &Form) -> Response {
    let text = |text: TranscriptText| text.of(said.segments.iter().map(|it| &it.segment));
    let plain = |text: String| {
        let headers = [(CONTENT_TYPE, "text/plain; charset=utf-8")];
        (headers, text).into_response()
    };
    match form.format {
        ResponseFormat::Json => {
            Json(json!({ "text": text(TranscriptText::Plain) })).into_response()
        }
        ResponseFormat::Text => plain(text(TranscriptText::Plain) + "\n"),
        ResponseFormat::Srt => plain(text(TranscriptText::Srt)),
        ResponseFormat::Vtt => plain(text(TranscriptText::Vtt)),
        ResponseFormat::VerboseJson => {
            Json(verbose(said, task, form, &text(TranscriptText::Plain))).into_response()
        }
    }
}

fn verbose(said: &SoundTranscript, task: Task, form: &Form, text: &str) -> Value {
    let (task, language) = match task {
        Task::Transcribe => ("transcribe", said.language.as_deref()),
        Task::Translate => ("translate", Some("en")),
    };
    // OpenAI names the language; a code of tomorrow has no name.
    let language = language.map(|code| english_name(code).unwrap_or(code));
    let mut answer = json!({
        "task": task,
        "language": language.unwrap_or_default(),
        "duration": millis(said.duration),
        "text": text,
    });
    if form.segments() {
        let segments = said.segments.iter().enumerate();
        answer["segments"] = segments.map(|(id, it)| segment(id, it)).collect();
    }
    if form.words() {
        let words = said.segments.iter().flat_map(|it| &it.segment.words);
        let word = words.map(|word| {
            let text = word.word.trim();
            json!({ "word": text, "start": millis(word.start), "end": millis(word.end) })
        });
        answer["words"] = word.collect();
    }
    answer
}

fn segment(id: usize, heard: &HeardSegment) -> Value {
    let segment = &heard.segment;
    json!({
        "id": id,
        "seek": heard.seek,
        "start": millis(segment.start),
        "end": millis(segment.end),
        "text": segment.text,
        "tokens": heard.tokens,
        "temperature": heard.temperature,
        "avg_logprob": segment.avg_logprob.unwrap_or_default(),
        "compression_ratio": heard.compression_ratio,
        "no_speech_prob": segment.no_speech_prob.unwrap_or_default(),
    })
}

fn millis(seconds: f64) -> f64 {
    (seconds * 1e3).round() / 1e3
}
