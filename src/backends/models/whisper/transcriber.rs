//! The transcriber: a checked voice, and sessions that write down what is said.
//!
//! Knows nothing of videos, or of how many sessions there are.

use crate::backends::engine::network::EngineError;
use crate::backends::engine::network::Tensor;
use crate::backends::engine::network::guarded;
use crate::backends::models::source::ModelError;
use crate::backends::models::whisper::decode::Decoded;
use crate::backends::models::whisper::decode::Decoding;
use crate::backends::models::whisper::mel::Mel;
use crate::backends::models::whisper::mel::RATE;
use crate::backends::models::whisper::networks::Ears;
use crate::backends::models::whisper::networks::Networks;
use crate::backends::models::whisper::pauses;
use crate::backends::models::whisper::profile::Profile;
use crate::backends::models::whisper::rules::Chances;
use crate::backends::models::whisper::rules::Rules;
use crate::backends::models::whisper::segments::segments;
use crate::backends::models::whisper::vocabulary::Vocabulary;
use crate::backends::models::whisper::voice::Voice;
use crate::backends::models::whisper::voice::VoiceSource;
use crate::backends::models::yolo::LoadOptions;
use crate::facts::ModelFacts;
use crate::failure::Class;
use crate::failure::Failure;
use crate::speech::Heard;
use crate::speech::Segment;
use std::ops::Range;
use std::sync::Arc;

/// Sound shorter than this, in samples, is not listened to: 0.1 s.
const SHORTEST: usize = RATE / 10;

/// What is to be written down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Task {
    /// What is said, in its language.
    #[default]
    Transcribe,
    /// What is said, in English.
    Translate,
}

/// How to listen.
#[derive(Clone, Debug, Default)]
pub struct TranscribeParams {
    /// The code of what is spoken, such as `en`; found out by the model where absent.
    pub language: Option<String>,
    /// What is to be written down.
    pub task: Task,
}

/// A model that has been loaded and found to be a Whisper; clones share it.
#[derive(Clone)]
pub struct Transcriber(Arc<Loaded>);

struct Loaded {
    facts: ModelFacts,
    profile: Profile,
    vocabulary: Vocabulary,
    networks: Networks,
    mel: Mel,
}

impl Transcriber {
    /// Loads a model.
    ///
    /// # Errors
    ///
    /// One sentence for the user: what is wrong with the model, and what would do.
    pub fn load(source: &VoiceSource, options: &LoadOptions) -> Result<Self, ModelError> {
        let voice = Voice::read(source)?;
        let (encoder, decoder) = (voice.encoder, voice.decoder);
        let networks = Networks::load(
            options.engine,
            &voice.profile,
            (&encoder.0, encoder.1),
            (&decoder.0, decoder.1),
            options.threads.max(1),
        );
        match networks {
            Ok(networks) => Ok(Self(Arc::new(Loaded {
                mel: Mel::new(voice.profile.bands),
                facts: voice.facts,
                profile: voice.profile,
                vocabulary: voice.vocabulary,
                networks,
            }))),
            Err(cause) => Err(ModelError::Engine {
                name: voice.facts.name,
                engine: options.engine,
                cause,
            }),
        }
    }

    /// What the model says of itself; it has neither classes nor a size.
    pub fn facts(&self) -> &ModelFacts {
        &self.0.facts
    }

    /// Whether the model can do what `params` ask for: one sentence if it cannot.
    pub fn check(&self, params: &TranscribeParams) -> Result<(), String> {
        self.0.prompt(params, None).map(|_| ())
    }

    /// A session with its own threads, for one lane.
    ///
    /// # Errors
    ///
    /// Of class `model` where the engine cannot make one.
    pub fn session(&self) -> Result<TranscriberSession, Failure> {
        let ears = guarded(|| self.0.networks.ears());
        Ok(TranscriberSession {
            ears: ears.map_err(|cause| self.0.failure(&cause))?,
            model: Arc::clone(&self.0),
        })
    }
}

impl Loaded {
    fn failure(&self, cause: &EngineError) -> Failure {
        let name = &self.facts.name;
        Failure::new(Class::Model, format!("{name} could not be run: {cause}"))
    }

    /// The tokens that a window's text follows; `heard` is the language that the model has found.
    fn prompt(&self, params: &TranscribeParams, heard: Option<&str>) -> Result<Vec<u32>, String> {
        let (name, tokens) = (&self.facts.name, self.profile.tokens);
        let languages = &self.profile.languages;
        if languages.is_empty() {
            let other = params.language.as_deref().filter(|&code| code != ENGLISH);
            return match (other, params.task) {
                (None, Task::Transcribe) => Ok(vec![tokens.start]),
                (Some(code), _) => Err(format!("{name} knows English alone, not `{code}`")),
                (None, Task::Translate) => Err(format!("{name} cannot translate")),
            };
        }
        let task = match params.task {
            Task::Transcribe => tokens.transcribe,
            Task::Translate => tokens.translate,
        };
        let task = task.ok_or_else(|| format!("{name} has no token for that task"))?;
        match params.language.as_deref().or(heard) {
            None => Ok(vec![tokens.start, task]),
            Some(code) => match languages.get(code) {
                Some(&language) => Ok(vec![tokens.start, language, task]),
                None => {
                    let few = languages.keys().take(5).cloned().collect::<Vec<_>>();
                    let (few, more) = (few.join(", "), languages.len() > few.len());
                    let more = if more { ", ..." } else { "" };
                    Err(format!(
                        "{name} does not know the language `{code}`; it knows {few}{more}"
                    ))
                }
            },
        }
    }
}

