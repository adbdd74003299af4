//! Random small graphs of detectors, of kinds `yolo` and `http`, on frames, batches and crops, against a model of what must
//! come out: whatever the limits, the room, the order of answers, retries and splits.
//!
//! The model knows stages and nothing of steps. What a stage finds is a function of its name and
//! of what it is shown; boxes lie on the pixels of the bench's frames, so that all is exact.

use crate::harness::Bench;
use crate::harness::Ran;
use crate::harness::Script;
use crate::harness::batch;
use crate::harness::here;
use crate::harness::http;
use crate::harness::inputs;
use crate::harness::merge;
use crate::harness::there;
use crate::harness::yolo;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;
use vpipe::failure::Class;
use vpipe::failure::Failure;
use vpipe::item::Detection;
use vpipe::item::Found;
use vpipe::item::Frame;
use vpipe::item::Item;
use vpipe::recipe::Stage;
use vpipe::recipe::Subject;
use vpipe::recipe::TakeSpec;
use vpipe::template::Condition;
use vpipe::template::Scope;

/// A detecting stage, called by its place.
#[derive(Clone, Debug)]
struct Node {
    /// Whose crops it takes: that of an earlier stage, or whole frames where there is none.
    from: Option<usize>,
    batch: Option<usize>,
    remote: bool,
    /// Whether it is of kind `http` where it is remote.
    http: bool,
    every: u32,
    filtered: bool,
    concurrency: usize,
}

#[derive(Clone, Debug)]
struct Case {
    nodes: Vec<Node>,
    inbox: usize,
    cores: usize,
    backend: Option<usize>,
    videos: u32,
    frames: u64,
    seed: u64,
}

fn node() -> impl Strategy<Value = Node> {
    let from = proptest::option::of(0_usize..4);
    let batch = proptest::option::of(1_usize..6);
    (
        from,
        batch,
        any::<(bool, bool)>(),
        1_u32..4,
        any::<bool>(),
        1_usize..5,
    )
        .prop_map(
            |(from, batch, (remote, http), every, filtered, concurrency)| Node {
                from,
                batch,
                remote,
                http,
                every,
                filtered,
                concurrency,
            },
        )
}

fn case() -> impl Strategy<Value = Case> {
    let backend = proptest::option::of(1_usize..4);
    let nodes = proptest::collection::vec(node(), 1..5);
    let run = (
        1_usize..4,
        1_usize..4,
        backend,
        1_u32..3,
        0_u64..20,
        any::<u64>(),
    );
    (nodes, run).prop_map(
        |(mut nodes, (inbox, cores, backend, videos, frames, seed))| {
            for (place, node) in nodes.iter_mut().enumerate() {
                node.from = node.from.filter(|_| place > 0).map(|from| from % place);
            }
            Case {
                nodes,
                inbox,
                cores,
                backend,
                videos,
                frames,
                seed,
            }
        },
    )
}

fn name(place: usize) -> String {
    format!("s{place}")
}

fn hash(parts: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    hasher.finish()
}

/// What `stage` finds in what is called `shown` and has `width` x `height` pixels, `unit` of the
/// source to one.
fn finds(
    stage: &str,
    shown: (u64, Shown),
    (width, height): (u32, u32),
    unit: f32,
) -> Vec<Detection> {
    let count = hash((stage, shown, "count")) % 4;
    let object = |number: u64| {
        let seed = hash((stage, shown, number));
        let (x, y) = (seed as u32 % width, (seed >> 8) as u32 % height);
        let (right, lower) = (
            x + 1 + (seed >> 16) as u32 % (width - x),
            y + 1 + (seed >> 24) as u32 % (height - y),
        );
        Detection {
            bbox: [x, y, right, lower].map(|at| at as f32 * unit),
            class: (seed >> 32) as u32 % 2,
            class_name: "thing".into(),
            confidence: ((seed >> 40) % 8) as f32 / 8.0,
            parent: None,
            sight: None,
        }
    };
    (0..count).map(object).collect()
}

/// Which crop of a frame, by its edges and the object that it is of.
type Shown = Option<(u32, u32, u32)>;

fn shown(frame: &Frame) -> (u64, Shown) {
    let part = frame.moment.part;
    (
        frame.moment.index,
        part.map(|part| (part.left, part.top, part.parent)),
    )
}

/// One frame in eleven cannot be worked on by a stage that is shown the whole of it.
fn is_bad(index: u64, shown: Shown) -> bool {
    shown.is_none() && hash((index, "bad")).is_multiple_of(11)
}

