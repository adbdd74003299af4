//! The models of a run: each is loaded once, however many stages name its file.

use crate::app::error::AppError;
use crate::app::placement::placements::unloadable;
use crate::backends::engine::EngineKind;
use crate::backends::models::ModelError;
use crate::backends::models::ModelSource;
use crate::backends::models::whisper::SpeechModelSource;
use crate::backends::models::whisper::Transcriber;
use crate::backends::models::yolo::Detector;
use crate::backends::models::yolo::LoadOptions;
use crate::name::StageId;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// What decides how a model is loaded: the files of a stage, and the options.
type LoadKey = ([Option<PathBuf>; 2], LoadOptions);

/// What is loaded so far.
#[derive(Default)]
pub(super) struct LoadedModels {
    detectors: BTreeMap<LoadKey, Loaded<Detector>>,
    transcribers: BTreeMap<LoadKey, Loaded<Transcriber>>,
}

/// A model, and what came of the choice of its engine.
#[derive(Clone)]
pub(super) struct Loaded<M> {
    pub(super) model: M,
    /// What computes it.
    pub(super) engine: EngineKind,
    /// Why that is not the engine of the options, in one sentence.
    pub(super) notice: Option<String>,
}

/// How a model is loaded: the options, and whether another engine may do than theirs.
pub(super) struct Loading {
    pub(super) options: LoadOptions,
    pub(super) is_free: bool,
}

impl Loading {
    /// Loads with `load`; where the engine does not take the model and another may do, with rten.
    fn load<M>(
        &self,
        load: impl Fn(&LoadOptions) -> Result<M, ModelError>,
    ) -> Result<Loaded<M>, ModelError> {
        let loaded = |model, engine, notice| Loaded {
            model,
            engine,
            notice,
        };
        let error = match load(&self.options) {
            Ok(model) => return Ok(loaded(model, self.options.engine, None)),
            Err(error) => error,
        };
        let rten = LoadOptions {
            engine: EngineKind::Rten,
            ..self.options
        };
        match (&error, self.is_free) {
            (ModelError::Engine { name, cause, .. }, true) => {
                let model = load(&rten)?;
                let notice =
                    format!("{name} runs on rten, since ONNX Runtime does not take it: {cause}");
                Ok(loaded(model, EngineKind::Rten, Some(notice)))
            }
            _ => Err(error),
        }
    }
}

impl LoadedModels {
    /// The detector in the file `model`, with class names from the file `names`; without files,
    /// what is built in.
    pub(super) fn detector(
        &mut self,
        stage: &StageId,
        model: Option<&Path>,
        names: Option<&Path>,
        loading: &Loading,
    ) -> Result<Loaded<Detector>, AppError> {
        let key = ([model.map(place), names.map(place)], loading.options);
        if let Some(detector) = self.detectors.get(&key) {
            return Ok(detector.clone());
        }
        let source = match model {
            Some(model) => ModelSource::File(model.into()),
            None => ModelSource::Demo,
        };
        let detector = loading
            .load(|options| Detector::load(&source, names, options))
            .map_err(|error| unloadable(stage, &error))?;
        self.detectors.insert(key, detector.clone());
        Ok(detector)
    }

    /// The transcriber in the folder `model`; without one, what is built in.
    pub(super) fn transcriber(
        &mut self,
        stage: &StageId,
        model: Option<&Path>,
        loading: &Loading,
    ) -> Result<Loaded<Transcriber>, AppError> {
        let key = ([model.map(place), None], loading.options);
        if let Some(transcriber) = self.transcribers.get(&key) {
            return Ok(transcriber.clone());
        }
        let source = match model {
            Some(model) => SpeechModelSource::Folder(model.into()),
            None => SpeechModelSource::Demo,
        };
        let transcriber = loading
            .load(|options| Transcriber::load(&source, options))
            .map_err(|error| unloadable(stage, &error))?;
        self.transcribers.insert(key, transcriber.clone());
        Ok(transcriber)
    }
}

// The same for all ways to write the path of a file. What is not there has one that leads nowhere,
// as loading it tells.
fn place(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}
