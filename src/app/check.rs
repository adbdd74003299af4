//! `check` and `models`: what can be said without a video.

use crate::app::compile;
use crate::app::error::AppError;
use crate::app::report::Checked;
use crate::app::report::FoundModel;
use crate::app::report::Knows;
use crate::backends::models;
use crate::backends::models::ModelSource;
use crate::backends::models::whisper::VoiceSource;
use crate::backends::models::whisper::find_voices;
use crate::recipe::Request;
use std::path::Path;
use std::path::PathBuf;

/// Compiles a recipe and says what it would do.
pub fn check(request: &Request) -> Result<Checked, AppError> {
    let recipe = compile::load(request)?;
    let compiled = compile::compile(&recipe, &request.allowed_hosts, Vec::new())?;
    let warnings = compiled.warnings(&recipe);
    Ok(Checked {
        recipe: recipe.name,
        stages: compiled.rows(),
        peak: compiled.plan.peak(),
        warnings,
    })
}

/// The models in `folders`, those that see before those that listen, and in both the built-in one
/// first.
pub fn models(folders: &[PathBuf]) -> Result<Vec<FoundModel>, AppError> {
    let voices = find_voices(folders);
    // The networks of a voice are none that see.
    let is_of_voice = |path: &Path| {
        voices.iter().any(|voice| match &voice.source {
            VoiceSource::Folder(folder) => path.parent() == Some(folder),
            VoiceSource::Demo => false,
        })
    };
    let mut found = Vec::new();
    for model in models::find_models(folders) {
        let path = match model.source {
            ModelSource::File(path) if is_of_voice(&path) => continue,
            ModelSource::File(path) => Some(path),
            ModelSource::Demo => None,
        };
        let knows = model.facts.map(Knows::Classes);
        found.push(FoundModel {
            path,
            knows: knows.map_err(|error| error.to_string()),
        });
    }
    for voice in voices {
        let path = match voice.source {
            VoiceSource::Folder(path) => Some(path),
            VoiceSource::Demo => None,
        };
        let demo = path.is_none();
        let knows = voice
            .languages
            .map(|languages| Knows::Speech { languages, demo });
        found.push(FoundModel {
            path,
            knows: knows.map_err(|error| error.to_string()),
        });
    }
    Ok(found)
}
