//! A bench for the engine: recipes built in code, a source that emits numbered frames, and
//! detectors that do what a test's script says and find one object a frame.

use crate::support::placements;
use crate::support::store::MemoryStore;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::watch;
use tokio::time::Instant;
use vpipe::backends::remote::mapping::Mapping;
use vpipe::backends::remote::runpod::Endpoint;
use vpipe::diag::SourceMap;
use vpipe::diag::Span;
use vpipe::engine::Answers;
use vpipe::engine::Call;
use vpipe::engine::Emitter;
use vpipe::engine::Fold;
use vpipe::engine::FoldState;
use vpipe::engine::Gate;
use vpipe::engine::Map;
use vpipe::engine::MapState;
use vpipe::engine::Notification;
use vpipe::engine::OpenGate;
use vpipe::engine::Operator;
use vpipe::engine::StopSignal;
use vpipe::engine::Submitted;
use vpipe::engine::Unkept;
use vpipe::engine::VideoSource;
use vpipe::event::Event;
use vpipe::exchange::Exchange;
use vpipe::facts::Facts;
use vpipe::facts::Placement;
use vpipe::facts::RemoteFacts;
use vpipe::failure::Class;
use vpipe::failure::Failure;
use vpipe::item::Content;
use vpipe::item::Detection;
use vpipe::item::Detections;
use vpipe::item::Found;
use vpipe::item::Frame;
use vpipe::item::Item;
use vpipe::item::Moment;
use vpipe::item::PixelFormat;
use vpipe::item::Pixels;
use vpipe::item::Record;
use vpipe::item::Size;
use vpipe::name::StageId;
use vpipe::name::Ticket;
use vpipe::name::VideoId;
use vpipe::plan;
use vpipe::plan::CompileOptions;
use vpipe::plan::Plan;
use vpipe::plan::Step;
use vpipe::plan::StepKind;
use vpipe::recipe::BatchSpec;
use vpipe::recipe::Confidence;
use vpipe::recipe::ExtractSpec;
use vpipe::recipe::HttpStageSpec;
use vpipe::recipe::MappingSpec;
use vpipe::recipe::MergeSpec;
use vpipe::recipe::Port;
use vpipe::recipe::Recipe;
use vpipe::recipe::Stage;
use vpipe::recipe::StageInput;
use vpipe::recipe::StageSpec;
use vpipe::recipe::Subject;
use vpipe::recipe::TakeSpec;
use vpipe::recipe::YoloSpec;
use vpipe::time::Pts;
use vpipe::time::Ratio;

type Request = dyn Fn(&Item) -> BoxFuture<'static, Result<(), Failure>> + Send + Sync;
type Thread = dyn Fn(&Item) -> Result<(), Failure> + Send + Sync;
type Finds = dyn Fn(&StageId, &Frame) -> Vec<Detection> + Send + Sync;

/// What a request or a lane does before it answers.
#[derive(Clone)]
pub(crate) struct Script {
    submit: Arc<Request>,
    request: Arc<Request>,
    thread: Arc<Thread>,
    finds: Arc<Finds>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            finds: Arc::new(|_, _| vec![one_object()]),
            submit: Arc::new(|_| Box::pin(async { Ok(()) })),
            request: Arc::new(|_| Box::pin(async { Ok(()) })),
            thread: Arc::new(|_| Ok(())),
        }
    }
}

