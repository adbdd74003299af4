//! How well things are tracked beside `supervision` and Ultralytics, and what a frame costs.
//!
//! `PYTHON=venv/bin/python cargo bench --bench track [-- seeds=4]` has `peers.py` make scenes with
//! known identities under `target/track/`, tracks what a detector would say of them, and has
//! `peers.py` do the same with other trackers and print the scores of all. `PYTHON` needs what
//! `requirements.txt` names. Then it times frames of 50 boxes and 50 tracks, and counts the tracks
//! that are held over ten hours.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use serde::Deserialize;
use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;
use vpipe::item::Detection;
use vpipe::item::Size;
use vpipe::recipe::TrackMethod;
use vpipe::recipe::TrackSpec;
use vpipe::stages::Tracker;

/// Of the scenes.
const FRAME: Size = Size {
    width: 1280,
    height: 720,
};
/// Frames that are timed.
const FRAMES: u32 = 2_000;
/// Ten hours of five frames a second.
const TEN_HOURS: u32 = 180_000;

type Outcome<T> = Result<T, Box<dyn Error>>;

#[derive(Deserialize)]
struct Scene {
    frames: Vec<Frame>,
}

#[derive(Deserialize)]
struct Frame {
    seconds: f64,
    boxes: Vec<Found>,
}

#[derive(Deserialize)]
struct Found {
    bbox: [f32; 4],
    class: u32,
    confidence: f32,
}

impl Found {
    fn detection(&self) -> Detection {
        Detection {
            bbox: self.bbox,
            class: self.class,
            confidence: self.confidence,
            ..Detection::default()
        }
    }
}

fn main() -> Outcome<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let seeds = env::args().find_map(|word| word.strip_prefix("seeds=").map(str::to_owned));
    let folder = root.join("target/track");
    if let Ok(python) = env::var("PYTHON") {
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let peers = |words: &[&str]| -> Outcome<()> {
            let script = root.join("benches/track/peers.py");
            let mut command = Command::new(&python);
            let status = command
                .arg(script)
                .args(words)
                .current_dir(&folder)
                .status()?;
            status
                .success()
                .then_some(())
                .ok_or("peers.py failed".into())
        };
        peers(&["scenes", ".", seeds.as_deref().unwrap_or("4")])?;
        track(&folder)?;
        peers(&["score", "."])?;
    } else {
        println!("without PYTHON nobody is compared");
    }
    for method in [TrackMethod::Motion, TrackMethod::Bytetrack] {
        time(method);
    }
    Ok(())
}

fn spec(method: TrackMethod) -> TrackSpec {
    TrackSpec {
        method,
        ..TrackSpec::default()
    }
}

// Writes the tracks of all boxes of each scene, by each method.
fn track(folder: &Path) -> Outcome<()> {
    let files = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let files: Vec<PathBuf> = files.collect::<Outcome<_>>()?;
    for file in files {
        let name = file.to_string_lossy();
        let Some(name) = name.strip_suffix(".scene.json") else {
            continue;
        };
        let scene: Scene = serde_json::from_slice(&fs::read(&file)?)?;
        for (method, word) in [
            (TrackMethod::Motion, "motion"),
            (TrackMethod::Bytetrack, "bytetrack"),
        ] {
            let mut tracker = Tracker::new(&spec(method), FRAME);
            let tracks: Vec<_> = (0..)
                .zip(&scene.frames)
                .map(|(index, frame)| {
                    let boxes: Vec<_> = frame.boxes.iter().map(Found::detection).collect();
                    let sights = tracker.frame(index, frame.seconds, &boxes);
                    let numbers = sights.iter().map(|it| it.as_ref().map(|it| it.track));
                    numbers.collect::<Vec<_>>()
                })
                .collect();
            let written = format!("{name}.{word}.tracks.json");
            fs::write(written, serde_json::to_vec(&tracks)?)?;
        }
    }
    Ok(())
}

// Fifty things that sway where they are, side by side and one over the other.
fn crowd(seconds: f64) -> Vec<Detection> {
    let thing = |number: u32| {
        let (column, row) = (f64::from(number % 10), f64::from(number / 10));
        let sway = 30.0 * (seconds + f64::from(number)).sin();
        let (x, y) = (120.0 * column + sway, 140.0 * row + sway / 2.0);
        Detection {
            bbox: [x, y, x + 150.0, y + 180.0].map(|side| side as f32),
            confidence: 0.8,
            ..Detection::default()
        }
    };
    (0..50).map(thing).collect()
}

fn time(method: TrackMethod) {
    let mut tracker = Tracker::new(&spec(method), FRAME);
    let frames: Vec<_> = (0..FRAMES).map(|at| crowd(f64::from(at) / 5.0)).collect();
    let start = Instant::now();
    for (index, boxes) in (0..).zip(&frames) {
        tracker.frame(index, index as f64 / 5.0, boxes);
    }
    let frame = start.elapsed() / FRAMES;
    let mut most = 0;
    for index in 0..TEN_HOURS {
        let seconds = f64::from(index) / 5.0;
        // One of them is missed in every second frame.
        let mut boxes = crowd(seconds);
        boxes.truncate(50 - (index % 2) as usize);
        tracker.frame(u64::from(FRAMES + index), seconds, &boxes);
        most = most.max(tracker.held());
    }
    println!("{method:?}: {frame:.1?} a frame of 50 boxes; {most} tracks at most in 10 hours");
}