/// What must be in the entry of a frame.
fn expected(nodes: &[Node], place: usize, index: u64) -> Found {
    let node = &nodes[place];
    let skipped = || Found::Skipped(String::new());
    if !index.is_multiple_of(node.every.into()) {
        return skipped();
    }
    let Some(from) = node.from else {
        return match is_bad(index, None) {
            true => Found::Error(Failure::new(Class::Worker, "bad")),
            false => Found::Objects(finds(&name(place), (index, None), (7, 3), 2.0)),
        };
    };
    let Found::Objects(objects) = expected(nodes, from, index) else {
        return skipped();
    };
    let mut found = Vec::new();
    let mut crops = 0;
    for (parent, object) in (0..).zip(&objects) {
        if node.filtered && object.class != 1 {
            continue;
        }
        crops += 1;
        let [left, top, right, lower] = object.bbox.map(|at| at as u32 / 2);
        let size = (right - left, lower - top);
        let here = (index, Some((left, top, parent)));
        for inner in finds(&name(place), here, size, 1.0) {
            let [x1, y1, x2, y2] = inner.bbox;
            let (left, top) = (left as f32, top as f32);
            found.push(Detection {
                bbox: [left + x1, top + y1, left + x2, top + y2].map(|at| at * 2.0),
                parent: Some(parent),
                ..inner
            });
        }
    }
    if crops == 0 {
        return skipped();
    }
    found.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    Found::Objects(found)
}

/// Answers in an order of their own; some only after a retry or a split.
fn script(seed: u64) -> Script {
    let tried = Arc::new(Mutex::new(BTreeSet::new()));
    let bad = |item: &Item| {
        let frames = match item {
            Item::Frame(frame) => std::slice::from_ref(frame),
            Item::Batch(batch) => batch.frames.as_slice(),
            _ => &[],
        };
        let is_bad = |frame: &Frame| {
            let (index, shown) = shown(frame);
            is_bad(index, shown)
        };
        (frames.iter().any(is_bad), frames.len())
    };
    Script::requests(move |item| {
        let (is_bad, frames) = bad(item);
        let roll = hash((seed, item.to_string()));
        let first = tried.lock().unwrap().insert(item.to_string());
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(roll % 50)).await;
            match roll % 7 {
                _ if is_bad && frames > 1 => Err(Failure::new(Class::OutOfMemory, "large")),
                _ if is_bad => Err(Failure::new(Class::Worker, "bad")),
                0 if first => Err(Failure::new(Class::Busy, "later")),
                1 if frames > 1 => Err(Failure::new(Class::TooLarge, "large")),
                _ => Ok(()),
            }
        })
    })
    .and_threads(move |item| match bad(item) {
        (true, _) => Err(Failure::new(Class::Worker, "bad")),
        (false, _) => Ok(()),
    })
    .finding(|stage, frame| {
        let unit = if frame.moment.part.is_some() {
            1.0
        } else {
            2.0
        };
        let size = (frame.size.width, frame.size.height);
        finds(stage.as_str(), shown(frame), size, unit)
    })
}

fn run(case: &Case) -> Ran {
    let mut stages: Vec<Stage> = Vec::new();
    for (place, node) in case.nodes.iter().enumerate() {
        let source = match node.from {
            Some(from) => format!("{}.crops", name(from)),
            None => "extract".to_owned(),
        };
        let id = name(place);
        let about = match node.batch {
            Some(_) => Subject::Batch,
            None => Subject::Frame,
        };
        let mut stage = match node.remote && node.http {
            true => http(&id, &source, node.concurrency, about),
            false => yolo(&id, &source, node.concurrency),
        };
        if let Some(size) = node.batch {
            let mut batch = batch(size);
            (batch.id, batch.inputs) = (format!("b{place}").into(), inputs(&[&source]));
            stage.inputs = inputs(&[batch.id.as_str()]);
            stages.push(batch);
        }
        let filter = node.filtered && node.from.is_some();
        stage.take = TakeSpec {
            every: node.every,
            filter: filter.then(|| Condition::new("class == 1", Scope::default())),
            ..TakeSpec::default()
        };
        stages.push(stage);
    }
    let names: Vec<String> = (0..case.nodes.len()).map(name).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    stages.push(merge(&names));
    let places = names.iter().zip(&case.nodes).map(|(name, node)| {
        let place = if node.remote {
            there(case.backend)
        } else {
            here()
        };
        (*name, place)
    });
    let bench = Bench::new(stages, places, case.cores)
        .inbox(case.inbox)
        .videos(case.videos)
        .frames(case.frames);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(bench.run(script(case.seed)))
}

/// The same, whatever the words of a reason are.
fn alike(found: Option<&Found>, expected: &Found) -> bool {
    match (found, expected) {
        (Some(Found::Objects(found)), Found::Objects(expected)) => found == expected,
        (Some(Found::Error(found)), Found::Error(expected)) => found.class == expected.class,
        (Some(Found::Skipped(why)), Found::Skipped(_)) => !why.is_empty(),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_comes_out_is_what_must(case in case()) {
        let ran = run(&case);
        prop_assert_eq!(ran.records(), case.videos as usize);
        let entries = case.nodes.len() as u64 * case.frames * u64::from(case.videos);
        prop_assert_eq!(ran.found().count() as u64, entries);
        for (place, video, index) in (0..case.nodes.len())
            .flat_map(|place| (0..case.videos).map(move |video| (place, video)))
            .flat_map(|(place, video)| (0..case.frames).map(move |index| (place, video, index)))
        {
            let found = ran.of(video, &name(place), index);
            let expected = expected(&case.nodes, place, index);
            prop_assert!(
                alike(found, &expected),
                "stage {} frame {}: {:?} is not {:?}", place, index, found, expected
            );
        }
    }
}
