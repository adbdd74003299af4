//! What the fleet says of a job: the truth, or what a fault makes of it.

use super::Fault;
use super::LARGE;
use super::name;
use super::not_found;
use super::queue::At;
use super::queue::Job;
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::Response;
use bytes::Bytes;
use serde_json::Value;
use serde_json::json;
use std::io;

// The line breaks while the body is on its way.
fn broken_line() -> Response {
    let error = io::Error::from(io::ErrorKind::ConnectionReset);
    let body = futures_util::stream::iter([Err::<Bytes, _>(error)]);
    Body::from_stream(body).into_response()
}

/// What is said of a job that took so many milliseconds.
pub(super) fn said(id: u64, job: &Job, took: u64, at_once: bool) -> Response {
    let is_other = !at_once && is_other(job);
    match (job.asked, job.fault) {
        (1, Some(Fault::HtmlGateway)) => {
            return (StatusCode::BAD_GATEWAY, "<html><title>502</title></html>").into_response();
        }
        (1, Some(Fault::NotJson)) => return "<html>sign in</html>".into_response(),
        (1, Some(Fault::MissingOnce)) => return not_found(),
        _ => {}
    }
    let say = |status: &str, more: Value| {
        let mut body = json!({ "id": name(id), "status": status, "delayTime": 3 });
        let fields = body.as_object_mut().unwrap();
        if status != "IN_QUEUE" {
            fields.insert("workerId".to_owned(), json!(format!("w{}", job.worker)));
        }
        fields.extend(more.as_object().unwrap().clone());
        if job.at == At::Done && is_other {
            body["id"] = json!(name(9999));
        }
        written(job, body).into_response()
    };
    match job.at {
        At::Queue => return say("IN_QUEUE", json!({})),
        At::Worker { .. } => return say("IN_PROGRESS", json!({ "output": "half" })),
        At::Done => {}
    }
    let executed = |output: Value| json!({ "executionTime": took, "output": output });
    match job.fault {
        Some(Fault::Lost) => not_found(),
        Some(Fault::ResetAnswer) if job.answered == 1 => broken_line(),
        Some(Fault::FailedByPlatform) => {
            let error = "job timed out after 1 retries";
            say("FAILED", json!({ "error": error, "retries": 1 }))
        }
        Some(Fault::FailedByHandler) => {
            let error = json!({ "error_type": "ValueError", "error_message": "boom" }).to_string();
            say("FAILED", json!({ "error": error, "executionTime": took }))
        }
        Some(Fault::BadImage) if job.images.iter().any(|image| image % 11 == 0) => {
            say("FAILED", json!({ "error": "cannot identify image file" }))
        }
        Some(Fault::FailedWithObject) => {
            let error = json!({ "message": "no images", "code": 3 });
            say("FAILED", json!({ "error": error, "output": { "code": 3 } }))
        }
        Some(Fault::CompletedWithError) => say(
            "COMPLETED",
            executed(json!({ "error": "the model is not there" })),
        ),
        Some(Fault::TimedOut) => say("TIMED_OUT", json!({})),
        Some(Fault::NoOutput) => say("COMPLETED", json!({ "executionTime": took })),
        Some(Fault::OutOfMemory) if job.images.len() > 2 => say(
            "FAILED",
            json!({ "error": "CUDA out of memory. Tried to allocate 2 GiB" }),
        ),
        Some(Fault::OtherOutput) => say("COMPLETED", executed(json!("{{ 1 + 1 }}"))),
        Some(Fault::LargeAnswer) => say("COMPLETED", executed(json!("x".repeat(LARGE)))),
        _ => say("COMPLETED", executed(output(job, is_other))),
    }
}

// What a handler gives.
fn output(job: &Job, is_other: bool) -> Value {
    let mut images = job.images.clone();
    match job.fault {
        Some(Fault::FewerAnswers) => drop(images.pop()),
        Some(Fault::MoreAnswers) => images.push(99),
        // Those of somebody else.
        _ if is_other => images.iter_mut().for_each(|image| *image += 1000),
        _ => {}
    }
    let found = images.iter().map(|number| match job.by_content {
        true => objects(*number),
        false => json!([object([0, 0, 1, 1], *number, 1.0)]),
    });
    let output = json!({ "detections": found.collect::<Vec<_>>() });
    match job.fault {
        Some(Fault::ListOfOne) => json!([output]),
        Some(Fault::OtherShape) => {
            let shaped = |number: &u64| {
                let corners = json!({ "x1": 0, "y1": 0, "x2": 1, "y2": 1 });
                json!([{ "rect": corners, "label": "n", "class_id": number, "score": 1.0 }])
            };
            json!({ "result": { "frames": images.iter().map(shaped).collect::<Vec<_>>() } })
        }
        Some(Fault::JsonText) => json!([output.to_string()]),
        _ => output,
    }
}

fn object(bbox: [u64; 4], class: u64, confidence: f64) -> Value {
    json!({ "bbox": bbox, "class": class, "class_name": "n", "confidence": confidence })
}

// Two in every frame of a video, large enough to be cut out.
fn objects(number: u64) -> Value {
    let left = number % 50;
    let sure = object([left, 20, left + 120, 140], number, 1.0);
    let unsure = object([100, 0, 200, 90], number, 0.5);
    json!([sure, unsure])
}

fn is_other(job: &Job) -> bool {
    job.fault == Some(Fault::OtherId)
        || (job.fault == Some(Fault::OtherIdOnce) && job.answered == 1)
}

// As a server writes it that knows no better.
fn written(job: &Job, mut body: Value) -> Vec<u8> {
    match job.fault {
        Some(Fault::NumberStatus) if job.at == At::Done => body["status"] = json!(3),
        Some(Fault::OddTypes) => {
            body["workerId"] = json!(7);
            body["delayTime"] = json!(["3"]);
            body["executionTime"] = json!("soon");
            body["retries"] = json!(-1);
        }
        Some(Fault::HugeTimes) => {
            body["delayTime"] = json!(1e300);
            body["executionTime"] = json!(u64::MAX);
        }
        _ => {}
    }
    let text = body.to_string();
    let (_, fields) = text.split_once('{').unwrap();
    match job.fault {
        Some(Fault::NotANumber) => format!("{{\"score\":NaN,\"loss\":-Infinity,{fields}"),
        Some(Fault::BoxNotANumber) => text.replace("[0,0,1,1]", "[0,NaN,1,1]"),
        Some(Fault::KeysTwice) => {
            let false_ones = "\"id\":\"x\",\"status\":\"IN_QUEUE\",\"output\":[],\"workerId\":1";
            format!("{{{false_ones},{fields}")
        }
        Some(Fault::HalfAnswer) if job.at == At::Done => text.split_at(text.len() / 2).0.to_owned(),
        Some(Fault::DeepAnswer) if job.at == At::Done => {
            let (open, close) = ("[".repeat(10_000), "]".repeat(10_000));
            format!("{{\"deep\":{open}{close},{fields}")
        }
        Some(Fault::OddBytes) => {
            let name = b"\"class_name\":\"\\ud83d \xff".to_vec();
            let mut bytes = b"\xef\xbb\xbf".to_vec();
            let mut rest = text.as_str();
            while let Some((before, after)) = rest.split_once("\"class_name\":\"") {
                bytes.extend_from_slice(before.as_bytes());
                bytes.extend_from_slice(&name);
                rest = after;
            }
            bytes.extend_from_slice(rest.as_bytes());
            return bytes;
        }
        _ => text,
    }
    .into_bytes()
}
