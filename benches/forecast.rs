//! What `vpipe plan` says beside what `vpipe run` then takes, on a fleet that keeps its own books.
//!
//! `cargo bench --bench forecast [-- --markdown]`: three clips (the demo clip, and two that ffmpeg
//! makes and that are kept under `target/`) by the four presets, with three workers that take 2 s to
//! start and 40 ms for a frame, as the recipe says. The time is the run's own, the cost what the
//! fleet would bill. A number of frames that is not exact, or a figure outside the range that was
//! given for it, ends it with an error.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

#[path = "fleet/server.rs"]
mod server;

use serde_json::Value;
use server::Running;
use server::Setting;
use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const PRESETS: [&str; 4] = ["default", "max-speed", "conservative", "high-detail"];
const PRICE: f64 = 0.0004;
const IDLE: Duration = Duration::from_secs(5);
const SETTING: Setting = Setting {
    service: Duration::ZERO,
    frame: Duration::from_millis(40),
    start: Duration::from_secs(2),
    ..Setting::WARM
};

// Low, expected, high, and the truth.
struct Line {
    what: &'static str,
    said: [f64; 3],
    truth: f64,
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let markdown = env::args().any(|word| word == "--markdown");
    let fleet = Running::start(SETTING).await?;
    let clips = [
        Path::new(ROOT).join("tests/demo/clip.mp4"),
        clip("forecast-even.mp4", "testsrc2=size=640x360:rate=30", "")?,
        clip(
            "forecast-uneven.mp4",
            "testsrc2=size=480x270:rate=15",
            "noise=alls=20:allf=t:enable='lt(mod(t,20),7)'",
        )?,
    ];
    if markdown {
        println!(
            "| clip | preset | what | said (low to high) | was | off |\n|---|---|---|---|---|---|"
        );
    }
    let mut outside = Vec::new();
    for clip in &clips {
        for preset in PRESETS {
            let turn = || turn(&fleet, clip, preset);
            let name = clip.file_stem().unwrap_or_default().to_string_lossy();
            for Line {
                what,
                said: [low, expected, high],
                truth,
            } in tokio::task::block_in_place(turn)?
            {
                let off = (expected / truth - 1.0) * 100.0;
                let (open, bar, close) = if markdown {
                    ("| ", " | ", " |")
                } else {
                    ("", "  ", "")
                };
                println!(
                    "{open}{name:16}{bar}{preset:12}{bar}{what:10}{bar}{} ({} to {}){bar}{}{bar}{off:+.1} %{close}",
                    short(expected),
                    short(low),
                    short(high),
                    short(truth)
                );
                // A hair for figures that were rounded.
                if !(low * 0.999..=high * 1.001).contains(&truth) {
                    outside.push(format!("{name} {preset} {what}"));
                }
            }
        }
    }
    match outside.is_empty() {
        true => Ok(()),
        false => Err(format!("outside what was said: {}", outside.join(", ")).into()),
    }
}

fn turn(fleet: &Running, clip: &Path, preset: &str) -> Outcome<Vec<Line>> {
    let folder = Path::new(ROOT).join("target/bench/forecast");
    fs::create_dir_all(&folder)?;
    let recipe = folder.join(format!("{preset}.toml"));
    let (workers, frame, start) = (
        SETTING.workers,
        SETTING.frame.as_secs_f64(),
        SETTING.start.as_secs_f64(),
    );
    let text = format!(
        "version = 1\nextends = \"{preset}\"\n\n[backends.fleet]\nkind = \"runpod\"\n\
         endpoint = \"detect\"\nbase_url = \"{}\"\nfleet = {workers}\nframe_time = {frame}\n\
         cold_start = {start}\njob_gap = 0\nprice_per_second = {PRICE}\n\n\
         [stages.yolo]\nbackend = \"fleet\"\n",
        fleet.base
    );
    fs::write(&recipe, text)?;
    let planned = vpipe(&folder, &["plan", "--json"], &recipe, clip)?;
    fleet.worked();
    vpipe(&folder, &["run", "--quiet", "--json"], &recipe, clip)?;
    let worked = fleet.worked();
    let stem = clip.file_stem().unwrap_or_default().to_string_lossy();
    let results = fs::read(folder.join(format!("output/{stem}_results.json")))?;
    let results: Value = serde_json::from_slice(&results)?;
    let asked = &results["run"]["stages"]["yolo"]["requests"];
    let said = &planned["forecast"][0];
    let count = number(&said["work"]["count"])?;
    let frames = number(&results["summary"]["frames"])?;
    if count != frames || worked.images as f64 != frames {
        return Err(format!("{stem} {preset}: {count} frames said, {frames} were").into());
    }
    let line = |what, said: &Value, truth| -> Outcome<Line> {
        let three = [&said["low"], &said["expected"], &said["high"]];
        let [low, expected, high] = three.map(number);
        Ok(Line {
            what,
            said: [low?, expected?, high?],
            truth,
        })
    };
    Ok(vec![
        Line {
            what: "frames",
            said: [count; 3],
            truth: frames,
        },
        line("requests", &said["requests"], worked.jobs as f64)?,
        line("bytes", &said["bytes"], number(&asked["bytes_sent"])?)?,
        line(
            "seconds",
            &said["times"]["parallel"],
            number(&results["processing_time"])?,
        )?,
        line(
            "dollars",
            &planned["cost"],
            worked.billed(IDLE) as f64 * PRICE,
        )?,
    ])
}

fn vpipe(folder: &Path, words: &[&str], recipe: &Path, clip: &Path) -> Outcome<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_vpipe"))
        .current_dir(folder)
        .args(words)
        .arg(recipe)
        .arg(clip)
        .env("RUNPOD_API_KEY", "none")
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn number(value: &Value) -> Outcome<f64> {
    value
        .as_f64()
        .ok_or_else(|| format!("{value} is no number").into())
}

fn short(number: f64) -> String {
    match number {
        ..0.1 => format!("{number:.4}"),
        ..1000.0 if number.fract() != 0.0 => format!("{number:.2}"),
        _ => format!("{number:.0}"),
    }
}

// A video of 120 s, made once.
fn clip(name: &str, source: &str, filter: &str) -> Outcome<PathBuf> {
    let path = Path::new(ROOT).join("target/bench").join(name);
    if path.is_file() {
        return Ok(path);
    }
    fs::create_dir_all(Path::new(ROOT).join("target/bench"))?;
    // Under another name until it is whole.
    let part = path.with_extension("part.mp4");
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", source]);
    if !filter.is_empty() {
        command.args(["-vf", filter]);
    }
    let made = command
        .args([
            "-t", "120", "-c:v", "mpeg4", "-bf", "2", "-q:v", "5", "-pix_fmt", "yuv420p",
        ])
        .arg(&part)
        .status()?;
    if !made.success() {
        return Err("ffmpeg could not make the clip".into());
    }
    fs::rename(part, &path)?;
    Ok(path)
}
