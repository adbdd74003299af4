//! Placements: the facts, models and calls of the stages that are placed so far.

use crate::app::error::AppError;
use crate::app::placement::context::BackendRef;
use crate::app::placement::context::PlacementContext;
use crate::app::placement::context::named_in_recipe;
use crate::app::placement::context::runpod_access;
use crate::app::placement::models::LoadedModels;
use crate::backends::engine::EngineChoice;
use crate::backends::engine::EngineKind;
use crate::backends::models::Loading;
use crate::backends::models::ModelError;
use crate::backends::models::whisper::Transcriber;
use crate::backends::models::yolo::Detector;
use crate::backends::models::yolo::LoadOptions;
use crate::backends::remote::runpod;
use crate::backends::remote::runpod::Endpoint;
use crate::backends::remote::runpod::IssuedIds;
use crate::backends::remote::runpod::RateLimits;
use crate::backends::transport::access::Access;
use crate::backends::transport::access::Route;
use crate::backends::transport::secret::LEAST_LETTERS;
use crate::diag::Diagnostic;
use crate::engine::Call;
use crate::facts::Encoding;
use crate::facts::FleetFacts;
use crate::facts::LocalFacts;
use crate::facts::ModelFacts;
use crate::facts::Placement;
use crate::facts::RemoteFacts;
use crate::name::BackendName;
use crate::name::StageId;
use crate::recipe::BackendKind;
use crate::recipe::Device;
use crate::recipe::LocalDevice;
use crate::recipe::LocalEngine;
use crate::recipe::LocalSpec;
use crate::recipe::RunpodDialect;
use crate::recipe::RunpodSpec;
use crate::recipe::ServerSpec;
use crate::stages::Trial;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Where the stages of a recipe are placed, and with what they infer there.
#[derive(Default)]
pub(in crate::app) struct Placements {
    pub(in crate::app) facts: BTreeMap<StageId, Placement>,
    pub(in crate::app) detectors: BTreeMap<StageId, Detector>,
    pub(in crate::app) transcribers: BTreeMap<StageId, Transcriber>,
    pub(in crate::app) calls: BTreeMap<StageId, Arc<dyn Call>>,
    /// The calls whose requests can be shown by `try`.
    pub(in crate::app) trials: BTreeMap<StageId, Arc<dyn Trial>>,
    /// What the user should know about the models, once each.
    pub(in crate::app) notices: Vec<String>,
    /// Variables that the recipe needs and the environment lacks: enough to plan, not to run.
    pub(in crate::app) missing: Vec<Diagnostic>,
    /// Hosts of the recipe that the user has not allowed: enough to plan, not to send anything.
    pub(in crate::app) unallowed: Vec<Diagnostic>,
    /// What the stages on this machine share.
    pub(super) models: LoadedModels,
    // Which variable or host of which backend stands in one of the two lists.
    told: BTreeSet<(BackendName, String)>,
    // The ids of all jobs of the run, so that no two stages share one.
    issued: IssuedIds,
    rate_limits: RateLimits,
}

impl Placements {
    pub(in crate::app) fn place(&mut self, stage: &StageId, placement: Placement) {
        log(stage, &placement);
        self.facts.insert(stage.clone(), placement);
    }

    /// The backend `name` of this machine, as it is declared, with the engine that computes there; what
    /// the user should know of that is noted once.
    pub(in crate::app) fn local_backend(
        &mut self,
        name: &BackendName,
        declared: Option<&LocalSpec>,
        context: &PlacementContext<'_>,
    ) -> Result<LocalBackend, AppError> {
        let mut backend = LocalBackend::replayed(name, declared);
        let device = context.device.unwrap_or(backend.spec.device);
        let choice = choice(context.engine(backend.spec.engine)?, device)?;
        self.note(choice.notices.clone());
        backend.choice = Some(choice);
        Ok(backend)
    }

    /// Has the user told these, once each.
    pub(super) fn note(&mut self, notices: Vec<String>) {
        for notice in notices {
            if !self.notices.contains(&notice) {
                self.notices.push(notice);
            }
        }
    }

    pub(in crate::app) fn skip(&mut self, stage: &StageId, why: &str) {
        let why = why.to_owned();
        self.place(stage, Placement::Skipped { why });
    }

