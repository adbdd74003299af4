//! Resolving: where each stage that infers is placed, and the models that are loaded for it.
//!
//! `auto` is decided here: a model that is a file runs on this machine; where no stage of the
//! recipe has a backend, the built-in model shows that everything works; a stage without a
//! backend beside one that has is skipped, with its reason.

use super::error::AppError;
use crate::backends::local::Detector;
use crate::backends::local::EngineKind;
use crate::backends::local::LoadOptions;
use crate::backends::local::ModelError;
use crate::backends::local::ModelSource;
use crate::facts::LocalFacts;
use crate::facts::Placement;
use crate::name::BackendName;
use crate::name::StageId;
use crate::recipe::BackendSpec;
use crate::recipe::LocalEngine;
use crate::recipe::LocalSpec;
use crate::recipe::Recipe;
use crate::recipe::StageSpec;
use crate::recipe::YoloSpec;
use crate::stages;
use std::collections::BTreeMap;
use std::path::Path;

const NO_DETECTOR: &str = "it has no backend: set `model` to an ONNX file";
const NO_SPEECH: &str = "there is no backend for speech yet";

/// Where the stages of a recipe are placed.
#[derive(Default)]
pub(super) struct Placed {
    pub(super) placements: BTreeMap<StageId, Placement>,
    pub(super) detectors: BTreeMap<StageId, Detector>,
    /// What the user should know about the models, once each.
    pub(super) notices: Vec<String>,
}

/// Places every stage of `recipe` that infers.
pub(super) fn resolve(recipe: &Recipe) -> Result<Placed, AppError> {
    let mut placed = Placed::default();
    let stages = || recipe.stages.iter().map(|stage| (&stage.id, &stage.spec));
    let somewhere = stages().any(|(_, spec)| match spec {
        StageSpec::Yolo(yolo) => has_backend(yolo),
        _ => false,
    });
    for (id, spec) in stages() {
        match spec {
            StageSpec::Yolo(yolo) if has_backend(yolo) || !somewhere => {
                placed.local(recipe, id, yolo)?;
            }
            StageSpec::Yolo(_) => placed.skip(id, NO_DETECTOR),
            StageSpec::Whisper(_) => placed.skip(id, NO_SPEECH),
            StageSpec::Extract(_) | StageSpec::Batch(_) | StageSpec::Merge(_) => {}
        }
    }
    Ok(placed)
}

fn has_backend(yolo: &YoloSpec) -> bool {
    yolo.model.is_some() || yolo.backend.as_str() != "auto"
}

impl Placed {
    fn skip(&mut self, stage: &StageId, why: &str) {
        self.placements.insert(
            stage.clone(),
            Placement::Skipped {
                why: why.to_owned(),
            },
        );
    }

    fn local(&mut self, recipe: &Recipe, id: &StageId, yolo: &YoloSpec) -> Result<(), AppError> {
        let source = match &yolo.model {
            Some(model) => ModelSource::File(model.into()),
            None => ModelSource::Demo,
        };
        let (backend, spec) = local_backend(recipe, &yolo.backend);
        let options = LoadOptions {
            engine: match spec.engine {
                LocalEngine::Rten => EngineKind::Rten,
                LocalEngine::Ort => EngineKind::Ort,
            },
            threads: spec.threads.max(1),
        };
        let detector = Detector::load(&source, yolo.names.as_deref().map(Path::new), &options)
            .map_err(|error| match error {
                ModelError::Missing { .. } => AppError::request(&error),
                _ => AppError::environment(&error),
            })?;
        let model = detector.facts().clone();
        if !model.demo {
            self.notices.extend(detector.notices(&stages::params(yolo)));
        }
        self.placements.insert(
            id.clone(),
            Placement::Local(LocalFacts {
                backend,
                engine: options.engine.to_string(),
                threads: options.threads,
                concurrency: spec.concurrency,
                model,
            }),
        );
        self.detectors.insert(id.clone(), detector);
        Ok(())
    }
}

// The backend of a stage that infers here; `auto` and `local` are the plain one.
fn local_backend(recipe: &Recipe, name: &BackendName) -> (BackendName, LocalSpec) {
    match recipe.backends.get(name).map(|backend| &backend.spec) {
        Some(BackendSpec::Local(spec)) => (name.clone(), spec.clone()),
        None => ("local".into(), LocalSpec::default()),
    }
}
