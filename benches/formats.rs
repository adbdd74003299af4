//! What each format of results takes.
//!
//! `cargo bench --bench formats [-- --markdown]`. Results of 25,000, 50,000 and 100,000 frames with ten
//! boxes each, drawn at random so that nothing can be guessed from what came before, are converted to
//! each format by itself, beside a conversion that reads them and has nothing to write. Linux only: costs
//! of processes are read from `/proc`.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

#[allow(dead_code, reason = "no worker is idle here")]
#[path = "fleet/process.rs"]
mod process;

use process::Took;
use process::took;
use std::env;
use std::error::Error;
use std::fs;
use std::fs::File;
use std::io::BufWriter;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use vpipe::recipe::OutputFormat;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const FRAMES: [u64; 3] = [25_000, 50_000, 100_000];
const BOXES: u64 = 10;
const CLASSES: u64 = 80;

// Of the formats, those that tell of what is seen.
const SEEN: [OutputFormat; 6] = [
    OutputFormat::Jsonl,
    OutputFormat::Csv,
    OutputFormat::Parquet,
    OutputFormat::Coco,
    OutputFormat::Yolo,
    OutputFormat::Mot,
];

fn main() -> Outcome<()> {
    let markdown = env::args().any(|word| word == "--markdown");
    if markdown {
        println!(
            "| format | frames | wall | CPU | peak over reading | bytes a box |\n|---|---|---|---|---|---|"
        );
    }
    let folder = Path::new(ROOT).join("target/bench/formats");
    for frames in FRAMES {
        if folder.is_dir() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let results = folder.join("video_results.json");
        draw(&results, frames)?;
        // Nobody spoke, so there is nothing to write.
        let reading = convert(&folder, OutputFormat::Srt)?;
        let size = fs::metadata(&results)?.len();
        tell(
            markdown,
            "reading alone",
            frames,
            &reading,
            reading.mebibytes,
            size,
        );
        for format in SEEN {
            let took = convert(&folder, format)?;
            let over = (took.mebibytes - reading.mebibytes).max(0.0);
            let size = written(&folder, format)?;
            tell(markdown, format.word(), frames, &took, over, size);
        }
    }
    Ok(())
}

fn tell(markdown: bool, name: &str, frames: u64, took: &Took, mebibytes: f64, size: u64) {
    let (wall, cpu) = (took.wall, took.cpu);
    let of_box = size as f64 / (frames * BOXES) as f64;
    match markdown {
        true => println!(
            "| {name} | {frames} | {wall:.2} s | {cpu:.2} s | {mebibytes:.0} MiB | {of_box:.1} |"
        ),
        false => println!(
            "{name:14} {frames:7} frames  wall {wall:6.2} s  CPU {cpu:6.2} s  {mebibytes:4.0} MiB  {of_box:5.1} bytes a box"
        ),
    }
}

fn convert(folder: &Path, format: OutputFormat) -> Outcome<Took> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vpipe"));
    command
        .current_dir(folder)
        .args([
            "convert",
            "video_results.json",
            "--output-dir",
            "out",
            "--to",
        ])
        .arg(format.word())
        .stderr(Stdio::null());
    took(command, Stdio::null())
}

// The bytes of what was written, which is removed.
fn written(folder: &Path, format: OutputFormat) -> Outcome<u64> {
    let out = folder.join("out");
    let mut open: Vec<PathBuf> = vec![out.clone()];
    let mut bytes = 0;
    while let Some(path) = open.pop() {
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let about = entry.metadata()?;
            match about.is_dir() {
                true => open.push(entry.path()),
                false => bytes += about.len(),
            }
        }
    }
    if bytes == 0 {
        return Err(format!("{} wrote nothing", format.word()).into());
    }
    fs::remove_dir_all(out)?;
    Ok(bytes)
}

fn draw(path: &Path, frames: u64) -> Outcome<()> {
    let mut out = BufWriter::new(File::create(path)?);
    write!(
        out,
        r#"{{"format": 1, "video": "video.mp4", "processed_at": "", "processing_time": 0.0,
"config": {{"max_workers": 5, "batch_size": 16, "fps": 1.0, "yolo_conf": 0.15, "yolo_iou": 0.5, "yolo_imgsz": 640}},
"source": {{"width": 1920, "height": 1080, "duration": {frames}.0, "fps": 30.0, "codec": "h264", "rotation": 0, "digest": ""}},
"models": {{}}, "summary": {{"frames": {frames}, "failed": 0, "skipped": 0, "objects": {}, "classes": {{}}}},
"primary": "yolo", "transcription": {{"skipped": "nobody listened"}}, "failures": [], "run": {{"version": "", "stages": {{}}}},
"detections": ["#,
        frames * BOXES
    )?;
    let mut draws = Draws(1);
    for frame in 0..frames {
        let comma = if frame == 0 { "" } else { "," };
        let number = frame * 30;
        write!(
            out,
            "{comma}\n{{\"timestamp\": {frame}.0, \"frame_number\": {number}, \"count\": {BOXES}, \"detections\": ["
        )?;
        for place in 0..BOXES {
            let comma = if place == 0 { "" } else { "," };
            // Hundredths of a pixel.
            let (x, y) = (draws.below(150_000), draws.below(80_000));
            let (wide, high) = (1_000 + draws.below(40_000), 1_000 + draws.below(26_000));
            let sides = [x, y, x + wide, y + high].map(|side| side as f64 / 1e2);
            let (class, confidence) = (draws.below(CLASSES), draws.below(10_000) as f64 / 1e4);
            write!(
                out,
                "{comma}\n  {{\"bbox\": {sides:?}, \"class\": {class}, \"class_name\": \"class {class}\", \"confidence\": {confidence:?}}}"
            )?;
        }
        write!(out, "]}}")?;
    }
    writeln!(out, "]}}")?;
    Ok(out.flush()?)
}

// Numbers that look drawn, and are the same each time (Knuth's MMIX).
struct Draws(u64);

impl Draws {
    fn below(&mut self, limit: u64) -> u64 {
        let next = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = next.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}
