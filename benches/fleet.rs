//! How well a fleet is kept at work, against what is possible and beside a client in Python.
//!
//! `cargo bench --bench fleet [-- --markdown]`. First requests alone: 574 frames that are JPEGs
//! already, in batches of 16 that three workers take 0.2 s for each, so 2.4 s at best; the wall
//! as a ratio to that. Then the whole job: `vpipe run default` on a video of 574 s (1280x720, 30
//! frames a second, made by ffmpeg and kept under `target/`) beside `benches/client.py` with the
//! same settings, in turns, so that a busy machine slows both alike. Linux only: costs of processes
//! are read from `/proc`. `PYTHON` names a Python with opencv-python-headless and requests; without
//! it one is made under `target/`. `BASELINE` may name an older build of vpipe, which takes turns
//! with this one.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

#[path = "fleet/job.rs"]
mod job;
#[path = "fleet/ready.rs"]
mod ready;
#[path = "fleet/remote.rs"]
mod remote;
#[path = "fleet/server.rs"]
mod server;

use job::Took;
use server::Running;
use server::Setting;
use std::env;
use std::error::Error;
use std::time::Duration;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

// What it is called, its unit, and where it stands.
type Figure = (&'static str, &'static str, fn(&Took) -> f64);

const FRAMES: u64 = 574;
const BATCH: u64 = 16;
const TURNS: usize = 3;

#[tokio::main]
async fn main() -> Outcome<()> {
    let markdown = env::args().any(|word| word == "--markdown");
    if markdown {
        println!("| what | measured |\n|---|---|");
    }
    let say = |name: &str, figure: &str| match markdown {
        true => println!("| {name} | {figure} |"),
        false => println!("{name:50} {figure}"),
    };
    for (concurrency, round_trip) in [(5, 0), (10, 100)] {
        let setting = setting(round_trip);
        let fleet = Running::start(setting).await?;
        let mut ratios = Vec::new();
        for _ in 0..TURNS {
            let seconds = ready::seconds(&fleet, FRAMES, concurrency).await?;
            ratios.push(seconds / ideal(setting));
        }
        let name = format!("requests alone, {concurrency} at once, round trip {round_trip} ms");
        say(&name, &format!("{:.2} x the ideal", median(ratios)));
    }
    let setting = setting(0);
    let fleet = Running::start(setting).await?;
    let (python, clip) = (job::python()?, job::clip()?);
    let (program, baseline) = job::programs();
    let (mut ours, mut theirs, mut older) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..TURNS {
        let job = || -> Outcome<()> {
            theirs.push(job::client(&python, &clip, &fleet, setting)?);
            let mut pair = [(Some(&program), &mut ours), (baseline.as_ref(), &mut older)];
            // Whoever comes last in a turn was seen to take 3 % longer.
            if turn % 2 == 1 {
                pair.reverse();
            }
            for (program, took) in pair {
                if let Some(program) = program {
                    took.push(job::vpipe(program, &clip, &fleet, setting)?);
                }
            }
            Ok(())
        };
        tokio::task::block_in_place(job)?;
    }
    let figures: [Figure; 4] = [
        ("wall", "s", |took| took.wall),
        ("CPU", "s", |took| took.cpu),
        ("peak memory", "MiB", |took| took.mebibytes),
        ("idle time of workers", "s", |took| took.idle),
    ];
    for (name, unit, figure) in figures {
        let of = |all: &[Took]| median(all.iter().map(figure).collect());
        let (own, their) = (of(&ours), of(&theirs));
        let words = format!(
            "{own:.1} {unit}, Python {their:.1} {unit}: {:.2} x",
            own / their
        );
        say(&format!("whole job, {name}"), &words);
        if baseline.is_some() {
            let before = of(&older);
            let words = format!("{before:.1} {unit} before: {:.3} x", own / before);
            say(&format!("whole job, {name}"), &words);
        }
    }
    Ok(())
}

fn setting(round_trip: u64) -> Setting {
    Setting {
        round_trip: Duration::from_millis(round_trip),
        ..Setting::WARM
    }
}

// All workers at work until the last batch is done.
fn ideal(setting: Setting) -> f64 {
    let batches = FRAMES.div_ceil(BATCH);
    batches.div_ceil(setting.workers as u64) as f64 * setting.service.as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