impl Script {
    pub(crate) fn requests(
        script: impl Fn(&Item) -> BoxFuture<'static, Result<(), Failure>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            request: Arc::new(script),
            ..Self::default()
        }
    }

    /// No request is answered before `together` of them are in flight.
    pub(crate) fn meeting(together: usize) -> Self {
        let barrier = Arc::new(tokio::sync::Barrier::new(together));
        Self::requests(move |_| {
            let barrier = Arc::clone(&barrier);
            Box::pin(async move {
                barrier.wait().await;
                Ok(())
            })
        })
    }

    pub(crate) fn threads(
        script: impl Fn(&Item) -> Result<(), Failure> + Send + Sync + 'static,
    ) -> Self {
        Self {
            thread: Arc::new(script),
            ..Self::default()
        }
    }

    /// This script, and what happens before a request is accepted.
    pub(crate) fn submitting(
        self,
        script: impl Fn(&Item) -> BoxFuture<'static, Result<(), Failure>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            submit: Arc::new(script),
            ..self
        }
    }

    /// This script, and what a stage finds in a frame.
    pub(crate) fn finding(
        self,
        finds: impl Fn(&StageId, &Frame) -> Vec<Detection> + Send + Sync + 'static,
    ) -> Self {
        Self {
            finds: Arc::new(finds),
            ..self
        }
    }

    /// This script, and what a thread does before it answers.
    pub(crate) fn and_threads(
        self,
        script: impl Fn(&Item) -> Result<(), Failure> + Send + Sync + 'static,
    ) -> Self {
        Self {
            thread: Arc::new(script),
            ..self
        }
    }

    /// Slow enough for everything before it to fill up; how slow changes no outcome.
    pub(crate) fn slow() -> Self {
        Self {
            finds: Self::default().finds,
            submit: Self::default().submit,
            request: Arc::new(|_| {
                Box::pin(async {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    Ok(())
                })
            }),
            thread: Arc::new(|_| {
                std::thread::sleep(Duration::from_millis(1));
                Ok(())
            }),
        }
    }
}

/// A counter that remembers its peak, and a log.
#[derive(Clone, Default)]
pub(crate) struct Counted {
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    notes: Arc<Mutex<Vec<String>>>,
}

impl Counted {
    pub(crate) fn log() -> Self {
        Self::default()
    }

    pub(crate) fn add(&self) -> usize {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        now
    }

    pub(crate) fn now(&self) -> usize {
        self.now.load(Ordering::SeqCst)
    }

    pub(crate) fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    pub(crate) fn note(&self, text: &str) {
        self.notes.lock().unwrap().push(text.to_owned());
    }

    pub(crate) fn notes(&self) -> Vec<String> {
        self.notes.lock().unwrap().clone()
    }
}

// The bytes of a frame, which are its number, counted while they are alive.
struct Alive(Counted, String);

impl AsRef<[u8]> for Alive {
    fn as_ref(&self) -> &[u8] {
        self.1.as_bytes()
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What breaks down, with a panic, as soon as it has to do with the second video; that is not read
/// before the first one is through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    Source,
    Body,
    Request,
    Fold,
    FoldEnd,
    GiveUp,
    Caller,
    Thread,
}

impl Broken {
    pub(crate) const ALL: [Self; 8] = [
        Self::Source,
        Self::Body,
        Self::Request,
        Self::Fold,
        Self::FoldEnd,
        Self::GiveUp,
        Self::Caller,
        Self::Thread,
    ];
}

/// A recipe, the facts that place it, and how much it is given to do.
pub(crate) struct Bench {
    recipe: Recipe,
    facts: Facts,
    options: CompileOptions,
    videos: u32,
    frames: u64,
    alive: Counted,
    stop: StopSignal,
    emitted: watch::Sender<u64>,
    prepared: watch::Sender<u64>,
    gate: Arc<dyn Gate>,
    answers: Arc<dyn Answers>,
    caller: Option<Arc<dyn Call>>,
    broken: Option<Broken>,
    through: watch::Sender<u64>,
    outages: watch::Sender<u64>,
    killed_after: Option<u64>,
}

impl Bench {
    pub(crate) fn local(concurrency: usize) -> Self {
        let stages = vec![yolo("yolo", "extract", concurrency), merge(&["yolo"])];
        Self::new(stages, [("yolo", here())], concurrency)
    }

    pub(crate) fn remote(concurrency: usize, size: usize) -> Self {
        let stages = vec![
            batch(size),
            yolo("yolo", "batch", concurrency),
            merge(&["yolo"]),
        ];
        Self::new(stages, [("yolo", there(None))], 2)
    }

