//! How busy a worker is while jobs wait, beside RunPod's own worker in Python.
//!
//! `CARGO_PROFILE_DEV_OPT_LEVEL=3 cargo bench --profile dev --bench worker [-- turns=3 --markdown]`. A
//! simulated control plane on loopback, that of the tests, has 36 jobs of 0.2 s in its queue, which one
//! slot does in 7.2 s at best. vpipe's worker and RunPod's take turns, so that a busy machine slows both
//! alike. `PYTHON` names a Python with what `tests/counterparts/runpod_sdk.txt` lists; without it one is
//! made under `target/`, as tests have it. Then 24 jobs of 16 frames of the demo clip, which ffmpeg takes out of
//! it, with the demo detector.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]
#![allow(clippy::unwrap_used, reason = "the control plane is that of the tests")]

#[path = "../../tests/support/control_plane/mod.rs"]
mod control_plane;
mod frames;
mod official;
mod timed;

use control_plane::ControlPlane;
use serde_json::json;
use std::env;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use timed::Pause;
use timed::Timed;
use vpipe::serve::Handler;
use vpipe::serve::worker::Notes;
use vpipe::serve::worker::Pace;
use vpipe::serve::worker::PlaneSettings;
use vpipe::serve::worker::Worker;
use vpipe::serve::worker::WorkerSettings;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const JOBS: usize = 36;
const FRAME_JOBS: usize = 24;
const PAUSE: Duration = Duration::from_millis(200);
/// How long the control plane holds a question open, and how often a worker pings.
const HOLD: Duration = Duration::from_secs(20);
const INTERVAL: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Outcome<()> {
    let words: Vec<String> = env::args().collect();
    let turns = words.iter().find_map(|word| word.strip_prefix("turns="));
    let turns: usize = turns.unwrap_or("3").parse()?;
    let markdown = words.iter().any(|word| word == "--markdown");
    if markdown {
        println!("| what | measured |\n|---|---|");
    }
    let say = |name: &str, figure: String| match markdown {
        true => println!("| {name} | {figure} |"),
        false => println!("{name:44} {figure}"),
    };
    let python = official::python()?;
    let plane = ControlPlane::start(HOLD, &[]).await;
    let (mut own, mut theirs, mut idle) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..turns {
        let handler = Arc::new(Timed::new(Pause(PAUSE)));
        submit(&plane, &format!("own{turn}"));
        here(&plane, &format!("own{turn}"), Arc::clone(&handler)).await?;
        own.push(rate(&plane, &format!("own{turn}")));
        idle.push(handler.idle());
        submit(&plane, &format!("python{turn}"));
        official::run(&python, &plane, &format!("python{turn}")).await?;
        theirs.push(rate(&plane, &format!("python{turn}")));
    }
    let (own, theirs) = (median(own), median(theirs));
    let best = 1.0 / PAUSE.as_secs_f64();
    let slots = format!("{JOBS} jobs of {} s, one slot", PAUSE.as_secs_f64());
    let share = own / best * 100.0;
    let times = own / theirs;
    say(
        &slots,
        format!(
            "{own:.2} jobs/s, {share:.1} % of the best; RunPod's worker {theirs:.2}: {times:.1} x"
        ),
    );
    say(
        "without a job while jobs wait",
        format!("{:.2} %", median(idle) * 100.0),
    );
    let images = frames::images()?;
    let handler = Arc::new(Timed::new(frames::detector()?));
    for job in 0..FRAME_JOBS {
        plane.submit(&format!("frames-{job:02}"), frames::job(&images, job));
    }
    here(&plane, "frames", Arc::clone(&handler)).await?;
    let frames = rate(&plane, "frames") * frames::BATCH as f64;
    let idle = handler.idle() * 100.0;
    say(
        &format!(
            "{FRAME_JOBS} jobs of {} frames, demo detector",
            frames::BATCH
        ),
        format!("{frames:.1} frames/s, {idle:.2} % of the time without a job"),
    );
    Ok(())
}

fn submit(plane: &ControlPlane, name: &str) {
    for number in 0..JOBS {
        plane.submit(&format!("{name}-{number:02}"), json!({ "number": number }));
    }
}

/// Has all jobs in the queue done by vpipe's worker in this process.
async fn here(plane: &ControlPlane, name: &str, handler: Arc<impl Handler>) -> Outcome<()> {
    let variables = plane.variables(name, INTERVAL);
    let settings = WorkerSettings {
        plane: PlaneSettings::from_variables(&|name| variables.get(name).cloned())?,
        slots: 1,
        ahead: 1,
        once: false,
        pace: Pace::default(),
    };
    let worker =
        Worker::new(&settings, handler, Notes::to(|_| ())).map_err(|failure| failure.message)?;
    worker.run(plane.until_all_are_through()).await;
    Ok(())
}

/// Jobs a second, from the moment when the first was handed out to that when the last was answered.
fn rate(plane: &ControlPlane, name: &str) -> f64 {
    let state = plane.state();
    let jobs = state.jobs.iter().filter(|(id, _)| id.starts_with(name));
    let jobs: Vec<_> = jobs.map(|(_, job)| job).collect();
    let first = jobs.iter().filter_map(|job| job.handed_at).min();
    let last = jobs.iter().filter_map(|job| job.answered_at).max();
    let took = first.zip(last).map(|(first, last)| last - first);
    jobs.len() as f64 / took.unwrap_or_default().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
