//! The transcriber: a loaded speech model, and sessions that write down what is said.
//!
//! Knows nothing of videos, or of how many sessions there are.

use crate::backends::engine::load::LoadOptions;
use crate::backends::engine::network::EngineError;
use crate::backends::engine::network::Tensor;
use crate::backends::engine::network::guarded;
use crate::backends::models::source::ModelError;
use crate::backends::models::whisper::fallback::DecodedWindow;
use crate::backends::models::whisper::fallback::decode_with_fallback;
use crate::backends::models::whisper::heard::HeardSegment;
use crate::backends::models::whisper::heard::HearingListener;
use crate::backends::models::whisper::logit_filter::LogitFilter;
use crate::backends::models::whisper::logit_filter::Softmax;
use crate::backends::models::whisper::mel::Mel;
use crate::backends::models::whisper::networks::KvCache;
use crate::backends::models::whisper::networks::Logits;
use crate::backends::models::whisper::networks::NetworkSessions;
use crate::backends::models::whisper::networks::Networks;
use crate::backends::models::whisper::pauses;
use crate::backends::models::whisper::profile::SpeechProfile;
use crate::backends::models::whisper::search::Continuation;
use crate::backends::models::whisper::search::Sampler;
use crate::backends::models::whisper::search::Search;
use crate::backends::models::whisper::search::Strategy;
use crate::backends::models::whisper::speech_model::SpeechModel;
use crate::backends::models::whisper::speech_model::SpeechModelSource;
use crate::backends::models::whisper::vocabulary::Vocabulary;
use crate::backends::models::whisper::windows::Recording;
use crate::backends::models::whisper::windows::WindowDecoder;
use crate::backends::models::whisper::windows::Windows;
use crate::facts::ModelFacts;
use crate::failure::Class;
use crate::failure::Failure;
use crate::speech::Recognition;
use std::ops::ControlFlow;
use std::sync::Arc;

/// What is to be written down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Task {
    /// What is said, in its language.
    #[default]
    Transcribe,
    /// What is said, in English.
    Translate,
}

/// How to transcribe.
#[derive(Clone, Debug)]
pub struct TranscribeParams {
    /// The code of what is spoken, such as `en`; found out by the model where absent.
    pub language: Option<String>,
    /// What is to be written down.
    pub task: Task,
    /// Texts that the search keeps at once; 1 takes the likeliest token each time.
    pub beam_size: usize,
    /// Whether the model is told what was said before each window of 30 s.
    pub condition_on_previous_text: bool,
}

impl Default for TranscribeParams {
    fn default() -> Self {
        Self {
            language: None,
            task: Task::default(),
            beam_size: 5,
            condition_on_previous_text: true,
        }
    }
}

/// A model that has been loaded and found to be a Whisper; clones share it.
#[derive(Clone)]
pub struct Transcriber(Arc<LoadedModel>);

