//! The context of a placement: the environment, the hosts that may get keys, and the videos.

use crate::app::error::AppError;
use crate::backends::remote::runpod;
use crate::backends::transport::access::Access;
use crate::backends::transport::access::Shared;
use crate::backends::transport::redaction::Redaction;
use crate::backends::transport::secret::Secret;
use crate::diag::Span;
use crate::facts::VideoFacts;
use crate::name::BackendName;
use crate::name::StageId;
use crate::name::VideoId;
use crate::recipe::BackendKind;
use crate::recipe::BackendSpec;
use crate::recipe::BackendVariables;
use crate::recipe::LocalDevice;
use crate::recipe::LocalEngine;
use crate::recipe::Recipe;
use crate::recipe::RunpodSpec;
use crate::recipe::request_values;
use crate::template::needs_permission;
use serde_json::Map;
use serde_json::Value;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

const BASE_URL: &str = "RUNPOD_ENDPOINT_BASE_URL";
const RUNPOD_KEY: &str = "RUNPOD_API_KEY";
const ENGINE: &str = "VPIPE_ENGINE";

/// What a placement depends on besides the recipe.
pub(in crate::app) struct PlacementContext<'a> {
    variables: BTreeMap<String, String>,
    /// Hosts that may get a key, besides the one it is for and this machine.
    pub(in crate::app) allowed_hosts: &'a [String],
    /// What all servers of the run share.
    pub(in crate::app) shared: Shared,
    /// The variables whose keys are too short to be told from words.
    pub(in crate::app) short_keys: BTreeSet<String>,
    /// The variables that the user had to allow by name, whose values are words.
    pub(in crate::app) wordy_values: BTreeSet<String>,
    /// The values that a request may take of each video.
    pub(in crate::app) videos: BTreeMap<VideoId, Map<String, Value>>,
    /// What models of this machine are computed on, whatever the recipe says.
    pub(in crate::app) device: Option<LocalDevice>,
    /// Whether any stage of the recipe has a backend.
    pub(in crate::app) has_backend: bool,
}

impl<'a> PlacementContext<'a> {
    pub(in crate::app) fn new(
        recipe: &Recipe,
        variables: BTreeMap<String, String>,
        allowed_hosts: &'a [String],
        videos: &[VideoFacts],
    ) -> Self {
        let videos = videos.iter().map(|video| (video.id, request_values(video)));
        let keys: BTreeMap<&str, Secret> = key_variables(recipe)
            .filter_map(|name| Some((name, Secret::new(set(&variables, name)?))))
            .collect();
        let short_keys = keys.iter().filter(|(_, key)| key.is_short());
        let short_keys = short_keys.map(|(name, _)| (*name).to_owned()).collect();
        let values: BTreeMap<&str, Secret> = sent_variables(recipe)
            .filter_map(|name| Some((name, Secret::new(set(&variables, name)?))))
            .collect();
        let wordy = values.iter().filter(|(_, value)| value.is_wordy());
        let wordy_values = wordy
            .map(|(name, _)| (*name).to_owned())
            .filter(|name| needs_permission(name))
            .collect();
        let sent = values.iter().map(|(name, value)| (*name, value));
        let shared = Shared {
            redaction: Redaction::of(keys.values()).and_values(sent),
            ..Shared::default()
        };
        Self {
            variables,
            shared,
            short_keys,
            wordy_values,
            allowed_hosts,
            videos: videos.collect(),
            device: recipe.device,
            has_backend: false,
        }
    }

    /// The value of a variable of the environment, where it is set and not empty.
    pub(in crate::app) fn variable(&self, name: &str) -> Option<&str> {
        set(&self.variables, name)
    }

    /// The engine that a backend asks for which says `wanted`.
    pub(in crate::app) fn engine(&self, wanted: LocalEngine) -> Result<LocalEngine, AppError> {
        engine_of(&self.variables, wanted)
    }

    /// Whether the environment has a key for RunPod, and the id of an endpoint in this variable.
    pub(in crate::app) fn has_endpoint(&self, variable: &str) -> bool {
        let key = RunpodSpec::default().api_key_env;
        self.variable(&key).is_some() && self.variable(variable).is_some()
    }
}