    pub(crate) fn two_stages_on_one_backend(concurrency: usize) -> Self {
        let stages = vec![
            batch(4),
            yolo("yolo", "batch", 5),
            yolo("other", "batch", 5),
            merge(&["yolo", "other"]),
        ];
        let there = there(Some(concurrency));
        Self::new(stages, [("yolo", there.clone()), ("other", there)], 2)
    }

    pub(crate) fn here_and_there() -> Self {
        let stages = vec![
            batch(4),
            yolo("yolo", "batch", 2),
            yolo("other", "extract", 2),
            merge(&["yolo", "other"]),
        ];
        Self::new(stages, [("yolo", there(None)), ("other", here())], 2)
    }

    /// A detector, and a second one on the crops of what it finds: `local` or in batches.
    pub(crate) fn crops(local: bool) -> Self {
        Self::of_port("yolo.crops", local)
    }

    /// A detector, and a second one on the frames in which it finds something.
    pub(crate) fn found(local: bool) -> Self {
        Self::of_port("yolo.frames", local)
    }

    fn of_port(port: &str, local: bool) -> Self {
        let second = if local { port } else { "cut" };
        let mut cut = batch(4);
        (cut.id, cut.inputs) = ("cut".into(), inputs(&[port]));
        let mut stages = vec![
            yolo("yolo", "extract", 2),
            yolo("other", second, 2),
            merge(&["yolo", "other"]),
        ];
        if !local {
            stages.push(cut);
        }
        let place = || if local { here() } else { there(None) };
        Self::new(stages, [("yolo", place()), ("other", place())], 2)
    }

    pub(crate) fn new<'a>(
        mut stages: Vec<Stage>,
        placements: impl IntoIterator<Item = (&'a str, Placement)>,
        cores: usize,
    ) -> Self {
        let fps = Ratio::new(1, 1).unwrap();
        let extract = StageSpec::Extract(ExtractSpec {
            fps,
            max_side: 64,
            ..ExtractSpec::default()
        });
        stages.insert(0, stage("extract", &[], extract));
        let recipe = Recipe {
            name: "bench".to_owned(),
            description: None,
            stages: stages.into(),
            device: None,
            backends: BTreeMap::new(),
            sources: SourceMap::default(),
            files: Vec::new(),
            command_line: usize::MAX,
        };
        let placements = placements
            .into_iter()
            .map(|(stage, place)| (stage.into(), place))
            .collect();
        let facts = Facts {
            cores,
            placements,
            ..Facts::default()
        };
        Self {
            recipe,
            facts,
            options: CompileOptions::default(),
            videos: 1,
            frames: 0,
            alive: Counted::default(),
            stop: StopSignal::default(),
            emitted: watch::Sender::new(0),
            prepared: watch::Sender::new(0),
            gate: Arc::new(OpenGate),
            answers: Arc::new(Unkept),
            caller: None,
            broken: None,
            through: watch::Sender::new(0),
            outages: watch::Sender::new(0),
            killed_after: None,
        }
    }

    pub(crate) fn inbox(mut self, inbox: usize) -> Self {
        self.options.inbox = inbox;
        self
    }

    pub(crate) fn videos(mut self, videos: u32) -> Self {
        self.videos = videos;
        self
    }

    pub(crate) fn frames(mut self, frames: u64) -> Self {
        self.frames = frames;
        self
    }

    pub(crate) fn counting(mut self, alive: &Counted) -> Self {
        self.alive = alive.clone();
        self
    }

    /// Asks a real server in place of the script.
    pub(crate) fn asking(mut self, endpoint: Endpoint) -> Self {
        let spec = YoloSpec::default();
        let mapping = Mapping::new(&MappingSpec::default());
        let (params, videos) = (spec.params(&[]), BTreeMap::new());
        let caller =
            vpipe::stages::vision_call(&"yolo".into(), &params, mapping, None, endpoint, &videos);
        self.caller = Some(caller);
        self
    }

    pub(crate) fn through(mut self, gate: impl Gate + 'static) -> Self {
        self.gate = Arc::new(gate);
        self
    }

