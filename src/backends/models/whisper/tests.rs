//! Spectrogram, encoder and decoder beside Transformers, with the same random weights.
//!
//! Model and figures are made by `tests/counterparts/whisper.py`.

use crate::backends::engine::load::LoadOptions;
use crate::backends::engine::network::EngineKind;
use crate::backends::models::whisper::logit_filter::LogitFilter;
use crate::backends::models::whisper::mel::Mel;
use crate::backends::models::whisper::networks::NetworkSessions;
use crate::backends::models::whisper::networks::Networks;
use crate::backends::models::whisper::profile::SpeechProfile;
use crate::backends::models::whisper::search::Search;
use crate::backends::models::whisper::search::Strategy;
use crate::backends::models::whisper::speech_model::SpeechModel;
use crate::backends::models::whisper::speech_model::SpeechModelSource;
use crate::backends::models::whisper::transcriber::Texts;
use crate::backends::models::whisper::transcriber::likeliest_language;
use crate::backends::models::whisper::transcriber::no_speech;
use serde_json::Value;
use std::f64::consts::TAU;
use std::path::Path;
use std::path::PathBuf;

fn data(name: &str) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/whisper");
    tests.join(name)
}

fn golden() -> Value {
    serde_json::from_slice(&std::fs::read(data("golden.json")).unwrap()).unwrap()
}

/// A rising tone and noise, as the script makes them.
fn sound() -> Vec<f32> {
    let mut state = 1_u64;
    let sample = |n: u32| {
        state = (state * 1_103_515_245 + 12_345) % (1 << 31);
        let t = f64::from(n) / 16_000.0;
        let noise = state as f64 / f64::from(1_u32 << 31) - 0.5;
        (0.3 * (TAU * (200.0 * t + 300.0 * t * t)).sin() + 0.1 * noise) as f32
    };
    (0..48_000).map(sample).collect()
}

fn numbers(value: &Value) -> Vec<f32> {
    let numbers = value.as_array().unwrap().iter();
    numbers.map(|n| n.as_f64().unwrap() as f32).collect()
}

fn tokens(value: &Value) -> Vec<u32> {
    numbers(value).into_iter().map(|n| n as u32).collect()
}

fn furthest(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    let apart = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs());
    apart.fold(0.0, f32::max)
}

fn each_engine(check: impl Fn(EngineKind)) {
    check(EngineKind::Rten);
    if std::env::var_os("ORT_DYLIB_PATH").is_some() {
        check(EngineKind::Ort);
    }
}

#[test]
fn spectrograms_are_those_of_transformers() {
    let golden = golden();
    for bands in [80, 128] {
        let mel = Mel::new(bands).spectrogram(&sound(), 3000);
        let columns = golden["mel"][bands.to_string()].as_array().unwrap();
        for (frame, column) in tokens(&golden["frames"]).into_iter().zip(columns) {
            let rows = mel.chunks_exact(3000);
            let ours: Vec<f32> = rows.map(|row| row[frame as usize]).collect();
            let apart = furthest(&ours, &numbers(column));
            assert!(apart < 1e-4, "{bands} bands, frame {frame}: {apart}");
        }
    }
}

#[test]
fn a_full_window_is_mirrored_at_both_ends() {
    let samples = sound();
    let mel = Mel::new(80).spectrogram(&samples, 300);
    let longer = Mel::new(80).spectrogram(&samples, 310);
    let last = |mel: &[f32], frames: usize| mel[299 + 40 * frames];
    assert_ne!(last(&mel, 300), last(&longer, 310));
    assert!(mel.iter().all(|value| value.is_finite()));
}

fn micro(engine: EngineKind) -> (SpeechProfile, NetworkSessions) {
    let model = SpeechModel::read(&SpeechModelSource::Folder(data("micro"))).unwrap();
    let (encoder, decoder) = (model.encoder, model.decoder);
    let options = LoadOptions {
        engine,
        packs_weights: true,
        ..LoadOptions::default()
    };
    let networks = Networks::load(
        &model.profile,
        (&encoder.0, encoder.1),
        (&decoder.0, decoder.1),
        options,
    );
    (model.profile, networks.unwrap().sessions().unwrap())
}

