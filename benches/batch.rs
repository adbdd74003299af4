//! What a frame costs where 1, 8 or 16 go through a detector together, as a ratio to one by one.
//!
//! `cargo bench --bench batch [-- MODEL.onnx ...]`, on models whose batch axis is free; the built-in one is
//! made so first. Frames are fitted before the clock starts: this is what a session is busy with. All
//! sizes take turns, so a busy machine slows them alike. Linux only: processor time is read from
//! `/proc`.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

#[path = "../tests/support/free_batch.rs"]
mod free_batch;
#[path = "detection/still.rs"]
mod still;

use free_batch::free_batch;
use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;
use still::PARAMS;
use still::still;
use vpipe::backends::models::ModelSource;
use vpipe::backends::models::yolo::Detector;
use vpipe::backends::models::yolo::DetectorSession;
use vpipe::backends::models::yolo::FittedFrame;
use vpipe::backends::models::yolo::LoadOptions;
use vpipe::item::Frame;
use vpipe::item::Size;

const SIZES: [usize; 3] = [1, 8, 16];
/// Frames of a turn, which all sizes divide.
const FRAMES: usize = 48;
const TURNS: usize = 9;
/// Ticks of a second in `/proc`, on every Linux.
const TICKS: f64 = 100.0;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let own = env::temp_dir().join(format!("vpipe-bench-{}.onnx", std::process::id()));
    fs::write(&own, free_batch(true))?;
    let words = env::args().skip(1).filter(|word| word != "--bench");
    for model in [own.clone()].into_iter().chain(words.map(PathBuf::from)) {
        for threads in [1, 2] {
            compare(&model, threads)?;
        }
    }
    fs::remove_file(own)?;
    Ok(())
}

/// A frame of 1280x720 with edges, gradients and noise.
fn frame(number: usize) -> Frame {
    let size = Size {
        width: 1280,
        height: 720,
    };
    let mut noise = number as u32 + 1;
    let mut data = Vec::new();
    for y in 0..size.height as usize {
        for x in 0..size.width as usize {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let tile = (x / 90 + y / 70 + number) % 3 * 60;
            let grain = (noise >> 28) as usize;
            let [red, green] = [x * 80 / 1280 + tile, y * 80 / 720 + tile];
            data.extend([red + grain, green + grain, tile + grain].map(|value| value as u8));
        }
    }
    still(size, data)
}

/// Processor and wall time a frame, in milliseconds.
#[derive(Clone, Copy)]
struct Cost {
    processor: f64,
    wall: f64,
}

fn turn(session: &mut DetectorSession, frames: &[FittedFrame], batch: usize) -> Outcome<Cost> {
    let (processor, begun) = (processor_time()?, Instant::now());
    let params = PARAMS;
    for frames in frames.chunks(batch) {
        let asked: Vec<_> = frames.iter().map(|frame| (frame, &params)).collect();
        session.detect_fitted(&asked)?;
    }
    let each = |time: Duration| time.as_secs_f64() * 1e3 / frames.len() as f64;
    Ok(Cost {
        processor: each(processor_time()? - processor),
        wall: each(begun.elapsed()),
    })
}

// Of this process and all its threads.
fn processor_time() -> Outcome<Duration> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, after_name) = stat.rsplit_once(')').ok_or("an odd /proc/self/stat")?;
    let ticks = after_name.split_whitespace().skip(11).take(2);
    let ticks: f64 = ticks.filter_map(|it| it.parse::<f64>().ok()).sum();
    Ok(Duration::from_secs_f64(ticks / TICKS))
}

fn compare(model: &Path, threads: usize) -> Outcome<()> {
    let options = LoadOptions {
        threads,
        ..LoadOptions::default()
    };
    let detector = Detector::load(&ModelSource::File(model.to_owned()), None, &options)?;
    if !detector.takes_batches() {
        println!("{} takes one frame at a time", model.display());
        return Ok(());
    }
    let frames: Vec<FittedFrame> = (0..FRAMES)
        .map(|number| detector.fit(&frame(number), PARAMS.imgsz))
        .collect::<Result<_, _>>()?;
    let mut session = detector.session()?;
    let mut costs = SIZES.map(|_| Vec::new());
    turn(&mut session, &frames, 1)?;
    for _ in 0..TURNS {
        for (size, costs) in SIZES.iter().zip(&mut costs) {
            costs.push(turn(&mut session, &frames, *size)?);
        }
    }
    println!(
        "\n{threads} thread(s): frames together, frames/s, processor ms a frame, ratio of these"
    );
    let mut base = None;
    for (size, costs) in SIZES.iter().zip(&costs) {
        let processor = median(costs.iter().map(|cost| cost.processor));
        let wall = median(costs.iter().map(|cost| cost.wall));
        let ratio = processor / *base.get_or_insert(processor);
        println!("{size:8} {:8.1} {processor:8.2} {ratio:8.2}x", 1e3 / wall);
    }
    Ok(())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
