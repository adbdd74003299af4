//! What published weights get wrong and what they cost, beside faster-whisper and openai-whisper.
//!
//! `published.py` says what the folder of weights holds. Words are compared in small letters,
//! without punctuation, the same for all.

use crate::Outcome;
use crate::errors;
use crate::floats;
use crate::process;
use crate::python;
use crate::session;
use serde_json::Value;
use serde_json::json;
use std::env;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Command;
use std::time::Instant;
use vpipe::backends::models::whisper::SpeechModelSource;
use vpipe::backends::models::whisper::TranscribeParams;

const SCRIPT: &str = "published.py";
/// Samples of a piece of sound: 300 s.
const CHUNK: u64 = 300 * 16_000;

/// One turn of vpipe in this process: a line as those of the peers.
pub(crate) fn turn(model: &Path, folder: &Path, threads: usize, beam_size: usize) -> Outcome<()> {
    let mut session = session(
        &SpeechModelSource::Folder(model.to_owned()),
        threads,
        beam_size,
    )?;
    let params = TranscribeParams {
        language: Some("en".to_owned()),
        beam_size,
        ..TranscribeParams::default()
    };
    let (processor, started) = (process::processor_time()?, Instant::now());
    let mut text = String::new();
    // As vpipe cuts it for one session, one piece in memory at a time.
    let mut sound = fs::File::open(folder.join("corpus.i16"))?;
    loop {
        let mut piece = Vec::new();
        sound.by_ref().take(2 * CHUNK).read_to_end(&mut piece)?;
        if piece.is_empty() {
            break;
        }
        for segment in session.transcribe(&floats(&piece), &params)?.segments {
            text += &segment.text;
        }
        text += " ";
    }
    let line = json!({
        "text": text,
        "processor": process::processor_time()? - processor,
        "wall": started.elapsed().as_secs_f64(),
        "peak": process::peak()?,
    });
    println!("{line}");
    Ok(())
}

/// The table of all.
pub(crate) fn compare(weights: &Path, folder: &Path, threads: &str) -> Outcome<()> {
    let (from, to) = (weights.display().to_string(), folder.display().to_string());
    if !folder.join("corpus.i16").exists() {
        python(SCRIPT, &["corpus", &to])?;
    }
    if !weights.join("int8").exists() {
        python(SCRIPT, &["int8", &from])?;
    }
    let told: Vec<Value> = serde_json::from_slice(&fs::read(folder.join("corpus.json"))?)?;
    let told: Vec<&str> = told.iter().filter_map(|it| it["text"].as_str()).collect();
    let said = words(&told.join(" "));
    println!(
        "\n{} words by espeak-ng, {threads} thread(s):\n",
        said.len()
    );
    println!("| | beams | words wrong | processor s | wall s | peak MiB |");
    println!("|---|---|---|---|---|---|");
    for (name, model) in [
        ("vpipe, rten", "onnx"),
        ("vpipe, rten, int8", "int8"),
        ("faster-whisper, int8", ""),
        ("openai-whisper", ""),
    ] {
        for beam in ["1", "5"] {
            let line = if model.is_empty() {
                let peer = name.split(',').next().unwrap_or(name);
                python(SCRIPT, &[peer, &from, &to, threads, beam])
            } else {
                let model = weights.join(model).display().to_string();
                let mut command = Command::new(env::current_exe()?);
                let output = command
                    .args(["published", &model, &to, threads, beam])
                    .output()?;
                Ok(String::from_utf8(output.stdout)?)
            };
            match line {
                Ok(line) => row(name, beam, &said, &serde_json::from_str(&line)?),
                Err(error) => println!("| {name} | {beam} | left out: {error} | | | |"),
            }
        }
    }
    Ok(())
}

fn row(name: &str, beam: &str, said: &[String], turn: &Value) {
    let heard = words(turn["text"].as_str().unwrap_or_default());
    let wrong = errors(said, &heard);
    let number = |key: &str| turn[key].as_f64().unwrap_or_default();
    println!(
        "| {name} | {beam} | {:.2} % | {:.1} | {:.1} | {:.0} |",
        100.0 * wrong as f64 / said.len() as f64,
        number("processor"),
        number("wall"),
        number("peak") / 1024.0,
    );
}

fn words(text: &str) -> Vec<String> {
    let is_apart = |c: char| !c.is_alphanumeric() && c != '\'';
    let words = text.split(is_apart).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}
