//! What detection on this machine costs beside Python's onnxruntime, as a ratio.
//!
//! `PYTHON=venv/bin/python cargo bench --bench local [-- MODEL.onnx ...]` times
//! whole frames, from 1280x720 RGB pixels to boxes, on each model (the built-in one first):
//! processor time at one thread and wall time at two. All take turns, so a busy machine slows
//! them alike. `PYTHON` needs onnxruntime, numpy and opencv-python-headless; `ort` needs
//! `ORT_DYLIB_PATH`. Linux only: processor time is read from `/proc`.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

#[path = "detection/still.rs"]
mod still;

use std::env;
use std::error::Error;
use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::ChildStdin;
use std::process::ChildStdout;
use std::process::Command;
use std::process::Stdio;
use std::thread;
use std::time::Duration;
use std::time::Instant;
use still::PARAMS;
use still::still;
use vpipe::backends::engine::EngineKind;
use vpipe::backends::models::ModelSource;
use vpipe::backends::models::yolo::Detector;
use vpipe::backends::models::yolo::DetectorSession;
use vpipe::backends::models::yolo::LoadOptions;
use vpipe::item::Frame;
use vpipe::item::Size;

const FRAME: Size = Size {
    width: 1280,
    height: 720,
};
const FRAMES: usize = 8;
/// Turns that each contender gets, and how long one is meant to take.
const TURNS: usize = 9;
const TURN: Duration = Duration::from_millis(1200);
/// Threads of onnxruntime spin for a while after they have worked.
const PAUSE: Duration = Duration::from_millis(200);

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let words = env::args().skip(1).filter(|word| word != "--bench");
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/backends/models/demo/shapes.onnx");
    for model in [demo].into_iter().chain(words.map(PathBuf::from)) {
        for threads in [1, 2] {
            compare(&model, threads)?;
        }
    }
    Ok(())
}

/// Processor and wall time a frame.
#[derive(Clone, Copy)]
struct Cost {
    processor: Duration,
    wall: Duration,
}

enum Contender {
    Ours(DetectorSession),
    Python {
        child: Child,
        orders: ChildStdin,
        answers: BufReader<ChildStdout>,
    },
}

impl Contender {
    fn ours(model: &Path, engine: EngineKind, threads: usize) -> Outcome<Self> {
        let options = LoadOptions {
            engine,
            threads,
            ..LoadOptions::default()
        };
        let detector = Detector::load(&ModelSource::File(model.into()), None, &options)?;
        Ok(Self::Ours(detector.session()?))
    }