    /// Keeps its answers, and knows those that are kept.
    pub(crate) fn keeping(mut self, answers: &Arc<MemoryStore>) -> Self {
        self.answers = Arc::clone(answers) as Arc<dyn Answers>;
        self
    }

    /// How many outages have begun.
    pub(crate) fn outages(&self) -> watch::Receiver<u64> {
        self.outages.subscribe()
    }

    /// The run is dropped after so many events, as if its process had been killed.
    pub(crate) fn killed_after(mut self, events: u64) -> Self {
        self.killed_after = Some(events);
        self
    }

    pub(crate) fn breaking(mut self, broken: Broken) -> Self {
        self.broken = Some(broken);
        self
    }

    pub(crate) fn stopped_by(mut self, stop: &StopSignal) -> Self {
        self.stop = stop.clone();
        self
    }

    /// How many frames the source has emitted.
    pub(crate) fn emitted(&self) -> watch::Receiver<u64> {
        self.emitted.subscribe()
    }

    /// How many requests have their body.
    pub(crate) fn prepared(&self) -> watch::Receiver<u64> {
        self.prepared.subscribe()
    }

    pub(crate) fn detecting_stages(&self) -> usize {
        self.facts.placements.len()
    }

    pub(crate) fn plan(&self) -> Plan {
        let recipe = plan::check(self.recipe.clone()).unwrap();
        plan::compile(&recipe, &self.facts, self.options).unwrap()
    }

    pub(crate) async fn run(self, script: Script) -> Ran {
        let plan = self.plan();
        let videos: Vec<_> = (0..self.videos).map(VideoId).collect();
        let (stop, mut ran) = (self.stop.clone(), Ran::new(&self.stop));
        let works = plan
            .steps()
            .map(|(_, step)| self.work(step, &script))
            .collect();
        let (kill, mut events) = (Notify::new(), 0);
        let mut said = |said| {
            if let Notification::Output(item) = &said {
                breaks(self.broken, Broken::Caller, item.video());
                self.through.send_modify(|count| *count += 1);
            }
            if let Notification::Event(Event::OutageBegan { .. }) = &said {
                self.outages.send_modify(|count| *count += 1);
            }
            ran.hear(said);
            events += 1;
            if self.killed_after == Some(events) {
                kill.notify_one();
            }
        };
        let run = vpipe::engine::run(
            &plan,
            works,
            &videos,
            &stop,
            &self.gate,
            &self.answers,
            &mut said,
        );
        let ended = tokio::select! {
            biased;
            () = kill.notified() => None,
            ended = run => Some(ended),
        };
        ran.killed = ended.is_none();
        if let Some(ended) = ended {
            ended.unwrap();
        }
        ran
    }