const ENGLISH: &str = "en";

/// One thread's access to a transcriber.
pub struct TranscriberSession {
    model: Arc<Loaded>,
    ears: Ears,
}

impl TranscriberSession {
    /// What is said in `samples`, from -1 to 1 at 16 kHz, of any length. Where no language is
    /// given, it is the one of the first window.
    ///
    /// # Errors
    ///
    /// Of class `model` where the model cannot be run, or not as `params` ask.
    pub fn transcribe(
        &mut self,
        samples: &[f32],
        params: &TranscribeParams,
    ) -> Result<Heard, Failure> {
        let model = Arc::clone(&self.model);
        let mut hearing = Hearing {
            model: &model,
            ears: &mut self.ears,
            params,
            heard: Heard {
                language: params.language.clone(),
                ..Heard::default()
            },
        };
        let heard = guarded(|| hearing.all(samples));
        heard.map_err(|cause| model.failure(&cause))?;
        Ok(hearing.heard)
    }
}

/// One sound being written down.
struct Hearing<'a> {
    model: &'a Loaded,
    ears: &'a mut Ears,
    params: &'a TranscribeParams,
    heard: Heard,
}

impl Hearing<'_> {
    fn all(&mut self, samples: &[f32]) -> Result<(), EngineError> {
        let whole = 0..samples.len();
        let stretches = match self.model.profile.ends_at_pauses {
            true => pauses::stretches(samples),
            false => vec![whole],
        };
        for stretch in stretches {
            self.stretch(samples, stretch)?;
        }
        Ok(())
    }

    /// Window after window of a stretch of `samples`.
    fn stretch(&mut self, samples: &[f32], stretch: Range<usize>) -> Result<(), EngineError> {
        let mut at = stretch.start;
        while stretch.end.saturating_sub(at) >= SHORTEST {
            let end = stretch.end.min(at + self.model.profile.samples());
            let window = samples.get(at..end).unwrap_or_default();
            let seconds = window.len() as f64 / RATE as f64;
            let decoded = self.window(window)?;
            let mut next = None;
            if !decoded.is_silence() {
                let tokens = self.model.profile.tokens;
                let (pieces, more) = segments(tokens, &decoded.tokens, seconds);
                let begin = at as f64 / RATE as f64;
                for piece in pieces {
                    let text = decoded.tokens.get(piece.tokens).unwrap_or_default();
                    self.add(begin, piece.times, text, &decoded);
                }
                next = more;
            }
            // What a window has left over at the end of the sound has been heard.
            let more = next.filter(|_| end < stretch.end);
            at = match more {
                Some(next) => at + ((next * RATE as f64) as usize).max(1),
                None => end,
            };
        }
        Ok(())
    }

    fn add(&mut self, begin: f64, times: (f64, f64), text: &[u32], decoded: &Decoded) {
        let text = self.model.vocabulary.text(text);
        if text.trim().is_empty() {
            return;
        }
        self.heard.segments.push(Segment {
            start: begin + times.0,
            end: begin + times.1,
            text,
            avg_logprob: Some(decoded.avg_logprob),
            no_speech_prob: Some(decoded.no_speech),
            words: Vec::new(),
        });
    }

    fn window(&mut self, samples: &[f32]) -> Result<Decoded, EngineError> {
        let model = self.model;
        let mel = model.mel.spectrogram(samples, model.profile.frames);
        let sound = self.ears.encode(&mel)?;
        if self.heard.language.is_none() {
            let (language, probability) = self.language(&sound)?;
            self.heard.language = Some(language);
            self.heard.language_probability = Some(probability);
        }
        let prompt = model.prompt(self.params, self.heard.language.as_deref());
        let prompt = prompt.map_err(EngineError)?;
        let mut decoding = Decoding {
            ears: self.ears,
            rules: Rules {
                profile: &model.profile,
                times: true,
            },
            vocabulary: &model.vocabulary,
        };
        decoding.window(&sound, &prompt)
    }

    /// The likeliest language of a window, and how likely it is among all.
    fn language(&mut self, sound: &Arc<Tensor>) -> Result<(String, f32), EngineError> {
        let languages = &self.model.profile.languages;
        let mut best = (ENGLISH.to_owned(), 1.0);
        if languages.len() < 2 {
            return Ok(languages
                .keys()
                .next()
                .map_or(best, |code| (code.clone(), 1.0)));
        }
        let (logits, _) = self.ears.begin(sound, &[self.model.profile.tokens.start])?;
        let logits = logits.first().map(Vec::as_slice).unwrap_or_default();
        let of = |&token: &u32| logits.get(token as usize).copied();
        let all: Vec<f32> = languages.values().filter_map(of).collect();
        let chances = Chances::of(&all);
        best.1 = 0.0;
        for (code, token) in languages {
            let chance = of(token).map_or(0.0, |logit| chances.at(logit));
            if chance > best.1 {
                best = (code.clone(), chance);
            }
        }
        Ok(best)
    }
}
