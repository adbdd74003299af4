//! What listening on this machine costs beside OpenAI's Whisper and whisper.cpp, and how many words
//! the demo voice gets wrong.
//!
//! `PYTHON=venv/bin/python cargo bench --bench speech` has a model of the size of Whisper tiny made,
//! with weights that let all three write the same number of tokens, and two minutes of sound. Each
//! turn is a process of its own; they take turns, so a busy machine slows them alike. Then the demo
//! voice listens to sentences by voices that it was not trained on. `PYTHON` needs what
//! `tests/counterparts/whisper.py` does, and what is to be compared of openai-whisper and
//! pywhispercpp; the sentences need espeak-ng. What is missing is said and left out. Behind `--`:
//! `turns=3 threads=1,2`.
//!
//! With `weights=FOLDER` published weights are compared in place of all that (`published.rs`), on
//! ten minutes of sound or `seconds=60`.
//!
//! Linux only: times and memory are read from `/proc`.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

#[path = "../extract/process.rs"]
mod process;
mod published;

use serde_json::Value;
use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;
use vpipe::backends::models::whisper::SpeechModelSource;
use vpipe::backends::models::whisper::TranscribeParams;
use vpipe::backends::models::whisper::Transcriber;
use vpipe::backends::models::whisper::TranscriberSession;
use vpipe::backends::models::yolo::LoadOptions;

type Outcome<T> = Result<T, Box<dyn Error>>;

const RATE: f64 = 16_000.0;
const PEERS_SCRIPT: &str = "peers.py";
const PEERS: [&str; 2] = ["openai-whisper", "whisper.cpp"];

fn main() -> Outcome<()> {
    let words: Vec<String> = env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    if let [word, folder, threads] = words.as_slice()
        && word == "turn"
    {
        return turn(Path::new(folder), threads.parse()?);
    }
    if let [word, model, folder, threads, beam] = words.as_slice()
        && word == "published"
    {
        let (model, folder) = (Path::new(model), Path::new(folder));
        return published::turn(model, folder, threads.parse()?, beam.parse()?);
    }
    let options: BTreeMap<&str, &str> = words
        .iter()
        .filter_map(|word| word.split_once('='))
        .collect();
    let option = |key: &str, usual: &'static str| options.get(key).copied().unwrap_or(usual);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/speech");
    if let Some(weights) = options.get("weights") {
        let (threads, seconds) = (option("threads", "1"), option("seconds", "600"));
        return published::compare(Path::new(weights), &folder, threads, seconds);
    }
    if !folder.join("sound.i16").exists() {
        python(PEERS_SCRIPT, &["make", &folder.display().to_string()])?;
    }
    for threads in option("threads", "1,2").split(',') {
        compare(&folder, threads, option("turns", "3").parse()?)?;
    }
    match python(PEERS_SCRIPT, &["sentences", &folder.display().to_string()]) {
        Ok(_) => demo(&folder),
        Err(error) => {
            println!("the demo voice is left out: {error}");
            Ok(())
        }
    }
}

fn python(script: &str, words: &[&str]) -> Outcome<String> {
    let python = env::var("PYTHON").map_err(|_| "PYTHON is not set")?;
    let script: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("benches/speech")
        .join(script);
    let output = Command::new(python).arg(script).args(words).output()?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(why.lines().last().unwrap_or("it fails").into());
    }
    let text = String::from_utf8(output.stdout)?;
    Ok(text.lines().last().unwrap_or_default().to_owned())
}

/// What a turn took.
struct Cost {
    tokens: usize,
    /// Seconds of all threads.
    processor: f64,
    /// Seconds.
    wall: f64,
    /// The most memory, in KiB.
    peak: f64,
}

impl Cost {
    /// Reads `TOKENS PROCESSOR WALL PEAK`.
    fn read(line: &str) -> Outcome<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [tokens, processor, wall, peak] = words[..] else {
            return Err(format!("a turn ended without its costs: {line}").into());
        };
        Ok(Self {
            tokens: tokens.parse()?,
            processor: processor.parse()?,
            wall: wall.parse()?,
            peak: peak.parse()?,
        })
    }
}

fn samples(path: &Path) -> Outcome<Vec<f32>> {
    Ok(floats(&fs::read(path)?))
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    let sample = |pair: &[u8]| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0;
    bytes.chunks_exact(2).map(sample).collect()
}

fn session(
    source: &SpeechModelSource,
    threads: usize,
    beam_size: usize,
) -> Outcome<TranscriberSession> {
    let options = LoadOptions {
        threads,
        packs_weights: beam_size > 1,
        ..LoadOptions::default()
    };
    Ok(Transcriber::load(source, &options)?.session()?)
}

fn english() -> TranscribeParams {
    TranscribeParams {
        language: Some("en".to_owned()),
        beam_size: 1,
        condition_on_previous_text: false,
        ..TranscribeParams::default()
    }
}