    /// Gives `stage` a call whose requests can be shown.
    pub(in crate::app) fn call<C: Call + Trial + 'static>(
        &mut self,
        stage: &StageId,
        call: Arc<C>,
    ) {
        self.trials.insert(stage.clone(), call.clone());
        self.calls.insert(stage.clone(), call);
    }

    /// Notes that the environment lacks a variable that a backend needs; once, however many stages
    /// the backend has.
    pub(in crate::app) fn lack(&mut self, backend: &BackendRef, variable: &str, help: &str) {
        let message = format!("{variable} is not set, and `{}` needs it", backend.name);
        let missing = Diagnostic::warning(backend.span.unwrap_or_default(), message).help(help);
        if self
            .told
            .insert((backend.name.clone(), variable.to_owned()))
        {
            self.missing.push(missing);
        }
    }

    /// Notes which of the keys and values that stages send may be words of an answer, and stay in it.
    pub(in crate::app) fn tell_what_stays(&mut self, context: &PlacementContext<'_>) {
        let servers: Vec<&RemoteFacts> =
            self.facts.values().filter_map(Placement::remote).collect();
        let keys: BTreeSet<_> = servers
            .iter()
            .filter_map(|facts| facts.key.as_ref())
            .collect();
        let values: BTreeSet<_> = servers.iter().flat_map(|facts| &facts.variables).collect();
        for variable in context.short_keys.iter().filter(|name| keys.contains(name)) {
            self.notices.push(format!(
                "the key in {variable} has fewer than {LEAST_LETTERS} letters: it is sent, and \
                 not taken out of what servers answer"
            ));
        }
        for variable in context
            .wordy_values
            .iter()
            .filter(|name| values.contains(name))
        {
            self.notices.push(format!(
                "the value of {variable} is short or made of words: it is sent, and not taken out \
                 of what servers answer"
            ));
        }
    }

    /// Notes a host of the recipe that the user has not allowed; once, however many stages it has.
    fn permit(&mut self, backend: &BackendRef, route: &Route) {
        if route.is_permitted {
            return;
        }
        let host = &route.host;
        let message = format!(
            "`{}` sends to {host}, which you have not allowed",
            backend.name
        );
        let flag = match host.contains('{') {
            true => "`--allow-host HOST` with the host that this comes to".to_owned(),
            false => format!("`--allow-host {host}`"),
        };
        let help = format!("`vpipe plan` says what it gets; if it may, say {flag}");
        let unallowed = Diagnostic::warning(backend.span.unwrap_or_default(), message).help(help);
        if self.told.insert((backend.name.clone(), host.clone())) {
            self.unallowed.push(unallowed);
        }
    }

    /// Places a stage on an endpoint of RunPod, whose id `variable` holds where the recipe has
    /// none. `None` where the environment lacks something.
    pub(in crate::app) fn endpoint(
        &mut self,
        id: &StageId,
        backend: &BackendRef,
        spec: &RunpodSpec,
        variable: &str,
        context: &PlacementContext<'_>,
    ) -> Result<Option<Endpoint>, AppError> {
        let look_up = |name: &str| context.variable(name);
        let access = Access {
            shown: backend.template("base_url"),
            shared: context.shared.clone(),
            ..runpod_access(spec, &look_up, context.allowed_hosts)
        };
        let cloud = spec.dialect == RunpodDialect::Cloud;
        let endpoint = spec
            .endpoint
            .as_deref()
            .or_else(|| context.variable(variable));
        let mut lacks = Vec::new();
        if cloud && access.key.is_none() {
            lacks.push((spec.api_key_env.as_str(), "set it to a key of your account"));
        }
        if cloud && endpoint.is_none() {
            let help = "set it to the id of an endpoint, or write `endpoint` in the recipe";
            lacks.push((variable, help));
        }
        let is_complete = lacks.is_empty();
        for (variable, help) in lacks {
            self.lack(backend, variable, help);
        }
        // The address is checked even where the id is missing.
        let endpoint = Endpoint::new(spec, endpoint.unwrap_or("endpoint"), &access)
            .map_err(|failure| AppError::environment(&failure))?
            .sharing(&self.issued, &self.rate_limits)
            .showing(backend.template("endpoint"));
        let why = match backend.span {
            Some(_) => named_in_recipe(&backend.name),
            None => format!("{} and {variable} are set", spec.api_key_env),
        };
        let server = PlacedServer {
            why,
            model: None,
            endpoint: Some(endpoint.id().to_owned()),
            max_body: runpod::max_body(spec),
            encoding: Encoding::Base64,
            fleet: Some(spec.into()),
            key: access.key.map(|_| spec.api_key_env.clone()),
        };
        self.place_on_server(id, backend, &spec.server, endpoint.route(), server);
        Ok(is_complete.then_some(endpoint))
    }

    /// Places a stage on a server of `backend` that is reached by `route`, and notes where the user
    /// has not allowed its host.
    pub(in crate::app) fn place_on_server(
        &mut self,
        id: &StageId,
        backend: &BackendRef,
        spec: &ServerSpec,
        route: Route,
        server: PlacedServer,
    ) {
        self.permit(backend, &route);
        let facts = RemoteFacts {
            why: server.why,
            backend: backend.name.clone(),
            host: route.host,
            model: server.model,
            endpoint: server.endpoint,
            concurrency: spec.concurrency,
            max_body: server.max_body,
            encoding: server.encoding,
            attempts: spec.attempts,
            retry_time: spec.retry_time,
            outage_timeout: spec.outage_timeout,
            fleet: server.fleet,
            class_names: Vec::new(),
            variables: backend.variable_names(),
            key: server.key,
            proxy: route.proxy,
        };
        self.place(id, Placement::Remote(facts));
    }
}

