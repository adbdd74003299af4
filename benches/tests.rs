//! What tests of recipes take.
//!
//! `cargo bench --bench tests [-- --markdown]`. One test over a video of 574 s (that of the `fleet`
//! bench) is recorded at a simulated fleet; a hundred like it, each with a cassette and a snapshot of
//! its own, are replayed, with the video beside them and without it. Ends with an error where one does
//! not pass. Linux only: costs of processes are read from `/proc`.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

#[allow(dead_code, reason = "there is no client in Python here")]
#[path = "fleet/job.rs"]
mod job;
#[path = "fleet/server.rs"]
mod server;

use server::Running;
use server::Setting;
use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const TESTS: usize = 100;
const TURNS: usize = 3;

#[tokio::main]
async fn main() -> Outcome<()> {
    let markdown = env::args().any(|word| word == "--markdown");
    if markdown {
        println!("| what | measured |\n|---|---|");
    }
    let fleet = Running::start(Setting::WARM).await?;
    tokio::task::block_in_place(|| -> Outcome<()> {
        let folder = project(&fleet)?;
        for (name, clip) in [("beside", true), ("without", false)] {
            if !clip {
                fs::remove_file(folder.join("clip.mp4"))?;
            }
            let took = (0..TURNS).map(|_| replayed(&folder));
            let mut took: Vec<job::Took> = took.collect::<Outcome<_>>()?;
            took.sort_by(|a, b| a.wall.total_cmp(&b.wall));
            let Some(took) = took.get(TURNS / 2) else {
                continue;
            };
            let name = format!("{TESTS} tests of 574 s, {name} the video");
            let (wall, cpu, memory) = (took.wall, took.cpu, took.mebibytes);
            let figure = format!("wall {wall:.2} s, CPU {cpu:.2} s, {memory:.1} MiB");
            match markdown {
                true => println!("| {name} | {figure} |"),
                false => println!("{name:40} {figure}"),
            }
        }
        Ok(())
    })
}

fn vpipe(folder: &Path) -> Command {
    let (program, _) = job::programs();
    let mut command = Command::new(program);
    command.current_dir(folder);
    command
}

// A folder with the clip and a hundred tests of it.
fn project(fleet: &Running) -> Outcome<PathBuf> {
    let folder = Path::new(ROOT).join("target/bench/tests");
    if folder.is_dir() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    fs::copy(job::clip()?, folder.join("clip.mp4"))?;
    let mut command = vpipe(&folder);
    command
        .args(["test", "--new", "t0", "default", "clip.mp4"])
        .env("RUNPOD_API_KEY", "none")
        .env("RUNPOD_YOLO_ENDPOINT_ID", "detect")
        .env("RUNPOD_ENDPOINT_BASE_URL", &fleet.base)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if !command.status()?.success() {
        return Err("the first test could not be recorded".into());
    }
    for number in 1..TESTS {
        let of =
            |pattern: &str, number: usize| folder.join(pattern.replace('#', &format!("t{number}")));
        for file in ["#.test.toml", "snapshots/#@clip.json"] {
            fs::copy(of(file, 0), of(file, number))?;
        }
        let cassette = of("cassettes/#", number);
        fs::create_dir_all(&cassette)?;
        for entry in fs::read_dir(of("cassettes/#", 0))? {
            let entry = entry?;
            fs::copy(entry.path(), cassette.join(entry.file_name()))?;
        }
    }
    Ok(folder)
}

fn replayed(folder: &Path) -> Outcome<job::Took> {
    let mut command = vpipe(folder);
    command.arg("test");
    job::took(command, Stdio::null())
}
