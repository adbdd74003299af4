//! A whole job in a process of its own, as the program does it but for the file of its results:
//! with a journal, or with a store of answers that keeps nothing.

use super::Outcome;
use super::remote;
use super::remote::Disk;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use vpipe::backends::models::ModelSource;
use vpipe::backends::models::whisper::SpeechModelSource;
use vpipe::backends::models::whisper::Transcriber;
use vpipe::backends::models::yolo::Detector;
use vpipe::backends::models::yolo::LoadOptions;
use vpipe::engine;
use vpipe::engine::Answers;
use vpipe::engine::Gate;
use vpipe::engine::Notification;
use vpipe::engine::OpenGate;
use vpipe::engine::StopSignal;
use vpipe::engine::Unkept;
use vpipe::engine::journal::FileStamp;
use vpipe::engine::journal::Journal;
use vpipe::engine::journal::RunEnd;
use vpipe::engine::journal::RunStart;
use vpipe::facts::Facts;
use vpipe::facts::LocalFacts;
use vpipe::facts::ModelFacts;
use vpipe::facts::Placement;
use vpipe::item::Found;
use vpipe::item::Item;
use vpipe::item::PixelFormat;
use vpipe::media;
use vpipe::name::StageId;
use vpipe::name::VideoId;
use vpipe::plan;
use vpipe::plan::CompileOptions;
use vpipe::plan::Plan;
use vpipe::recipe;
use vpipe::recipe::Request;
use vpipe::stages;
use vpipe::stages::Resources;
use vpipe::stages::Videos;

const REQUESTS_AT_ONCE: u64 = 5;

/// Detects in `clip` at the fleet at `base`, or with the demo models where there is none; says how
/// many frames have answers. `state` is the folder of the journal, if there is to be one.
pub(crate) async fn run(clip: &Path, base: Option<&str>, state: Option<&Path>) -> Outcome<usize> {
    media::init();
    let video = VideoId::FIRST;
    let input = media::identify(clip)?;
    let stamp = FileStamp::of(clip)?;
    let format = PixelFormat::I420;
    let facts = media::probe(
        &input,
        video,
        &stages::wanted(&Default::default(), format, None),
    )?;
    let videos = Videos::from([(video, (Some(input.clone()), facts))]);
    let (plan, resources) = match base {
        Some(base) => remote::plan(base, REQUESTS_AT_ONCE, videos)?,
        None => demo(videos)?,
    };
    let journal = match state {
        Some(state) => Some(Arc::new(begun(state, clip)?)),
        None => None,
    };
    let mut reading = None;
    if let Some(journal) = &journal {
        journal.name_unread(video, &stamp)?;
        let journal = Arc::clone(journal);
        reading = Some(std::thread::spawn(move || -> Outcome<()> {
            let content = media::content(&input, &AtomicBool::new(false))?;
            Ok(journal.name_read(video, &stamp, &content)?)
        }));
    }
    let answers: Arc<dyn Answers> = match &journal {
        Some(journal) => Arc::clone(journal) as Arc<dyn Answers>,
        None => Arc::new(Unkept),
    };
    let resources = Resources {
        answers: Arc::clone(&answers),
        ..resources
    };
    let works = stages::assemble(&plan, &resources).map_err(|stage| stage.to_string())?;
    let mut found = 0;
    let mut hear = |said| {
        if let Notification::Output(Item::Record(record)) = said {
            let all = record.detections.values().flatten();
            found += all
                .filter(|one| matches!(one.found, Found::Objects(_)))
                .count();
        }
    };
    let gate: Arc<dyn Gate> = Arc::new(OpenGate);
    let stop = StopSignal::default();
    engine::run(&plan, works, &[video], &stop, &gate, &answers, &mut hear).await?;
    if let Some(Err(panic)) = reading.map(std::thread::JoinHandle::join) {
        return Err(format!("the clip was not read: {panic:?}").into());
    }
    if let Some(journal) = journal {
        let (exit_code, stopped) = (0, None);
        journal.end(&RunEnd { exit_code, stopped })?;
    }
    Ok(found)
}

fn begun(state: &Path, clip: &Path) -> Outcome<Journal> {
    let journal = Journal::open(state)?;
    journal.begin(&RunStart {
        recipe: "default".to_owned(),
        recipe_digest: String::new(),
        inputs: vec![clip.to_owned()],
    })?;
    Ok(journal)
}

fn demo(videos: Videos) -> Outcome<(Plan, Resources)> {
    let request = Request {
        recipe: "default".to_owned(),
        ..Request::default()
    };
    let recipe = plan::check(recipe::load(&request, &Disk)?)?;
    let options = LoadOptions::default();
    let detector = Detector::load(&ModelSource::Demo, None, &options)?;
    let transcriber = Transcriber::load(&SpeechModelSource::Demo, &options)?;
    let here = |model: &ModelFacts| {
        Placement::Local(LocalFacts {
            why: String::new(),
            backend: "local".into(),
            engine: options.engine.to_string(),
            device: options.device.to_string(),
            threads: options.threads,
            concurrency: None,
            model: model.clone(),
        })
    };
    let (yolo, whisper) = (StageId::from("yolo"), StageId::from("whisper"));
    let facts = Facts {
        cores: 2,
        placements: BTreeMap::from([
            (yolo.clone(), here(detector.facts())),
            (whisper.clone(), here(transcriber.facts())),
        ]),
        videos: videos.values().map(|(_, facts)| facts.clone()).collect(),
        ..Facts::default()
    };
    let wrong = |_| io::Error::other("the default recipe has no plan");
    let plan = plan::compile(&recipe, &facts, CompileOptions::default()).map_err(wrong)?;
    let resources = Resources {
        videos: Arc::new(videos),
        detectors: BTreeMap::from([(yolo, detector)]),
        transcribers: BTreeMap::from([(whisper, transcriber)]),
        ..Resources::default()
    };
    Ok((plan, resources))
}