    fn work(&self, step: &Step, script: &Script) -> Operator {
        let detect = Detect {
            stage: step.stage.clone(),
            script: script.clone(),
            prepared: self.prepared.clone(),
            broken: self.broken,
        };
        match &step.kind {
            StepKind::ReadFrames { .. } => Operator::Source(Arc::new(Numbered {
                frames: self.frames,
                alive: self.alive.clone(),
                emitted: self.emitted.clone(),
                broken: self.broken,
                through: self.through.subscribe(),
                runtime: tokio::runtime::Handle::current(),
            })),
            StepKind::Encode { .. } | StepKind::Save { .. } => Operator::Map(Arc::new(Pass)),
            StepKind::SelectFrames { selection } => {
                Operator::Fold(vpipe::stages::pick(&step.stage, selection))
            }
            StepKind::TakeFound {
                taken,
                taker,
                selection,
            } => Operator::Fold(vpipe::stages::take_found(
                &step.stage,
                *taker,
                selection,
                taken,
            )),
            StepKind::GatherCrops => Operator::Fold(vpipe::stages::gather(&step.stage)),
            StepKind::Batch { spec, max_bytes } => {
                let takers = vpipe::stages::Takers::new(Vec::new(), &self.answers);
                Operator::Fold(vpipe::stages::batch(spec, *max_bytes, takers))
            }
            StepKind::Detect { .. } => Operator::Map(Arc::new(detect)),
            StepKind::VisionRequest { .. } => {
                Operator::Call(self.caller.clone().unwrap_or_else(|| Arc::new(detect)))
            }
            StepKind::Merge { detecting, .. } => Operator::Fold(Arc::new(Merge {
                fold: vpipe::stages::merge(detecting, None),
                broken: self.broken,
            })),
            other => panic!("{other:?} has nothing to do with pictures"),
        }
    }
}

/// Inputs as a recipe writes them.
pub(crate) fn inputs(inputs: &[&str]) -> Vec<StageInput> {
    let inputs = inputs.iter().map(|&input| {
        let (stage, port) = match input.split_once('.') {
            Some((stage, "crops")) => (stage, Port::Crops),
            Some((stage, _)) => (stage, Port::Frames),
            None => (input, Port::Main),
        };
        StageInput {
            stage: stage.into(),
            port,
            span: Span::default(),
        }
    });
    inputs.collect()
}

fn stage(id: &str, from: &[&str], spec: StageSpec) -> Stage {
    Stage {
        id: id.into(),
        span: Span::default(),
        inputs: inputs(from),
        take: TakeSpec::default(),
        spec,
        keys: BTreeMap::new(),
        settings: serde_json::Map::new(),
        paths: BTreeMap::new(),
        items: BTreeMap::new(),
    }
}

pub(crate) fn batch(size: usize) -> Stage {
    stage("batch", &["extract"], StageSpec::Batch(BatchSpec { size }))
}

pub(crate) fn merge(inputs: &[&str]) -> Stage {
    let spec = MergeSpec::default();
    stage("merge", inputs, StageSpec::Merge(spec))
}

pub(crate) fn yolo(id: &str, input: &str, concurrency: usize) -> Stage {
    let spec = YoloSpec {
        backend: "auto".into(),
        model: None,
        names: None,
        concurrency,
        conf: Confidence::of_all(0.15),
        iou: 0.5,
        imgsz: Some(1280),
        half: true,
        classes: Vec::new(),
        max_det: 300,
    };
    stage(id, &[input], StageSpec::Yolo(spec))
}

/// The same by a stage that asks a server in words of its own.
pub(crate) fn http(id: &str, input: &str, concurrency: usize, about: Subject) -> Stage {
    let spec = HttpStageSpec {
        backend: "fleet".into(),
        concurrency,
        mapping: MappingSpec {
            about,
            ..MappingSpec::default()
        },
        ..HttpStageSpec::default()
    };
    stage(id, &[input], StageSpec::Http(Box::new(spec)))
}

pub(crate) fn here() -> Placement {
    Placement::Local(placements::local("counting"))
}

pub(crate) fn there(concurrency: Option<usize>) -> Placement {
    Placement::Remote(RemoteFacts {
        concurrency,
        max_body: usize::MAX,
        ..placements::runpod()
    })
}

fn breaks(broken: Option<Broken>, part: Broken, video: VideoId) {
    let whole = broken != Some(part) || video != VideoId(1);
    assert!(whole, "boom {part:?}");
}

// The merge of the product, which may break down.
struct Merge {
    fold: Arc<dyn Fold>,
    broken: Option<Broken>,
}

struct Merging {
    video: VideoId,
    folding: Box<dyn FoldState>,
    broken: Option<Broken>,
}

impl Fold for Merge {
    fn open(&self, video: VideoId) -> Box<dyn FoldState> {
        Box::new(Merging {
            video,
            folding: self.fold.open(video),
            broken: self.broken,
        })
    }
}

impl FoldState for Merging {
    fn push(&mut self, item: Item) -> Vec<Item> {
        breaks(self.broken, Broken::Fold, self.video);
        self.folding.push(item)
    }

