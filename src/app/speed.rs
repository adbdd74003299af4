//! How fast the models on this machine are, measured on what they would be given.
//!
//! A frame, or a piece of sound, of the first input that has one goes through each model again and
//! again, for a short time in all. Nothing is kept of it.

use crate::app::compile::Compiled;
use crate::app::inputs;
use crate::app::inputs::Inputs;
use crate::backends::models::whisper::Transcriber;
use crate::backends::models::yolo::Detector;
use crate::engine::StopSignal;
use crate::facts::LocalSpeed;
use crate::facts::VideoFacts;
use crate::item::PixelFormat;
use crate::media;
use crate::media::MediaInput;
use crate::media::SoundSelection;
use crate::name::StageId;
use crate::recipe::Recipe;
use crate::recipe::StageSpec;
use crate::recipe::WhisperSpec;
use crate::recipe::YoloSpec;
use crate::speech::RATE;
use crate::stages;
use std::collections::BTreeMap;
use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::Duration;
use std::time::Instant;

// Of all models together.
const LONGEST: Duration = Duration::from_secs(2);

// Seconds of sound that a model hears at once, where the recipe does not say.
const CHUNK: u32 = 30;

/// What is asked of a model: so many frames, or seconds of sound, at a time.
struct Trial {
    amount: f64,
    // Makes a session on the thread that uses it; that, and reading the input, is not measured.
    prepare: Box<dyn FnOnce() -> Option<Ask> + Send>,
}

// Asks once; `None` where it fails.
type Ask = Box<dyn FnMut() -> Option<()>>;

/// The speed of each model of `compiled` on this machine, where it could be asked.
pub(super) fn speeds(
    recipe: &Recipe,
    compiled: &Compiled,
    inputs: &Inputs,
) -> BTreeMap<StageId, LocalSpeed> {
    let stages = recipe.stages.iter();
    let trials = stages.filter_map(|stage| {
        let trial = match &stage.spec {
            StageSpec::Yolo(spec) => {
                let detector = compiled.placements.detectors.get(&stage.id)?;
                detecting(spec, detector, recipe, inputs)
            }
            StageSpec::Whisper(spec) => {
                let transcriber = compiled.placements.transcribers.get(&stage.id)?;
                listening(spec, transcriber, inputs)
            }
            StageSpec::Extract(_)
            | StageSpec::Batch(_)
            | StageSpec::Http(_)
            | StageSpec::Track(_)
            | StageSpec::Save(_)
            | StageSpec::Merge(_) => None,
        };
        Some((stage.id.clone(), trial?))
    });
    let trials: Vec<(StageId, Trial)> = trials.collect();
    let each = LONGEST / trials.len().max(1) as u32;
    let measured = trials
        .into_iter()
        .filter_map(|(stage, trial)| Some((stage, speed(trial, each)?)));
    measured.collect()
}

// A model takes as long as it takes: one that is not done in time is left behind on its thread,
// which ends after it.
fn speed(trial: Trial, longest: Duration) -> Option<LocalSpeed> {
    let (tell, told) = mpsc::sync_channel(1);
    let Trial { amount, prepare } = trial;
    thread::spawn(move || -> Option<()> {
        let mut ask = prepare()?;
        let mut begun = Instant::now();
        tell.send(Duration::ZERO).ok()?;
        loop {
            ask()?;
            tell.send(begun.elapsed()).ok()?;
            begun = Instant::now();
        }
    });
    // It is ready.
    told.recv().ok()?;
    let end = Instant::now() + longest;
    let mut times: Vec<f64> = Vec::new();
    let why = loop {
        match told.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(time) => times.push(time.as_secs_f64()),
            Err(why) => break why,
        }
    };
    // The first time has the model make itself at home.
    let settled = if times.len() > 1 { 1 } else { 0 };
    let mut settled = times.split_off(settled);
    settled.sort_by(f64::total_cmp);
    let middle = settled.get(settled.len() / 2).copied();
    let is_least = middle.is_none();
    let time = match why {
        RecvTimeoutError::Timeout => middle.unwrap_or(longest.as_secs_f64()),
        RecvTimeoutError::Disconnected => middle?,
    };
    Some(LocalSpeed {
        seconds: time / amount,
        is_least,
    })
}

// The first input that has what is wanted.
fn first(inputs: &Inputs, has: impl Fn(&VideoFacts) -> bool) -> Option<(MediaInput, VideoFacts)> {
    let mut videos = inputs.videos.values().filter(|(_, facts)| has(facts));
    videos.find_map(|(input, facts)| Some((input.clone()?, facts.clone())))
}

// One frame of the first video, as a run gives it.
fn detecting(
    spec: &YoloSpec,
    detector: &Detector,
    recipe: &Recipe,
    inputs: &Inputs,
) -> Option<Trial> {
    let (input, facts) = first(inputs, VideoFacts::has_frames)?;
    let wanted = stages::wanted(&inputs::extract(recipe), PixelFormat::Rgb24, None);
    let (params, detector) = (
        stages::detect_params(spec, &detector.facts().classes),
        detector.clone(),
    );
    let prepare = move || -> Option<Ask> {
        let stop = StopSignal::default();
        let mut frames = media::frames(&input, &facts, &wanted, stop.flag()).ok()?;
        let frame = frames.next()?.ok()?;
        let mut session = detector.session().ok()?;
        Some(Box::new(move || {
            session.detect(&frame, &params).ok().map(drop)
        }))
    };
    Some(Trial {
        amount: 1.0,
        prepare: Box::new(prepare),
    })
}

// The first chunk of the first video with sound.
fn listening(spec: &WhisperSpec, transcriber: &Transcriber, inputs: &Inputs) -> Option<Trial> {
    let (input, facts) = first(inputs, |facts| facts.has_sound)?;
    let chunk = f64::from(spec.sound.chunk.unwrap_or(CHUNK));
    let amount = facts.heard().map_or(chunk, |heard| heard.min(chunk));
    let wanted = SoundSelection {
        track: spec.sound.track,
        ..SoundSelection::default()
    };
    let (params, transcriber) = (stages::transcribe_params(spec), transcriber.clone());
    let prepare = move || -> Option<Ask> {
        let stop = StopSignal::default();
        let length = (amount * f64::from(RATE)) as usize;
        let pieces = media::sound(&input, &facts, &wanted, stop.flag()).ok()?;
        let mut samples: Vec<f32> = Vec::new();
        for piece in pieces {
            let piece = piece.ok()?;
            samples.extend(piece.samples.iter().map(|&it| f32::from(it) / 32_768.0));
            if samples.len() >= length {
                break;
            }
        }
        samples.truncate(length);
        let mut session = transcriber.session().ok()?;
        Some(Box::new(move || {
            session.transcribe(&samples, &params).ok().map(drop)
        }))
    };
    (amount > 0.0).then(|| Trial {
        amount,
        prepare: Box::new(prepare),
    })
}
