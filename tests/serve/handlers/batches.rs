//! Frames that go through the model together find what each finds alone.

use super::files;
use super::files::clip;
use super::files::free_batch;
use super::jobs::answer;
use super::jobs::handlers;
use super::jobs::job;
use super::jobs::listener;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt;
use futures_util::future::join_all;
use proptest::prop_assert_eq;
use proptest::strategy::Strategy;
use proptest::test_runner::Config;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use vpipe::backends::models::ModelSource;
use vpipe::backends::models::yolo::DetectParams;
use vpipe::backends::models::yolo::Detector;
use vpipe::backends::models::yolo::LoadOptions;
use vpipe::media;
use vpipe::serve::Handler;
use vpipe::serve::Updates;
use vpipe::serve::handlers::Handlers;
use vpipe::serve::handlers::ModelOptions;
use vpipe::serve::handlers::ServedModel;

fn options(model: &Path, batch: usize) -> ModelOptions {
    ModelOptions {
        yolo: ServedModel::At(model.to_owned()),
        whisper: ServedModel::None,
        batch: Some(batch),
        // Whatever comes together goes together.
        max_wait: Duration::from_secs(5),
        ..ModelOptions::default()
    }
}

/// Frames of the clip as PNG in base64.
fn pictures() -> Vec<String> {
    let png = |frame: &vpipe::item::Frame| {
        let content = frame.content.as_ref().unwrap();
        let png = media::encode_png(content.pixels.as_ref().unwrap(), frame.size);
        STANDARD.encode(png.unwrap())
    };
    let mut frames = files::frames(&clip());
    frames.truncate(9);
    frames.iter().map(png).collect()
}

fn found(output: &Value) -> Value {
    json!([output["detections"], output["count"]])
}

#[test]
fn boxes_are_those_of_a_run_on_the_same_pixels() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("frame.png");
    let png = files::png(3);
    std::fs::write(&path, &png).unwrap();
    let frames = files::frames(&path);
    let detector = Detector::load(&ModelSource::Demo, None, &LoadOptions::default()).unwrap();
    let params = DetectParams {
        conf: 0.15,
        class_conf: BTreeMap::new(),
        iou: 0.5,
        imgsz: Some(1280),
        half: false,
        classes: None,
        max_det: 300,
    };
    let mut session = detector.session().unwrap();
    let ours = session.detect(&frames[0], &params).unwrap();
    assert!(ours.len() > 1, "too few to compare");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let served = handlers(&ModelOptions::default());
    let input = json!({ "image": STANDARD.encode(&png) });
    let output = runtime.block_on(answer(&served, input)).unwrap();
    let theirs = output["detections"].as_array().unwrap();
    assert_eq!(ours.len(), theirs.len());
    let bits = |value: &Value| (value.as_f64().unwrap() as f32).to_bits();
    for (ours, theirs) in ours.iter().zip(theirs) {
        let bbox: Vec<u32> = theirs["bbox"]
            .as_array()
            .unwrap()
            .iter()
            .map(bits)
            .collect();
        assert_eq!(ours.bbox.map(f32::to_bits).to_vec(), bbox);
        assert_eq!(ours.confidence.to_bits(), bits(&theirs["confidence"]));
        assert_eq!(*ours.class_name, theirs["class_name"]);
        assert_eq!(ours.class, theirs["class"]);
    }
}

#[test]
fn frames_of_a_job_go_through_the_model_together() {
    let folder = tempfile::tempdir().unwrap();
    let served = handlers(&options(&free_batch(folder.path(), true), 8));
    let alone = handlers(&options(&free_batch(folder.path(), true), 1));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let input = || json!({ "images": pictures()[..8] });
    let together = runtime.block_on(answer(&served, input())).unwrap();
    let apart = runtime.block_on(answer(&alone, input())).unwrap();
    assert_eq!(found(&together), found(&apart));
    let meter = served.meter();
    assert_eq!(
        (meter.frames, meter.batches, meter.waiting_frames),
        (8, 1, 0)
    );
    assert_eq!(alone.meter().batches, 8);
}

#[test]
fn what_does_not_go_together_is_halved_and_nothing_is_lost() {
    media::init();
    let folder = tempfile::tempdir().unwrap();
    let (tell, told) = listener();
    let model = free_batch(folder.path(), false);
    let served = Handlers::load(&options(&model, 4), &tell).unwrap();
    let alone = handlers(&options(&free_batch(folder.path(), true), 1));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for _ in 0..2 {
        let input = || json!({ "images": pictures()[..5] });
        let halved = runtime.block_on(answer(&served, input())).unwrap();
        let apart = runtime.block_on(answer(&alone, input())).unwrap();
        assert_eq!(found(&halved), found(&apart));
    }
    let told = told.lock().unwrap();
    let sizes: Vec<&str> = told
        .iter()
        .map(|line| line.split_once(" (").unwrap().0)
        .collect();
    // Four do not go, nor do two; and then nobody tries again.
    assert_eq!(
        sizes,
        [
            "4 frames of 320x320 did not go through the model at once",
            "2 frames of 320x320 did not go through the model at once",
        ]
    );
}

#[test]
fn nobody_looks_for_a_job_that_was_stopped() {
    let served = handlers(&ModelOptions {
        whisper: ServedModel::None,
        ..ModelOptions::default()
    });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let stopped = job(json!({ "images": pictures() }));
        let (updates, _heard) = Updates::pair();
        // It has begun, and cannot be over.
        let work = served.handle(&stopped, updates).now_or_never();
        assert!(work.is_none());
        let input = json!({ "image": pictures()[0] });
        assert_eq!(answer(&served, input).await.unwrap()["batch_size"], 1);
    });
    assert_eq!(served.meter().frames, 1);
}

/// Jobs, each some frames with parameters of its own.
fn some_jobs() -> impl Strategy<Value = Vec<(Vec<usize>, u8, u8)>> {
    let frames = proptest::collection::vec(0_usize..9, 1..5);
    proptest::collection::vec((frames, 1_u8..9, 1_u8..9), 1..5)
}

#[test]
fn jobs_in_any_order_find_what_each_finds_alone() {
    let folder = tempfile::tempdir().unwrap();
    let model = free_batch(folder.path(), true);
    let together = handlers(&options(&model, 4));
    let apart = handlers(&options(&model, 1));
    let pictures = pictures();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut runner = TestRunner::new(Config {
        cases: 8,
        failure_persistence: None,
        ..Config::default()
    });
    let ran = runner.run(&some_jobs(), |jobs| {
        let input = |(frames, conf, iou): &(Vec<usize>, u8, u8)| {
            let images: Vec<&String> = frames.iter().map(|&it| &pictures[it]).collect();
            let (conf, iou) = (f64::from(*conf) / 10.0, f64::from(*iou) / 10.0);
            json!({ "images": images, "conf": conf, "iou": iou, "classes": [0, 1, "star"] })
        };
        let inputs: Vec<Value> = jobs.iter().map(input).collect();
        let at_once = inputs.iter().map(|input| answer(&together, input.clone()));
        let at_once = runtime.block_on(join_all(at_once));
        for (input, output) in inputs.into_iter().zip(at_once) {
            let alone = runtime.block_on(answer(&apart, input)).unwrap();
            prop_assert_eq!(found(&output.unwrap()), found(&alone));
        }
        Ok(())
    });
    ran.unwrap();
    let meter = together.meter();
    assert!(meter.batches < meter.frames, "{meter:?}");
}
