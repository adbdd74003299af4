//! What a journal costs, and what it saves.
//!
//! `cargo bench --bench journal [-- --markdown] [-- turns=3]`. A second run over complete results
//! beside the first: one video of 574 s at a fleet (that of the `fleet` bench), and 200 videos of 3 s
//! with the demo models. Then the whole job and the demo run with a journal and with a store of
//! answers that keeps nothing, each in a process of its own, in turns, so that a busy machine slows
//! both alike. Then the size of a frame of ten objects. Ends with an error where the second run asks
//! or decodes anything. Linux only: costs of processes are read from `/proc`.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

mod job;
mod many;
#[path = "../fleet/remote.rs"]
mod remote;
#[path = "../fleet/server.rs"]
mod server;
mod size;
#[allow(dead_code, reason = "there is no client in Python here")]
#[path = "../fleet/job.rs"]
mod whole;

use server::Running;
use server::Setting;
use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use whole::Took;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const CLIP: &str = "tests/demo/clip.mp4";
/// What the processes of this bench are started with.
const JOB: &str = "job";

#[tokio::main]
async fn main() -> Outcome<()> {
    let words: Vec<String> = env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    if let [first, clip, base, state] = words.as_slice()
        && first == JOB
    {
        let given = |word: &String| Some(word.clone()).filter(|word| !word.is_empty());
        let state = given(state).map(PathBuf::from);
        let frames = job::run(Path::new(clip), given(base).as_deref(), state.as_deref()).await?;
        println!("{frames}");
        return Ok(());
    }
    let turns = words.iter().find_map(|word| word.strip_prefix("turns="));
    let turns: usize = turns.unwrap_or("3").parse()?;
    let markdown = words.iter().any(|word| word == "--markdown");
    if markdown {
        println!("| what | measured |\n|---|---|");
    }
    let say = |name: &str, figure: &str| match markdown {
        true => println!("| {name} | {figure} |"),
        false => println!("{name:40} {figure}"),
    };
    let fleet = Running::start(Setting::WARM).await?;
    tokio::task::block_in_place(|| -> Outcome<()> {
        let clip = whole::clip()?;
        say(
            "a video of 574 s, first run",
            &spell(&[first(&clip, &fleet)?]),
        );
        let second = second(&clip, &fleet, turns)?;
        say("the same, second run", &spell(&second));
        let (first, second) = many::runs(turns)?;
        say("200 videos of 3 s, first run", &spell(&[first]));
        say("the same, second run", &spell(&second));
        let demo = Path::new(ROOT).join(CLIP);
        for (name, clip, base) in [
            ("whole job", &clip, fleet.base.as_str()),
            ("demo run", &demo, ""),
        ] {
            let (with, without) = compared(clip, base, turns)?;
            say(&format!("{name}, with a journal"), &spell(&with));
            say(&format!("{name}, without"), &spell(&without));
            let ratio = |of: fn(&Took) -> f64| {
                let pairs = with.iter().zip(&without);
                median(pairs.map(|(with, without)| of(with) / of(without)))
            };
            let (wall, cpu) = (ratio(|took| took.wall), ratio(|took| took.cpu));
            let figure = format!("wall {wall:.3} x, CPU {cpu:.3} x");
            say(&format!("{name}, cost of the journal"), &figure);
        }
        let bytes = size::of_a_frame(&empty("size")?)?;
        say("a frame of ten objects", &format!("{bytes:.0} bytes"));
        Ok(())
    })
}

// A folder below `target/` with nothing in it.
fn empty(name: &str) -> Outcome<PathBuf> {
    let folder = Path::new(ROOT).join("target/bench/journal").join(name);
    if folder.is_dir() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn first(clip: &Path, fleet: &Running) -> Outcome<Took> {
    let folder = empty("one")?;
    let (program, _) = whole::programs();
    whole::vpipe_in(&folder, &program, clip, fleet, Setting::WARM, 574)
}

fn second(clip: &Path, fleet: &Running, turns: usize) -> Outcome<Vec<Took>> {
    let folder = Path::new(ROOT).join("target/bench/journal/one");
    let (program, _) = whole::programs();
    let again = |_| whole::vpipe_in(&folder, &program, clip, fleet, Setting::WARM, 0);
    (0..turns).map(again).collect()
}

// Turn by turn, with a journal and without.
fn compared(clip: &Path, base: &str, turns: usize) -> Outcome<(Vec<Took>, Vec<Took>)> {
    let own = env::current_exe()?;
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for turn in 0..turns {
        let mut both = [(true, &mut with), (false, &mut without)];
        // Neither is always the first.
        if turn % 2 == 1 {
            both.reverse();
        }
        for (keeps, took) in both {
            let mut command = Command::new(&own);
            command.arg(JOB).arg(clip).arg(base);
            match keeps {
                true => command.arg(empty("state")?),
                false => command.arg(""),
            };
            took.push(whole::took(command, Stdio::null())?);
        }
    }
    Ok((with, without))
}

fn spell(took: &[Took]) -> String {
    let of = |figure: fn(&Took) -> f64| median(took.iter().map(figure));
    let (wall, cpu) = (of(|took| took.wall), of(|took| took.cpu));
    format!("wall {wall:.2} s, CPU {cpu:.2} s")
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
