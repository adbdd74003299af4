//! The handler of jobs: by the keys of a job, its schema, and the model that does it.

use crate::backends::engine::EngineChoice;
use crate::backends::models::Chosen;
use crate::backends::models::Loading;
use crate::backends::models::ModelError;
use crate::backends::models::ModelSource;
use crate::backends::models::whisper::SpeechModelSource;
use crate::backends::models::whisper::TranscribeParams;
use crate::backends::models::whisper::Transcriber;
use crate::backends::models::yolo::Detector;
use crate::backends::models::yolo::LoadOptions;
use crate::media;
use crate::recipe::Device;
use crate::serve::handler::Handler;
use crate::serve::handler::HandlerFuture;
use crate::serve::handlers::detection;
use crate::serve::handlers::detectors::Detectors;
use crate::serve::handlers::keys::Keys;
use crate::serve::handlers::meter::MeterReading;
use crate::serve::handlers::meter::WorkMeter;
use crate::serve::handlers::options::ModelOptions;
use crate::serve::handlers::options::ServedModel;
use crate::serve::handlers::served::ServedName;
use crate::serve::handlers::served::ServingError;
use crate::serve::handlers::served::Tell;
use crate::serve::handlers::speech;
use crate::serve::handlers::speech::SoundTranscript;
use crate::serve::handlers::transcribers::Transcribers;
use crate::serve::job::Job;
use crate::serve::job::JobError;
use crate::serve::job::Updates;
use bytes::Bytes;
use serde_json::Value;
use std::sync::Arc;

/// Does jobs of pictures and of sound with models of this machine.
pub struct Handlers {
    detection: Option<(Detectors, ServedName)>,
    speech: Option<(Transcribers, ServedName)>,
    meter: Arc<WorkMeter>,
}

/// What a job is about.
enum Subject {
    Pictures,
    Sound,
}

impl Handlers {
    /// Loads the models and opens their sessions; takes seconds, and blocks. `tell` is told what
    /// whoever runs the program should know, now and later.
    ///
    /// # Errors
    ///
    /// Where a model is not there, is none, or cannot be run.
    pub fn load(options: &ModelOptions, tell: &Tell) -> Result<Self, ServingError> {
        media::init();
        let meter = Arc::<WorkMeter>::default();
        let engine = EngineChoice::of(options.engine, options.device)?;
        for notice in &engine.notices {
            tell(notice);
        }
        let loader = Loader {
            options,
            engine,
            tell,
        };
        Ok(Self {
            detection: loader.detectors(&meter)?,
            speech: loader.transcribers(&meter)?,
            meter,
        })
    }

    /// What the models have done so far.
    pub fn meter(&self) -> MeterReading {
        self.meter.read()
    }

    /// What the detector is called by those who ask, where one is served.
    pub fn detector(&self) -> Option<&str> {
        self.detection.as_ref().map(|(_, name)| name.as_str())
    }

    /// What the speech model is called by those who ask, where one is served.
    pub fn speech_model(&self) -> Option<&str> {
        self.speech.as_ref().map(|(_, name)| name.as_str())
    }

    /// Whether the speech model is the one that is `asked` for, where one is; a sentence if it is not.
    ///
    /// # Errors
    ///
    /// Where no speech model is served, or another one.
    pub fn check_speech_model(&self, asked: Option<&str>) -> Result<(), JobError> {
        let (_, served) = self.speech.as_ref().ok_or_else(no_speech)?;
        served.check(asked)
    }

    /// What is said in a sound file, or in a video's sound; sentences call it `name`.
    ///
    /// # Errors
    ///
    /// Where no speech model is served, it cannot do what is asked, or the file has no sound.
    pub async fn transcribe(
        &self,
        file: Bytes,
        name: &'static str,
        params: &TranscribeParams,
    ) -> Result<SoundTranscript, JobError> {
        let (transcribers, served) = self.speech.as_ref().ok_or_else(no_speech)?;
        let said = speech::transcription(transcribers, file, name, params).await;
        said.map_err(|error| served.hidden(&error))
    }

    async fn output(&self, job: &Job, updates: &Updates) -> Result<Value, JobError> {
        let keys = Keys::of(&job.input)?;
        match subject(keys)? {
            Subject::Pictures => {
                let (detectors, name) = self.detection.as_ref().ok_or_else(no_detector)?;
                name.check(keys.text("model")?)?;
                let output = detection::detect(detectors, keys).await;
                output.map_err(|error| name.hidden(&error))
            }
            Subject::Sound => {
                let (transcribers, name) = self.speech.as_ref().ok_or_else(no_speech)?;
                let output = speech::transcribe(transcribers, name, keys, updates).await;
                output.map_err(|error| name.hidden(&error))
            }
        }
    }
}

