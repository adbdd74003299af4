//! A bench for runs that follow each other: real clips and stages, and servers that answer what
//! follows from the frame alone and write down what they are asked.

use crate::support::answers::Memory;
use crate::support::placements;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::time::Instant;
use vpipe::engine;
use vpipe::engine::BoxFuture;
use vpipe::engine::Call;
use vpipe::engine::Gate;
use vpipe::engine::Notification;
use vpipe::engine::OpenGate;
use vpipe::engine::StopSignal;
use vpipe::engine::Submitted;
use vpipe::event::Event;
use vpipe::exchange::Exchange;
use vpipe::facts::Facts;
use vpipe::facts::Placement;
use vpipe::failure::Failure;
use vpipe::item::Detection;
use vpipe::item::Detections;
use vpipe::item::Fields;
use vpipe::item::Found;
use vpipe::item::Frame;
use vpipe::item::Item;
use vpipe::item::Moment;
use vpipe::item::Record;
use vpipe::media;
use vpipe::name::StageId;
use vpipe::name::Ticket;
use vpipe::name::VideoId;
use vpipe::output::OutputRoot;
use vpipe::plan;
use vpipe::plan::CompileOptions;
use vpipe::recipe;
use vpipe::recipe::Environment;
use vpipe::recipe::Request;
use vpipe::speech::Chunk;
use vpipe::speech::ChunkTranscript;
use vpipe::speech::Recognition;
use vpipe::speech::Segment;
use vpipe::stages;
use vpipe::stages::Resources;
use vpipe::stages::wanted;

/// A run to be made.
#[derive(Clone)]
pub(crate) struct Bench {
    pub(crate) recipe: String,
    pub(crate) sets: Vec<String>,
    pub(crate) videos: Vec<PathBuf>,
    pub(crate) first: Option<Duration>,
    pub(crate) memory: Memory,
    /// What decides how long each answer takes beside others; `None` where none takes any time.
    pub(crate) turns: Option<u64>,
}

/// Videos as they were when they were opened.
pub(crate) struct Opened {
    videos: stages::Videos,
    digests: Vec<String>,
}

/// What came of it.
#[derive(Default)]
pub(crate) struct Ran {
    /// By video, as text.
    pub(crate) records: BTreeMap<u32, String>,
    /// What each stage was asked about, in order.
    pub(crate) asked: BTreeMap<String, Vec<String>>,
    /// The frames of each request.
    pub(crate) sizes: BTreeMap<String, Vec<usize>>,
    pub(crate) notices: Vec<String>,
    pub(crate) failed: Vec<Failure>,
}

impl Ran {
    pub(crate) fn stages_asked(&self) -> String {
        Vec::from_iter(self.asked.keys().cloned()).join(" ")
    }

    pub(crate) fn count(&self, stage: &str) -> usize {
        self.asked.get(stage).map_or(0, Vec::len)
    }
}

impl Bench {
    pub(crate) fn new(recipe: &str, videos: &[&Path]) -> Self {
        Self {
            recipe: recipe.to_owned(),
            sets: Vec::new(),
            videos: videos.iter().map(|&path| path.to_owned()).collect(),
            first: None,
            memory: Memory::default(),
            turns: None,
        }
    }

    pub(crate) fn with(&self, set: &str) -> Self {
        let mut changed = self.clone();
        changed.sets.push(set.to_owned());
        changed
    }

    /// The same on answers of its own.
    pub(crate) fn alone(&self) -> Self {
        Self {
            memory: Memory::default(),
            ..self.clone()
        }
    }

    pub(crate) fn run(&self) -> Ran {
        let opened = self.open();
        self.run_on(&opened)
    }

    /// The videos, identified and probed, and what is in them.
    pub(crate) fn open(&self) -> Opened {
        media::init();
        let recipe = self.load();
        let spec = recipe.extract().cloned().unwrap_or_default();
        let wanted = wanted(&spec, vpipe::item::PixelFormat::I420, self.first);
        let videos = VideoId::number(&self.videos).map(|(id, path)| {
            let input = media::identify(path).unwrap();
            let facts = media::probe(&input, id, &wanted).unwrap();
            (id, (Some(input), facts))
        });
        let videos: stages::Videos = videos.collect();
        let content = |input| media::content(input, &AtomicBool::new(false)).unwrap();
        let digests = videos
            .values()
            .map(|(input, _)| content(input.as_ref().unwrap()).digest);
        Opened {
            digests: digests.collect(),
            videos,
        }
    }

    fn load(&self) -> recipe::Recipe {
        let request = Request {
            recipe: "bench.toml".to_owned(),
            sets: self.sets.clone(),
            ..Request::default()
        };
        recipe::load(&request, &Only(&self.recipe)).unwrap_or_else(|error| panic!("{error:?}"))
    }

