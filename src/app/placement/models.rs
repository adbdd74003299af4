//! The models of a run: each is loaded once, however many stages name its file.

use crate::app::error::AppError;
use crate::app::placement::placements::unloadable;
use crate::backends::models::Chosen;
use crate::backends::models::Loading;
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
    detectors: BTreeMap<LoadKey, Chosen<Detector>>,
    transcribers: BTreeMap<LoadKey, Chosen<Transcriber>>,
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
    ) -> Result<Chosen<Detector>, AppError> {
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
    ) -> Result<Chosen<Transcriber>, AppError> {
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
