//! Servers that listen: RunPod's API with two kinds of workers, and OpenAI's. Each takes what the
//! real one takes, refuses what it refuses, and hears the words that are whole in the sound.

use super::words::Word;
use super::words::whole_words;
use crate::support::fleet::KEY;
use crate::support::server::serve;
use axum::Json;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::extract::Multipart;
use axum::extract::Path;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;
use vpipe::item::PixelFormat;
use vpipe::media;
use vpipe::media::SoundSelection;
use vpipe::media::VideoSelection;
use vpipe::name::VideoId;
use vpipe::time::Ratio;

/// What a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaks {
    /// RunPod's API before a handler of one's own.
    Handler,
    /// RunPod's API before RunPod's faster-whisper.
    FasterWhisper,
    /// OpenAI's API.
    Openai,
}

/// What goes wrong with a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The handler raises.
    Handler,
    /// The job is not known any more.
    Lost,
    /// The answer is something else.
    NotSpeech,
}

/// A request that was taken.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// What the job is called; nothing where it is answered at once.
    pub(crate) job: Option<String>,
    /// Which sound it was, as a digest of the file.
    pub(crate) sound: u64,
    pub(crate) bytes: usize,
    pub(crate) seconds: f64,
    /// Jobs that were not answered when it came, itself included.
    pub(crate) most_at_once: usize,
}

struct Job {
    output: Value,
    fault: Option<Fault>,
    asked: u32,
}

struct Inner {
    speaks: Speaks,
    limit: usize,
    faults: BTreeMap<usize, Fault>,
    jobs: BTreeMap<String, Job>,
    heard: Vec<Request>,
    strangers: u32,
    refused: u32,
    calls: u64,
    // No job is answered before so many are there.
    together: usize,
}

/// A running server.
pub(crate) struct Server {
    pub(crate) address: String,
    inner: Arc<Mutex<Inner>>,
}

impl Server {
    /// A server that takes bodies of at most `limit` bytes, and fails at the jobs of these
    /// numbers, from 0.
    pub(crate) async fn start(speaks: Speaks, limit: usize, faults: &[(usize, Fault)]) -> Self {
        media::init();
        let inner = Arc::new(Mutex::new(Inner {
            speaks,
            limit,
            faults: faults.iter().copied().collect(),
            jobs: BTreeMap::new(),
            heard: Vec::new(),
            strangers: 0,
            refused: 0,
            calls: 0,
            together: 0,
        }));
        let app = Router::new()
            .route("/v1/listen/run", post(submit))
            .route("/v1/listen/status/{id}", get(status))
            .route("/v1/audio/transcriptions", post(transcribe))
            .layer(DefaultBodyLimit::max(64 << 20))
            .with_state(Arc::clone(&inner));
        let address = format!("{}/v1", serve(app).await);
        Self { address, inner }
    }

    /// Answers no job before so many are there.
    pub(crate) fn wait_for(&self, jobs: usize) {
        self.inner.lock().unwrap().together = jobs;
    }

    pub(crate) fn heard(&self) -> Vec<Request> {
        self.inner.lock().unwrap().heard.clone()
    }

    /// The jobs that somebody has asked after.
    pub(crate) fn polled(&self) -> BTreeSet<String> {
        let inner = self.inner.lock().unwrap();
        let polled = inner.jobs.iter().filter(|(_, job)| job.asked > 0);
        polled.map(|(id, _)| id.clone()).collect()
    }

    /// How often it was called.
    pub(crate) fn calls(&self) -> u64 {
        self.inner.lock().unwrap().calls
    }

    /// Calls that were too large.
    pub(crate) fn refused(&self) -> u32 {
        self.inner.lock().unwrap().refused
    }

    /// Calls without the key.
    pub(crate) fn strangers(&self) -> u32 {
        self.inner.lock().unwrap().strangers
    }
}

type Shared = State<Arc<Mutex<Inner>>>;

