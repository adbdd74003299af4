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
/// The most samples of a piece of sound: 300 s.
const CHUNK: u64 = 300 * 16_000;
/// Samples of the pause that are left before a piece: 0.1 s.
const LEAD: u64 = 1_600;

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
    // One piece in memory at a time, as in a run.
    let mut sound = fs::File::open(folder.join("corpus.i16"))?;
    for piece in pieces(&told(folder)?, sound.metadata()?.len() / 2) {
        let mut bytes = Vec::new();
        sound.by_ref().take(2 * piece).read_to_end(&mut bytes)?;
        let samples = floats(&bytes);
        drop(bytes);
        for segment in session.transcribe(&samples, &params)?.segments {
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

/// The sentences of the sound.
fn told(folder: &Path) -> Outcome<Vec<Value>> {
    let content = fs::read(folder.join("corpus.json"))?;
    Ok(serde_json::from_slice(&content)?)
}

/// The samples of each piece: it ends in the pause before a sentence, as chunks of a run end in
/// pauses.
fn pieces(told: &[Value], samples: u64) -> Vec<u64> {
    let starts = told.iter().filter_map(|it| it["start"].as_f64());
    let pauses: Vec<u64> = starts
        .map(|start| ((start * 16_000.0) as u64).saturating_sub(LEAD))
        .collect();
    let (mut pieces, mut begin) = (Vec::new(), 0);
    while samples - begin > CHUNK {
        let fits = |at: &&u64| **at > begin && **at <= begin + CHUNK;
        let end = pauses.iter().rfind(fits).copied();
        let end = end.unwrap_or(begin + CHUNK);
        pieces.push(end - begin);
        begin = end;
    }
    pieces.push(samples - begin);
    pieces
}

/// The table of all, on so many seconds of sound at most.
pub(crate) fn compare(weights: &Path, folder: &Path, threads: &str, seconds: &str) -> Outcome<()> {
    let folder = &folder.join(seconds);
    fs::create_dir_all(folder)?;
    let (from, to) = (weights.display().to_string(), folder.display().to_string());
    if !folder.join("corpus.i16").exists() {
        python(SCRIPT, &["corpus", &to, seconds])?;
    }
    if !weights.join("int8/decoder_model_merged.onnx").exists() {
        python(SCRIPT, &["int8", &from])?;
    }
    let told = told(folder)?;
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
                vpipe(&[&model, &to, threads, beam])
            };
            match line {
                Ok(line) => row(name, beam, &said, &serde_json::from_str(&line)?),
                Err(error) => println!("| {name} | {beam} | left out: {error} | | | |"),
            }
        }
    }
    Ok(())
}

/// What a turn of vpipe prints.
fn vpipe(words: &[&str]) -> Outcome<String> {
    let mut command = Command::new(env::current_exe()?);
    let output = command.arg("published").args(words).output()?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(why.lines().last().unwrap_or("it fails").into());
    }
    Ok(String::from_utf8(output.stdout)?)
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
