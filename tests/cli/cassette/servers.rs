//! Servers of every kind that a recipe of this repository asks, at one address: each frame and each
//! sound has an answer of its own, made of its bytes.

use crate::support::fleet::KEY;
use crate::support::server::serve;
use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::extract::Path;
use axum::extract::State;
use axum::http::Uri;
use axum::routing::get;
use axum::routing::post;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

/// What was asked of the servers.
#[derive(Default)]
struct Asked {
    requests: usize,
    // Jobs of RunPod by their id.
    jobs: BTreeMap<String, Value>,
}

/// The running servers.
pub(super) struct Servers {
    pub(super) address: String,
    asked: Arc<Mutex<Asked>>,
}

impl Servers {
    pub(super) async fn start() -> Self {
        let asked: Arc<Mutex<Asked>> = Arc::default();
        let app = Router::new()
            .route("/v2/{endpoint}/run", post(submit))
            .route("/v2/{endpoint}/runsync", post(submit))
            .route("/v2/{endpoint}/status/{id}", get(status))
            .fallback(answer)
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&asked));
        let address = serve(app).await;
        Self { address, asked }
    }

    /// What a user sets to have a fleet for frames and one for sound.
    pub(super) fn fleet(&self) -> Vec<(String, String)> {
        let set = |(name, value): (&str, String)| (name.to_owned(), value);
        [
            ("RUNPOD_API_KEY", KEY.to_owned()),
            ("RUNPOD_YOLO_ENDPOINT_ID", "detect".to_owned()),
            ("RUNPOD_WHISPER_ENDPOINT_ID", "listen".to_owned()),
            ("RUNPOD_ENDPOINT_BASE_URL", format!("{}/v2", self.address)),
        ]
        .map(set)
        .into()
    }

    /// How many requests came since this was asked last.
    pub(super) fn requests(&self) -> usize {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut asked.requests)
    }
}

type Shared = State<Arc<Mutex<Asked>>>;

fn near(bytes: &[u8]) -> f64 {
    f64::from(blake3::hash(bytes).as_bytes()[0]) / 512.0
}

// Answered when it is asked after.
async fn submit(State(asked): Shared, Path(endpoint): Path<String>, body: Bytes) -> Json<Value> {
    let job: Value = serde_json::from_slice(&body).unwrap();
    let input = &job["input"];
    let output = match input["images"].as_array() {
        Some(images) => {
            let objects = |image: &Value| {
                // Within a frame, and within what is cut out of one.
                let (left, name) = (30.0 * near(image.as_str().unwrap().as_bytes()), "person");
                json!([
                    { "bbox": [left, 20, left + 90.0, 110], "class": 0, "class_name": name, "confidence": 0.9 },
                    { "bbox": [30, left, 70, left + 40.0], "class": 2, "class_name": "car", "confidence": 0.4 },
                ])
            };
            json!({ "detections": images.iter().map(objects).collect::<Vec<_>>() })
        }
        None => {
            let sound = input["audio"].as_str().or(input["audio_base64"].as_str());
            let start = near(sound.unwrap().as_bytes());
            let words = json!([{ "word": " Turn", "start": start, "end": start + 0.25 }]);
            let segment = json!({ "start": start, "end": start + 1.5, "text": " Turn left.", "words": words });
            match input["audio_base64"].is_string() {
                true => json!({ "segments": [segment], "detected_language": "en",
                    "transcription": "Turn left.", "word_timestamps": null }),
                false => json!({ "transcription": [segment], "language": "en",
                    "language_probability": 0.99, "duration": 3.0 }),
            }
        }
    };
    let mut asked = asked.lock().unwrap();
    asked.requests += 1;
    let id = format!("{endpoint}-{}", asked.jobs.len());
    let done = json!({ "id": id, "status": "COMPLETED", "output": output });
    asked.jobs.insert(id.clone(), done);
    Json(json!({ "id": id, "status": "IN_QUEUE" }))
}

async fn status(State(asked): Shared, Path((_, id)): Path<(String, String)>) -> Json<Value> {
    Json(asked.lock().unwrap().jobs[&id].clone())
}

async fn answer(State(asked): Shared, uri: Uri, body: Bytes) -> Json<Value> {
    asked.lock().unwrap().requests += 1;
    let near = near(&body);
    let whole: Value = serde_json::from_slice(&body).unwrap_or_default();
    Json(match uri.path() {
        "/detect" => {
            let frames = whole["frames"].as_array().unwrap().iter();
            let object = json!({ "box": [near, 0.5, near + 0.1, 1.0], "label_id": 3, "label": "cup", "score": 0.5 });
            json!({ "frames": frames.map(|_| json!({ "objects": [object] })).collect::<Vec<_>>() })
        }
        "/roboflow" => {
            let found = json!({ "x": 60.0 + near, "y": 40.0, "width": 20.0, "height": 10.0,
                "confidence": 0.9, "class": "person", "class_id": 0 });
            json!({ "image": { "width": 640, "height": 360 }, "predictions": [found] })
        }
        "/chat" => {
            let said = format!("A frame, number {near}.");
            json!({ "choices": [{ "message": { "role": "assistant", "content": said } }] })
        }
        "/form" => {
            let found = json!({ "confidence": 0.75, "label": "person", "x_min": 10.0 + near,
                "y_min": 20, "x_max": 30, "y_max": 40 });
            json!({ "success": true, "predictions": [found] })
        }
        _ => {
            let words = json!([{ "word": " A", "start": 0.5, "end": 0.75 + near }]);
            let segment = json!({ "start": 0.5, "end": 2.0 + near, "text": " A red circle." });
            json!({ "language": "english", "text": " A red circle.", "segments": [segment], "words": words })
        }
    })
}
