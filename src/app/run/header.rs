//! The header of a run: its stages, inputs, hosts and forecast, before anything is sent.

use crate::app::compile::Compiled;
use crate::app::compile::StageRow;
use crate::backends::transport::access::is_loopback;
use crate::facts::Placement;
use crate::facts::VideoFacts;
use crate::name::StageId;
use crate::plan;
use crate::plan::Forecast;
use crate::plan::LocalForecast;
use crate::recipe::Medium;
use crate::recipe::Recipe;
use serde::Serialize;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;

/// What a run is about to do; said once, before it starts.
#[derive(Clone, Debug)]
pub struct RunHeader {
    /// What the user calls the recipe.
    pub recipe: String,
    /// The stages in the order of the recipe.
    pub stages: Vec<StageRow>,
    /// The inputs in the order of the command line.
    pub videos: Vec<VideoFacts>,
    /// How many more inputs there are, which cannot be read.
    pub unreadable: usize,
    /// What the user should know, a sentence each.
    pub notices: Vec<String>,
    /// The stages that run on a built-in demo model, with what they take.
    pub demo: Vec<(StageId, Medium)>,
    /// Every host that will get frames or sound, and what it gets.
    pub hosts: Vec<HostShare>,
    /// What will be asked of workers that are paid, and what it may cost.
    pub forecast: Forecast,
    /// What stages on this machine will do, where their speed was measured.
    pub local: Vec<LocalForecast>,
    /// What is known already of what the run would ask.
    pub known: Vec<KnownStage>,
}

impl RunHeader {
    /// Says that it is a replay of the cassette in `folder`.
    pub(super) fn replays(&mut self, folder: &Path) {
        self.hosts.clear();
        self.forecast.stages.clear();
        let folder = folder.display();
        self.notices.push(format!(
            "all answers come from the cassette {folder}: nobody is asked"
        ));
    }
}

/// What a stage need not ask again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KnownStage {
    /// The stage.
    pub stage: StageId,
    /// Answers that are kept.
    pub answers: u64,
    /// Jobs that an earlier run left at a server, and whose answers are still to come.
    pub open_jobs: u64,
}

/// What one host gets of a run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct HostShare {
    /// The host, as it is shown.
    pub host: String,
    /// Whether it is this machine.
    pub is_here: bool,
    /// Whether frames are sent to it.
    pub frames: bool,
    /// Whether sound is sent to it.
    pub sound: bool,
    /// The variables of the environment whose values are sent to it.
    pub variables: BTreeSet<String>,
    /// The variables that hold the keys which are sent to it.
    pub keys: BTreeSet<String>,
    /// The host of the proxy that it is reached through.
    pub proxy: Option<String>,
}

/// What a run of `compiled` is about to do, where so many inputs cannot be read; `unheard` is what
/// is said of sound files that nothing takes.
pub(in crate::app) fn header(
    recipe: &Recipe,
    compiled: &Compiled,
    unreadable: usize,
    unheard: Option<String>,
) -> RunHeader {
    RunHeader {
        recipe: recipe.name.clone(),
        stages: compiled.rows(),
        videos: compiled.facts.videos.clone(),
        unreadable,
        notices: notices(compiled).chain(unheard).collect(),
        demo: demo(recipe, compiled),
        hosts: shares(compiled),
        forecast: plan::forecast(&compiled.plan, &compiled.facts),
        local: plan::local_forecast(&compiled.plan, &compiled.facts),
        known: Vec::new(),
    }
}

fn demo(recipe: &Recipe, compiled: &Compiled) -> Vec<(StageId, Medium)> {
    let places = &compiled.facts.placements;
    let is_demo =
        |id: &StageId| matches!(places.get(id), Some(Placement::Local(local)) if local.model.demo);
    let stages = recipe.stages.iter().filter(|stage| is_demo(&stage.id));
    stages
        .filter_map(|stage| Some((stage.id.clone(), stage.spec.medium()?)))
        .collect()
}

fn shares(compiled: &Compiled) -> Vec<HostShare> {
    let mut shares: BTreeMap<&str, HostShare> = BTreeMap::new();
    for (stage, placement) in &compiled.facts.placements {
        let Placement::Remote(remote) = placement else {
            continue;
        };
        let share = shares.entry(&remote.host).or_insert_with(|| HostShare {
            host: remote.host.clone(),
            is_here: is_loopback(&remote.host),
            frames: false,
            sound: false,
            variables: BTreeSet::new(),
            keys: BTreeSet::new(),
            proxy: remote.proxy.clone(),
        });
        match compiled.stage_takes_sound(stage) {
            true => share.sound = true,
            false => share.frames = true,
        }
        share.variables.extend(remote.variables.iter().cloned());
        share.keys.extend(remote.key.clone());
    }
    shares.into_values().collect()
}

fn notices(compiled: &Compiled) -> impl Iterator<Item = String> {
    let sound_files = compiled.facts.videos.iter().filter(|it| !it.has_frames());
    let sound_files = sound_files.map(|video| {
        let path = video.path.display();
        format!("{path} has sound and no video: it has a transcript and no detections")
    });
    let models = compiled.placements.notices.iter().cloned();
    models.chain(sound_files)
}