fn is_known(headers: &HeaderMap, inner: &mut Inner) -> bool {
    let known = headers
        .get("authorization")
        .is_some_and(|value| value == &format!("Bearer {KEY}"));
    inner.calls += 1;
    inner.strangers += u32::from(!known);
    known
}

// The samples of a sound file, whatever it is.
fn decoded(file: &[u8]) -> Vec<i16> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sound");
    std::fs::write(&path, file).unwrap();
    let input = media::identify(&path).unwrap();
    let wanted = VideoSelection::new(Ratio::ONE, 64, PixelFormat::I420);
    let facts = media::probe(&input, VideoId(0), &wanted).unwrap();
    let pieces = media::sound(&input, &facts, &SoundSelection::default(), Arc::default()).unwrap();
    let mut samples = Vec::new();
    for piece in pieces {
        samples.extend_from_slice(&piece.unwrap().samples);
    }
    samples
}

// Ten words a segment.
fn segments(words: &[Word]) -> Vec<Value> {
    let said = |words: &[Word]| {
        let texts: Vec<String> = words.iter().map(|word| format!("w{}", word.id)).collect();
        json!({
            "start": words[0].start, "end": words[words.len() - 1].end, "text": texts.join(" "),
            "avg_logprob": -0.25, "no_speech_prob": 0.01, "tokens": [1, 2], "temperature": 0.0,
        })
    };
    words.chunks(10).map(said).collect()
}

fn timed(words: &[Word]) -> Vec<Value> {
    let word = |word: &Word| json!({ "word": format!(" w{}", word.id), "start": word.start, "end": word.end });
    words.iter().map(word).collect()
}

// What is answered to a sound file, which file it was, and how long.
#[derive(Default)]
struct Heard {
    answer: Value,
    sound: u64,
    seconds: f64,
}

// What a worker answers to the fields of a job; or what it says of them.
fn work(speaks: Speaks, input: &Value) -> Result<Heard, String> {
    let (sound, known): (_, &[&str]) = match speaks {
        Speaks::Handler => (
            "audio",
            &["audio", "language", "task", "vad_filter", "word_timestamps"],
        ),
        _ => (
            "audio_base64",
            &[
                "audio_base64",
                "model",
                "transcription",
                "translate",
                "language",
                "enable_vad",
                "word_timestamps",
            ],
        ),
    };
    for name in input.as_object().unwrap().keys() {
        if !known.contains(&name.as_str()) {
            return Err(format!(
                "Unexpected input. {name} is not a valid input option."
            ));
        }
    }
    let file = STANDARD.decode(input[sound].as_str().unwrap()).unwrap();
    let samples = decoded(&file);
    let words = whole_words(&samples);
    let wants_words = input["word_timestamps"] == json!(true);
    let mut segments = segments(&words);
    let answer = match speaks {
        Speaks::Handler => {
            for (segment, words) in segments.iter_mut().zip(words.chunks(10)) {
                segment["confidence"] = json!(-0.25);
                if wants_words {
                    segment["words"] = json!(timed(words));
                }
            }
            json!({
                "transcription": segments, "language": "en", "language_probability": 0.99,
                "duration": samples.len() as f64 / 16_000.0, "processing_time": 1.2,
            })
        }
        _ => json!({
            "segments": segments, "detected_language": "en", "transcription": "w", "device": "cuda",
            "translation": null, "model": "turbo",
            "word_timestamps": if wants_words { json!(timed(&words)) } else { Value::Null },
        }),
    };
    Ok(Heard {
        answer,
        sound: digest(&file),
        seconds: samples.len() as f64 / 16_000.0,
    })
}

fn digest(file: &[u8]) -> u64 {
    let digest = blake3::hash(file);
    u64::from_le_bytes(digest.as_bytes()[..8].try_into().unwrap())
}

