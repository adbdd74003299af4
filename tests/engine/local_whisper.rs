//! Whisper on this machine beside Transformers, with the same random weights, and folders that
//! hold no Whisper.
//!
//! Model and figures are made by `tests/counterparts/whisper.py`.

use crate::support::snapshots::settings;
use serde_json::Value;
use std::f64::consts::TAU;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;
use vpipe::backends::models::whisper::SpeechModelSource;
use vpipe::backends::models::whisper::Task;
use vpipe::backends::models::whisper::TranscribeParams;
use vpipe::backends::models::whisper::Transcriber;
use vpipe::backends::models::whisper::find_speech_models;
use vpipe::backends::models::yolo::LoadOptions;
use vpipe::item::PixelFormat;
use vpipe::media;
use vpipe::media::SoundSelection;
use vpipe::media::VideoSelection;
use vpipe::name::VideoId;
use vpipe::time::Ratio;

pub(crate) const FILES: [&str; 6] = [
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "encoder_model.onnx",
    "decoder_model_merged.onnx",
];

pub(crate) fn micro() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/whisper/micro")
}

fn load(folder: &Path) -> Result<Transcriber, String> {
    let source = SpeechModelSource::Folder(folder.to_owned());
    Transcriber::load(&source, &LoadOptions::default()).map_err(|error| error.to_string())
}

/// The folder of the small model without `left_out`, after `change`.
fn changed(left_out: &str, change: impl FnOnce(&Path)) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in FILES.iter().filter(|&&file| file != left_out) {
        fs::copy(micro().join(file), folder.path().join(file)).unwrap();
    }
    change(folder.path());
    folder
}

/// Seconds of a rising tone.
pub(crate) fn tone(seconds: f64) -> Vec<f32> {
    let sample = |n: usize| {
        let t = n as f64 / 16_000.0;
        (0.3 * (TAU * (200.0 * t + 30.0 * t * t)).sin()) as f32
    };
    (0..(seconds * 16_000.0) as usize).map(sample).collect()
}

#[test]
fn sound_of_any_length_gives_segments_in_order() {
    let transcriber = load(&micro()).unwrap();
    assert_eq!(transcriber.facts().digest.len(), 64);
    let mut session = transcriber.session().unwrap();
    for task in [Task::Transcribe, Task::Translate] {
        let params = TranscribeParams {
            task,
            ..TranscribeParams::default()
        };
        for samples in [0, 1, 1_599, 1_600, 48_000, 500_000] {
            let sound = &tone(32.0)[..samples];
            let heard = session.transcribe(sound, &params).unwrap();
            let seconds = samples as f64 / 16_000.0;
            let mut last = 0.0;
            for segment in &heard.segments {
                assert!(last <= segment.start && segment.start <= segment.end);
                assert!(segment.end <= seconds + 1e-9, "{samples}: {segment:?}");
                last = segment.start;
            }
            let again = session.transcribe(sound, &params).unwrap();
            assert_eq!(heard, again, "{samples} samples");
            let listened = samples >= 1_600;
            assert_eq!(heard.language.is_some(), listened);
            assert_eq!(heard.language_probability.is_some(), listened);
        }
    }
}

#[test]
fn voices_are_listed_with_their_languages_or_why_they_are_of_no_use() {
    let whole = changed("", |_| ());
    let parent = tempfile::tempdir().unwrap();
    // As some lay them out, with the networks in a folder of their own.
    let inside = parent.path().join("a");
    fs::create_dir_all(inside.join("onnx")).unwrap();
    for file in FILES {
        let is_network = Path::new(file).extension().is_some_and(|it| it == "onnx");
        let folder = if is_network {
            inside.join("onnx")
        } else {
            inside.clone()
        };
        fs::copy(micro().join(file), folder.join(file)).unwrap();
    }
    fs::create_dir(parent.path().join("b")).unwrap();
    fs::write(parent.path().join("b/encoder_model.onnx"), "text").unwrap();
    fs::write(parent.path().join("notes.txt"), "text").unwrap();
    let nowhere = parent.path().join("nowhere");
    let dirs = [parent.path(), &nowhere, whole.path()].map(Path::to_owned);
    let found = find_speech_models(&dirs);
    let (demo, folders) = found.split_first().unwrap();
    assert_eq!(demo.source, SpeechModelSource::Demo);
    assert_eq!(*demo.languages.as_ref().unwrap(), ["en"]);
    let mut listed: Vec<_> = folders
        .iter()
        .map(|voice| {
            let SpeechModelSource::Folder(folder) = &voice.source else {
                panic!("two are built in");
            };
            let found = voice.languages.as_ref().map_err(ToString::to_string);
            (folder.clone(), found.map(|it| it.join(" ")))
        })
        .collect();
    listed.sort_by_key(|(folder, _)| folder == whole.path());
    let [(a, inside), (b, broken), (whole_too, languages)] = &listed[..] else {
        panic!("{listed:?}");
    };
    assert!(a.ends_with("a") && b.ends_with("b") && whole_too == whole.path());
    assert_eq!(*inside, Ok("de en fr ja".to_owned()));
    assert_eq!(languages, inside);
    let why = broken.as_ref().unwrap_err();
    assert!(why.contains("has no tokenizer.json"), "{why}");
}

