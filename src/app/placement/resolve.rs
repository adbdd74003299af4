//! Resolving: where each stage that infers is placed, and the models that are loaded for it.
//!
//! `auto` is decided here: a model that is a file or a folder runs on this machine; else a stage goes to
//! RunPod where its key and that stage's endpoint are in the environment; where no stage of the
//! recipe has a backend, the built-in models show that everything works; a stage without a
//! backend beside one that has is skipped, with its reason.

use crate::app::error::AppError;
use crate::app::placement::speech;
use crate::app::world::Here;
use crate::backends::engine::EngineKind;
use crate::backends::models::ModelError;
use crate::backends::models::ModelSource;
use crate::backends::models::whisper::Transcriber;
use crate::backends::models::yolo::Detector;
use crate::backends::models::yolo::LoadOptions;
use crate::backends::remote::mapping::Mapping;
use crate::backends::remote::runpod;
use crate::backends::remote::runpod::Endpoint;
use crate::backends::transport::http::Access;
use crate::backends::transport::http::Secret;
use crate::diag::Diagnostic;
use crate::diag::Span;
use crate::engine::Call;
use crate::facts::LocalFacts;
use crate::facts::ModelFacts;
use crate::facts::Placement;
use crate::facts::RemoteFacts;
use crate::facts::VideoFacts;
use crate::name::BackendName;
use crate::name::StageId;
use crate::name::VideoId;
use crate::recipe::AUTO;
use crate::recipe::BackendSpec;
use crate::recipe::LOCAL;
use crate::recipe::LocalEngine;
use crate::recipe::LocalSpec;
use crate::recipe::RUNPOD;
use crate::recipe::Recipe;
use crate::recipe::RunpodDialect;
use crate::recipe::RunpodSpec;
use crate::recipe::StageSpec;
use crate::recipe::World;
use crate::recipe::YoloSpec;
use crate::recipe::values_for_strangers;
use crate::stages;
use crate::stages::Trial;
use serde_json::Map;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

// Which endpoint a stage of each kind goes to where the recipe does not say.
const YOLO_ENDPOINT: &str = "RUNPOD_YOLO_ENDPOINT_ID";
const BASE_URL: &str = "RUNPOD_ENDPOINT_BASE_URL";

const NO_DETECTOR: &str = "it has no backend: set `model` to an ONNX file, or \
                           RUNPOD_API_KEY and RUNPOD_YOLO_ENDPOINT_ID in the environment";

/// Where the stages of a recipe are placed.
#[derive(Default)]
pub(in crate::app) struct Placed {
    pub(in crate::app) placements: BTreeMap<StageId, Placement>,
    pub(in crate::app) detectors: BTreeMap<StageId, Detector>,
    pub(in crate::app) transcribers: BTreeMap<StageId, Transcriber>,
    pub(in crate::app) callers: BTreeMap<StageId, Arc<dyn Call>>,
    /// Those of them whose requests can be shown.
    pub(in crate::app) trials: BTreeMap<StageId, Arc<dyn Trial>>,
    /// What the user should know about the models, once each.
    pub(in crate::app) notices: Vec<String>,
    /// What the environment lacks of what the recipe names: enough to plan, not to run.
    pub(in crate::app) missing: Vec<Diagnostic>,
}