    fn python(python: &str, model: &Path, threads: usize, frames: &Path) -> Outcome<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/local.py");
        let mut child = Command::new(python)
            .arg(script)
            .arg(model)
            .arg(threads.to_string())
            .arg(frames)
            .args([FRAME.width.to_string(), FRAME.height.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let orders = child.stdin.take().ok_or("no standard input")?;
        let answers = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        Ok(Self::Python {
            child,
            orders,
            answers,
        })
    }

    /// Looks at `count` frames.
    fn turn(&mut self, frames: &[Frame], count: usize) -> Outcome<Cost> {
        match self {
            Self::Ours(session) => {
                let (processor, started) = (processor_time()?, Instant::now());
                for frame in frames.iter().cycle().take(count) {
                    session.detect(frame, &PARAMS)?;
                }
                Ok(Cost {
                    processor: (processor_time()? - processor) / count as u32,
                    wall: started.elapsed() / count as u32,
                })
            }
            Self::Python {
                orders, answers, ..
            } => {
                writeln!(orders, "{count}")?;
                let mut line = String::new();
                answers.read_line(&mut line)?;
                let mut seconds = line.split_whitespace().map(str::parse::<f64>);
                let mut each = || -> Outcome<Duration> {
                    let seconds = seconds.next().ok_or("the Python side has ended")??;
                    Ok(Duration::from_secs_f64(seconds / count as f64))
                };
                Ok(Cost {
                    processor: each()?,
                    wall: each()?,
                })
            }
        }
    }
}

impl Drop for Contender {
    fn drop(&mut self) {
        if let Self::Python { child, .. } = self {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// Processor time of all threads of this process that still live.
fn processor_time() -> Outcome<Duration> {
    let mut nanoseconds = 0;
    for thread in fs::read_dir("/proc/self/task")? {
        let times = fs::read_to_string(thread?.path().join("schedstat"))?;
        nanoseconds += times.split(' ').next().unwrap_or("0").parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// Frames with edges, gradients and noise, the same in every run.
fn frames() -> Vec<Vec<u8>> {
    let frame = |number: usize| {
        let mut noise = number as u32 + 1;
        let mut frame = Vec::new();
        for y in 0..FRAME.height as usize {
            for x in 0..FRAME.width as usize {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let tile = (x / 90 + y / 70 + number) % 3 * 60;
                let [red, green] = [x * 80 / 1280 + tile, y * 80 / 720 + tile];
                let grain = (noise >> 28) as usize;
                frame.extend([red + grain, green + grain, tile + grain].map(|value| value as u8));
            }
        }
        frame
    };
    (0..FRAMES).map(frame).collect()
}

/// Times all contenders on one model and prints a table.
fn compare(model: &Path, threads: usize) -> Outcome<()> {
    let frames = frames();
    let file = env::temp_dir().join(format!("vpipe-bench-{}.rgb", std::process::id()));
    fs::write(&file, frames.concat())?;
    let mut contenders = Vec::new();
    if let Ok(python) = env::var("PYTHON") {
        let contender = Contender::python(&python, model, threads, &file)?;
        contenders.push(("onnxruntime, Python", contender));
    }
    for (name, engine) in [
        ("vpipe, rten", EngineKind::Rten),
        ("vpipe, ort", EngineKind::Ort),
    ] {
        match Contender::ours(model, engine, threads) {
            Ok(contender) => contenders.push((name, contender)),
            Err(error) => println!("{name}: {error}"),
        }
    }
    let frames: Vec<Frame> = frames.into_iter().map(|data| still(FRAME, data)).collect();
    let mut costs = vec![Vec::new(); contenders.len()];
    let mut counts = vec![0; contenders.len()];
    for (count, (_, contender)) in counts.iter_mut().zip(&mut contenders) {
        contender.turn(&frames, 1)?;
        let one = contender.turn(&frames, 2)?.wall.as_secs_f64();
        *count = (TURN.as_secs_f64() / one).clamp(1.0, 500.0) as usize;
    }
    for _ in 0..TURNS {
        for (i, (_, contender)) in contenders.iter_mut().enumerate() {
            thread::sleep(PAUSE);
            costs[i].push(contender.turn(&frames, counts[i])?);
        }
    }
    fs::remove_file(&file)?;
    print(model, threads, &contenders, &costs);
    Ok(())
}

fn print(model: &Path, threads: usize, names: &[(&str, Contender)], costs: &[Vec<Cost>]) {
    let (what, of): (_, fn(&Cost) -> Duration) = match threads {
        1 => ("processor", |cost| cost.processor),
        _ => ("wall", |cost| cost.wall),
    };
    let times = |costs: &[Cost]| {
        let mut times: Vec<f64> = costs.iter().map(|c| of(c).as_secs_f64() * 1e3).collect();
        times.sort_by(f64::total_cmp);
        times
    };
    let file = model.file_name().unwrap_or_default().to_string_lossy();
    println!("\n{file}, {threads} thread(s), {what} ms a frame: median (least), ratio of medians");
    let base = costs.first().map(|costs| times(costs)[costs.len() / 2]);
    for ((name, _), costs) in names.iter().zip(costs) {
        let times = times(costs);
        let median = times[times.len() / 2];
        let ratio = median / base.unwrap_or(median);
        println!("{name:20} {median:8.1} ({:.1})  {ratio:.2}x", times[0]);
    }
}
