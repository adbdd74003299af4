//! Requests alone: frames that are JPEGs already, through the plan of the default recipe.

use super::Outcome;
use super::server::Running;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use vpipe::backends::remote::mapping::Mapping;
use vpipe::backends::remote::runpod;
use vpipe::backends::remote::runpod::Endpoint;
use vpipe::backends::transport::access::Access;
use vpipe::backends::transport::access::Shared;
use vpipe::engine::Call;
use vpipe::engine::Emitter;
use vpipe::engine::Map;
use vpipe::engine::MapState;
use vpipe::engine::Notification;
use vpipe::engine::OpenGate;
use vpipe::engine::Operator;
use vpipe::engine::StopSignal;
use vpipe::engine::Unkept;
use vpipe::engine::VideoSource;
use vpipe::facts::Encoding;
use vpipe::facts::Facts;
use vpipe::facts::Placement;
use vpipe::facts::RemoteFacts;
use vpipe::failure::Failure;
use vpipe::item::Content;
use vpipe::item::Found;
use vpipe::item::Frame;
use vpipe::item::Item;
use vpipe::item::Moment;
use vpipe::item::Size;
use vpipe::name::StageId;
use vpipe::name::VideoId;
use vpipe::plan;
use vpipe::plan::CompileOptions;
use vpipe::plan::StepKind;
use vpipe::recipe;
use vpipe::recipe::Environment;
use vpipe::recipe::MappingSpec;
use vpipe::recipe::Request;
use vpipe::recipe::RunpodSpec;
use vpipe::recipe::StageSpec;
use vpipe::stages;
use vpipe::stages::Resources;
use vpipe::time::Pts;

// What a frame of 720 lines has at quality 85, more or less.
const JPEG: usize = 100_000;

/// Seconds from the start to the last answer for so many frames.
pub(crate) async fn seconds(fleet: &Running, frames: u64, concurrency: u64) -> Outcome<f64> {
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
        base: fleet.base.clone(),
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
        model: "detect".to_owned(),
        concurrency: None,
        max_body: runpod::max_body(&runpod),
        encoding: Encoding::Base64,
        attempts: 1,
        retry_time: runpod.server.retry_time,
        outage_timeout: runpod.server.outage_timeout,
        fleet: None,
        variables: Vec::new(),
        key: None,
        proxy: None,
    };
    let facts = Facts {
        cores: 2,
        placements: BTreeMap::from([(stage.clone(), Placement::Remote(place))]),
        ..Facts::default()
    };
    let wrong = |_| io::Error::other("the default recipe has no plan");
    let plan = plan::compile(&recipe, &facts, CompileOptions::default()).map_err(wrong)?;
    let spec = spec.ok_or("the default recipe has no yolo")?;
    let mapping = Mapping::new(&MappingSpec::default());
    let (params, videos) = (spec.params(), BTreeMap::new());
    let caller: Arc<dyn Call> = stages::vision_call(&stage, &params, mapping, endpoint, &videos);
    let resources = Resources {
        calls: BTreeMap::from([(stage, caller)]),
        ..Resources::default()
    };
    let works = stages::assemble(&plan, &resources).map_err(|stage| stage.to_string())?;
    let works = plan
        .steps()
        .zip(works)
        .map(|((_, step), work)| match step.kind {
            StepKind::ReadFrames { .. } => Operator::Source(Arc::new(Ready(frames))),
            StepKind::Encode { .. } => Operator::Map(Arc::new(Pass)),
            _ => work,
        });
    let works = works.collect();
    let mut found = 0;
    let start = Instant::now();
    let mut hear = |said| {
        if let Notification::Output(Item::Record(record)) = said {
            let all = record.detections.values().flatten();
            found += all
                .filter(|one| matches!(one.found, Found::Objects(_)))
                .count() as u64;
        }
    };
    let gate: Arc<dyn vpipe::engine::Gate> = Arc::new(OpenGate);
    let answers: Arc<dyn vpipe::engine::Answers> = Arc::new(Unkept);
    vpipe::engine::run(
        &plan,
        works,
        &[VideoId(0)],
        &StopSignal::default(),
        &gate,
        &answers,
        &mut hear,
    )
    .await?;
    let seconds = start.elapsed().as_secs_f64();
    if found != frames {
        return Err(format!("{found} of {frames} frames were answered").into());
    }
    Ok(seconds)
}

struct Disk;

impl Environment for Disk {
    fn read(&self, path: &Path) -> io::Result<String> {
        fs::read_to_string(path)
    }

    fn variables(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}

struct Ready(u64);

impl VideoSource for Ready {
    fn read(&self, video: VideoId, out: &mut Emitter) -> Result<(), Failure> {
        let jpeg = Bytes::from(vec![0x5a; JPEG]);
        let size = Size {
            width: 1280,
            height: 720,
        };
        for index in 0..self.0 {
            let frame = Frame {
                moment: Moment {
                    video,
                    index,
                    frame_number: index,
                    pts: Pts(index as i64),
                    seconds: index as f64,
                    samples: 1,
                    part: None,
                },
                source: size,
                size,
                content: Ok(Content {
                    pixels: None,
                    jpeg: Some(jpeg.clone()),
                }),
            };
            if out.emit(Item::Frame(frame)).is_err() {
                break;
            }
        }
        Ok(())
    }
}

struct Pass;

impl Map for Pass {
    fn state(&self) -> Result<Box<dyn MapState>, Failure> {
        Ok(Box::new(Self))
    }

    fn give_up(&self, item: &Item, _failure: &Failure) -> Vec<Item> {
        vec![item.clone()]
    }
}

impl MapState for Pass {
    fn map(&mut self, item: &Item) -> Result<Vec<Item>, Failure> {
        Ok(vec![item.clone()])
    }
}
