//! `models`: the models that are on this machine, and the built-in ones.

use crate::app::error::AppError;
use crate::backends::models;
use crate::backends::models::ModelSource;
use crate::backends::models::whisper::SpeechModelSource;
use crate::backends::models::whisper::find_speech_models;
use crate::facts::ModelFacts;
use std::path::Path;
use std::path::PathBuf;

/// A model that was found.
#[derive(Clone, Debug)]
pub struct ModelReport {
    /// Its file or folder; `None` for one that is built in.
    pub path: Option<PathBuf>,
    /// What it knows, or why it cannot be used.
    pub knows: Result<Capability, String>,
}

/// What a model knows.
#[derive(Clone, Debug)]
pub enum Capability {
    /// Things in frames.
    Detection(ModelFacts),
    /// What is said.
    Speech {
        /// ISO 639-1 codes; none where it is English alone.
        languages: Vec<String>,
        /// Whether it is the built-in one.
        demo: bool,
    },
}

/// Where models are looked for, besides the folders that the user names.
const HERE: [&str; 2] = [".", "models"];

/// The models in the working directory, in its `models` folder and in `folders`, not within folders
/// of those: detection before speech, and of each the built-in one first.
pub fn models(folders: &[PathBuf]) -> Result<Vec<ModelReport>, AppError> {
    let here = HERE.iter().map(PathBuf::from);
    let folders: Vec<PathBuf> = here.chain(folders.iter().cloned()).collect();
    let voices = find_speech_models(&folders);
    // The networks of a speech model are no detectors.
    let is_of_voice = |path: &Path| {
        voices.iter().any(|voice| match &voice.source {
            SpeechModelSource::Folder(folder) => path.parent() == Some(folder),
            SpeechModelSource::Demo => false,
        })
    };
    let mut found = Vec::new();
    for model in models::find_models(&folders) {
        let path = match model.source {
            ModelSource::File(path) if is_of_voice(&path) => continue,
            ModelSource::File(path) => Some(as_written(path)),
            ModelSource::Demo => None,
        };
        let knows = model.facts.map(Capability::Detection);
        found.push(ModelReport {
            path,
            knows: knows.map_err(|error| error.to_string()),
        });
    }
    for voice in voices {
        let path = match voice.source {
            SpeechModelSource::Folder(path) => Some(as_written(path)),
            SpeechModelSource::Demo => None,
        };
        let demo = path.is_none();
        let knows = voice
            .languages
            .map(|languages| Capability::Speech { languages, demo });
        found.push(ModelReport {
            path,
            knows: knows.map_err(|error| error.to_string()),
        });
    }
    Ok(found)
}

// As `model` would name it from here.
fn as_written(path: PathBuf) -> PathBuf {
    match path.strip_prefix(".") {
        Ok(inner) if !inner.as_os_str().is_empty() => inner.to_owned(),
        _ => path,
    }
}
