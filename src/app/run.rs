//! `run`: a recipe over videos, from the words of a user to files of results.

mod affordable;
mod free_space;
mod growing;
pub(super) mod header;
pub(super) mod keeper;
pub(super) mod report;
pub(super) mod signals;
mod tape;
mod writer;

use crate::app::accounting::budget::Budget;
use crate::app::accounting::budget::Limits;
use crate::app::accounting::ledger::Ledger;
use crate::app::accounting::reserve::Reserve;
use crate::app::accounting::spending::Spending;
use crate::app::compile;
use crate::app::compile::Compiled;
use crate::app::error::AppError;
use crate::app::inputs;
use crate::app::inputs::Inputs;
use crate::app::named::NamedInputs;
use crate::app::run::growing::GrowingFiles;
use crate::app::run::header::RunHeader;
use crate::app::run::header::header;
use crate::app::run::keeper::Keeper;
use crate::app::run::report::RunReport;
use crate::app::run::report::RunUpdate;
use crate::app::run::tape::Tape;
use crate::app::run::writer::Writer;
use crate::app::state::State;
use crate::engine;
use crate::engine::Answers;
use crate::engine::Gate;
use crate::engine::Operator;
use crate::engine::StopReason;
use crate::engine::StopSignal;
use crate::engine::cassette::Cassette;
use crate::engine::journal::RunStart;
use crate::facts::VideoFacts;
use crate::media;
use crate::name::VideoId;
use crate::output::WantedRange;
use crate::plan;
use crate::plan::CheckedRecipe;
use crate::recipe;
use crate::stages;
use crate::stages::Resources;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;
use tokio::runtime::Builder;
use tokio::runtime::Runtime;

// How long requests in flight are waited for after the deadline.
const AFTER_DEADLINE: Duration = Duration::from_secs(10);

/// A recipe, its inputs and its limits.
#[derive(Clone, Debug, Default)]
pub struct RunRequest {
    /// The recipe and what is changed in it.
    pub recipe: recipe::Request,
    /// Videos, pictures and folders of pictures. In a replay each may also be a video of the cassette
    /// that is not there, whose recorded frames and speech stand for it then: under the name of its
    /// file or folder (`clips/a.mp4` where the cassette has an `a.mp4`), or as `blake3:` and at least
    /// 12 digits of its digest, which stands for all inputs that had this content. None at all in a
    /// replay are all videos of the cassette.
    pub inputs: Vec<PathBuf>,
    /// Files with sound alone, which are further inputs where a stage takes sound.
    pub sound_files: Vec<PathBuf>,
    /// Only so much from the beginning of each video.
    pub first: Option<Duration>,
    /// The most that it may take.
    pub limits: Limits,
    /// Whether everything is asked anew, whatever is known already.
    pub fresh: bool,
    /// Where the journal is, where that is not `.vpipe` of the output folder.
    pub state_dir: Option<PathBuf>,
    /// The folder that the answers are recorded to.
    pub record: Option<PathBuf>,
    /// The folder of the cassette that stands in place of every backend.
    pub replay: Option<PathBuf>,
}

impl RunRequest {
    /// All that may be read, in the order of the results.
    pub(in crate::app) fn paths(&self) -> Vec<PathBuf> {
        [self.inputs.as_slice(), &self.sound_files].concat()
    }

    // In a replay nobody is asked, so it may say nothing of where.
    fn recipe(&self) -> recipe::Request {
        recipe::Request {
            optional_variables: self.replay.is_some(),
            ..self.recipe.clone()
        }
    }

    fn named(&self, cassette: Option<&Cassette>) -> Result<NamedInputs, AppError> {
        match cassette {
            Some(cassette) => NamedInputs::of_replay(self.paths(), cassette),
            None => Ok(NamedInputs::files(self.paths())),
        }
    }
}

/// Runs a recipe over its inputs and gives `update` everything that happens. A signal that asks the
/// process to end stops it.
///
/// # Errors
///
/// Where nothing was run: the recipe or the arguments are wrong, or a model, a folder or the
/// machine fails. Failures of single videos and frames stand in the report.
pub fn run(request: &RunRequest, update: &mut dyn FnMut(RunUpdate)) -> Result<RunReport, AppError> {
    let begun = Instant::now();
    media::init();
    let recipe = compile::load(&request.recipe())?;
    let cassette = request.replay.as_deref().map(Cassette::open).transpose()?;
    let named = request.named(cassette.as_ref())?;
    let mut inputs = inputs::open(&recipe, &named, request.first)?;
    let open = |inputs: &Inputs| Ledger::open(begun, &named.paths, inputs);
    let nothing = |inputs: &Inputs| open(inputs).close(&[], None, false);
    if inputs.videos.is_empty() {
        return Ok(nothing(&inputs));
    }
    let tape = Tape::open(request.record.as_ref(), cassette, &inputs)?;
    let mut compiled = compiled(request, &recipe, tape.cassette(), &mut inputs, &named)?;
    if inputs.videos.is_empty() {
        return Ok(nothing(&inputs));
    }
    compiled.ready()?;
    inputs.prepare_places(&recipe)?;
    let (keeper, header) = begin(request, &recipe, &mut compiled, &mut inputs, &named)?;
    if inputs.videos.is_empty() {
        return Ok(keeper.end(nothing(&inputs)));
    }
    let mut ledger = open(&inputs);
    let demo = !header.demo.is_empty();
    update(RunUpdate::Begins(header));
    let answers = tape.answers(&keeper, &compiled, &inputs);
    let works = works(&compiled, &inputs, request, &answers)?;
    let stop = StopSignal::default();
    let (spending, limits) = (Arc::clone(ledger.spending()), request.limits);
    let budget = Arc::new(budget(&compiled, &spending, limits));
    let mut writer = Writer {
        recipe: &recipe,
        compiled: &compiled,
        inputs: &inputs,
        stop: &stop,
        range: WantedRange::of(&inputs::extract(&recipe).wanted(request.first)),
        growing: GrowingFiles::default(),
        keeper: &keeper,
        fresh: request.fresh,
        waiting: Vec::new(),
        budget: &budget,
    };
    let gate = Arc::clone(&budget) as Arc<dyn Gate>;
    let ids: Vec<VideoId> = inputs.videos.keys().copied().collect();
    let mut take = |said| writer.take(said, &mut ledger, update);
    let runtime = runtime(&stop, limits, &spending)?;
    let plan = &compiled.plan;
    let run = engine::run(plan, works, &ids, &stop, &gate, &answers, &mut take);
    let ran = runtime.block_on(run);
    ran.map_err(|error| AppError::environment(&error))?;
    writer.finish(&mut ledger, update);
    let report = ledger.close(compiled.plan.stages(), stop.reason(), demo);
    let report = tape.end(report, &keeper, &recipe, &compiled);
    Ok(keeper.end(report))
}