#[test]
fn encoder_and_greedy_text_are_those_of_transformers() {
    let golden = golden();
    each_engine(|engine| {
        let (profile, mut sessions) = micro(engine);
        let mel = Mel::new(profile.bands).spectrogram(&sound(), profile.frames);
        let hidden = sessions.encode(mel).unwrap();
        let places = tokens(&golden["positions"]).into_iter();
        for (place, row) in places.zip(golden["encoder"].as_array().unwrap()) {
            let width = profile.width;
            let start = place as usize * width;
            let apart = furthest(&hidden.data[start..start + width], &numbers(row));
            assert!(apart < 1e-3, "{engine}: place {place}: {apart}");
        }

        let (logits, _) = sessions.prompt(&hidden, &[profile.tokens.start]).unwrap();
        let silence = no_speech(&profile, logits.before(0));
        let expected = golden["no_speech"].as_f64().unwrap() as f32;
        assert!((silence - expected).abs() < 1e-5, "{silence}");
        let likely = golden["languages"].as_object().unwrap().iter();
        let likely = likely.map(|(code, it)| (code.clone(), it.as_f64().unwrap() as f32));
        let (expected, theirs) = likely.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
        let (code, ours) = likeliest_language(&profile, logits.before(0));
        assert_eq!(code, expected);
        assert!((ours - theirs).abs() < 1e-4, "{code}: {ours}, {theirs}");

        for (name, run) in golden["greedy"].as_object().unwrap() {
            let prompt = tokens(&run["prompt"]);
            let (logits, cache) = sessions.prompt(&hidden, &prompt).unwrap();
            let search = Search {
                filter: LogitFilter {
                    profile: &profile,
                    times: name.ends_with("times"),
                },
                longest: profile.positions / 2,
            };
            let mut texts = Texts {
                networks: &mut sessions,
                cache,
            };
            let last = logits.before(0);
            let text = search.run(last, &mut texts, Strategy::Beam(1)).unwrap();
            assert_eq!(text.tokens, tokens(&run["tokens"]), "{engine}: {name}");
            let expected = run["avg_logprob"].as_f64().unwrap() as f32;
            let apart = (text.avg_logprob() - expected).abs();
            assert!(apart < 1e-3, "{name}: {apart}");
        }
    });
}

#[test]
fn texts_of_one_sound_are_decoded_together_as_alone() {
    each_engine(|engine| {
        let (profile, mut sessions) = micro(engine);
        let mel = Mel::new(profile.bands).spectrogram(&sound(), profile.frames);
        let hidden = sessions.encode(mel).unwrap();
        let prompt = [profile.tokens.start, 65, 66, 67, 68, 69];
        let (logits, cache) = sessions.prompt(&hidden, &prompt).unwrap();
        assert!(!logits.before(3).is_empty());
        assert_eq!(logits.before(4), [0.0; 0]);

        let mut alone = |text: &[u32]| {
            let (mut cache, mut last) = (cache.clone(), Vec::new());
            for &token in text {
                let logits = sessions.step(&mut cache, &[0], &[token]).unwrap();
                last = logits.before(0).to_vec();
            }
            last
        };
        let texts = [[70, 71], [80, 81], [80, 91]];
        let expected = texts.map(|text| alone(&text));
        let mut together = cache.clone();
        let firsts = sessions.step(&mut together, &[0, 0], &[80, 70]);
        assert!(firsts.is_ok(), "{engine}");
        // The second text first, the first one twice.
        let logits = sessions.step(&mut together, &[1, 0, 0], &[71, 81, 91]);
        let logits = logits.unwrap();
        for (last, expected) in [2, 1, 0].into_iter().zip(&expected) {
            let apart = furthest(logits.before(last), expected);
            assert!(apart < 1e-3, "{engine}: {last}: {apart}");
        }
        assert!(furthest(&expected[0], &expected[1]) > 0.01);
        assert!(furthest(&expected[1], &expected[2]) > 0.01);
    });
}
