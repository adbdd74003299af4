//! What it takes to search many results.
//!
//! `cargo bench --bench find [-- --markdown]`. 1,000 results files of ten minutes each, with four boxes a
//! second and a hundred sentences, are searched for what is seen and said; beside Python reading the
//! same files as JSON, and nothing else. Linux only: costs of processes are read from `/proc`.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

#[allow(dead_code, reason = "no worker is idle here")]
#[path = "fleet/process.rs"]
mod process;

use process::Took;
use process::took;
use serde_json::Value;
use serde_json::json;
use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const FILES: u64 = 1000;
const SECONDS: u64 = 600;
const BOXES: u64 = 4;
const SENTENCES: u64 = 100;
const TURNS: usize = 3;

const CLASSES: [&str; 5] = ["person", "car", "dog", "bicycle", "traffic light"];
const WORDS: [&str; 6] = ["a", "red", "circle", "moves", "to", "left"];

const PYTHON: &str = "import json, pathlib\nfor path in sorted(pathlib.Path('.').glob('*_results.json')):\n    json.loads(path.read_bytes())";

fn main() -> Outcome<()> {
    let markdown = env::args().any(|word| word == "--markdown");
    let folder = results()?;
    let (mut vpipe, mut python) = (
        Command::new(env!("CARGO_BIN_EXE_vpipe")),
        Command::new("python3"),
    );
    vpipe.args([
        "find",
        ".",
        "--seen",
        "traffic light",
        "--said",
        "red circle",
    ]);
    python.args(["-c", PYTHON]);
    let searched = middle(&vpipe, &folder)?;
    let read = middle(&python, &folder)?;
    if markdown {
        println!("| what | wall s | CPU s | peak MiB |\n|---|---|---|---|");
    }
    for (name, took) in [("vpipe find", &searched), ("json of Python", &read)] {
        let Took {
            wall,
            cpu,
            mebibytes,
            ..
        } = took;
        match markdown {
            true => println!("| {name} | {wall:.2} | {cpu:.2} | {mebibytes:.0} |"),
            false => println!("{name:16} wall {wall:.2} s, CPU {cpu:.2} s, {mebibytes:.0} MiB"),
        }
    }
    println!("\n{:.1} times as fast as Python", read.wall / searched.wall);
    Ok(())
}

// The middle of several turns.
fn middle(command: &Command, folder: &Path) -> Outcome<Took> {
    let turn = || {
        let mut again = Command::new(command.get_program());
        again.args(command.get_args()).current_dir(folder);
        again.stderr(Stdio::null());
        took(again, Stdio::null())
    };
    let turns = (0..TURNS).map(|_| turn());
    let mut turns: Vec<Took> = turns.collect::<Outcome<_>>()?;
    turns.sort_by(|a, b| a.wall.total_cmp(&b.wall));
    Ok(turns.swap_remove(TURNS / 2))
}

// A folder of results, the same in every run.
fn results() -> Outcome<PathBuf> {
    let folder = Path::new(ROOT).join("target/bench/find");
    fs::create_dir_all(&folder)?;
    let mut bytes = 0;
    for file in 0..FILES {
        let text = format!("{:#}", one(file));
        bytes += text.len();
        fs::write(folder.join(format!("{file:04}_results.json")), text)?;
    }
    println!("{FILES} files, {:.1} MB\n", bytes as f64 / 1e6);
    Ok(folder)
}

fn one(file: u64) -> Value {
    // What stands where is not random, and not the same in two files.
    let number = |at: u64| (at + 1).wrapping_mul(file + 7).wrapping_mul(2_654_435_761) >> 7;
    let pick = |of: &'static [&'static str], at: u64| of[(number(at) % of.len() as u64) as usize];
    let objects = |second: u64| {
        let objects = (0..BOXES).map(|nth| {
            let at = second * BOXES + nth;
            let (left, top) = ((number(at) % 1000) as f64 / 1.25, (at % 500) as f64);
            json!({
                "bbox": [left, top, left + 80.25, top + 120.5],
                "class": 0,
                "class_name": pick(&CLASSES, at),
                "confidence": 0.5 + (number(at) % 5000) as f64 / 1e4,
            })
        });
        objects.collect::<Vec<Value>>()
    };
    let entries = (0..SECONDS).map(|second| {
        let (frame_number, objects) = (second * 30, objects(second));
        json!({ "timestamp": second, "frame_number": frame_number, "detections": objects, "count": BOXES })
    });
    let segments = (0..SENTENCES).map(|nth| {
        let words: Vec<&str> = (0..8).map(|word| pick(&WORDS, nth * 8 + word)).collect();
        json!({ "id": nth, "start": nth * 6, "end": nth * 6 + 4, "text": words.join(" ") })
    });
    json!({
        "format": 1,
        "video": format!("{file:04}.mp4"),
        "config": { "fps": 1.0 },
        "detections": entries.collect::<Vec<_>>(),
        "transcription": { "duration": SECONDS, "segments": segments.collect::<Vec<_>>() },
    })
}
