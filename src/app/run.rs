//! `run`: a recipe over videos, from the words of a user to files of results.

use crate::app::accounting::budget::Budget;
use crate::app::accounting::budget::Limits;
use crate::app::accounting::ledger::Ledger;
use crate::app::compile;
use crate::app::compile::Compiled;
use crate::app::error::AppError;
use crate::app::inputs;
use crate::app::inputs::Inputs;
use crate::app::report::Header;
use crate::app::report::Outcome;
use crate::app::report::Update;
use crate::engine;
use crate::engine::Gate;
use crate::engine::Said;
use crate::engine::Stop;
use crate::engine::StopReason;
use crate::facts::Placement;
use crate::facts::VideoFacts;
use crate::item::Item;
use crate::item::Record;
use crate::media;
use crate::name::VideoId;
use crate::output;
use crate::output::CaptionLayout;
use crate::output::Place;
use crate::output::Results;
use crate::output::WriteError;
use crate::plan;
use crate::recipe;
use crate::recipe::Recipe;
use crate::recipe::StageSpec;
use crate::stages;
use crate::stages::Resources;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

// How long what was sent is waited for that is not back at the deadline.
const AFTER_DEADLINE: Duration = Duration::from_secs(10);

/// What to run.
#[derive(Clone, Debug, Default)]
pub struct RunRequest {
    /// The recipe and what is changed in it.
    pub recipe: recipe::Request,
    /// Videos, pictures and folders of pictures.
    pub inputs: Vec<PathBuf>,
    /// Only so much from the beginning of each video.
    pub first: Option<Duration>,
    /// The most that it may take.
    pub limits: Limits,
}

/// Runs a recipe over its inputs and tells `update` everything that happens. Listens for Ctrl-C.
///
/// # Errors
///
/// Where nothing was run: the recipe or the arguments are wrong, or a model, a folder or the
/// machine fails. What befalls single videos and frames stands in the outcome.
pub fn run(request: &RunRequest, update: &mut dyn FnMut(Update)) -> Result<Outcome, AppError> {
    media::init();
    let recipe = compile::load(&request.recipe)?;
    let mut inputs = inputs::open(&recipe, &request.inputs, request.first)?;
    inputs.check_places(&recipe)?;
    if inputs.videos.is_empty() {
        return Ok(Ledger::open(&request.inputs, &inputs).close(&[], None, false));
    }
    let videos = inputs
        .videos
        .values()
        .map(|(_, facts)| facts.clone())
        .collect();
    let mut compiled = compile::compile(&recipe, &request.recipe.allowed_hosts, videos)?;
    if !compiled.listens() {
        inputs.refuse_unheard();
        compiled.facts.videos.retain(VideoFacts::has_frames);
    }
    let mut ledger = Ledger::open(&request.inputs, &inputs);
    if inputs.videos.is_empty() {
        return Ok(ledger.close(&[], None, false));
    }
    compiled.ready()?;
    let header = header(&recipe, &compiled);
    let demo = header.demo;
    update(Update::Planned(header));
    let resources = Resources {
        videos: Arc::new(inputs.videos.clone()),
        first: request.first,
        detectors: compiled.placements.detectors.clone(),
        transcribers: compiled.placements.transcribers.clone(),
        calls: compiled.placements.calls.clone(),
    };
    let works = stages::assemble(&compiled.plan, &resources).map_err(|stage| {
        let message = format!("the stage `{stage}` has nothing to run on");
        AppError::Environment {
            message,
            help: None,
        }
    })?;
    let (spending, limits) = (Arc::clone(ledger.spending()), request.limits);
    for (stage, fleet, _) in compiled.plan.fleets() {
        spending.charge(stage, fleet);
    }
    let forecasts = compiled.plan.fleets();
    let forecasts = forecasts.map(|(stage, _, seconds)| (stage, seconds));
    let budget = Budget::new(limits, Arc::clone(&spending), forecasts);
    let gate: Arc<dyn Gate> = Arc::new(budget);
    let stop = Stop::default();
    let ids: Vec<VideoId> = inputs.videos.keys().copied().collect();
    let mut writer = Writer {
        recipe: &recipe,
        compiled: &compiled,
        inputs: &inputs,
        stop: &stop,
    };
    let mut hear = |said| writer.hear(said, &mut ledger, update);
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .and_then(|runtime| {
            runtime.spawn(interruptions(stop.clone()));
            if let Some(time) = limits.time {
                runtime.spawn(deadline(stop.clone(), time.saturating_sub(spending.elapsed())));
            }
            let plan = &compiled.plan;
            runtime.block_on(engine::run(plan, works, &ids, &stop, &gate, &mut hear))
        })
        .map_err(|error| AppError::environment(&error))?;
    Ok(ledger.close(compiled.plan.stages(), stop.reason(), demo))
}