#[test]
fn sound_that_is_no_sound_does_no_harm() {
    let mut session = load(&micro()).unwrap().session().unwrap();
    for value in [0.0, 1.0, 1e30, f32::INFINITY, f32::NAN] {
        let heard = session.transcribe(&[value; 16_000], &TranscribeParams::default());
        assert!(heard.is_ok(), "{value}: {heard:?}");
    }
}

/// The sound of the demo clip at 16 kHz.
fn clip() -> Vec<f32> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/demo/clip.mp4");
    let input = media::identify(&path).unwrap();
    let wanted = VideoSelection::new(Ratio::ONE, 64, PixelFormat::I420);
    let facts = media::probe(&input, VideoId(0), &wanted).unwrap();
    let mut samples = Vec::new();
    for piece in media::sound(&input, &facts, &SoundSelection::default(), Arc::default()).unwrap() {
        let piece = piece.unwrap();
        samples.resize(piece.start as usize, 0.0);
        samples.extend(
            piece
                .samples
                .iter()
                .map(|&sample| f32::from(sample) / 32_768.0),
        );
    }
    samples
}

#[test]
fn the_demo_voice_hears_what_the_demo_clip_says() {
    let transcriber = Transcriber::load(&SpeechModelSource::Demo, &LoadOptions::default()).unwrap();
    assert!(transcriber.facts().demo);
    assert_eq!(transcriber.facts().name, "built-in voice");
    let mut session = transcriber.session().unwrap();
    let heard = session
        .transcribe(&clip(), &TranscribeParams::default())
        .unwrap();
    assert_eq!(heard.language.as_deref(), Some("en"));
    let truth = fs::read("tests/demo/truth.json").unwrap();
    let truth: Value = serde_json::from_slice(&truth).unwrap();
    let said = truth["speech"].as_array().unwrap();
    let texts = |text: &str| text.trim().to_owned();
    let ours: Vec<_> = heard.segments.iter().map(|s| texts(&s.text)).collect();
    let theirs: Vec<_> = said
        .iter()
        .map(|s| texts(s["text"].as_str().unwrap()))
        .collect();
    assert_eq!(ours, theirs);
    for (segment, said) in heard.segments.iter().zip(said) {
        for (ours, theirs) in [(segment.start, &said["start"]), (segment.end, &said["end"])] {
            let apart = (ours - theirs.as_f64().unwrap()).abs();
            assert!(apart < 0.25, "{segment:?} for {said}");
        }
    }
}

#[test]
fn a_language_that_is_given_is_not_looked_for() {
    let transcriber = load(&micro()).unwrap();
    let mut session = transcriber.session().unwrap();
    let mut params = TranscribeParams {
        language: Some("fr".to_owned()),
        ..TranscribeParams::default()
    };
    let heard = session.transcribe(&tone(1.0), &params).unwrap();
    assert_eq!(heard.language.as_deref(), Some("fr"));
    assert_eq!(heard.language_probability, None);

    params.language = Some("tlh".to_owned());
    let wrong = transcriber.check(&params).unwrap_err();
    let expected = "does not know the language `tlh`; it knows de, en, fr, ja";
    assert!(wrong.ends_with(expected), "{wrong}");
    let failure = session.transcribe(&tone(1.0), &params).unwrap_err();
    assert!(failure.message.ends_with(expected), "{failure}");
}

