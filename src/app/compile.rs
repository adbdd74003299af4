//! Compiling: a request for a recipe to a plan and what it stands on.

use crate::app::environment::ProcessEnvironment;
use crate::app::error::AppError;
use crate::app::nearby;
use crate::app::placement::placements::Placements;
use crate::app::placement::recorded;
use crate::app::placement::resolve;
use crate::app::writable;
use crate::diag::Diagnostic;
use crate::diag::Report;
use crate::engine::cassette::Cassette;
use crate::facts::Facts;
use crate::facts::LocalFacts;
use crate::facts::Placement;
use crate::facts::VideoFacts;
use crate::item::PixelFormat;
use crate::item::Size;
use crate::media;
use crate::media::DecoderMemory;
use crate::name::StageId;
use crate::plan;
use crate::plan::CheckedRecipe;
use crate::plan::CompileOptions;
use crate::plan::Plan;
use crate::plan::StageFate;
use crate::plan::StepKind;
use crate::recipe;
use crate::recipe::LoadError;
use crate::recipe::Recipe;
use crate::stages;
use std::collections::BTreeMap;
use std::path::Path;
use std::thread;
use std::time::Duration;

/// The recipe of a request, with a graph that is right; no model is loaded and no video read.
pub(super) fn load(request: &recipe::Request) -> Result<CheckedRecipe, AppError> {
    let recipe = recipe::load(request, &ProcessEnvironment).map_err(unread)?;
    // Before any model is loaded: no model is needed to find a mistake in the graph.
    Ok(plan::check(recipe)?)
}

// The file of a recipe may be there under nearly that name.
fn unread(error: LoadError) -> AppError {
    let near = match &error {
        LoadError::Unreadable { path, .. } if !Path::new(path).exists() => {
            nearby::help(Path::new(path))
        }
        LoadError::Unknown { name } => {
            let file = format!("{name}.toml");
            let is_there = Path::new(&file).is_file();
            is_there.then(|| format!("did you mean `{file}`?"))
        }
        LoadError::Unreadable { .. } | LoadError::Wrong(_) => None,
    };
    match (AppError::from(error), near) {
        (AppError::Request { message, .. }, help @ Some(_)) => AppError::Request { message, help },
        (error, _) => error,
    }
}

/// One stage of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageRow {
    /// Its id.
    pub id: StageId,
    /// The word for its kind in a recipe.
    pub kind: &'static str,
    /// Where and with what it works, such as `local, rten, yolo11n.onnx`; may be empty.
    pub place: String,
    /// Items that it works on at once.
    pub limit: usize,
    /// The frames that will pass it, where that is known.
    pub total: Option<u64>,
    /// Why it is skipped, if it is.
    pub skipped: Option<String>,
}

/// A plan and the facts it was made from.
pub(super) struct Compiled {
    pub(super) plan: Plan,
    pub(super) facts: Facts,
    pub(super) placements: Placements,
}

/// The plan of `recipe` for no more than `first` of `videos`. Keys go to their own hosts and to
/// `allowed`.
pub(super) fn compile(
    recipe: &CheckedRecipe,
    allowed: &[String],
    videos: Vec<VideoFacts>,
    first: Option<Duration>,
) -> Result<Compiled, AppError> {
    let placements = resolve::resolve(recipe, allowed, &videos)?;
    placed(recipe, placements, videos, first)
}

/// The same where every stage is where the cassette says, and no backend is built.
pub(super) fn replayed(
    recipe: &CheckedRecipe,
    cassette: &Cassette,
    videos: Vec<VideoFacts>,
    first: Option<Duration>,
) -> Result<Compiled, AppError> {
    placed(recipe, recorded::places(recipe, cassette)?, videos, first)
}

fn placed(
    recipe: &CheckedRecipe,
    placements: Placements,
    videos: Vec<VideoFacts>,
    first: Option<Duration>,
) -> Result<Compiled, AppError> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let held = decoder_memory(recipe, &videos);
    let facts = Facts {
        cores,
        placements: placements.facts.clone(),
        decoder_frames: held.frames,
        decoder_bytes: held.bytes,
        first,
        videos,
        surveys: BTreeMap::new(),
        known: BTreeMap::new(),
        speeds: BTreeMap::new(),
    };
    match plan::compile(recipe, &facts, CompileOptions::default()) {
        Ok(plan) => Ok(Compiled {
            plan,
            facts,
            placements,
        }),
        Err(diagnostics) => Err(report(recipe, diagnostics)),
    }
}

// What the decoders of the largest video hold.
fn decoder_memory(recipe: &Recipe, videos: &[VideoFacts]) -> DecoderMemory {
    let extract = recipe.extract().cloned().unwrap_or_default();
    let sizes = videos.iter().map(|video| video.size);
    let largest = sizes.max_by_key(|size| u64::from(size.width) * u64::from(size.height));
    let wanted = stages::wanted(&extract, PixelFormat::I420, None);
    media::decoder_memory(&wanted, largest.unwrap_or(FULL_HD))
}

