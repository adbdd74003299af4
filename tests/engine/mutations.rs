//! Models and tokenizers that are nearly right: see [`crate::support::mutations`].

use crate::local_detector::PARAMS;
use crate::local_detector::SHAPES;
use crate::local_detector::scene;
use crate::local_whisper::FILES;
use crate::local_whisper::micro;
use crate::local_whisper::tone;
use crate::support::mutations;
use crate::support::mutations::Corpus;
use std::fs;
use std::path::Path;
use vpipe::backends::models::ModelSource;
use vpipe::backends::models::whisper::SpeechModelSource;
use vpipe::backends::models::whisper::TranscribeParams;
use vpipe::backends::models::whisper::Transcriber;
use vpipe::backends::models::yolo::Detector;
use vpipe::backends::models::yolo::LoadOptions;

const USUAL_COUNT: u64 = 15;

fn files(names: &[&str]) -> Vec<(String, Vec<u8>)> {
    let read = |name: &&str| ((*name).to_owned(), fs::read(micro().join(name)).unwrap());
    names.iter().map(read).collect()
}

#[test]
fn a_model_that_is_nearly_right_does_no_harm() {
    let mut files = files(&FILES[4..]);
    files.push(("shapes.onnx".to_owned(), SHAPES.to_vec()));
    // The operators stand before the weights.
    let corpus = Corpus {
        files,
        head: 20_000,
    };
    mutations::hold("models", &corpus, "mutations::one_model", USUAL_COUNT);
}

#[test]
fn a_tokenizer_that_is_nearly_right_does_no_harm() {
    // The other files of a model that are text are few bytes, and some of the cases.
    let tokenizer = FILES[3];
    let names = [
        tokenizer, tokenizer, tokenizer, FILES[0], FILES[1], FILES[2],
    ];
    let corpus = Corpus {
        files: files(&names),
        head: 4096,
    };
    mutations::hold("tokenizers", &corpus, "mutations::one_model", USUAL_COUNT);
}

/// What a run does with a model: the small Whisper with a file of its own, or a detector.
#[test]
fn one_model() {
    let Some(path) = mutations::case() else {
        return;
    };
    let name = path.file_name().unwrap().to_str().unwrap();
    let (_, name) = name.split_once('-').unwrap();
    match FILES.contains(&name) {
        true => transcribe(&path, name),
        false => detect(path.clone()),
    }
}

fn detect(path: std::path::PathBuf) {
    let source = ModelSource::File(path);
    if let Ok(detector) = Detector::load(&source, None, &LoadOptions::default())
        && let Ok(mut session) = detector.session()
        && let Ok(found) = session.detect(&scene(), &PARAMS)
    {
        assert!(found.len() <= PARAMS.max_det);
    }
}

fn transcribe(path: &Path, name: &str) {
    let folder = tempfile::tempdir().unwrap();
    for file in FILES {
        let from = match file == name {
            true => path.to_owned(),
            false => micro().join(file),
        };
        fs::copy(from, folder.path().join(file)).unwrap();
    }
    let source = SpeechModelSource::Folder(folder.path().to_owned());
    if let Ok(transcriber) = Transcriber::load(&source, &LoadOptions::default())
        && let Ok(mut session) = transcriber.session()
    {
        // Whether it still hears something does not matter.
        let _heard = session.transcribe(&tone(0.5), &TranscribeParams::default());
    }
}