/// What differs between the kinds of servers that a stage is placed on; as in [`RemoteFacts`].
pub(in crate::app) struct PlacedServer {
    pub(in crate::app) why: String,
    pub(in crate::app) model: Option<String>,
    pub(in crate::app) endpoint: Option<String>,
    pub(in crate::app) max_body: usize,
    pub(in crate::app) encoding: Encoding,
    pub(in crate::app) fleet: Option<FleetFacts>,
    pub(in crate::app) key: Option<String>,
}

fn log(stage: &StageId, placement: &Placement) {
    let why = placement.why();
    match placement {
        Placement::Local(LocalFacts { engine, model, .. }) => {
            tracing::info!(%stage, engine, model = model.name, why, "placed on this machine");
        }
        Placement::Remote(RemoteFacts { backend, host, .. }) => {
            tracing::info!(%stage, %backend, host, why, "placed on a server");
        }
        Placement::Skipped { .. } => tracing::info!(%stage, why, "skipped"),
    }
}

/// How a stage that names this backend and this model runs on this machine.
pub(in crate::app) struct LocalBackend {
    name: BackendName,
    spec: LocalSpec,
    is_named: bool,
    /// `None` in a replay, where nothing computes.
    choice: Option<EngineChoice>,
}

impl LocalBackend {
    /// The backend `name`, as it is declared, where nothing computes; `auto` and `local` are the plain
    /// one.
    pub(in crate::app) fn replayed(name: &BackendName, declared: Option<&LocalSpec>) -> Self {
        let local = BackendKind::Local.word();
        Self {
            name: declared.map_or_else(|| local.into(), |_| name.clone()),
            spec: declared.cloned().unwrap_or_default(),
            is_named: declared.is_some() || name.as_str() == local,
            choice: None,
        }
    }

    /// How its models are loaded.
    pub(super) fn loading(&self) -> Loading {
        let choice = self.choice.clone().unwrap_or_default();
        let options = LoadOptions {
            engine: choice.engine,
            device: choice.device,
            threads: self.spec.threads.max(1),
            ..LoadOptions::default()
        };
        Loading {
            options,
            otherwise: choice.otherwise,
        }
    }

    /// The placement of a stage with this model, and what computes it on what; none where nothing
    /// does.
    pub(in crate::app) fn placement(
        self,
        model: ModelFacts,
        computed: Option<(EngineKind, Device)>,
    ) -> Placement {
        let (engine, device) = computed.unzip();
        let why = match self.is_named {
            true => named_in_recipe(&self.name),
            false if model.demo => "no stage has a model or a server".to_owned(),
            false => "`model` is on this machine".to_owned(),
        };
        Placement::Local(LocalFacts {
            why,
            backend: self.name,
            engine: engine.map(|engine| engine.to_string()).unwrap_or_default(),
            device: device.unwrap_or_default().to_string(),
            threads: self.spec.threads.max(1),
            concurrency: self.spec.concurrency,
            model,
        })
    }
}

fn choice(engine: LocalEngine, device: LocalDevice) -> Result<EngineChoice, AppError> {
    Ok(EngineChoice::of(engine, device)?)
}

/// The error of a model that cannot be loaded.
pub(in crate::app) fn unloadable(stage: &StageId, error: &ModelError) -> AppError {
    let (message, help) = (format!("{stage}: {error}"), None);
    match error {
        ModelError::Missing { .. } => AppError::Request { message, help },
        ModelError::Engine { device, .. } if *device != Device::Cpu => {
            let help = "a backend of its own with `device = \"cpu\"` computes it on the CPU";
            AppError::Environment {
                message,
                help: Some(help.to_owned()),
            }
        }
        _ => AppError::Environment { message, help },
    }
}
