//! Resolving: where each stage that infers is placed, and the models that are loaded for it.
//!
//! `auto` is decided here: a model that is a file runs on this machine; else a stage goes to
//! RunPod where its key and that stage's endpoint are in the environment; where no stage of the
//! recipe has a backend, the built-in model shows that everything works; a stage without a
//! backend beside one that has is skipped, with its reason.

use super::error::AppError;
use super::world::Here;
use crate::backends::http::Secret;
use crate::backends::local::Detector;
use crate::backends::local::EngineKind;
use crate::backends::local::LoadOptions;
use crate::backends::local::ModelError;
use crate::backends::local::ModelSource;
use crate::backends::runpod;
use crate::backends::runpod::Endpoint;
use crate::backends::runpod::Waits;
use crate::engine::Call;
use crate::facts::LocalFacts;
use crate::facts::Placement;
use crate::facts::RemoteFacts;
use crate::name::BackendName;
use crate::name::StageId;
use crate::recipe::BackendSpec;
use crate::recipe::LocalEngine;
use crate::recipe::LocalSpec;
use crate::recipe::Recipe;
use crate::recipe::StageSpec;
use crate::recipe::World;
use crate::recipe::YoloSpec;
use crate::stages;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

// At one request, the first included.
const ATTEMPTS: u32 = 5;

const NO_DETECTOR: &str = "it has no backend: set `model` to an ONNX file, or \
                           RUNPOD_API_KEY and RUNPOD_YOLO_ENDPOINT_ID in the environment";
const NO_SPEECH: &str = "there is no backend for speech yet";

/// Where the stages of a recipe are placed.
#[derive(Default)]
pub(super) struct Placed {
    pub(super) placements: BTreeMap<StageId, Placement>,
    pub(super) detectors: BTreeMap<StageId, Detector>,
    pub(super) callers: BTreeMap<StageId, Arc<dyn Call>>,
    /// What the user should know about the models, once each.
    pub(super) notices: Vec<String>,
}

/// Places every stage of `recipe` that infers.
pub(super) fn resolve(recipe: &Recipe) -> Result<Placed, AppError> {
    let mut placed = Placed::default();
    let variables = Here.variables();
    let fleet = Fleet::of(&variables);
    let stages = || recipe.stages.iter().map(|stage| (&stage.id, &stage.spec));
    let somewhere = stages().any(|(_, spec)| match spec {
        StageSpec::Yolo(yolo) => has_backend(yolo) || fleet.is_some(),
        _ => false,
    });
    for (id, spec) in stages() {
        match spec {
            StageSpec::Yolo(yolo) if !has_backend(yolo) && fleet.is_some() => {
                placed.runpod(id, yolo, fleet.as_ref())?;
            }
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

    fn runpod(
        &mut self,
        id: &StageId,
        yolo: &YoloSpec,
        fleet: Option<&Fleet<'_>>,
    ) -> Result<(), AppError> {
        let Some(fleet) = fleet else { return Ok(()) };
        let key = Secret::new(fleet.key);
        let endpoint = Endpoint::new(fleet.base, fleet.detector, key, Waits::default())
            .map_err(|failure| AppError::environment(&failure))?;
        self.placements.insert(
            id.clone(),
            Placement::Remote(RemoteFacts {
                backend: "runpod".into(),
                kind: "runpod",
                host: endpoint.host(),
                model: endpoint.id().to_owned(),
                concurrency: None,
                max_body: runpod::MAX_BODY,
                attempts: ATTEMPTS,
            }),
        );
        let caller = stages::request(id, yolo, endpoint, runpod::MAX_BODY);
        self.callers.insert(id.clone(), caller);
        Ok(())
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

// What the environment says of a user's workers, by the names that RunPod's own tools read.
struct Fleet<'a> {
    key: &'a str,
    detector: &'a str,
    base: &'a str,
}

impl<'a> Fleet<'a> {
    fn of(variables: &'a BTreeMap<String, String>) -> Option<Self> {
        let set = |name: &str| {
            variables
                .get(name)
                .map(|value| value.trim())
                .filter(|v| !v.is_empty())
        };
        Some(Self {
            key: set("RUNPOD_API_KEY")?,
            detector: set("RUNPOD_YOLO_ENDPOINT_ID")?,
            base: set("RUNPOD_ENDPOINT_BASE_URL").unwrap_or(runpod::DEFAULT_BASE),
        })
    }
}

// The backend of a stage that infers here; `auto` and `local` are the plain one.
fn local_backend(recipe: &Recipe, name: &BackendName) -> (BackendName, LocalSpec) {
    match recipe.backends.get(name).map(|backend| &backend.spec) {
        Some(BackendSpec::Local(spec)) => (name.clone(), spec.clone()),
        None => ("local".into(), LocalSpec::default()),
    }
}