// The variables that may hold a key of the run.
fn key_variables(recipe: &Recipe) -> impl Iterator<Item = &str> {
    let specs = recipe.backends.values().map(|backend| &backend.spec);
    specs
        .filter_map(BackendSpec::key_variable)
        .chain([RUNPOD_KEY])
}

// The variables whose values are in what backends send.
fn sent_variables(recipe: &Recipe) -> impl Iterator<Item = &str> {
    let backends = recipe.backends.values();
    backends.flat_map(|backend| backend.variables.names())
}

/// The value of a variable, where it is set and not empty.
pub(in crate::app) fn set<'a>(
    variables: &'a BTreeMap<String, String>,
    name: &str,
) -> Option<&'a str> {
    let value = variables.get(name)?.trim();
    (!value.is_empty()).then_some(value)
}

/// The engine that a backend asks for which says `wanted`: where that is `auto`, the environment may say
/// which.
pub(in crate::app) fn engine_of(
    variables: &BTreeMap<String, String>,
    wanted: LocalEngine,
) -> Result<LocalEngine, AppError> {
    match (wanted, set(variables, ENGINE)) {
        (LocalEngine::Auto, Some(name)) => LocalEngine::of(name).ok_or_else(|| AppError::Request {
            message: format!("{ENGINE} names no engine"),
            help: Some("set it to `auto`, `rten` or `ort`".to_owned()),
        }),
        _ => Ok(wanted),
    }
}

/// A backend, and where the recipe declares it.
pub(in crate::app) struct BackendRef {
    pub(in crate::app) name: BackendName,
    /// `None` for one of the environment.
    pub(in crate::app) span: Option<Span>,
    /// What it takes of the environment.
    pub(in crate::app) variables: BackendVariables,
}

impl BackendRef {
    /// The backend `name` of the recipe; where there is none, the one of
    /// the kind `otherwise` that the environment has.
    pub(in crate::app) fn of(recipe: &Recipe, name: &BackendName, otherwise: BackendKind) -> Self {
        match recipe.backends.get(name) {
            Some(backend) => Self {
                name: name.clone(),
                span: Some(backend.span),
                variables: backend.variables.clone(),
            },
            None => Self {
                name: otherwise.word().into(),
                span: None,
                variables: BackendVariables::default(),
            },
        }
    }

    /// The names of the variables that it takes.
    pub(in crate::app) fn variable_names(&self) -> Vec<String> {
        self.variables.names().map(str::to_owned).collect()
    }

    /// How the value of `key` is shown, where it takes a variable.
    pub(in crate::app) fn template(&self, key: &str) -> Option<String> {
        self.variables.template(key).map(str::to_owned)
    }

    /// The lines of a recipe under which it says how answers to a stage are read; a backend of the
    /// environment needs a table first.
    pub(in crate::app) fn answer_heading(&self, stage: &StageId) -> String {
        let kind = BackendKind::Runpod;
        match self.span {
            Some(_) => format!("[backends.{}.answer]", self.name),
            None => format!(
                "[stages.{stage}]\nbackend = \"fleet\"\n\n[backends.fleet]\nkind = \"{kind}\"\n\n\
                 [backends.fleet.answer]"
            ),
        }
    }
}

/// Why a stage is placed on a backend that the recipe names.
pub(in crate::app) fn named_in_recipe(backend: &BackendName) -> String {
    format!("the recipe says `backend = \"{backend}\"`")
}

/// How the endpoints of `spec` are reached with the variables that `variable` looks up. Keys go to
/// their own host and to `allowed_hosts`.
pub(in crate::app) fn runpod_access<'a>(
    spec: &RunpodSpec,
    variable: &dyn Fn(&str) -> Option<&'a str>,
    allowed_hosts: &[String],
) -> Access {
    let base = spec.base_url.as_deref().or_else(|| variable(BASE_URL));
    Access {
        base: base.unwrap_or(runpod::DEFAULT_BASE).to_owned(),
        shown: None,
        key: variable(&spec.api_key_env).map(Secret::new),
        key_host: runpod::HOST,
        allowed: allowed_hosts.to_vec(),
        from_recipe: spec.base_url.is_some(),
        shared: Shared::default(),
    }
}
