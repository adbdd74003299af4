//! Windows with scripted answers: where each begins, and what it is told.

use super::Recording;
use super::WindowDecoder;
use super::Windows;
use crate::backends::engine::network::EngineError;
use crate::backends::models::whisper::fallback::DecodedWindow;
use crate::backends::models::whisper::heard::HeardSegment;
use crate::backends::models::whisper::profile::SpecialTokens;
use crate::speech::Recognition;
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::ops::Range;

const RATE: usize = 16_000;
const TOKENS: SpecialTokens = SpecialTokens {
    end: 50,
    start: 51,
    previous: Some(52),
    transcribe: None,
    translate: None,
    no_speech: None,
    no_times: 53,
    first_time: 100,
};

/// The token of a time in seconds.
fn at(seconds: f64) -> u32 {
    100 + (seconds * 50.0) as u32
}

fn decoded(tokens: &[u32]) -> DecodedWindow {
    DecodedWindow {
        tokens: tokens.to_vec(),
        avg_logprob: -0.3,
        no_speech: 0.0,
        temperature: 0.0,
    }
}

#[derive(Default)]
struct Script {
    answers: VecDeque<DecodedWindow>,
    languages: VecDeque<(&'static str, f32)>,
    /// The seconds at which windows began, and how long they were.
    windows: Vec<(f32, f32)>,
    /// The languages and the tokens that were given.
    told: Vec<(Option<String>, Vec<u32>)>,
    /// How many segments were told at once, and up to which second all was heard.
    heard: Vec<(usize, f64)>,
    /// After how many tellings it has heard enough.
    patience: Option<usize>,
}

impl WindowDecoder for Script {
    // A sample is its own place.
    fn encode(&mut self, window: &[f32]) -> Result<(), EngineError> {
        let rate = RATE as f32;
        self.windows
            .push(((window[0] - 1.0) / rate, window.len() as f32 / rate));
        Ok(())
    }

    fn language(&mut self) -> Result<(String, f32), EngineError> {
        let (language, probability) = self.languages.pop_front().unwrap();
        Ok((language.to_owned(), probability))
    }

    fn language_of(&mut self, _samples: &[f32]) -> Result<(String, f32), EngineError> {
        self.language()
    }

    fn decode(
        &mut self,
        language: Option<&str>,
        previous: &[u32],
    ) -> Result<DecodedWindow, EngineError> {
        self.told
            .push((language.map(str::to_owned), previous.to_vec()));
        Ok(self.answers.pop_front().unwrap())
    }

    fn text(&self, tokens: &[u32]) -> String {
        let words = tokens.iter().filter(|&&token| token < TOKENS.end);
        words.map(|word| format!(" {word}")).collect()
    }

