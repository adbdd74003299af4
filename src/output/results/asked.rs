//! What was asked of a video: the recipe, the parameters that everyone changes, and the range.
//!
//! Pure.

use crate::facts::Facts;
use crate::facts::Placement;
use crate::name::StageId;
use crate::output::results::results::Config;
use crate::output::results::results::RecipeEntry;
use crate::output::results::results::WantedPart;
use crate::output::results::results::WantedRange;
use crate::output::results::rounding::rounded;
use crate::recipe::Recipe;
use crate::recipe::USUAL_IMGSZ;
use crate::recipe::YoloSpec;
use crate::time::TimeRange;
use crate::time::TimeRanges;
use std::fmt;
use std::time::Duration;

impl WantedRange {
    /// The part of a video that `ranges` are; `None` where that is all of it.
    pub fn of(ranges: &TimeRanges) -> Option<Self> {
        let seconds = |time: Duration| rounded(time.as_secs_f64(), 1e6);
        let part = |range: TimeRange| WantedPart {
            start: seconds(range.start),
            end: range.end.map(seconds),
        };
        let parts: Vec<_> = ranges.iter().map(part).collect();
        (!ranges.are_all()).then(|| Self {
            start: seconds(ranges.start()),
            end: ranges.end().map(seconds),
            parts: if parts.len() > 1 { parts } else { Vec::new() },
        })
    }

    /// The same as a run is told of it; all of a video where it is none that a run can have.
    pub fn ranges(&self) -> TimeRanges {
        let time = |seconds| Duration::try_from_secs_f64(seconds).ok();
        let range = |part: WantedPart| TimeRange {
            start: time(part.start).unwrap_or_default(),
            end: part.end.and_then(time),
        };
        let parts = self.parts().into_iter().map(range);
        TimeRanges::new(parts.collect()).unwrap_or_default()
    }

    /// Its parts; itself where it is one.
    pub(in crate::output) fn parts(&self) -> Vec<WantedPart> {
        match self.parts.is_empty() {
            true => vec![WantedPart {
                start: self.start,
                end: self.end,
            }],
            false => self.parts.clone(),
        }
    }
}

/// More parts than this are counted.
const MOST_TOLD: usize = 10;

impl fmt::Display for WantedRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self.parts();
        let told: Vec<String> = parts
            .iter()
            .take(MOST_TOLD)
            .map(ToString::to_string)
            .collect();
        f.write_str(&told.join(", "))?;
        match parts.len().saturating_sub(told.len()) {
            0 => Ok(()),
            more => write!(f, " and {more} more parts"),
        }
    }
}

impl fmt::Display for WantedPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.end {
            Some(end) => write!(f, "{} s to {end} s", self.start),
            None => write!(f, "{} s to the end", self.start),
        }
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
