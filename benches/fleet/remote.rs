//! The default recipe as the program compiles it, with its detector at the fleet.

use super::Outcome;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use vpipe::backends::remote::mapping::Mapping;
use vpipe::backends::remote::runpod;
use vpipe::backends::remote::runpod::Endpoint;
use vpipe::backends::transport::access::Access;
use vpipe::backends::transport::access::Shared;
use vpipe::engine::Call;
use vpipe::facts::Encoding;
use vpipe::facts::Facts;
use vpipe::facts::Placement;
use vpipe::facts::RemoteFacts;
use vpipe::name::StageId;
use vpipe::plan;
use vpipe::plan::CompileOptions;
use vpipe::plan::Plan;
use vpipe::recipe;
use vpipe::recipe::Environment;
use vpipe::recipe::MappingSpec;
use vpipe::recipe::Request;
use vpipe::recipe::RunpodSpec;
use vpipe::recipe::StageSpec;
use vpipe::stages;
use vpipe::stages::Resources;
use vpipe::stages::Videos;

/// The plan for `videos` with so many requests at once, and what its steps need.
pub(crate) fn plan(base: &str, concurrency: u64, videos: Videos) -> Outcome<(Plan, Resources)> {
    let request = Request {
        recipe: "default".to_owned(),
        max_workers: Some(concurrency),
        ..Request::default()
    };
    let recipe = plan::check(recipe::load(&request, &Disk)?)?;
    let stage = StageId::from("yolo");
    let spec = recipe.stages.iter().find_map(|stage| match &stage.spec {
        StageSpec::Yolo(spec) => Some(spec.clone()),
        _ => None,
    });
    let access = Access {
        base: base.to_owned(),
        shown: None,
        key: None,
        key_host: runpod::HOST,
        allowed: Vec::new(),
        from_recipe: false,
        shared: Shared::default(),
    };
    let runpod = RunpodSpec::default();
    let endpoint = Endpoint::new(&runpod, "detect", &access)?;
    let place = RemoteFacts {
        why: String::new(),
        backend: "runpod".into(),
        host: endpoint.host(),
        model: None,
        endpoint: Some("detect".to_owned()),
        concurrency: None,
        max_body: runpod::max_body(&runpod),
        encoding: Encoding::Base64,
        attempts: 1,
        retry_time: runpod.server.retry_time,
        outage_timeout: runpod.server.outage_timeout,
        fleet: None,
        class_names: Vec::new(),
        variables: Vec::new(),
        key: None,
        proxy: None,
    };
    let facts = Facts {
        cores: 2,
        placements: BTreeMap::from([(stage.clone(), Placement::Remote(place))]),
        videos: videos.values().map(|(_, facts)| facts.clone()).collect(),
        ..Facts::default()
    };
    let wrong = |_| io::Error::other("the default recipe has no plan");
    let plan = plan::compile(&recipe, &facts, CompileOptions::default()).map_err(wrong)?;
    let spec = spec.ok_or("the default recipe has no yolo")?;
    let mapping = Mapping::new(&MappingSpec::default());
    let (params, named) = (spec.params(&[]), BTreeMap::new());
    let caller: Arc<dyn Call> =
        stages::vision_call(&stage, &params, mapping, None, endpoint, &named);
    let resources = Resources {
        videos: Arc::new(videos),
        calls: BTreeMap::from([(stage, caller)]),
        ..Resources::default()
    };
    Ok((plan, resources))
}

/// Files, and no variables.
pub(crate) struct Disk;

impl Environment for Disk {
    fn read(&self, path: &Path) -> io::Result<String> {
        fs::read_to_string(path)
    }

    fn variables(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}