    fn heard(&mut self, segments: &[HeardSegment], until: f64) -> ControlFlow<()> {
        self.heard.push((segments.len(), until));
        match self.patience.is_some_and(|most| self.heard.len() >= most) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

fn windows(language: Option<&str>) -> Windows<'_> {
    Windows {
        tokens: TOKENS,
        length: 30 * RATE,
        language,
        condition_on_previous_text: true,
    }
}

/// Samples that all differ.
fn sound(seconds: usize) -> Vec<f32> {
    (0..seconds * RATE).map(|n| n as f32 + 1.0).collect()
}

fn run(
    windows: Windows<'_>,
    seconds: usize,
    pauses: &[Range<usize>],
    script: &mut Script,
) -> Recognition {
    let samples = sound(seconds);
    let recording = Recording {
        samples: &samples,
        pauses,
    };
    let heard = windows.run(recording, std::slice::from_ref(&(0..samples.len())), script);
    assert!(script.answers.is_empty());
    heard.unwrap()
}

fn told(heard: &Recognition) -> Vec<(f64, f64, &str)> {
    let segments = heard.segments.iter();
    segments
        .map(|it| (it.start, it.end, it.text.as_str()))
        .collect()
}

#[test]
fn a_window_that_leaves_something_over_is_gone_on_from_there() {
    let mut script = Script {
        answers: VecDeque::from([
            decoded(&[at(0.0), 1, at(10.0), at(10.0), 2]),
            decoded(&[at(0.0), 2, at(25.0), at(25.0)]),
            // The last whole window of the sound, and what it leaves over.
            decoded(&[at(0.0), 3, at(12.0), at(12.0), 4]),
            decoded(&[at(0.0), 4, at(3.0)]),
        ]),
        ..Script::default()
    };
    let heard = run(windows(Some("en")), 50, &[], &mut script);
    let begun = [(0.0, 30.0), (10.0, 30.0), (35.0, 15.0), (47.0, 3.0)];
    assert_eq!(script.windows, begun);
    let expected = [
        (0.0, 10.0, " 1"),
        (10.0, 35.0, " 2"),
        (35.0, 47.0, " 3"),
        (47.0, 50.0, " 4"),
    ];
    assert_eq!(told(&heard), expected);
}

#[test]
fn a_single_time_at_the_end_says_that_nothing_follows_in_the_window() {
    let mut script = Script {
        answers: VecDeque::from([
            decoded(&[at(0.0), 1, at(8.0), at(9.0), 2, at(20.0)]),
            decoded(&[at(0.0), 3, at(5.0)]),
        ]),
        ..Script::default()
    };
    let heard = run(windows(Some("en")), 40, &[], &mut script);
    assert_eq!(script.windows, [(0.0, 30.0), (30.0, 10.0)]);
    let expected = [(0.0, 8.0, " 1"), (9.0, 20.0, " 2"), (30.0, 35.0, " 3")];
    assert_eq!(told(&heard), expected);
}

#[test]
fn one_sign_of_silence_is_enough_in_sound_without_a_syllable() {
    let window = |no_speech, avg_logprob| DecodedWindow {
        no_speech,
        avg_logprob,
        ..decoded(&[at(0.0), 1, at(8.0)])
    };
    // The samples of a script rise evenly; a vowel is a tone of half a second.
    let steady: Vec<f32> = (0..10 * RATE).map(|it| 1.0 + it as f32).collect();
    let mut spoken = steady.clone();
    for (at, sample) in (0_u16..).zip(spoken.iter_mut().skip(RATE).take(RATE / 2)) {
        *sample += 9000.0 * (f32::from(at) * 0.3).sin();
    }
    for (no_speech, avg_logprob, in_steady, in_spoken) in [
        (0.5, -0.9, 1, 1),
        (0.7, -0.9, 0, 1),
        (0.5, -1.1, 0, 1),
        (0.7, -1.1, 0, 0),
    ] {
        for (samples, expected) in [(&steady, in_steady), (&spoken, in_spoken)] {
            let mut script = Script {
                answers: VecDeque::from([window(no_speech, avg_logprob)]),
                ..Script::default()
            };
            let recording = Recording {
                samples,
                pauses: &[],
            };
            let whole = 0..samples.len();
            let heard =
                windows(Some("en")).run(recording, std::slice::from_ref(&whole), &mut script);
            let found = heard.unwrap().segments.len();
            assert_eq!(found, expected, "{no_speech} {avg_logprob}");
        }
    }
}

#[test]
fn each_window_is_told_as_it_comes_until_enough_is_heard() {
    let answers = || {
        VecDeque::from([
            decoded(&[at(0.0), 1, at(10.0), at(10.0), 2, at(20.0), at(20.0), 3]),
            decoded(&[at(0.0), 3, at(30.0)]),
            decoded(&[at(0.0), 4, at(10.0)]),
        ])
    };
    let mut script = Script {
        answers: answers(),
        ..Script::default()
    };
    let heard = run(windows(Some("en")), 60, &[], &mut script);
    assert_eq!(script.heard, [(2, 20.0), (1, 50.0), (1, 60.0)]);
    assert_eq!(heard.segments.len(), 4);
    let mut script = Script {
        answers: answers().into_iter().take(2).collect(),
        patience: Some(2),
        ..Script::default()
    };
    let heard = run(windows(Some("en")), 60, &[], &mut script);
    assert_eq!(heard.segments.len(), 3);
}

#[test]
fn a_window_is_told_what_was_said_since_the_model_was_unsure() {
    let answers = || {
        VecDeque::from([
            decoded(&[at(0.0), 1, at(30.0)]),
            DecodedWindow {
                temperature: 0.6,
                ..decoded(&[at(0.0), 2, at(30.0)])
            },
            decoded(&[at(0.0), 3, at(30.0)]),
            // Taken for silence: neither written down nor told.
            DecodedWindow {
                no_speech: 0.7,
                avg_logprob: -1.2,
                ..decoded(&[at(0.0), 4, at(30.0)])
            },
            decoded(&[at(0.0), 5, at(30.0)]),
        ])
    };
    let mut script = Script {
        answers: answers(),
        ..Script::default()
    };
    let heard = run(windows(Some("en")), 150, &[], &mut script);
    let texts: Vec<&str> = heard.segments.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(texts, [" 1", " 2", " 3", " 5"]);
    let previous: Vec<&[u32]> = script.told.iter().map(|(_, it)| it.as_slice()).collect();
    let (first, third) = ([at(0.0), 1, at(30.0)], [at(0.0), 3, at(30.0)]);
    assert_eq!(previous, [&[][..], &first, &[], &third, &third]);

    let mut script = Script {
        answers: answers(),
        ..Script::default()
    };
    let alone = Windows {
        condition_on_previous_text: false,
        ..windows(Some("en"))
    };
    run(alone, 150, &[], &mut script);
    assert!(script.told.iter().all(|(_, previous)| previous.is_empty()));
}

#[test]
fn where_nothing_is_audible_no_window_is_decoded() {
    let mut samples = sound(70);
    samples[30 * RATE..60 * RATE].fill(1e-4);
    let mut script = Script {
        answers: VecDeque::from([
            decoded(&[at(0.0), 1, at(29.0)]),
            decoded(&[at(0.0), 2, at(9.0)]),
        ]),
        ..Script::default()
    };
    let recording = Recording {
        samples: &samples,
        pauses: &[],
    };
    let whole = 0..samples.len();
    let heard = windows(Some("en")).run(recording, std::slice::from_ref(&whole), &mut script);
    assert_eq!(script.windows, [(0.0, 30.0), (60.0, 10.0)]);
    assert_eq!(heard.unwrap().segments.len(), 2);
}

#[test]
fn the_language_is_found_anew_after_a_pause() {
    let window = |word| decoded(&[at(0.0), word, at(30.0)]);
    let mut script = Script {
        answers: (1..=5).map(window).collect(),
        languages: VecDeque::from([("en", 0.9), ("de", 0.4), ("de", 0.95), ("de", 0.9)]),
        ..Script::default()
    };
    // No pause before the second window.
    let pauses = [60, 90, 120].map(|second| second * RATE - 100..second * RATE + 100);
    let heard = run(windows(None), 150, &pauses, &mut script);
    let languages: Vec<&str> = script
        .told
        .iter()
        .map(|(it, _)| it.as_deref().unwrap())
        .collect();
    // Too unsure at first, and then another language: what was said before is no help.
    assert_eq!(languages, ["en", "en", "en", "de", "de"]);
    let counts: Vec<usize> = script.told.iter().map(|(_, it)| it.len() / 3).collect();
    assert_eq!(counts, [0, 1, 2, 0, 1]);
    assert_eq!(heard.language.as_deref(), Some("en"));
    assert_eq!(heard.language_probability, Some(0.9));
}

#[test]
fn a_window_of_two_languages_is_cut_between_them() {
    let mut script = Script {
        answers: VecDeque::from([
            decoded(&[at(0.0), 1, at(11.0)]),
            decoded(&[at(0.0), 2, at(27.0)]),
        ]),
        // The window, what follows its pause, what comes before, and the next window.
        languages: VecDeque::from([("en", 0.6), ("de", 0.8), ("en", 0.95), ("de", 0.97)]),
        ..Script::default()
    };
    let pauses = 11 * RATE..13 * RATE;
    let heard = run(
        windows(None),
        39,
        std::slice::from_ref(&pauses),
        &mut script,
    );
    assert_eq!(script.windows, [(0.0, 30.0), (0.0, 12.0), (12.0, 27.0)]);
    assert_eq!(told(&heard), [(0.0, 11.0, " 1"), (12.0, 39.0, " 2")]);
    let languages: Vec<_> = script.told.iter().filter_map(|it| it.0.clone()).collect();
    assert_eq!(languages, ["en", "de"]);
    // Most of it.
    assert_eq!(heard.language.as_deref(), Some("de"));
    assert_eq!(heard.language_probability, Some(0.97));
}