/// Places every stage of `recipe` that infers. Keys go to their own hosts and to `allowed`.
pub(in crate::app) fn resolve(
    recipe: &Recipe,
    allowed: &[String],
    videos: &[VideoFacts],
) -> Result<Placed, AppError> {
    let mut placed = Placed::default();
    let surroundings = Surroundings {
        variables: Here.variables(),
        allowed,
        videos: videos
            .iter()
            .map(|video| (video.id, values_for_strangers(video)))
            .collect(),
    };
    let stages = || recipe.stages.iter().map(|stage| (&stage.id, &stage.spec));
    let has_fleet = surroundings.has_fleet(YOLO_ENDPOINT);
    let somewhere = stages().any(|(_, spec)| match spec {
        StageSpec::Yolo(yolo) => has_backend(yolo) || has_fleet,
        StageSpec::Whisper(whisper) => speech::has_backend(whisper, &surroundings),
        StageSpec::Http(_) => true,
        _ => false,
    });
    for (id, spec) in stages() {
        match spec {
            StageSpec::Yolo(yolo) => match named(recipe, yolo) {
                Some((backend, BackendSpec::Runpod(spec))) => {
                    placed.runpod(id, yolo, &backend, spec, &surroundings)?;
                }
                Some((backend, BackendSpec::Http(spec))) => {
                    placed.look(id, yolo, &backend, spec, &surroundings)?;
                }
                Some((_, BackendSpec::Local(_))) => placed.local(recipe, id, yolo)?,
                None if !has_backend(yolo) && has_fleet => {
                    let backend = Named {
                        name: RUNPOD.into(),
                        span: None,
                    };
                    placed.runpod(id, yolo, &backend, &RunpodSpec::default(), &surroundings)?;
                }
                None if has_backend(yolo) || !somewhere => placed.local(recipe, id, yolo)?,
                // One of kind `openai` sees nothing: the recipe is refused before.
                Some((_, BackendSpec::Openai(_))) | None => placed.skip(id, NO_DETECTOR),
            },
            StageSpec::Whisper(whisper) => {
                placed.listen(recipe, id, whisper, &surroundings, somewhere)?;
            }
            StageSpec::Http(http) => placed.http(recipe, id, http, &surroundings)?,
            StageSpec::Extract(_)
            | StageSpec::Batch(_)
            | StageSpec::Save(_)
            | StageSpec::Merge(_) => {}
        }
    }
    Ok(placed)
}

fn has_backend(yolo: &YoloSpec) -> bool {
    yolo.model.is_some() || yolo.backend.as_str() != AUTO
}

/// How the endpoints of `spec` are reached with the variables that `get` knows. Keys go to their
/// own host and to `allowed`.
pub(in crate::app) fn access<'a>(
    spec: &RunpodSpec,
    get: &dyn Fn(&str) -> Option<&'a str>,
    allowed: &[String],
) -> Access {
    let base = spec.base_url.as_deref().or_else(|| get(BASE_URL));
    Access {
        base: base.unwrap_or(runpod::DEFAULT_BASE).to_owned(),
        key: get(&spec.api_key_env).map(Secret::new),
        key_host: runpod::HOST,
        allowed: allowed.to_vec(),
    }
}

// A backend as the user knows it.
pub(in crate::app) struct Named {
    pub(in crate::app) name: BackendName,
    // Where it is declared; `None` where `auto` found it.
    pub(in crate::app) span: Option<Span>,
}

// The table that a stage names.
fn named<'a>(recipe: &'a Recipe, yolo: &YoloSpec) -> Option<(Named, &'a BackendSpec)> {
    let backend = recipe.backends.get(&yolo.backend)?;
    let named = Named {
        name: yolo.backend.clone(),
        span: Some(backend.span),
    };
    Some((named, &backend.spec))
}

// What is around the recipe: the environment, and what the user allows.
pub(in crate::app) struct Surroundings<'a> {
    variables: BTreeMap<String, String>,
    pub(in crate::app) allowed: &'a [String],
    /// What a request may say of each video.
    pub(in crate::app) videos: BTreeMap<VideoId, Map<String, Value>>,
}

impl Surroundings<'_> {
    pub(in crate::app) fn get(&self, name: &str) -> Option<&str> {
        let value = self.variables.get(name)?.trim();
        (!value.is_empty()).then_some(value)
    }

    /// Whether there is a key for RunPod, and an endpoint in this variable.
    pub(in crate::app) fn has_fleet(&self, endpoint: &str) -> bool {
        let key = RunpodSpec::default().api_key_env;
        self.get(&key).is_some() && self.get(endpoint).is_some()
    }
}

impl Placed {
    pub(in crate::app) fn skip(&mut self, stage: &StageId, why: &str) {
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
        backend: &Named,
        spec: &RunpodSpec,
        around: &Surroundings<'_>,
    ) -> Result<(), AppError> {
        if let Some(endpoint) = self.endpoint(id, backend, spec, YOLO_ENDPOINT, around)? {
            let mapping = Mapping::new(&spec.mapping);
            let caller = stages::request(id, &yolo.params(), mapping, endpoint, &around.videos);
            self.asks(id, caller);
        }
        Ok(())
    }