#[test]
fn a_model_of_english_alone_is_not_asked_for_more() {
    let folder = changed("generation_config.json", |folder| {
        let name = "generation_config.json";
        let mut config: Value =
            serde_json::from_slice(&fs::read(micro().join(name)).unwrap()).unwrap();
        config["is_multilingual"] = false.into();
        fs::write(folder.join(name), config.to_string()).unwrap();
    });
    let transcriber = load(folder.path()).unwrap();
    let heard = transcriber
        .session()
        .unwrap()
        .transcribe(&tone(1.0), &TranscribeParams::default())
        .unwrap();
    assert_eq!(heard.language.as_deref(), Some("en"));
    for (language, task, expected) in [
        (Some("en"), Task::Transcribe, None),
        (
            Some("de"),
            Task::Transcribe,
            Some("knows English alone, not `de`"),
        ),
        (None, Task::Translate, Some("cannot translate")),
    ] {
        let params = TranscribeParams {
            language: language.map(str::to_owned),
            task,
            ..TranscribeParams::default()
        };
        let outcome = transcriber.check(&params);
        match expected {
            None => assert_eq!(outcome, Ok(())),
            Some(expected) => assert!(outcome.unwrap_err().ends_with(expected)),
        }
    }
}

#[test]
fn networks_may_lie_in_a_folder_of_their_own() {
    let folder = changed("", |folder| {
        fs::create_dir(folder.join("onnx")).unwrap();
        for name in &FILES[4..] {
            fs::rename(folder.join(name), folder.join("onnx").join(name)).unwrap();
        }
    });
    load(folder.path()).unwrap();
}

#[test]
fn folders_that_hold_no_whisper_are_refused() {
    let mut messages = Vec::new();
    let mut refuse = |folder: &TempDir, what: &str| {
        let message = load(folder.path()).map(|_| ()).unwrap_err();
        let message = message.replace(&folder.path().display().to_string(), "FOLDER");
        messages.push(format!("{what}: {message}"));
    };
    for file in &FILES[3..] {
        refuse(&changed(file, |_| {}), &format!("no {file}"));
    }
    for file in FILES {
        let half = changed(file, |folder| {
            let content = fs::read(micro().join(file)).unwrap();
            fs::write(folder.join(file), &content[..content.len() / 2]).unwrap();
        });
        refuse(&half, &format!("half of {file}"));
    }
    let swapped = changed("encoder_model.onnx", |folder| {
        let decoder = folder.join("decoder_model_merged.onnx");
        fs::copy(&decoder, folder.join("encoder_model.onnx")).unwrap();
    });
    refuse(&swapped, "two decoders");
    let swapped = changed("decoder_model_merged.onnx", |folder| {
        let encoder = folder.join("encoder_model.onnx");
        fs::copy(&encoder, folder.join("decoder_model_merged.onnx")).unwrap();
    });
    refuse(&swapped, "two encoders");
    for (file, content) in [
        ("tokenizer.json", r#"{"model": {"vocab": {"a": 0}}}"#),
        (
            "tokenizer.json",
            r#"{"model": {"vocab": {"a": 4000000000}}}"#,
        ),
        ("config.json", "7"),
        ("config.json", r#"{"max_target_positions": 1000000000}"#),
        (
            "generation_config.json",
            r#"{"no_timestamps_token_id": 4000000000}"#,
        ),
        ("preprocessor_config.json", r#"{"hop_length": 320}"#),
    ] {
        let folder = changed(file, |folder| {
            fs::write(folder.join(file), content).unwrap();
        });
        refuse(&folder, content);
    }
    let nowhere = load(Path::new("/nowhere")).map(|_| ()).unwrap_err();
    messages.push(format!("nowhere: {nowhere}"));
    settings().bind(|| {
        insta::assert_snapshot!("no-whisper", messages.join("\n"));
    });
}

#[test]
fn a_damaged_network_is_no_panic() {
    for file in &FILES[4..] {
        let content = fs::read(micro().join(file)).unwrap();
        for at in (0..content.len()).step_by(content.len() / 10) {
            let folder = changed(file, |folder| {
                let mut content = content.clone();
                content[at] ^= 0x55;
                fs::write(folder.join(file), content).unwrap();
            });
            let Ok(transcriber) = load(folder.path()) else {
                continue;
            };
            let mut session = transcriber.session().unwrap();
            // Whether it still hears something does not matter.
            let _heard = session.transcribe(&tone(0.5), &TranscribeParams::default());
        }
    }
}