    pub(crate) fn run_on(&self, Opened { videos, digests }: &Opened) -> Ran {
        let recipe = plan::check(self.load()).unwrap();
        let remote = || Placement::Remote(placements::runpod());
        let placed = recipe.inferences().map(|(id, _)| (id.clone(), remote()));
        let facts = Facts {
            cores: 2,
            placements: placed.collect(),
            first: self.first,
            videos: videos.values().map(|(_, facts)| facts.clone()).collect(),
            ..Facts::default()
        };
        let plan = plan::compile(&recipe, &facts, CompileOptions::default()).unwrap();
        let answers = self.memory.for_videos(digests);
        let log = Arc::new(Mutex::new(Ran::default()));
        let calls = recipe.inferences().map(|(id, _)| {
            let call = Server {
                stage: id.clone(),
                log: Arc::clone(&log),
                turns: self.turns,
            };
            (id.clone(), Arc::new(call) as Arc<dyn Call>)
        });
        let roots = recipe.saves().flat_map(|(stage, spec)| {
            videos.iter().map(|(id, (_, facts))| {
                let folder = spec.folder(&facts.path).unwrap();
                let root = OutputRoot::new(folder.into(), &Arc::default());
                ((stage.id.clone(), *id), root)
            })
        });
        let resources = Resources {
            videos: Arc::new(videos.clone()),
            save_roots: Arc::new(roots.collect()),
            first: self.first,
            answers: Arc::clone(&answers),
            calls: calls.collect(),
            ..Resources::default()
        };
        let works = stages::assemble(&plan, &resources).unwrap();
        let ids: Vec<VideoId> = videos.keys().copied().collect();
        let gate: Arc<dyn Gate> = Arc::new(OpenGate);
        let stop = StopSignal::default();
        let heard = Arc::clone(&log);
        let mut hear = move |said| hear(&heard, said);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let run = engine::run(&plan, works, &ids, &stop, &gate, &answers, &mut hear);
        runtime.block_on(run).unwrap();
        let mut ran = std::mem::take(&mut *log.lock().unwrap());
        for asked in ran.asked.values_mut() {
            asked.sort_unstable();
        }
        ran
    }
}

fn hear(log: &Mutex<Ran>, said: Notification) {
    let mut log = log.lock().unwrap();
    match said {
        Notification::Output(Item::Record(record)) => {
            let VideoId(number) = record.video;
            log.records.insert(number, text(&record));
        }
        Notification::Event(Event::Notice { text }) => log.notices.push(text),
        Notification::Event(Event::VideoFailed { failure, .. }) => log.failed.push(failure),
        Notification::Event(_) | Notification::Output(_) => {}
    }
}

// Which of the videos of a run it is does not count, nor when a file was written.
fn text(record: &Record) -> String {
    let mut record = record.clone();
    record.video = VideoId(0);
    for frame in record.detections.values_mut().flatten() {
        frame.moment.video = VideoId(0);
    }
    for saved in record.saved.values_mut().flatten() {
        saved.moment.video = VideoId(0);
    }
    for transcript in record.transcripts.values_mut() {
        transcript.video = VideoId(0);
    }
    for saved in record.saved.values_mut().flatten() {
        if let Ok(file) = &mut saved.file {
            file.modified = None;
        }
    }
    format!("{record:#?}")
}

struct Only<'a>(&'a str);

impl Environment for Only<'_> {
    fn read(&self, _: &Path) -> io::Result<String> {
        Ok(self.0.to_owned())
    }

    fn variables(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}

/// What a stage asks. It has to be sent what it looks at.
struct Server {
    stage: StageId,
    log: Arc<Mutex<Ran>>,
    turns: Option<u64>,
}

impl Server {
    fn answer(&self, item: &Item) -> Vec<Item> {
        let frames: Vec<&Frame> = match item {
            Item::Frame(frame) => vec![frame],
            Item::Batch(batch) => batch.frames.iter().collect(),
            Item::Repeat(repeat) => {
                return vec![Item::Detections(Detections::of_repeat(&self.stage, repeat))];
            }
            Item::Detections(boxes) => return vec![self.told(boxes)],
            Item::Chunk(chunk) => return vec![self.heard(chunk)],
            _ => return Vec::new(),
        };
        let mut log = self.log.lock().unwrap();
        let sizes = log.sizes.entry(self.stage.to_string()).or_default();
        sizes.push(frames.len());
        drop(log);
        frames.into_iter().map(|frame| self.seen(frame)).collect()
    }

    fn seen(&self, frame: &Frame) -> Item {
        let found = match &frame.content {
            Ok(content) => {
                let jpeg = content.jpeg.as_ref();
                let jpeg = jpeg.unwrap_or_else(|| panic!("{} has no JPEG", frame.moment));
                Found::Objects(objects(frame, jpeg))
            }
            Err(failure) => Found::without_answer(failure),
        };
        Item::Detections(Detections {
            stage: self.stage.clone(),
            moment: frame.moment.clone(),
            found,
            same_as: None,
        })
    }