struct LoadedModel {
    facts: ModelFacts,
    profile: SpeechProfile,
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
    pub fn load(source: &SpeechModelSource, options: &LoadOptions) -> Result<Self, ModelError> {
        let model = SpeechModel::read(source)?;
        let (encoder, decoder) = (model.encoder, model.decoder);
        let networks = Networks::load(
            &model.profile,
            (&encoder.0, encoder.1),
            (&decoder.0, decoder.1),
            *options,
        );
        match networks {
            Ok(networks) => Ok(Self(Arc::new(LoadedModel {
                mel: Mel::new(model.profile.bands),
                facts: model.facts,
                profile: model.profile,
                vocabulary: model.vocabulary,
                networks,
            }))),
            Err(cause) => Err(ModelError::Engine {
                name: model.facts.name,
                engine: options.engine,
                device: options.device,
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
        let networks = guarded(|| self.0.networks.sessions());
        Ok(TranscriberSession {
            networks: networks.map_err(|cause| self.0.failure(&cause))?,
            model: Arc::clone(&self.0),
        })
    }
}

impl LoadedModel {
    fn failure(&self, cause: &EngineError) -> Failure {
        let name = &self.facts.name;
        Failure::new(Class::Model, format!("{name} could not be run: {cause}"))
    }

    /// The text of tokens, without times.
    fn text(&self, tokens: &[u32]) -> String {
        let end = self.profile.tokens.end;
        let words = tokens.iter().copied().filter(|&token| token < end);
        self.vocabulary.text(&words.collect::<Vec<_>>())
    }

    /// The tokens that a window's text follows; `found` is the language that the model has found.
    fn prompt(&self, params: &TranscribeParams, found: Option<&str>) -> Result<Vec<u32>, String> {
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
        match params.language.as_deref().or(found) {
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

/// One thread's sessions of a transcriber.
pub struct TranscriberSession {
    model: Arc<LoadedModel>,
    networks: NetworkSessions,
}

impl TranscriberSession {
    /// What is said in `samples`, from -1 to 1 at 16 kHz, of any length.
    ///
    /// # Errors
    ///
    /// Of class `model` where the model cannot be run, or not as `params` ask.
    pub fn transcribe(
        &mut self,
        samples: &[f32],
        params: &TranscribeParams,
    ) -> Result<Recognition, Failure> {
        let mut nobody = |_: &[HeardSegment], _: f64| ControlFlow::Continue(());
        self.transcribe_aloud(samples, params, &mut nobody)
    }

    /// The same; `listener` is told what is heard as it comes. Where it does not go on, what was
    /// heard so far.
    ///
    /// # Errors
    ///
    /// As of [`transcribe`](Self::transcribe).
    pub fn transcribe_aloud(
        &mut self,
        samples: &[f32],
        params: &TranscribeParams,
        listener: &mut HearingListener<'_>,
    ) -> Result<Recognition, Failure> {
        let model = Arc::clone(&self.model);
        let profile = &model.profile;
        let spoken = pauses::spoken(samples);
        let whole = 0..samples.len();
        let windows = Windows {
            tokens: profile.tokens,
            length: profile.samples(),
            language: params.language.as_deref(),
            // A model of single utterances has never been told what was said before.
            condition_on_previous_text: params.condition_on_previous_text
                && !profile.ends_at_pauses,
        };
        let spans = match profile.ends_at_pauses {
            true => spoken.as_slice(),
            false => std::slice::from_ref(&whole),
        };
        let mut decoder = NetworkDecoder {
            model: &model,
            networks: &mut self.networks,
            params,
            listener,
            sound: None,
        };
        let pauses = pauses::between(&spoken, samples.len());
        let recording = Recording {
            samples,
            pauses: &pauses,
        };
        let heard = guarded(|| windows.run(recording, spans, &mut decoder));
        heard.map_err(|cause| model.failure(&cause))
    }

    /// Whether it answers nothing any more, since the model took too much memory or time: another
    /// session is needed.
    pub fn is_lost(&self) -> bool {
        self.networks.is_lost()
    }
}

/// Decodes windows with the networks.
struct NetworkDecoder<'a, 'listener> {
    model: &'a LoadedModel,
    networks: &'a mut NetworkSessions,
    params: &'a TranscribeParams,
    listener: &'a mut HearingListener<'listener>,
    // What the encoder has made of the window.
    sound: Option<Arc<Tensor>>,
}

impl NetworkDecoder<'_, '_> {
    fn encoded(&mut self, samples: &[f32]) -> Result<Arc<Tensor>, EngineError> {
        let frames = self.model.profile.frames;
        let spectrogram = self.model.mel.spectrogram(samples, frames);
        self.networks.encode(spectrogram)
    }

    fn prompt(&mut self, prompt: &[u32]) -> Result<(Logits, KvCache), EngineError> {
        let sound = self.sound.as_ref();
        let sound = sound.ok_or_else(|| EngineError::new("there is no window"))?;
        self.networks.prompt(sound, prompt)
    }
}

impl WindowDecoder for NetworkDecoder<'_, '_> {
    fn encode(&mut self, window: &[f32]) -> Result<(), EngineError> {
        self.sound = Some(self.encoded(window)?);
        Ok(())
    }

    fn language(&mut self) -> Result<(String, f32), EngineError> {
        let languages = &self.model.profile.languages;
        if languages.len() < 2 {
            let only = languages.keys().next().cloned();
            return Ok((only.unwrap_or_else(|| ENGLISH.to_owned()), 1.0));
        }
        let (logits, _) = self.prompt(&[self.model.profile.tokens.start])?;
        Ok(likeliest_language(&self.model.profile, logits.before(0)))
    }

    fn language_of(&mut self, samples: &[f32]) -> Result<(String, f32), EngineError> {
        let part = self.encoded(samples)?;
        let window = self.sound.replace(part);
        let found = self.language();
        self.sound = window;
        found
    }

    fn decode(
        &mut self,
        language: Option<&str>,
        previous: &[u32],
    ) -> Result<DecodedWindow, EngineError> {
        let (model, params) = (self.model, self.params);
        let profile = &model.profile;
        let start = model.prompt(params, language).map_err(EngineError)?;
        let prompt = profile.prompt_after(previous, &start);
        let (logits, cache) = self.prompt(&prompt)?;
        let no_speech = no_speech(profile, logits.before(start.len() - 1));
        let first = logits.before(0).to_vec();
        // As long as the texts that are searched for.
        drop(logits);
        let search = Search {
            filter: LogitFilter {
                profile,
                times: true,
            },
            longest: profile.longest_text(prompt.len()),
        };
        let mut sampler = Sampler::new();
        let networks = &mut *self.networks;
        let text = |tokens: &[u32]| model.text(tokens);
        decode_with_fallback(no_speech, text, |temperature| {
            let mut texts = Texts {
                networks,
                cache: cache.clone(),
            };
            let strategy = match temperature > 0.0 {
                true => Strategy::Sample(temperature, &mut sampler),
                false => Strategy::Beam(params.beam_size),
            };
            search.run(&first, &mut texts, strategy)
        })
    }

    fn text(&self, tokens: &[u32]) -> String {
        self.model.text(tokens)
    }

    fn heard(&mut self, segments: &[HeardSegment], until: f64) -> ControlFlow<()> {
        (self.listener)(segments, until)
    }
}

/// Texts of one window.
pub(in crate::backends) struct Texts<'a> {
    pub(in crate::backends) networks: &'a mut NetworkSessions,
    pub(in crate::backends) cache: KvCache,
}

impl Continuation for Texts<'_> {
    fn step(&mut self, rows: &[usize], tokens: &[u32]) -> Result<Logits, EngineError> {
        self.networks.step(&mut self.cache, rows, tokens)
    }
}

/// The probability, by the logits after the start, that nobody speaks.
pub(in crate::backends) fn no_speech(profile: &SpeechProfile, logits: &[f32]) -> f32 {
    let token = profile.tokens.no_speech.map(|token| token as usize);
    let logit = token.and_then(|token| logits.get(token));
    logit.map_or(0.0, |&logit| Softmax::of(logits).probability(logit))
}

/// The likeliest language, by the logits after the start, and how likely it is among all.
pub(in crate::backends) fn likeliest_language(
    profile: &SpeechProfile,
    logits: &[f32],
) -> (String, f32) {
    let of = |&token: &u32| logits.get(token as usize).copied();
    let all: Vec<f32> = profile.languages.values().filter_map(of).collect();
    let softmax = Softmax::of(&all);
    let mut best = (ENGLISH.to_owned(), 0.0);
    for (code, token) in &profile.languages {
        let probability = of(token).map_or(0.0, |logit| softmax.probability(logit));
        if probability > best.1 {
            best = (code.clone(), probability);
        }
    }
    best
}
