//! What was asked of a video: the recipe, the parameters that everyone changes, and the range.
//!
//! Pure.

use crate::facts::Facts;
use crate::facts::Placement;
use crate::name::StageId;
use crate::output::results::results::Config;
use crate::output::results::results::RecipeEntry;
use crate::output::results::results::WantedRange;
use crate::output::results::rounding::rounded;
use crate::recipe::ExtractSpec;
use crate::recipe::Recipe;
use crate::recipe::USUAL_IMGSZ;
use crate::recipe::YoloSpec;
use std::time::Duration;

impl WantedRange {
    /// What `spec` asks for, no more than `first` of it where that is given; `None` where that is
    /// all of a video.
    pub fn of(spec: &ExtractSpec, first: Option<Duration>) -> Option<Self> {
        let first = first.map(|first| spec.start.saturating_add(first));
        let end = spec.end.into_iter().chain(first).min();
        let seconds = |time: Duration| rounded(time.as_secs_f64(), 1e6);
        let is_all = spec.start.is_zero() && end.is_none();
        (!is_all).then(|| Self {
            start: seconds(spec.start),
            end: end.map(seconds),
        })
    }
}

pub(super) fn config(recipe: &Recipe, facts: &Facts, primary: Option<&StageId>) -> Config {
    let detecting = recipe
        .yolos()
        .min_by_key(|(stage, _)| Some(&stage.id) != primary);
    let yolo = detecting.map(|(_, yolo)| yolo);
    Config {
        max_workers: yolo.map(|yolo| yolo.concurrency),
        batch_size: detecting.and_then(|(stage, _)| recipe.batch_size(stage)),
        fps: recipe.extract().map(|extract| extract.fps.to_f64()),
        yolo_conf: yolo.map(|yolo| yolo.conf.lowest()),
        yolo_iou: yolo.map(|yolo| yolo.iou),
        yolo_imgsz: detecting.map(|(stage, yolo)| imgsz(facts, &stage.id, yolo)),
    }
}

fn imgsz(facts: &Facts, stage: &StageId, yolo: &YoloSpec) -> u32 {
    let model = match facts.placements.get(stage) {
        Some(Placement::Local(local)) => Some(&local.model),
        Some(Placement::Remote(_) | Placement::Skipped { .. }) | None => None,
    };
    let fixed = model.and_then(|model| model.fixed_size);
    let own = model.and_then(|model| model.imgsz);
    fixed
        .map(|size| size.width.max(size.height))
        .or(yolo.imgsz)
        .or(own)
        .unwrap_or(USUAL_IMGSZ)
}

pub(super) fn recipe_entry(recipe: &Recipe) -> RecipeEntry {
    let settings = recipe.stages.iter();
    RecipeEntry {
        name: recipe.name.clone(),
        digest: recipe.settings_digest(),
        settings: settings
            .map(|stage| (stage.id.clone(), stage.settings.clone()))
            .collect(),
    }
}
