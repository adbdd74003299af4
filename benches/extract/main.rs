//! What sampling frames costs beside FFmpeg, OpenCV, PyAV, decord and torchcodec, as tables.
//!
//! `PYTHON=venv/bin/python cargo bench --bench extract` times the whole way from a file to JPEGs of
//! 1280 px in a folder: processor time (of all threads) and wall time, on each clip at 0.5, 1, 2
//! and 5 frames a second; then one core against two. All take turns, so a busy machine slows them
//! alike. `PYTHON` has what is to be compared of av, decord, opencv-python-headless and torchcodec;
//! what is missing is said and left out. `BASELINE` may name an older build of this benchmark, which
//! takes turns with this one. Clips are made once, by the ffmpeg command line, and kept
//! under `target/`. Behind `--`: `seconds=60 turns=3 clips=h264,short,hevc rates=0.5,1,2,5`.
//!
//! `cargo bench --bench extract -- soak minutes=60` compares the peak memory on a video of that
//! length with the one on ten minutes.
//!
//! Linux only: times and memory are read from `/proc`.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

mod clips;
mod peers;
mod process;
mod turn;

use clips::Clip;
use peers::Peer;
use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::path::Path;
use std::path::PathBuf;
use turn::Cost;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Clips, frames and environments stay here.
fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/extract")
}

fn main() -> Outcome<()> {
    let words: Vec<String> = env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    if let [word, rest @ ..] = words.as_slice()
        && word == "turn"
    {
        return turn::take(rest);
    }
    let options: BTreeMap<&str, &str> = words
        .iter()
        .filter_map(|word| word.split_once('='))
        .collect();
    if words.iter().any(|word| word == "soak") {
        return soak(options.get("minutes").unwrap_or(&"60").parse()?);
    }
    compare(&options)
}

fn compare(options: &BTreeMap<&str, &str>) -> Outcome<()> {
    let option = |key: &str, usual: &'static str| options.get(key).copied().unwrap_or(usual);
    let seconds = option("seconds", "60").parse()?;
    let turns: usize = option("turns", "3").parse()?;
    let names = option("clips", "h264,short,hevc");
    let rates: Vec<&str> = option("rates", "0.5,1,2,5").split(',').collect();
    let peers = peers::present();
    let mut rows = Vec::new();
    for name in names.split(',') {
        let clip = clips::make(name, seconds)?;
        for rate in &rates {
            rows.push(Row::measure(&clip, rate, &peers, turns)?);
        }
        cores(&clip, turns)?;
    }
    println!("\nProcessor seconds, all threads (and how many times those of vpipe):\n");
    print(&rows, &peers, |cost| cost.processor);
    println!("\nWall seconds (likewise):\n");
    print(&rows, &peers, |cost| cost.wall);
    Ok(())
}

/// One clip at one rate: what every peer took in every turn.
struct Row {
    name: String,
    costs: Vec<Vec<Cost>>,
}

impl Row {
    fn measure(clip: &Clip, rate: &str, peers: &[Peer], turns: usize) -> Outcome<Self> {
        let name = format!("{} | {rate}", clip.title);
        let mut costs = vec![Vec::new(); peers.len()];
        for _ in 0..turns {
            for (costs, peer) in costs.iter_mut().zip(peers) {
                costs.push(peer.turn(&clip.path, rate, None)?);
            }
        }
        let counts: Vec<_> = costs.iter().map(|costs| costs[0].frames).collect();
        println!("{name}: {counts:?} frames");
        Ok(Self { name, costs })
    }
}

// Where vpipe alone is compared with itself.
fn cores(clip: &Clip, turns: usize) -> Outcome<()> {
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..turns {
        for (times, cores) in times.iter_mut().zip(["0", "0,1"]) {
            times.push(Peer::Vpipe.turn(&clip.path, "1", Some(cores))?.wall);
        }
    }
    let [one, two] = times.map(median);
    println!(
        "{}: {one:.2} s on one core, {two:.2} s on two: {:.2} x\n",
        clip.title,
        one / two
    );
    Ok(())
}

fn print(rows: &[Row], peers: &[Peer], of: fn(&Cost) -> f64) {
    let names: Vec<_> = peers.iter().map(Peer::name).collect();
    println!("| clip | frames a second | {} |", names.join(" | "));
    println!("|{}", "---|".repeat(peers.len() + 2));
    for row in rows {
        let times: Vec<f64> = row
            .costs
            .iter()
            .map(|costs| median(costs.iter().map(of).collect()))
            .collect();
        let cell = |time: &f64| format!("{time:.2} ({:.1} x)", time / times[0]);
        let others = times[1..].iter().map(cell);
        let cells: Vec<_> = [format!("**{:.2}**", times[0])]
            .into_iter()
            .chain(others)
            .collect();
        println!("| {} | {} |", row.name, cells.join(" | "));
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn soak(minutes: u32) -> Outcome<()> {
    let clip = clips::make("h264", 20)?;
    let mut peaks = Vec::new();
    for minutes in [10.min(minutes), minutes] {
        let long = clips::loop_for(&clip, minutes)?;
        let cost = Peer::Vpipe.turn(&long, "1", None)?;
        println!(
            "{minutes} minutes: {} frames, {:.0} s of processor time, at most {} MiB",
            cost.frames,
            cost.processor,
            cost.peak / 1024
        );
        peaks.push(cost.peak as f64);
    }
    println!(
        "peak memory of {minutes} minutes: {:.2} x",
        peaks[1] / peaks[0]
    );
    Ok(())
}