// Where no video is known yet.
const FULL_HD: Size = Size {
    width: 1920,
    height: 1080,
};

impl Compiled {
    /// Whether any stage takes sound.
    pub(super) fn takes_sound(&self) -> bool {
        let mut steps = self.plan.steps();
        steps.any(|(_, step)| matches!(step.kind, StepKind::ReadSound { .. }))
    }

    /// Whether `stage` takes sound.
    pub(super) fn stage_takes_sound(&self, stage: &StageId) -> bool {
        let mut steps = self.plan.steps_of(stage);
        steps.any(|(_, step)| matches!(step.kind, StepKind::ReadSound { .. }))
    }

    /// Nothing, where the environment has all that a run needs.
    pub(super) fn ready(&self) -> Result<(), AppError> {
        let placements = &self.placements;
        let mut lacks = placements.missing.iter().chain(&placements.unallowed);
        match lacks.next() {
            Some(Diagnostic { message, help, .. }) => Err(AppError::Environment {
                message: message.clone(),
                help: help.clone(),
            }),
            None => Ok(()),
        }
    }

    /// What the environment lacks, and what of `recipe` can be run and will disappoint.
    pub(super) fn warnings(&self, recipe: &Recipe) -> Option<Report> {
        let placements = &self.placements;
        let missing = placements
            .missing
            .iter()
            .chain(&placements.unallowed)
            .cloned();
        let advice = plan::warnings(recipe, &self.plan, &self.facts);
        let outside = writable::outside(recipe);
        let diagnostics: Vec<_> = missing.chain(advice).chain(outside).collect();
        (!diagnostics.is_empty()).then(|| Report {
            sources: recipe.sources.clone(),
            diagnostics,
        })
    }

    /// The stages of the plan, for people.
    pub(super) fn rows(&self) -> Vec<StageRow> {
        let total = self
            .facts
            .videos
            .iter()
            .map(|video| video.expected_frames)
            .sum();
        // Speech stages count seconds of sound.
        let seconds = self.facts.videos.iter().filter(|video| video.has_sound);
        let seconds = seconds.map(|video| video.heard().map(|it| it as u64)).sum();
        let row = |stage: &plan::StagePlan| StageRow {
            id: stage.id.clone(),
            kind: stage.kind.word(),
            place: self.place(&stage.id),
            limit: self.limit(&stage.id),
            total: if self.stage_takes_sound(&stage.id) {
                seconds
            } else {
                total
            },
            skipped: match &stage.fate {
                StageFate::Skipped(why) => Some(why.clone()),
                StageFate::Runs(_) | StageFate::Bypassed(_) => None,
            },
        };
        let runs_or_not = |stage: &&plan::StagePlan| !matches!(stage.fate, StageFate::Bypassed(_));
        self.plan
            .stages()
            .iter()
            .filter(runs_or_not)
            .map(row)
            .collect()
    }

    /// What a stage runs on; empty where that is this program.
    pub(super) fn place(&self, stage: &StageId) -> String {
        match self.facts.placements.get(stage) {
            Some(Placement::Local(LocalFacts {
                backend,
                engine,
                model,
                ..
            })) if engine.is_empty() => format!("{backend}, {}, as recorded", model.name),
            Some(Placement::Local(LocalFacts {
                backend,
                engine,
                device,
                model,
                ..
            })) => match device.as_str() {
                "cpu" => format!("{backend}, {engine}, {}", model.name),
                device => format!("{backend}, {engine} on {device}, {}", model.name),
            },
            Some(Placement::Remote(remote)) if remote.host.is_empty() => {
                format!("{}, as recorded", remote.backend)
            }
            Some(Placement::Remote(remote)) => format!("{}, {}", remote.backend, remote.host),
            Some(Placement::Skipped { .. }) | None => String::new(),
        }
    }

    /// Why a stage that runs is placed there; empty where it could run nowhere else.
    pub(super) fn why(&self, stage: &StageId) -> String {
        match self.facts.placements.get(stage) {
            Some(Placement::Skipped { .. }) | None => String::new(),
            Some(placement) => placement.why().to_owned(),
        }
    }

    fn limit(&self, stage: &StageId) -> usize {
        let steps = self.plan.steps_of(stage).map(|(_, step)| step);
        steps
            .filter(|step| step.stands_for_stage())
            .map(|step| step.limit.max)
            .sum()
    }
}

fn report(recipe: &Recipe, diagnostics: Vec<Diagnostic>) -> AppError {
    Report {
        sources: recipe.sources.clone(),
        diagnostics,
    }
    .into()
}