async fn submit(State(inner): Shared, headers: HeaderMap, body: Bytes) -> Response {
    let (speaks, limit) = {
        let mut inner = inner.lock().unwrap();
        if !is_known(&headers, &mut inner) {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        (inner.speaks, inner.limit)
    };
    if body.len() > limit {
        inner.lock().unwrap().refused += 1;
        let text = "bad request: body: exceeded max body size of 10MiB";
        return (StatusCode::BAD_REQUEST, text).into_response();
    }
    let job: Value = serde_json::from_slice(&body).unwrap();
    let heard = work(speaks, &job["input"]).unwrap_or_else(|error| Heard {
        answer: json!({ "error": error }),
        ..Heard::default()
    });
    let mut inner = inner.lock().unwrap();
    let fault = inner.faults.get(&inner.jobs.len()).copied();
    let id = format!("job-{}", inner.jobs.len());
    let job = Job {
        output: heard.answer,
        fault,
        asked: 0,
    };
    inner.jobs.insert(id.clone(), job);
    let waiting = inner.jobs.values().filter(|job| job.asked < 3).count();
    inner.heard.push(Request {
        job: Some(id.clone()),
        sound: heard.sound,
        bytes: body.len(),
        seconds: heard.seconds,
        most_at_once: waiting,
    });
    Json(json!({ "id": id, "status": "IN_QUEUE" })).into_response()
}

async fn status(State(inner): Shared, headers: HeaderMap, Path(id): Path<String>) -> Response {
    let mut inner = inner.lock().unwrap();
    if !is_known(&headers, &mut inner) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let is_early = inner.jobs.len() < inner.together;
    let job = inner.jobs.get_mut(&id).unwrap();
    job.asked += u32::from(!is_early);
    let answer = match (job.asked, job.fault) {
        (..=2, _) => json!({ "id": id, "status": "IN_PROGRESS" }),
        (_, Some(Fault::Lost)) => {
            let message = json!({ "message": "job not found" });
            return (StatusCode::NOT_FOUND, Json(message)).into_response();
        }
        (_, Some(Fault::Handler)) => json!({ "id": id, "status": "FAILED", "error": "boom" }),
        (_, Some(Fault::NotSpeech)) => {
            json!({ "id": id, "status": "COMPLETED", "output": { "detections": [] } })
        }
        (_, None) => json!({ "id": id, "status": "COMPLETED", "output": job.output }),
    };
    Json(answer).into_response()
}

async fn transcribe(State(inner): Shared, headers: HeaderMap, mut form: Multipart) -> Response {
    if !is_known(&headers, &mut inner.lock().unwrap()) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut file = Bytes::new();
    while let Some(field) = form.next_field().await.unwrap() {
        let name = field.name().unwrap().to_owned();
        if name == "file" {
            let named = field.file_name().unwrap();
            assert!(named.ends_with(".wav"), "{named}");
            assert_eq!(field.content_type(), Some("audio/wav"));
            file = field.bytes().await.unwrap();
        } else {
            fields
                .entry(name)
                .or_default()
                .push(field.text().await.unwrap());
        }
    }
    {
        let mut inner = inner.lock().unwrap();
        if file.len() > inner.limit {
            inner.refused += 1;
            return StatusCode::PAYLOAD_TOO_LARGE.into_response();
        }
    }
    assert_eq!(fields["model"], ["tiny"]);
    assert_eq!(fields["response_format"], ["verbose_json"]);
    assert_eq!(fields["timestamp_granularities[]"], ["segment", "word"]);
    let samples = decoded(&file);
    let words = whole_words(&samples);
    let seconds = samples.len() as f64 / 16_000.0;
    inner.lock().unwrap().heard.push(Request {
        job: None,
        sound: digest(&file),
        bytes: file.len(),
        seconds,
        most_at_once: 1,
    });
    Json(json!({
        "task": "transcribe", "language": "english", "duration": seconds.to_string(), "text": "w",
        "segments": segments(&words), "words": timed(&words),
    }))
    .into_response()
}