/// One turn of vpipe in this process; loading is left out of its times.
fn turn(folder: &Path, threads: usize) -> Outcome<()> {
    let mut session = session(&SpeechModelSource::Folder(folder.to_owned()), threads, 1)?;
    let sound = samples(&folder.join("sound.i16"))?;
    let (processor, started) = (process::processor_time()?, Instant::now());
    let heard = session.transcribe(&sound, &english())?;
    let wall = started.elapsed().as_secs_f64();
    let processor = process::processor_time()? - processor;
    // The text of each token is a `w` and its number.
    let texts = heard.segments.iter();
    let tokens: usize = texts.map(|it| it.text.matches('w').count()).sum();
    println!("{tokens} {processor} {wall} {}", process::peak()?);
    Ok(())
}

fn compare(folder: &Path, threads: &str, turns: usize) -> Outcome<()> {
    let place = folder.display().to_string();
    let mut rows: Vec<(String, Vec<Cost>)> = vec![("vpipe, rten".to_owned(), Vec::new())];
    for peer in PEERS {
        match python(PEERS_SCRIPT, &[peer]) {
            Ok(version) => rows.push((format!("{peer} {version}"), Vec::new())),
            Err(error) => println!("{peer} is left out: {error}"),
        }
    }
    for _ in 0..turns {
        for (name, costs) in &mut rows {
            let line = match PEERS.iter().find(|peer| name.starts_with(**peer)) {
                Some(peer) => python(PEERS_SCRIPT, &[peer, &place, threads])?,
                None => {
                    let mut command = Command::new(env::current_exe()?);
                    let output = command.args(["turn", &place, threads]).output()?;
                    String::from_utf8(output.stdout)?
                }
            };
            costs.push(Cost::read(&line)?);
        }
    }
    let seconds = fs::metadata(folder.join("sound.i16"))?.len() as f64 / 2.0 / RATE;
    println!("\nA Whisper tiny on {seconds:.0} s of sound, {threads} thread(s), medians:\n");
    println!("| | tokens | processor s | wall s | times real time | peak MiB |");
    println!("|---|---|---|---|---|---|");
    let medians: Vec<[f64; 3]> = rows.iter().map(|(_, costs)| medians(costs)).collect();
    for ((name, costs), [processor, wall, peak]) in rows.iter().zip(&medians) {
        let beside = |value: f64, index: usize| value / medians[0][index];
        println!(
            "| {name} | {} | {processor:.2} ({:.2} x) | {wall:.2} ({:.2} x) | {:.1} | {:.0} ({:.2} x) |",
            costs[0].tokens,
            beside(*processor, 0),
            beside(*wall, 1),
            seconds / wall,
            peak / 1024.0,
            beside(*peak, 2),
        );
    }
    Ok(())
}

fn medians(costs: &[Cost]) -> [f64; 3] {
    let of: [fn(&Cost) -> f64; 3] = [|cost| cost.processor, |cost| cost.wall, |cost| cost.peak];
    of.map(|of| {
        let mut values: Vec<f64> = costs.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    })
}

/// The words that the demo voice gets wrong, and how fast it is.
fn demo(folder: &Path) -> Outcome<()> {
    let sound = samples(&folder.join("sentences.i16"))?;
    let told: Vec<Value> = serde_json::from_slice(&fs::read(folder.join("sentences.json"))?)?;
    let mut session = session(&SpeechModelSource::Demo, 1, 5)?;
    // Wrong words, words, and seconds of sound, by kind of sound.
    let mut kinds: BTreeMap<&str, (usize, usize, f64)> = BTreeMap::new();
    let started = Instant::now();
    for sentence in &told {
        let place = |key: &str| sentence[key].as_u64().unwrap_or_default() as usize;
        let text = |key: &str| sentence[key].as_str().unwrap_or_default();
        let part = sound
            .get(place("start")..place("end"))
            .ok_or("no such sound")?;
        let heard = session.transcribe(part, &TranscribeParams::default())?;
        let heard: Vec<&str> = heard
            .segments
            .iter()
            .flat_map(|segment| segment.text.split_whitespace())
            .collect();
        let said: Vec<&str> = text("said").split_whitespace().collect();
        let (wrong, words, seconds) = kinds.entry(text("kind")).or_default();
        *wrong += errors(&said, &heard);
        *words += said.len();
        *seconds += part.len() as f64 / RATE;
    }
    let wall = started.elapsed().as_secs_f64();
    println!("\nThe demo voice on sentences and voices that it was not trained on:\n");
    for (kind, (wrong, words, _)) in &kinds {
        let rate = 100.0 * *wrong as f64 / *words as f64;
        println!("{kind}: {rate:.1} % of {words} words wrong");
    }
    let seconds: f64 = kinds.values().map(|(.., seconds)| seconds).sum();
    println!("{:.0} times real time, 1 thread", seconds / wall);
    Ok(())
}

/// Words wrong, missing and too many.
fn errors<T: PartialEq>(said: &[T], heard: &[T]) -> usize {
    let mut row: Vec<usize> = (0..=heard.len()).collect();
    for (at, word) in said.iter().enumerate() {
        let mut last = row[0];
        row[0] = at + 1;
        for (other, heard) in heard.iter().enumerate() {
            let swap = last + usize::from(word != heard);
            last = row[other + 1];
            row[other + 1] = swap.min(row[other] + 1).min(last + 1);
        }
    }
    row[heard.len()]
}
