//! Jobs of real frames, and the detector that looks at them.

use crate::Outcome;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use serde_json::json;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use vpipe::serve::handlers::Handlers;
use vpipe::serve::handlers::ModelOptions;
use vpipe::serve::handlers::ServedModel;

/// Frames of a job.
pub(crate) const BATCH: usize = 16;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// All frames of the demo clip, as JPEGs in base64.
pub(crate) fn images() -> Outcome<Vec<String>> {
    let root = Path::new(ROOT);
    let folder = root.join("target/bench/worker");
    fs::create_dir_all(&folder)?;
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-i"])
        .arg(root.join("tests/demo/clip.mp4"))
        .args(["-q:v", "3"])
        .arg(folder.join("%04d.jpg"))
        .status()?;
    if !made.success() {
        return Err("ffmpeg makes no frames".into());
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        files.push(entry?.path());
    }
    files.sort();
    let read = |file| Ok(STANDARD.encode(fs::read(file)?));
    files.iter().map(read).collect()
}

/// The input of a job.
pub(crate) fn job(images: &[String], number: usize) -> Value {
    let images = images.iter().cycle().skip(number * BATCH).take(BATCH);
    let images: Vec<&String> = images.collect();
    json!({ "images": images, "conf": 0.15, "iou": 0.5 })
}

/// The built-in model, with all cores.
pub(crate) fn detector() -> Outcome<Handlers> {
    let options = ModelOptions {
        whisper: ServedModel::None,
        threads: thread::available_parallelism()?.into(),
        ..ModelOptions::default()
    };
    let tell = Arc::new(|_: &str| ());
    Ok(Handlers::load(&options, &(tell as Arc<_>))?)
}