    fn told(&self, boxes: &Detections) -> Item {
        let found = match (&boxes.found, boxes.same_as) {
            (Found::Objects(objects), None) => {
                let mut said = Fields::default();
                said.values.insert("count".to_owned(), objects.len().into());
                Found::Fields(vec![said])
            }
            _ => Found::Skipped("no boxes".to_owned()),
        };
        Item::Detections(Detections {
            stage: self.stage.clone(),
            found,
            ..boxes.clone()
        })
    }

    fn heard(&self, chunk: &Chunk) -> Item {
        let segment = Segment {
            start: 0.1,
            end: 0.2,
            text: format!("{}", chunk.span),
            ..Segment::default()
        };
        let recognition = chunk.content.as_ref().map(|_| Recognition {
            language: Some("en".to_owned()),
            language_probability: None,
            segments: vec![segment],
        });
        Item::ChunkTranscript(ChunkTranscript {
            stage: self.stage.clone(),
            span: chunk.span.clone(),
            recognition: recognition.map_err(Clone::clone),
        })
    }

    // How often others may go first, before the answer is given.
    fn turns(&self, item: &Item) -> u8 {
        let turns = self.turns.map(|turns| {
            let asked = format!("{turns} {} {item}", self.stage);
            blake3::hash(asked.as_bytes()).as_bytes()[0]
        });
        turns.unwrap_or(0)
    }

    fn note(&self, item: &Item) {
        let asked: Vec<String> = match item {
            Item::Frame(frame) if frame.content.is_ok() => vec![name(&frame.moment)],
            Item::Batch(batch) => batch.frames.iter().map(|it| name(&it.moment)).collect(),
            Item::Detections(boxes) if matches!(boxes.found, Found::Objects(_)) => {
                vec![name(&boxes.moment)]
            }
            Item::Chunk(chunk) => vec![chunk.span.to_string()],
            _ => return,
        };
        let mut log = self.log.lock().unwrap();
        log.asked
            .entry(self.stage.to_string())
            .or_default()
            .extend(asked);
    }
}

fn name(moment: &Moment) -> String {
    let part = moment.part.map(|part| format!(" crop {}", part.parent));
    format!("{:04}{}", moment.pts.0, part.unwrap_or_default())
}

// Two boxes, where and of what follows from what is seen.
fn objects(frame: &Frame, jpeg: &Bytes) -> Vec<Detection> {
    let (width, height) = (frame.source.width as f32, frame.source.height as f32);
    let seen = blake3::hash(jpeg).as_bytes()[0];
    let margin = f32::from(seen % 16) / 64.0;
    let one = |class: u32, x: f32| Detection {
        bbox: [
            x * width,
            margin * height,
            (x + 0.4) * width,
            (margin + 0.6) * height,
        ],
        class,
        class_name: format!("class {class}").into(),
        confidence: 0.9 - class as f32 / 10.0,
        parent: None,
        sight: None,
    };
    vec![one(0, 0.05), one(1, 0.5)]
}

impl Call for Server {
    fn prepare(&self, _: &Item) -> Result<Bytes, Failure> {
        Ok(Bytes::from_static(b"asked"))
    }

    fn submit<'a>(
        &'a self,
        item: &'a Item,
        _: Bytes,
        _: &'a mut Exchange,
    ) -> BoxFuture<'a, Result<Submitted, Failure>> {
        Box::pin(async move {
            self.note(item);
            for _ in 0..self.turns(item) {
                tokio::task::yield_now().await;
            }
            Ok(Submitted::Answer(self.answer(item)))
        })
    }

    fn wait<'a>(
        &'a self,
        item: &'a Item,
        _: &'a Ticket,
        _: &'a mut Exchange,
        _: &'a (dyn Fn(Instant) + Sync),
    ) -> BoxFuture<'a, Result<Vec<Item>, Failure>> {
        Box::pin(async move { Ok(self.answer(item)) })
    }

    fn cancel<'a>(&'a self, _: &'a Ticket, _: bool) -> BoxFuture<'a, bool> {
        Box::pin(async { false })
    }

    fn address(&self) -> String {
        "http://bench".to_owned()
    }

    fn split(&self, _: &Item) -> Option<(Item, Item)> {
        None
    }

    fn give_up(&self, item: &Item, failure: &Failure) -> Vec<Item> {
        panic!("{} was given up on {item}: {failure:?}", self.stage)
    }
}

/// Runs `ffmpeg ARGUMENTS PATH`.
pub(crate) fn clip(path: &Path, arguments: &str) -> PathBuf {
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-y"])
        .args(arguments.split_whitespace())
        .arg(path)
        .status()
        .unwrap();
    assert!(status.success(), "ffmpeg {arguments}");
    path.to_owned()
}
