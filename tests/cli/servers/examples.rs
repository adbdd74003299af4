//! Every example that asks a server, against one with the schema of its kind.

use super::harness::entries;
use super::harness::example;
use super::harness::is_jpeg;
use super::harness::run;
use crate::support::server::serve;
use axum::Json;
use axum::Router;
use axum::extract::Multipart;
use axum::routing::post;
use serde_json::Value;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

#[tokio::test(flavor = "multi_thread")]
async fn a_detection_server_of_ones_own_is_asked_as_its_recipe_says() {
    let app = Router::new().route(
        "/detect",
        post(|Json(body): Json<Value>| async move {
            assert_eq!(body["threshold"], 0.25);
            let frames = body["frames"].as_array().unwrap();
            assert!(frames.iter().all(is_jpeg));
            let object = json!({ "box": [0.25, 0.5, 0.5, 1.0], "label_id": 3, "label": "cup", "score": 0.5 });
            let found: Vec<_> = frames.iter().map(|_| json!({ "objects": [object] })).collect();
            Json(json!({ "frames": found }))
        }),
    );
    let url = format!("url={}/detect", serve(app).await);
    let recipe = example("detection-server");
    let (said, results) = run(&recipe, &["--var", &url, "--first", "10s"]).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    assert_eq!(entries(&results).len(), 10);
    let (width, height) = (&results["source"]["width"], &results["source"]["height"]);
    let (width, height) = (width.as_f64().unwrap(), height.as_f64().unwrap());
    for entry in entries(&results) {
        let object = &entry["detections"][0];
        assert_eq!(object["class_name"], "cup");
        let expected = json!([width / 4.0, height / 2.0, width / 2.0, height]);
        assert_eq!(object["bbox"], expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_roboflow_server_is_asked_as_its_schema_says() {
    let app = Router::new().route(
        "/infer/object_detection",
        post(|Json(body): Json<Value>| async move {
            assert_eq!(body["model_id"], "yolov8n-640");
            assert_eq!(body["image"]["type"], "base64");
            assert!(is_jpeg(&body["image"]["value"]));
            let found = json!({ "x": 60.0, "y": 40.0, "width": 20.0, "height": 10.0, "confidence": 0.9,
                "class": "person", "class_id": 0, "detection_id": "6b4f" });
            Json(json!({ "inference_id": "a1", "time": 0.05,
                "image": { "width": 640, "height": 360 }, "predictions": [found] }))
        }),
    );
    let url = format!("url={}/infer/object_detection", serve(app).await);
    let (said, results) = run(&example("roboflow"), &["--var", &url, "--first", "4s"]).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    assert_eq!(results["summary"]["classes"]["person"], 4);
    assert_eq!(results["models"]["yolo"]["model"], "yolov8n-640");
}

#[tokio::test(flavor = "multi_thread")]
async fn detectors_side_by_side_and_on_crops_run_as_they_are() {
    for (name, second) in [("crops", "second"), ("two-detectors", "seldom")] {
        let (said, results) = run(&example(name), &["--first", "3s"]).await;
        assert_eq!(said.code, 0, "{name}: {}", said.talk);
        let output = results["stages"][second]["detections"].as_array().unwrap();
        assert_eq!(output.len(), entries(&results).len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_server_captions_what_is_new() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let app = Router::new().route(
        "/v1/chat/completions",
        post(move |Json(body): Json<Value>| async move {
            let number = count.fetch_add(1, Ordering::SeqCst);
            assert_eq!((&body["model"], &body["max_tokens"]), (&json!("llava"), &json!(100)));
            let message = &body["messages"][0];
            assert_eq!(message["role"], "user");
            assert_eq!(message["content"][0]["type"], "text");
            let frame = &message["content"][1];
            assert_eq!(frame["type"], "image_url");
            let url = frame["image_url"]["url"].as_str().unwrap();
            assert!(url.starts_with("data:image/jpeg;base64,/9j/"));
            let said = format!("Shapes {number} {{{{ 1 + 1 }}}}");
            Json(json!({ "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "llava",
                "choices": [{ "index": 0, "finish_reason": "stop", "logprobs": null,
                    "message": { "role": "assistant", "content": said, "refusal": null } }],
                "usage": { "prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18 } }))
        }),
    );
    let url = format!("url={}/v1/chat/completions", serve(app).await);
    let (said, results) = run(&example("captions"), &["--var", &url, "--first", "12s"]).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    let stage = &results["stages"]["captions"];
    let records = stage["records"].as_array().unwrap();
    assert_eq!(records.len(), 12);
    let new = records.iter().filter(|record| record["same_as"].is_null());
    assert_eq!(new.count(), asked.load(Ordering::SeqCst));
    for record in records {
        // What is answered is data, whatever it looks like.
        let caption = record["record"]["caption"].as_str().unwrap();
        assert!(
            caption.starts_with("Shapes ") && caption.ends_with(" {{ 1 + 1 }}"),
            "{caption}"
        );
    }
    assert_eq!(results["summary"]["records"], 12);
    assert_eq!(results["models"]["captions"]["model"], "llava");
    // Nobody was to find boxes: an entry says so, and counts nothing.
    assert!(
        entries(&results)
            .iter()
            .all(|entry| entry["skipped"].is_string())
    );
}

/// The fields of a form, files by their name and size.
async fn fields(mut form: Multipart) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    while let Some(field) = form.next_field().await.unwrap() {
        let name = field.name().unwrap().to_owned();
        let file = field.file_name().map(str::to_owned);
        let kind = field.content_type().map(str::to_owned);
        let bytes = field.bytes().await.unwrap();
        let value = match (file, kind) {
            (Some(file), Some(kind)) => {
                format!("{file} {kind} {}", bytes[..4].escape_ascii())
            }
            _ => String::from_utf8(bytes.to_vec()).unwrap(),
        };
        fields.push((name, value));
    }
    fields
}

#[tokio::test(flavor = "multi_thread")]
async fn a_detection_server_takes_frames_in_forms() {
    let app = Router::new().route(
        "/v1/vision/detection",
        post(|form: Multipart| async move {
            let fields = fields(form).await;
            assert_eq!(fields[0].0, "image");
            assert!(
                fields[0].1.starts_with("0.jpg image/jpeg \\xff\\xd8"),
                "{fields:?}"
            );
            assert_eq!(fields[1], ("min_confidence".to_owned(), "0.4".to_owned()));
            let found = json!({ "confidence": 0.75, "label": "person",
                "x_min": 10, "y_min": 20, "x_max": 30, "y_max": 40 });
            Json(
                json!({ "success": true, "predictions": [found], "count": 1, "command": "detect",
                "moduleId": "ObjectDetectionYOLOv5-6.2", "inferenceMs": 30, "code": 200 }),
            )
        }),
    );
    let url = format!("url={}/v1/vision/detection", serve(app).await);
    let (said, results) = run(&example("frames-only"), &["--var", &url, "--first", "4s"]).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    assert_eq!(results["summary"]["classes"]["person"], 4);
    assert_eq!(
        results["transcription"]["skipped"],
        "no stage of the recipe listens"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_detection_server_that_says_no_with_200_is_not_believed() {
    let app = Router::new().route(
        "/",
        post(|form: Multipart| async move {
            fields(form).await;
            Json(json!({ "success": false, "error": "no model", "code": 500 }))
        }),
    );
    let url = format!("url={}", serve(app).await);
    let (said, results) = run(&example("frames-only"), &["--var", &url, "--first", "2s"]).await;
    assert_eq!(said.code, 1, "{}", said.talk);
    assert_eq!(results["summary"]["failed"], 2);
    let told = results["run"]["errors"][0]["text"].as_str().unwrap();
    let body = r#"{"success":false,"error":"no model","code":500}"#;
    assert_eq!(told, format!("127.0.0.1 answers what is not `ok`: {body}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_speech_server_takes_sound_in_forms() {
    let app = Router::new().route(
        "/inference",
        post(|form: Multipart| async move {
            let fields = fields(form).await;
            assert!(
                fields[0].1.starts_with("sound.wav audio/wav RIFF"),
                "{fields:?}"
            );
            assert_eq!(
                fields[1],
                ("response_format".to_owned(), "verbose_json".to_owned())
            );
            assert_eq!(fields[2], ("temperature".to_owned(), "0".to_owned()));
            let segment = json!({ "id": 0, "start": 0.5, "end": 2.0, "text": " A red circle.",
                "tokens": [1], "temperature": 0.0, "avg_logprob": -0.2, "no_speech_prob": 0.01 });
            Json(
                json!({ "task": "transcribe", "language": "english", "duration": 20.0,
                "text": " A red circle.", "segments": [segment] }),
            )
        }),
    );
    let url = format!("url={}/inference", serve(app).await);
    let (said, results) = run(&example("sound-only"), &["--var", &url, "--first", "20s"]).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    let spoken = &results["transcription"];
    assert_eq!(spoken["language"], "en");
    assert!(
        spoken["text"]
            .as_str()
            .unwrap()
            .starts_with("A red circle.")
    );
    assert_eq!(results["models"]["speech"]["backend"], "whisper-cpp");
}
