//! The header of a run: its stages, inputs, hosts and forecast, before anything is sent.

use crate::app::compile::Compiled;
use crate::app::compile::StageRow;
use crate::facts::Placement;
use crate::facts::VideoFacts;
use crate::plan;
use crate::plan::Forecast;
use crate::recipe::Recipe;
use std::collections::BTreeSet;

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
    /// Whether a built-in demo model has a part.
    pub demo: bool,
    /// Every host that will get frames or sound.
    pub hosts: Vec<String>,
    /// What will be asked of workers that are paid, and what it may cost.
    pub forecast: Forecast,
}

/// What a run of `compiled` is about to do.
pub(in crate::app) fn header(recipe: &Recipe, compiled: &Compiled, unreadable: usize) -> RunHeader {
    let places = || compiled.facts.placements.values();
    let hosts: BTreeSet<_> = places()
        .filter_map(|place| match place {
            Placement::Remote(remote) => Some(remote.host.clone()),
            Placement::Local(_) | Placement::Skipped { .. } => None,
        })
        .collect();
    RunHeader {
        recipe: recipe.name.clone(),
        stages: compiled.rows(),
        videos: compiled.facts.videos.clone(),
        unreadable,
        notices: notices(compiled),
        demo: places().any(|place| matches!(place, Placement::Local(local) if local.model.demo)),
        hosts: hosts.into_iter().collect(),
        forecast: plan::forecast(&compiled.plan, &compiled.facts),
    }
}

fn notices(compiled: &Compiled) -> Vec<String> {
    let sound_files = compiled.facts.videos.iter().filter(|it| !it.has_frames());
    let sound_files = sound_files.map(|video| {
        let path = video.path.display();
        format!("{path} has sound and no video: it has a transcript and no detections")
    });
    let models = compiled.placements.notices.iter().cloned();
    models.chain(sound_files).collect()
}