    /// `stage` asks by way of `caller`.
    pub(in crate::app) fn asks<C: Call + Trial + 'static>(
        &mut self,
        stage: &StageId,
        caller: Arc<C>,
    ) {
        self.trials.insert(stage.clone(), caller.clone());
        self.callers.insert(stage.clone(), caller);
    }

    /// Places a stage at the endpoint of a fleet, which `variable` names where the recipe does
    /// not. `None` where something is missing.
    pub(in crate::app) fn endpoint(
        &mut self,
        id: &StageId,
        backend: &Named,
        spec: &RunpodSpec,
        variable: &str,
        around: &Surroundings<'_>,
    ) -> Result<Option<Endpoint>, AppError> {
        let access = access(spec, &|name| around.get(name), around.allowed);
        let cloud = spec.dialect == RunpodDialect::Cloud;
        let endpoint = spec.endpoint.as_deref().or_else(|| around.get(variable));
        let mut lacks = Vec::new();
        if cloud && access.key.is_none() {
            lacks.push((spec.api_key_env.as_str(), "set it to a key of your account"));
        }
        if cloud && endpoint.is_none() {
            let help = "set it to the id of an endpoint, or write `endpoint` in the recipe";
            lacks.push((variable, help));
        }
        let is_whole = lacks.is_empty();
        for (variable, help) in lacks {
            self.lack(backend, variable, help);
        }
        // A name that no endpoint has: the address is checked all the same.
        let endpoint = Endpoint::new(spec, endpoint.unwrap_or("endpoint"), &access)
            .map_err(|failure| AppError::environment(&failure))?;
        self.placements.insert(
            id.clone(),
            Placement::Remote(RemoteFacts {
                backend: backend.name.clone(),
                kind: RUNPOD,
                host: endpoint.host(),
                model: endpoint.id().to_owned(),
                concurrency: spec.concurrency,
                max_body: runpod::max_body(spec),
                attempts: spec.attempts,
                retry_time: spec.retry_time,
                fleet: Some(spec.into()),
            }),
        );
        Ok(is_whole.then_some(endpoint))
    }

    /// Notes that the environment lacks a variable that a backend needs; once, however many stages
    /// the backend has.
    pub(in crate::app) fn lack(&mut self, backend: &Named, variable: &str, help: &str) {
        let message = format!("{variable} is not set, and `{}` needs it", backend.name);
        let missing = Diagnostic::warning(backend.span.unwrap_or_default(), message).help(help);
        if !self.missing.contains(&missing) {
            self.missing.push(missing);
        }
    }

    fn local(&mut self, recipe: &Recipe, id: &StageId, yolo: &YoloSpec) -> Result<(), AppError> {
        let source = match &yolo.model {
            Some(model) => ModelSource::File(model.into()),
            None => ModelSource::Demo,
        };
        let (backend, spec) = local_backend(recipe, &yolo.backend);
        let options = load_options(&spec);
        let detector = Detector::load(&source, yolo.names.as_deref().map(Path::new), &options)
            .map_err(|error| refused(&error))?;
        let model = detector.facts().clone();
        if !model.demo {
            self.notices.extend(detector.notices(&stages::params(yolo)));
        }
        self.placements
            .insert(id.clone(), here(backend, &spec, &options, model));
        self.detectors.insert(id.clone(), detector);
        Ok(())
    }
}

/// The place of a stage whose model was loaded here.
pub(in crate::app) fn here(
    backend: BackendName,
    spec: &LocalSpec,
    options: &LoadOptions,
    model: ModelFacts,
) -> Placement {
    Placement::Local(LocalFacts {
        backend,
        engine: options.engine.to_string(),
        threads: options.threads,
        concurrency: spec.concurrency,
        model,
    })
}

/// How the models of a local backend are loaded.
pub(in crate::app) fn load_options(spec: &LocalSpec) -> LoadOptions {
    LoadOptions {
        engine: match spec.engine {
            LocalEngine::Rten => EngineKind::Rten,
            LocalEngine::Ort => EngineKind::Ort,
        },
        threads: spec.threads.max(1),
    }
}

/// What is told of a model that cannot be loaded.
pub(in crate::app) fn refused(error: &ModelError) -> AppError {
    match error {
        ModelError::Missing { .. } => AppError::request(error),
        _ => AppError::environment(error),
    }
}

/// The backend of a stage that infers here; `auto` and `local` are the plain one.
pub(in crate::app) fn local_backend(
    recipe: &Recipe,
    name: &BackendName,
) -> (BackendName, LocalSpec) {
    match recipe.backends.get(name).map(|backend| &backend.spec) {
        Some(BackendSpec::Local(spec)) => (name.clone(), spec.clone()),
        Some(BackendSpec::Runpod(_) | BackendSpec::Openai(_) | BackendSpec::Http(_)) | None => {
            (LOCAL.into(), LocalSpec::default())
        }
    }
}