impl Handler for Handlers {
    fn handle<'a>(&'a self, job: &'a Job, updates: Updates) -> HandlerFuture<'a> {
        Box::pin(async move { self.output(job, &updates).await })
    }

    fn streams(&self, job: &Job) -> bool {
        let keys = Keys::of(&job.input).ok();
        keys.is_some_and(|keys| {
            matches!(subject(keys), Ok(Subject::Sound)) && speech::streams(keys)
        })
    }
}

fn subject(keys: Keys<'_>) -> Result<Subject, JobError> {
    let has_pictures = keys.has("images") || keys.has("image");
    let has_sound = keys.has("audio") || keys.has("audio_base64");
    match (has_pictures, has_sound) {
        (true, false) => Ok(Subject::Pictures),
        (false, true) => Ok(Subject::Sound),
        (true, true) => Err(JobError(
            "give either pictures (`images`, `image`) or sound (`audio`, `audio_base64`), not both"
                .to_owned(),
        )),
        (false, false) => Err(JobError(
            "the input has none of the keys that say what to do: `images` or `image` for \
             detection, `audio` or `audio_base64` for speech"
                .to_owned(),
        )),
    }
}

/// Frames that go through the detector together on a GPU, where nobody says otherwise.
const BATCH_ON_GPU: usize = 16;

/// Loads what is served.
struct Loader<'a> {
    options: &'a ModelOptions,
    engine: EngineChoice,
    tell: &'a Tell,
}

impl Loader<'_> {
    fn detectors(
        &self,
        meter: &Arc<WorkMeter>,
    ) -> Result<Option<(Detectors, ServedName)>, ServingError> {
        let source = match &self.options.yolo {
            ServedModel::None => return Ok(None),
            ServedModel::At(path) => ModelSource::File(path.clone()),
            ServedModel::BuiltIn => {
                (self.tell)(
                    "no --yolo: the built-in demo model is served, which knows six drawn shapes \
                     and nothing else",
                );
                ModelSource::Demo
            }
        };
        let names = self.options.names.as_deref();
        let chosen = self.load(|options| Detector::load(&source, names, options))?;
        let (_, device) = chosen.computed;
        let detector = chosen.model;
        let name = ServedName::new(&detector.facts().name);
        let usual = match device {
            Device::Cpu | Device::Openvino => 1,
            _ => BATCH_ON_GPU,
        };
        let batch = self.options.batch.unwrap_or(usual);
        if batch > 1 && !detector.takes_batches() {
            let name = name.as_str();
            (self.tell)(&format!(
                "{name} was exported for one frame at a time, and not for batches of {batch}; \
                 `yolo export ... dynamic=True` makes one that takes several"
            ));
        }
        let detectors = Detectors::start(detector, batch, self.options, meter, self.tell)?;
        Ok(Some((detectors, name)))
    }

    fn transcribers(
        &self,
        meter: &Arc<WorkMeter>,
    ) -> Result<Option<(Transcribers, ServedName)>, ServingError> {
        let source = match &self.options.whisper {
            ServedModel::None => return Ok(None),
            ServedModel::At(path) => SpeechModelSource::Folder(path.clone()),
            ServedModel::BuiltIn => {
                (self.tell)(
                    "no --whisper: the built-in demo model is served, which knows 60 words about \
                     shapes and nothing else",
                );
                SpeechModelSource::Demo
            }
        };
        let chosen = self.load(|options| Transcriber::load(&source, options))?;
        let name = ServedName::new(&chosen.model.facts().name);
        let transcribers = Transcribers::start(chosen, self.options.sessions, meter)?;
        Ok(Some((transcribers, name)))
    }

    // With the engine that is chosen, or with what may do in its place.
    fn load<M>(
        &self,
        load: impl Fn(&LoadOptions) -> Result<M, ModelError>,
    ) -> Result<Chosen<M>, ServingError> {
        let options = LoadOptions {
            engine: self.engine.engine,
            device: self.engine.device,
            threads: self.options.threads.max(1),
            // Jobs ask for five texts at once where they do not say how many.
            packs_weights: true,
        };
        let loading = Loading {
            options,
            otherwise: self.engine.otherwise.clone(),
        };
        let chosen = loading.load(load)?;
        for notice in &chosen.notices {
            (self.tell)(notice);
        }
        Ok(chosen)
    }
}

fn no_detector() -> JobError {
    JobError("no detector is served here, so pictures cannot be looked at".to_owned())
}

fn no_speech() -> JobError {
    JobError("no speech model is served here, so sound cannot be transcribed".to_owned())
}
