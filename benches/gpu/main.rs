//! Detection on a device of this machine: parity with the CPU, frames a second, memory.
//!
//! `cargo bench --bench gpu -- DEVICE [MODEL.onnx ...]` with the library of ONNX Runtime that has the
//! device; `try.sh` beside this brings one. The built-in detector comes first, with its batch axis made
//! free.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

#[path = "../../tests/support/free_batch.rs"]
mod free_batch;
#[path = "../detection/still.rs"]
mod still;

use free_batch::free_batch;
use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use std::time::Instant;
use still::PARAMS;
use still::still;
use vpipe::backends::engine::EngineChoice;
use vpipe::backends::models::ModelSource;
use vpipe::backends::models::yolo::Detector;
use vpipe::backends::models::yolo::FittedFrame;
use vpipe::backends::models::yolo::LoadOptions;
use vpipe::item::Detection;
use vpipe::item::Frame;
use vpipe::item::Size;
use vpipe::recipe::Device;
use vpipe::recipe::LocalDevice;
use vpipe::recipe::LocalEngine;

const SIZES: [usize; 3] = [1, 8, 16];
const FRAMES: usize = 16;
/// How long each size is tried.
const TURN: Duration = Duration::from_secs(4);

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let mut words = env::args().skip(1).filter(|word| word != "--bench");
    let device: LocalDevice = words.next().as_deref().unwrap_or("auto").parse()?;
    let choice = EngineChoice::of(LocalEngine::Ort, device)?;
    for notice in &choice.notices {
        println!("{notice}");
    }
    let own = env::temp_dir().join(format!("vpipe-bench-{}.onnx", std::process::id()));
    fs::write(&own, free_batch(true))?;
    let mut models = [own.clone()].into_iter().chain(words.map(PathBuf::from));
    let tried = models.try_for_each(|model| attempt(&model, &choice));
    fs::remove_file(own)?;
    tried
}

fn load(model: &Path, options: LoadOptions) -> Outcome<Detector> {
    let begun = Instant::now();
    let source = ModelSource::File(model.to_owned());
    let detector = Detector::load(&source, None, &options)?;
    let taken = begun.elapsed().as_secs_f64();
    println!("loaded in {taken:.1} s for {}", options.device);
    Ok(detector)
}

fn attempt(model: &Path, choice: &EngineChoice) -> Outcome<()> {
    println!("\n{}", model.display());
    let cpu = LoadOptions::default();
    let own = LoadOptions {
        engine: choice.engine,
        device: choice.device,
        ..cpu
    };
    let (there, here) = (load(model, own)?, load(model, cpu)?);
    let fitted = (0..FRAMES).map(|number| there.fit(&frame(number), PARAMS.imgsz));
    let fitted = fitted.collect::<Result<Vec<_>, _>>()?;
    parity(&look(&there, &fitted)?, &look(&here, &fitted)?)?;
    let mut session = there.session()?;
    for size in SIZES {
        if size > 1 && !there.takes_batches() {
            println!("batch {size}: it was exported for one frame at a time");
            continue;
        }
        let params = PARAMS;
        let asked: Vec<_> = fitted.iter().take(size).map(|it| (it, &params)).collect();
        session.detect_fitted(&asked)?;
        session.detect_fitted(&asked)?;
        let (begun, mut done) = (Instant::now(), 0);
        while begun.elapsed() < TURN {
            session.detect_fitted(&asked)?;
            done += size;
        }
        let rate = done as f64 / begun.elapsed().as_secs_f64();
        println!(
            "batch {size}: {rate:.1} frames/s, {}",
            memory(choice.device)?
        );
    }
    Ok(())
}

fn look(detector: &Detector, frames: &[FittedFrame]) -> Outcome<Vec<Vec<Detection>>> {
    let mut session = detector.session()?;
    let mut look = |frame| session.detect_fitted(&[(frame, &PARAMS)]);
    let found = frames.iter().map(|frame| Ok(look(frame)?.remove(0)));
    found.collect()
}

/// What the device finds beside what rten finds on the CPU.
fn parity(there: &[Vec<Detection>], here: &[Vec<Detection>]) -> Outcome<()> {
    let (mut apart, mut moved, mut objects) = (0.0_f32, 0.0_f32, 0);
    for (there, here) in there.iter().zip(here) {
        if there.len() != here.len() {
            return Err(format!("{} objects, and {} on the CPU", there.len(), here.len()).into());
        }
        for (there, here) in there.iter().zip(here) {
            objects += 1;
            apart = apart.max((there.confidence - here.confidence).abs());
            let sides = there.bbox.iter().zip(here.bbox);
            moved = sides.fold(moved, |moved, (a, b)| moved.max((a - b).abs()));
        }
    }
    println!(
        "parity with rten on the CPU: {objects} objects, boxes within {moved:.3} px, confidences within \
         {apart:.5}"
    );
    Ok(())
}

/// What this process holds: on a GPU what `nvidia-smi` says, else of the machine.
fn memory(device: Device) -> Outcome<String> {
    if matches!(device, Device::Cuda(_) | Device::Tensorrt(_)) {
        let words = [
            "--query-compute-apps=pid,used_memory",
            "--format=csv,noheader",
        ];
        let said = Command::new("nvidia-smi").args(words).output()?.stdout;
        let said = String::from_utf8_lossy(&said).into_owned();
        let own = std::process::id().to_string();
        let mut lines = said.lines();
        let line = lines.find(|line| line.split(',').next() == Some(own.as_str()));
        return Ok(format!("GPU memory {}", line.unwrap_or("not told")));
    }
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    Ok(format!(
        "peak {}",
        line.unwrap_or_default().replace("VmHWM:", "").trim()
    ))
}

/// A frame of 640x360 with two shapes that move from frame to frame.
fn frame(number: usize) -> Frame {
    let size = Size {
        width: 640,
        height: 360,
    };
    let by = number as i32 * 7;
    let mut data = Vec::new();
    for y in 0..size.height as i32 {
        for x in 0..size.width as i32 {
            let disc = (x - 120 - by).pow(2) + (y - 180).pow(2) <= 70 * 70;
            let square = (x - 500 + by).abs() <= 60 && (y - 170).abs() <= 60;
            data.extend(match (disc, square) {
                (true, _) => [210, 40, 45],
                (_, true) => [40, 80, 200],
                _ => [150, 150, 145],
            });
        }
    }
    still(size, data)
}
