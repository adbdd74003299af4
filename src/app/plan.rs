//! `plan`: what a run would do, ask and cost. Nothing is sent and nothing is written.

use crate::app::compile;
use crate::app::compile::Compiled;
use crate::app::environment::ProcessEnvironment;
use crate::app::error::AppError;
use crate::app::inputs;
use crate::app::inputs::Inputs;
use crate::app::named::NamedInputs;
use crate::app::run::RunRequest;
use crate::app::run::header::RunHeader;
use crate::app::run::header::header;
use crate::app::run::keeper;
use crate::app::speed;
use crate::app::state::State;
use crate::diag::Report;
use crate::facts::Survey;
use crate::facts::VideoFacts;
use crate::facts::truer_length;
use crate::item::PixelFormat;
use crate::media;
use crate::name::StageId;
use crate::name::VideoId;
use crate::plan::Plan;
use crate::plan::StageFate;
use crate::plan::StepKind;
use crate::recipe;
use crate::recipe::Difference;
use crate::recipe::Recipe;
use crate::stages;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What a run would do.
#[derive(Clone, Debug)]
pub struct PlanReport {
    /// What the run would say of itself.
    pub header: RunHeader,
    /// The stages in the order of the recipe.
    pub stages: Vec<PlannedStage>,
    /// The steps that they were lowered to.
    pub plan: Plan,
    /// What was found out about each input.
    pub surveys: BTreeMap<VideoId, Survey>,
    /// Inputs that cannot be read, and why.
    pub unreadable: Vec<(PathBuf, String)>,
    /// What the recipe does otherwise than `default`.
    pub differences: Vec<Difference>,
    /// What can be run and will disappoint.
    pub warnings: Option<Report>,
}

/// Where a stage would run.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedStage {
    /// Its id.
    pub id: StageId,
    /// The word for its kind in a recipe.
    pub kind: &'static str,
    /// What it would run on; empty where that is this program.
    pub place: String,
    /// Why there, in a few words; empty where it could run nowhere else.
    pub why: String,
    /// What becomes of it.
    pub fate: StageFate,
}

impl PlanReport {
    /// Its exit code: 0 all inputs can be read, 1 some cannot, 3 none can.
    pub fn exit_code(&self) -> u8 {
        match (self.unreadable.is_empty(), self.header.videos.is_empty()) {
            (true, _) => 0,
            (false, false) => 1,
            (false, true) => 3,
        }
    }
}

/// Reads the packets of every input and decodes a few of its frames, and says what a run would
/// do. The limits of `request` have no part in it.
///
/// # Errors
///
/// Where the recipe or the arguments are wrong, or a model cannot be loaded.
pub fn plan(request: &RunRequest) -> Result<PlanReport, AppError> {
    media::init();
    let recipe = compile::load(&request.recipe)?;
    let paths = request.paths();
    let named = NamedInputs::files(paths.clone());
    let mut inputs = inputs::open(&recipe, &named, request.first)?;
    let differences = recipe::differences(&request.recipe, &ProcessEnvironment)?;
    let facts = |inputs: &Inputs| -> Vec<VideoFacts> {
        let videos = inputs.videos.values();
        videos.map(|(_, facts)| facts.clone()).collect()
    };
    let allowed = &request.recipe.allowed_hosts;
    let mut compiled = compile::compile(&recipe, allowed, facts(&inputs), request.first)?;
    if !compiled.takes_sound() {
        inputs.refuse_sound_files(&paths, &request.sound_files);
    }
    if takes_frames(&compiled) {
        compiled.facts.surveys = surveys(&recipe, &mut inputs, request);
    }
    compiled.facts.videos = facts(&inputs);
    for (video, (input, _)) in compiled.facts.videos.iter_mut().zip(inputs.videos.values()) {
        if let Some(survey) = compiled.facts.surveys.get(&video.id) {
            video.expected_frames = Some(survey.frames);
            video.duration = truer_length(video.duration, survey.duration);
        } else {
            let packets = input.as_ref().map(media::length).transpose();
            let packets = packets.unwrap_or_default().flatten();
            video.duration = truer_length(video.duration, packets);
        }
    }
    let known = match request.fresh {
        true => Vec::new(),
        false => {
            let state = State::of(&recipe, request.state_dir.as_deref(), &inputs.reads);
            keeper::already_known(&state, &inputs, &mut compiled)?
        }
    };
    compiled.facts.speeds = speed::speeds(&recipe, &compiled, &inputs);
    let mut header = header(
        &recipe,
        &compiled,
        inputs.unreadable.len(),
        inputs.unheard(),
    );
    header.known = known;
    Ok(PlanReport {
        header,
        stages: stages_of(&recipe, &compiled),
        unreadable: unreadable(&paths, &inputs),
        differences,
        warnings: compiled.warnings(&recipe),
        surveys: compiled.facts.surveys,
        plan: compiled.plan,
    })
}

fn takes_frames(compiled: &Compiled) -> bool {
    let mut steps = compiled.plan.steps();
    steps.any(|(_, step)| matches!(step.kind, StepKind::ReadFrames { .. }))
}

// An input that cannot be surveyed is reported as one that cannot be read.
fn surveys(
    recipe: &Recipe,
    inputs: &mut Inputs,
    request: &RunRequest,
) -> BTreeMap<VideoId, Survey> {
    let spec = inputs::extract(recipe);
    let wanted = stages::wanted(&spec, PixelFormat::I420, request.first);
    let mut surveys = BTreeMap::new();
    let mut wrong = BTreeMap::new();
    for (&id, (input, facts)) in &inputs.videos {
        let survey = input
            .as_ref()
            .map(|input| media::survey(input, facts, &wanted, spec.quality));
        match survey.transpose() {
            Ok(survey) => surveys.extend(survey.map(|it| (id, it))),
            Err(error) => drop(wrong.insert(id, error.to_string())),
        }
    }
    inputs.videos.retain(|id, _| !wrong.contains_key(id));
    inputs.unreadable.extend(wrong);
    surveys
}

fn stages_of(recipe: &Recipe, compiled: &Compiled) -> Vec<PlannedStage> {
    let stages = recipe.stages.iter().zip(compiled.plan.stages());
    let stages = stages.map(|(stage, planned)| PlannedStage {
        id: stage.id.clone(),
        kind: planned.kind.word(),
        place: compiled.place(&stage.id),
        why: compiled.why(&stage.id),
        fate: planned.fate.clone(),
    });
    stages.collect()
}

fn unreadable(paths: &[PathBuf], inputs: &Inputs) -> Vec<(PathBuf, String)> {
    let named = VideoId::number(paths);
    let unread =
        named.filter_map(|(id, path)| Some((path.clone(), inputs.unreadable.get(&id)?.clone())));
    unread.collect()
}