    fn finish(&mut self) -> Vec<Item> {
        breaks(self.broken, Broken::FoldEnd, self.video);
        self.folding.finish()
    }
}

struct Numbered {
    broken: Option<Broken>,
    through: watch::Receiver<u64>,
    runtime: tokio::runtime::Handle,
    frames: u64,
    alive: Counted,
    emitted: watch::Sender<u64>,
}

impl VideoSource for Numbered {
    fn read(&self, video: VideoId, out: &mut Emitter) -> Result<(), Failure> {
        if self.broken.is_some() && video == VideoId(1) {
            let mut through = self.through.clone();
            let first = through.wait_for(|count| *count > 0);
            self.runtime.block_on(first).unwrap();
        }
        for index in 0..self.frames {
            breaks(self.broken, Broken::Source, video);
            self.alive.add();
            // Three rows of seven pixels; the last bytes are the number, and pass for a JPEG.
            let size = Size {
                width: 7,
                height: 3,
            };
            let bytes = Bytes::from_owner(Alive(self.alive.clone(), format!("{index:63}")));
            let jpeg = bytes.slice(63 - index.to_string().len()..);
            let pixels = Pixels {
                format: PixelFormat::Rgb24,
                data: bytes,
                stride: 21,
            };
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
                source: Size {
                    width: 14,
                    height: 6,
                },
                size,
                content: Ok(Content {
                    pixels: Some(pixels),
                    jpeg: Some(jpeg),
                }),
            };
            if out.emit(Item::Frame(frame)).is_err() {
                return Ok(());
            }
            self.emitted.send_modify(|count| *count += 1);
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

#[derive(Clone)]
struct Detect {
    stage: StageId,
    script: Script,
    prepared: watch::Sender<u64>,
    broken: Option<Broken>,
}

impl Detect {
    fn answer(&self, item: &Item, found: &dyn Fn(&Frame) -> Found) -> Vec<Item> {
        let frames = match item {
            Item::Frame(frame) => std::slice::from_ref(frame),
            Item::Batch(batch) => batch.frames.as_slice(),
            _ => &[],
        };
        let answer = |frame: &Frame| {
            let (stage, moment) = (self.stage.clone(), frame.moment.clone());
            Item::Detections(Detections {
                stage,
                moment,
                found: found(frame),
                same_as: None,
            })
        };
        frames.iter().map(answer).collect()
    }

    fn found(&self, item: &Item) -> Vec<Item> {
        self.answer(item, &|frame| match &frame.content {
            Ok(_) => Found::Objects((self.script.finds)(&self.stage, frame)),
            Err(failure) => Found::without_answer(failure),
        })
    }
}

fn one_object() -> Detection {
    Detection {
        bbox: [0.0, 0.0, 1.0, 1.0],
        class: 0,
        class_name: "thing".into(),
        confidence: 1.0,
        parent: None,
        sight: None,
    }
}

impl Map for Detect {
    fn state(&self) -> Result<Box<dyn MapState>, Failure> {
        Ok(Box::new(self.clone()))
    }

    fn give_up(&self, item: &Item, failure: &Failure) -> Vec<Item> {
        self.answer(item, &|_| Found::without_answer(failure))
    }
}

impl MapState for Detect {
    fn map(&mut self, item: &Item) -> Result<Vec<Item>, Failure> {
        breaks(self.broken, Broken::Thread, item.video());
        (self.script.thread)(item)?;
        Ok(self.found(item))
    }
}

impl Call for Detect {
    fn prepare(&self, item: &Item) -> Result<Bytes, Failure> {
        breaks(self.broken, Broken::Body, item.video());
        self.prepared.send_modify(|count| *count += 1);
        let is_there = match item {
            Item::Batch(batch) => batch.frames.iter().any(|frame| frame.content.is_ok()),
            _ => true,
        };
        Ok(if is_there {
            item.to_string().into()
        } else {
            Bytes::new()
        })
    }

    fn submit<'a>(
        &'a self,
        item: &'a Item,
        body: Bytes,
        exchange: &'a mut Exchange,
    ) -> BoxFuture<'a, Result<Submitted, Failure>> {
        exchange.sent = body.len() as u64;
        Box::pin(async move {
            if body.is_empty() {
                return Ok(Submitted::Answer(self.found(item)));
            }
            (self.script.submit)(item).await?;
            Ok(Submitted::Ticket(item.to_string().into()))
        })
    }