// What a run is driven by, with what ends it: signals, and the time that it may take.
fn runtime(stop: &StopSignal, limits: Limits, spending: &Spending) -> Result<Runtime, AppError> {
    let runtime = Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| AppError::environment(&error))?;
    runtime.spawn(signals::stop_on_signals(stop.clone()));
    if let Some(time) = limits.time {
        let left = time.saturating_sub(spending.elapsed());
        runtime.spawn(deadline(stop.clone(), left));
    }
    Ok(runtime)
}

// The plan for the inputs; without those that have sound alone where nothing takes it.
fn compiled(
    request: &RunRequest,
    recipe: &CheckedRecipe,
    cassette: Option<&Cassette>,
    inputs: &mut Inputs,
    named: &NamedInputs,
) -> Result<Compiled, AppError> {
    let videos = inputs.videos.values();
    let videos = videos.map(|(_, facts)| facts.clone()).collect();
    let (allowed, first) = (&request.recipe.allowed_hosts, request.first);
    let mut compiled = match cassette {
        Some(cassette) => compile::replayed(recipe, cassette, videos, first)?,
        None => compile::compile(recipe, allowed, videos, first)?,
    };
    if !compiled.takes_sound() {
        inputs.refuse_sound_files(&named.paths, &request.sound_files);
        compiled.facts.videos.retain(VideoFacts::has_frames);
    }
    named.check_savers(&compiled.plan.file_views())?;
    Ok(compiled)
}

// Opens the journal, before anything is said, sent or paid.
fn begin(
    request: &RunRequest,
    recipe: &CheckedRecipe,
    compiled: &mut Compiled,
    inputs: &mut Inputs,
    named: &NamedInputs,
) -> Result<(Keeper, RunHeader), AppError> {
    let state = State::of(recipe, request.state_dir.as_deref(), &inputs.reads);
    let start = RunStart {
        recipe: recipe.name.clone(),
        recipe_digest: recipe.settings_digest(),
        inputs: named.paths.clone(),
    };
    let keeper = match request.replay {
        Some(_) => Keeper::without_journal(inputs),
        None => Keeper::open(&state, inputs)?,
    };
    let videos = &mut compiled.facts.videos;
    videos.retain(|video| inputs.videos.contains_key(&video.id));
    let known = match request.fresh {
        true => Vec::new(),
        false => keeper.known(compiled)?,
    };
    let mut header = header(recipe, compiled, inputs.unreadable.len(), inputs.unheard());
    header.known = known;
    header.notices.extend(keeper.notice());
    if let Some(folder) = &request.replay {
        header.replays(folder);
        header.notices.extend(named.notice());
    } else {
        let notice = affordable::check(compiled, &header.forecast, request.limits.cost)?;
        header.notices.extend(notice);
    }
    let told = free_space::check(compiled, inputs, state.folder())?;
    header.notices.extend(told);
    keeper.begin(&start, request.fresh)?;
    Ok((keeper, header))
}

fn works(
    compiled: &Compiled,
    inputs: &Inputs,
    request: &RunRequest,
    answers: &Arc<dyn Answers>,
) -> Result<Vec<Operator>, AppError> {
    let resources = Resources {
        videos: Arc::new(inputs.videos.clone()),
        save_roots: Arc::new(inputs.save_roots.clone()),
        first: request.first,
        answers: Arc::clone(answers),
        detectors: compiled.placements.detectors.clone(),
        transcribers: compiled.placements.transcribers.clone(),
        calls: compiled.placements.calls.clone(),
        replays: request.replay.is_some(),
    };
    stages::assemble(&compiled.plan, &resources).map_err(|stage| {
        let message = format!("the stage `{stage}` has nothing to run on");
        AppError::Environment {
            message,
            help: None,
        }
    })
}

fn budget(compiled: &Compiled, spending: &Arc<Spending>, limits: Limits) -> Budget {
    for (stage, fleet, _) in compiled.plan.fleets() {
        spending.charge(stage, fleet);
    }
    let forecasts = compiled.plan.fleets();
    let forecasts = forecasts.map(|(stage, _, seconds)| (stage, seconds));
    let reserve = Reserve::new(plan::open_work(&compiled.plan, &compiled.facts));
    Budget::new(limits, Arc::clone(spending), forecasts, reserve)
}

// The gate stops requests in time; this stops work on this machine, and requests that do not come
// back.
async fn deadline(stop: StopSignal, left: Duration) {
    tokio::time::sleep(left).await;
    stop.finish(StopReason::Deadline);
    tokio::time::sleep(AFTER_DEADLINE).await;
    stop.abort();
}