// Where the system does not tell of Ctrl-C, it ends the process as ever.
async fn interruptions(stop: Stop) {
    while tokio::signal::ctrl_c().await.is_ok() {
        stop.interrupt();
    }
}

// The gate stops requests in time; this stops what works here, and what does not come back.
async fn deadline(stop: Stop, left: Duration) {
    tokio::time::sleep(left).await;
    stop.finish(StopReason::Deadline);
    tokio::time::sleep(AFTER_DEADLINE).await;
    stop.abort();
}

/// What a run of `compiled` is about to do.
pub(super) fn header(recipe: &Recipe, compiled: &Compiled) -> Header {
    let places = || compiled.facts.placements.values();
    let hosts: BTreeSet<_> = places()
        .filter_map(|place| match place {
            Placement::Remote(remote) => Some(remote.host.clone()),
            Placement::Local(_) | Placement::Skipped { .. } => None,
        })
        .collect();
    Header {
        recipe: recipe.name.clone(),
        stages: compiled.rows(),
        videos: compiled.facts.videos.clone(),
        notices: notices(compiled),
        demo: places().any(|place| matches!(place, Placement::Local(local) if local.model.demo)),
        hosts: hosts.into_iter().collect(),
        forecast: plan::forecast(&compiled.plan, &compiled.facts),
    }
}

fn notices(compiled: &Compiled) -> Vec<String> {
    let blind = compiled.facts.videos.iter().filter(|it| !it.has_frames());
    let blind = blind.map(|video| {
        let path = video.path.display();
        format!("{path} has sound and no frames: it is listened to, and nothing is looked for")
    });
    let models = compiled.placements.notices.iter().cloned();
    models.chain(blind).collect()
}

// Hears the conductor: keeps the ledger, and writes the file of a video when its record comes.
struct Writer<'a> {
    recipe: &'a Recipe,
    compiled: &'a Compiled,
    inputs: &'a Inputs,
    stop: &'a Stop,
}

impl Writer<'_> {
    fn hear(&mut self, said: Said, ledger: &mut Ledger, update: &mut dyn FnMut(Update)) {
        match said {
            Said::Event(event) => {
                ledger.note(&event);
                update(Update::Event(event));
            }
            Said::Output(Item::Record(record)) => {
                let saved = record.saved.values().flatten();
                saved.for_each(|saved| ledger.file(saved));
                ledger.repeats(&record, &self.compiled.plan);
                self.write(&record, ledger, update);
            }
            Said::Output(Item::Saved(saved)) => ledger.file(&saved),
            // Nothing else leaves a plan, and no stage of this run has tickets to keep.
            Said::Output(_) | Said::Accepted { .. } => {}
        }
    }

    fn write(&self, record: &Record, ledger: &mut Ledger, update: &mut dyn FnMut(Update)) {
        let video = record.video;
        let Some((facts, place)) = self.facts(video).zip(self.inputs.places.get(&video)) else {
            return;
        };
        let run = ledger.run_facts(video, &self.compiled.plan, self.stop.reason());
        let results = output::results(self.recipe, &self.compiled.facts, facts, record, run);
        let partial = self.stop.is_stopping() && ledger.is_partial(record, &self.compiled.plan);
        let written = place.write(&results, partial).and_then(|path| {
            if !partial {
                self.write_formats(&results, place)?;
            }
            Ok(path)
        });
        match written {
            Ok(path) => {
                ledger.saved(video, &path, partial, results);
                update(Update::Saved {
                    video,
                    path,
                    partial,
                });
            }
            Err(error) => ledger.unsaved(video, results.summary, &error.to_string()),
        }
    }

    fn write_formats(&self, results: &Results, place: &Place) -> Result<(), WriteError> {
        let merge = self
            .recipe
            .stages
            .iter()
            .find_map(|stage| match &stage.spec {
                StageSpec::Merge(merge) => Some(merge),
                _ => None,
            });
        let Some(merge) = merge else {
            return Ok(());
        };
        let layout = CaptionLayout {
            line_width: merge.line_width,
            line_count: merge.line_count,
        };
        for format in &merge.formats {
            if let Some(text) = output::render(results, *format, layout) {
                output::write_file(&place.format(*format), text.as_bytes())?;
            }
        }
        Ok(())
    }

    fn facts(&self, video: VideoId) -> Option<&VideoFacts> {
        self.inputs.videos.get(&video).map(|(_, facts)| facts)
    }
}