    fn wait<'a>(
        &'a self,
        item: &'a Item,
        _ticket: &'a Ticket,
        _exchange: &'a mut Exchange,
        heard: &'a (dyn Fn(Instant) + Sync),
    ) -> BoxFuture<'a, Result<Vec<Item>, Failure>> {
        Box::pin(async move {
            let asked = Instant::now();
            breaks(self.broken, Broken::Request, item.video());
            if self.broken == Some(Broken::GiveUp) && item.video() == VideoId(1) {
                return Err(Failure::new(Class::TimedOut, "too slow"));
            }
            (self.script.request)(item).await?;
            heard(asked);
            Ok(self.found(item))
        })
    }

    fn cancel<'a>(&'a self, _ticket: &'a Ticket, _running: bool) -> BoxFuture<'a, bool> {
        Box::pin(async { false })
    }

    fn address(&self) -> String {
        "http://bench".to_owned()
    }

    fn split(&self, item: &Item) -> Option<(Item, Item)> {
        vpipe::stages::halves(item)
    }

    fn give_up(&self, item: &Item, failure: &Failure) -> Vec<Item> {
        breaks(self.broken, Broken::GiveUp, item.video());
        Map::give_up(self, item, failure)
    }
}

/// What a run said.
pub(crate) struct Ran {
    pub(crate) events: Vec<Event>,
    pub(crate) stop: StopSignal,
    pub(crate) killed: bool,
    /// When it said that it stops. What a thread of the machine does later is not on tokio's clock.
    pub(crate) stopped: Option<Instant>,
    records: Vec<Record>,
}

impl Ran {
    fn new(stop: &StopSignal) -> Self {
        Self {
            events: Vec::new(),
            stop: stop.clone(),
            killed: false,
            stopped: None,
            records: Vec::new(),
        }
    }

    fn hear(&mut self, said: Notification) {
        match said {
            Notification::Event(event) => {
                if let Event::Stopping { .. } = &event {
                    self.stopped = Some(Instant::now());
                }
                self.events.push(event);
            }
            Notification::Output(Item::Record(record)) => self.records.push(*record),
            Notification::Output(item) => panic!("{item} left the plan"),
        }
    }

    pub(crate) fn records(&self) -> usize {
        self.records.len()
    }

    /// What a stage found in a frame of a video; nothing where there is not one entry of it.
    pub(crate) fn of(&self, video: u32, stage: &str, index: u64) -> Option<&Found> {
        let record = self.records.iter().find(|it| it.video == VideoId(video))?;
        let frames = record.detections.get(&stage.into())?;
        let mut of_frame = frames.iter().filter(|it| it.moment.index == index);
        let (first, second) = (of_frame.next()?, of_frame.next());
        second.is_none().then_some(&first.found)
    }

    /// What was found in each frame, in order.
    pub(crate) fn found(&self) -> impl Iterator<Item = (u64, &Found)> {
        let all = self
            .records
            .iter()
            .flat_map(|record| record.detections.values())
            .flatten();
        all.map(|detections| (detections.moment.index, &detections.found))
    }

    pub(crate) fn objects(&self) -> usize {
        self.found()
            .map(|(_, found)| match found {
                Found::Objects(objects) => objects.len(),
                _ => 0,
            })
            .sum()
    }

    /// The most frames that a stage had at work at once.
    pub(crate) fn most_in_flight(&self, stage: &str) -> u64 {
        self.most(|id| id.as_str() == stage)
    }

    /// The most frames that `yolo` and `other` had at work at once.
    pub(crate) fn most_in_flight_together(&self) -> u64 {
        self.most(|id| ["yolo", "other"].contains(&id.as_str()))
    }

    fn most(&self, of: impl Fn(&StageId) -> bool) -> u64 {
        let (mut now, mut most) = (0, 0);
        for event in &self.events {
            match event {
                Event::Started { stage, frames } if of(stage) => now += frames,
                Event::Paused { stage, frames } if of(stage) => now -= frames,
                _ => {}
            }
            most = most.max(now);
        }
        most
    }
}
