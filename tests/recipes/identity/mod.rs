//! Identity as data: what asks anew, and whom, where it is changed in `base.toml`.
//!
//! Each row changes one key; every key that there is has a row.

mod replay;
mod sights;
mod variables;

use crate::support::placements;
use crate::support::snapshots::settings;
use insta::assert_snapshot;
use proptest::prelude::*;
use proptest::test_runner::Config;
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use vpipe::facts::Facts;
use vpipe::facts::LocalFacts;
use vpipe::facts::Placement;
use vpipe::facts::RemoteFacts;
use vpipe::facts::VideoFacts;
use vpipe::item::Size;
use vpipe::name::VideoId;
use vpipe::plan;
use vpipe::plan::CompileOptions;
use vpipe::plan::Plan;
use vpipe::recipe;
use vpipe::recipe::Environment;
use vpipe::recipe::Recipe;
use vpipe::recipe::Request;
use vpipe::recipe::Stage;
use vpipe::recipe::StageKind;
use vpipe::time::TimeRanges;

const BASE: &str = include_str!("base.toml");

// What is changed, and the steps whose answers are not used then.
const KEYS: &[(&str, &str)] = &[
    // Which frames are sampled is no part of what is seen in one, unless its number is sent.
    ("extract.fps=2", "extract.frames counted.request"),
    (
        "extract.max_side=640",
        "extract.frames far.request near.detect again.request parts.detect told.request \
         asked.request counted.request save.write cuts.write drawn.write",
    ),
    // What leaves as JPEG.
    (
        "extract.quality=50",
        "far.request again.request asked.request counted.request save.write cuts.write drawn.write",
    ),
    ("extract.dedup=true", "extract.frames counted.request"),
    ("extract.dedup_threshold=20", ""),
    (
        "extract.mode=\"keyframes\"",
        "extract.frames counted.request",
    ),
    // A transcript is one of a certain part of a video.
    (
        "extract.start=1",
        "extract.frames counted.request hears.compose listens.compose whisper.compose \
         sounds.compose",
    ),
    (
        "extract.end=9",
        "extract.frames counted.request hears.compose listens.compose whisper.compose \
         sounds.compose",
    ),
    (
        "extract.ranges=[\"0-2\", \"5-9\"]",
        "extract.frames counted.request hears.compose listens.compose whisper.compose \
         sounds.compose",
    ),
    ("extract.concurrency=1", ""),
    ("batch.size=2", ""),
    ("near.model=\"./m.onnx\"", ""),
    ("near.names=\"names.txt\"", ""),
    ("near.concurrency=1", ""),
    (
        "near.conf=0.3",
        "cuts.write drawn.write near.detect parts.detect told.request",
    ),
    (
        "near.iou=0.3",
        "cuts.write drawn.write near.detect parts.detect told.request",
    ),
    (
        "near.imgsz=320",
        "cuts.write drawn.write near.detect parts.detect told.request",
    ),
    (
        "near.half=false",
        "cuts.write drawn.write near.detect parts.detect told.request",
    ),
    (
        "near.classes=[1]",
        "cuts.write drawn.write near.detect parts.detect told.request",
    ),
    (
        "near.classes=[\"dog\"]",
        "cuts.write drawn.write near.detect parts.detect told.request",
    ),
    (
        "near.conf={ dog = 0.3 }",
        "cuts.write drawn.write near.detect parts.detect told.request",
    ),
    ("near.conf={ dog = 0.15, default = 0.15 }", ""),
    (
        "near.max_det=9",
        "cuts.write drawn.write near.detect parts.detect told.request",
    ),
    // Which boxes are one thing counts for whom that is told.
    ("things.method=\"bytetrack\"", "told.request"),
    ("things.method=\"motion\"", ""),
    // Which sights go on, and what is counted, says nothing of one.
    ("things.best_of=3", ""),
    ("things.lines.gate=[[0, 0], [1, 1]]", ""),
    ("things.regions.door=[[0, 0], [1, 0], [1, 1]]", ""),
    ("things.point=\"foot\"", ""),
    ("things.high=0.5", "told.request"),
    ("things.low=0.2", "told.request"),
    ("things.new=0.5", "told.request"),
    ("things.match=0.7", "told.request"),
    ("things.buffer=1", "told.request"),
    ("things.min_frames=1", "told.request"),
    ("things.classes=[1]", "told.request"),
    ("parts.conf=0.3", "parts.detect told.request"),
    ("far.conf=0.3", "far.request"),
    ("far.iou=0.3", "far.request"),
    ("far.imgsz=320", "far.request"),
    ("far.imgsz=1280", ""),
    ("far.half=false", "far.request"),
    ("far.classes=[1]", "far.request"),
    ("far.conf={ 1 = 0.3 }", "far.request"),
    ("far.max_det=9", "far.request"),
    ("far.model=\"other\"", "far.request"),
    ("far.backend=\"server\"", "far.request"),
    ("near.when=\"video.duration < 9\"", ""),
    ("near.every=2", ""),
    // Which boxes are cut out says nothing of one; it numbers what is found in all.
    ("parts.filter=\"confidence > 0.9\"", "told.request"),
    ("parts.padding=0.2", "parts.detect told.request"),
    ("parts.filter=\"centre in regions.door\"", "told.request"),
    ("parts.regions.door=[[0, 0], [1, 0], [1, 1]]", ""),
    ("cuts.regions.door=[[0, 0], [1, 0], [1, 1]]", ""),
    // Nor does it of a whole frame, or of a file.
    ("again.filter=\"confidence > 0.9\"", ""),
    ("again.conf=0.3", "again.request"),
    ("cuts.filter=\"confidence > 0.9\"", ""),
    ("cuts.padding=0.2", "cuts.write"),
    (
        "vars.question=\"who\"",
        "told.request asked.request counted.request sounds.request sounds.compose",
    ),
    ("vars.least=0.6", "told.request drawn.write"),
    ("vars.unused=2", ""),
    ("hears.backend=\"ears\"", "hears.request hears.compose"),
    ("hears.model=\"large\"", "hears.request hears.compose"),
    ("hears.concurrency=9", ""),
    ("hears.language=\"de\"", "hears.request hears.compose"),
    ("hears.task=\"translate\"", "hears.request hears.compose"),
    ("hears.beam_size=2", "hears.request hears.compose"),
    (
        "hears.condition_on_previous_text=false",
        "hears.request hears.compose",
    ),
    ("hears.word_timestamps=false", "hears.request hears.compose"),
    (
        "hears.worker=\"faster-whisper\"",
        "hears.request hears.compose",
    ),
    ("hears.track=2", "hears.request hears.compose"),
    // A chunk is known by its samples.
    ("hears.chunk=20", "hears.compose"),
    ("hears.codec=\"opus\"", "hears.request hears.compose"),
    ("hears.vad_filter=false", "hears.request hears.compose"),
    ("hears.when=\"video.duration < 9\"", ""),
    // It stays on the machine.
    ("whisper.codec=\"opus\"", ""),
    (
        "whisper.language=\"de\"",
        "whisper.transcribe whisper.compose",
    ),
    ("listens.model=\"large\"", "listens.request listens.compose"),
    ("listens.language=\"de\"", "listens.request listens.compose"),
    ("asked.backend=\"server\"", ""),
    ("asked.model=\"m\"", "asked.request"),
    ("asked.concurrency=1", ""),
    ("asked.each=\"item\"", ""),
    ("asked.request.image=\"{{ image }} \"", "asked.request"),
    ("asked.request.more=1", "asked.request"),
    ("asked.answer.record.text=\"output.other\"", "asked.request"),
    ("asked.answer.record.text=\"{{ output.text }}\"", ""),
    ("asked.when=\"video.duration < 9\"", ""),
    ("asked.every=2", ""),
    ("counted.answer.bbox_unit=\"normalised\"", "counted.request"),
    ("sounds.track=2", "sounds.request sounds.compose"),
    ("sounds.chunk=20", "sounds.compose"),
    ("sounds.codec=\"opus\"", "sounds.request sounds.compose"),
    ("sounds.vad_filter=false", "sounds.request sounds.compose"),
    (
        "sounds.answer.segments=\"output.other\"",
        "sounds.request sounds.compose",
    ),
    ("save.format=\"png\"", "save.write"),
    ("save.quality=50", "save.write"),
    ("save.quality=85", ""),
    ("drawn.draw=\"near\"", ""),
    ("drawn.filter=\"confidence > 0.9\"", "drawn.write"),
    // The path of a file is compared when it is looked for.
    ("save.output_dir=\"elsewhere\"", ""),
    ("save.name=\"{{ frame.frame_number }}\"", ""),
    ("merge.primary=\"far\"", ""),
    ("merge.output_dir=\"elsewhere\"", ""),
    ("merge.formats=[\"srt\"]", ""),
    ("merge.line_width=20", ""),
    ("merge.line_count=1", ""),
    ("backends.here.engine=\"ort\"", ""),
    ("backends.here.device=\"cuda:0\"", ""),
    ("backends.here.threads=2", ""),
    ("backends.here.concurrency=1", ""),
    ("backends.workers.endpoint=\"other\"", ""),
    ("backends.workers.base_url=\"http://127.0.0.1:8/\"", ""),
    ("backends.workers.api_key_env=\"OTHER\"", ""),
    ("backends.workers.mode=\"sync\"", ""),
    ("backends.workers.dialect=\"dev-server\"", ""),
    ("backends.workers.request_timeout=9", ""),
    ("backends.workers.queue_timeout=9", ""),
    ("backends.workers.execution_timeout=9", ""),
    ("backends.workers.max_body=1000000", ""),
    ("backends.workers.fleet=9", ""),
    ("backends.workers.vram_gb=16", ""),
    ("backends.workers.price_per_second=0.1", ""),
    ("backends.workers.idle_timeout=9", ""),
    ("backends.workers.cold_start=9", ""),
    ("backends.workers.frame_time=9", ""),
    ("backends.workers.sound_time=9", ""),
    ("backends.workers.job_gap=9", ""),
    ("backends.workers.max_answer=1000000", ""),
    ("backends.workers.concurrency=9", ""),
    ("backends.workers.attempts=9", ""),
    ("backends.workers.retry_time=9", ""),
    ("backends.workers.outage_timeout=9", ""),
    ("backends.workers.outage_timeout=9", ""),
    ("backends.workers.policy.ttl=10000", ""),
    (
        "backends.workers.request.images=\"{{ images }}\"",
        "far.request again.request",
    ),
    (
        "backends.workers.answer.bbox_of=\"source\"",
        "far.request again.request",
    ),
    ("backends.ears.base_url=\"http://127.0.0.1:8/v1\"", ""),
    ("backends.ears.api_key_env=\"OTHER\"", ""),
    ("backends.ears.request_timeout=9", ""),
    ("backends.ears.max_body=1000000", ""),
    ("backends.ears.max_answer=1000000", ""),
    ("backends.ears.concurrency=9", ""),
    ("backends.ears.attempts=9", ""),
    ("backends.ears.retry_time=9", ""),
    ("backends.ears.outage_timeout=9", ""),
    ("backends.ears.outage_timeout=9", ""),
    ("backends.server.url=\"https://127.0.0.2:8/see\"", ""),
    // Where a host has several models, this may be what names one.
    (
        "backends.server.url=\"http://127.0.0.1:9/other\"",
        "told.request asked.request counted.request sounds.request sounds.compose",
    ),
    (
        "backends.server.method=\"PUT\"",
        "told.request asked.request counted.request sounds.request sounds.compose",
    ),
    (
        "backends.server.body=\"form\"",
        "told.request asked.request counted.request sounds.request sounds.compose",
    ),
    ("backends.server.api_key_env=\"OTHER\"", ""),
    ("backends.server.api_key_header=\"x-other\"", ""),
    (
        "backends.server.ok=\"status == 200\"",
        "told.request asked.request counted.request sounds.request sounds.compose",
    ),
    ("backends.server.retry_if=\"status == 500\"", ""),
    ("backends.server.request_timeout=9", ""),
    ("backends.server.max_body=1000000", ""),
    ("backends.server.max_answer=1000000", ""),
    ("backends.server.concurrency=9", ""),
    ("backends.server.attempts=9", ""),
    ("backends.server.retry_time=9", ""),
    ("backends.server.outage_timeout=9", ""),
    ("backends.server.outage_timeout=9", ""),
    (
        "backends.server.headers.x-more=\"1\"",
        "told.request asked.request counted.request sounds.request sounds.compose",
    ),
    (
        "backends.server.query.more=\"1\"",
        "told.request asked.request counted.request sounds.request sounds.compose",
    ),
    // Those of the stages decide.
    ("backends.server.request.x=1", ""),
    ("backends.server.answer.bbox_of=\"source\"", ""),
];

// Keys that have no row: what a stage is and takes is another recipe.
const OF_ALL: [&str; 3] = ["kind", "inputs", "enabled"];

#[test]
fn a_change_asks_anew_what_it_touches_and_nothing_else() {
    let base = digests(BASE, &[], &Facts::default(), &place);
    let mut wrong = String::new();
    for (set, expected) in KEYS {
        let changed = digests(BASE, &[set], &Facts::default(), &place);
        let changed = differing(&base, &changed);
        let expected: BTreeSet<String> = expected.split_whitespace().map(str::to_owned).collect();
        if changed != expected {
            wrong += &format!("{set}: {changed:?}, not {expected:?}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_key_is_decided_on() {
    let recipe = load(BASE, &[]);
    let rows: BTreeSet<(String, String)> = KEYS.iter().map(|(set, _)| row(&recipe, set)).collect();
    let schema = recipe::schema();
    let stages = schema["properties"]["stages"]["properties"].as_object();
    let of_stages = stages
        .unwrap()
        .iter()
        .map(|(kind, keys)| (kind.clone(), keys));
    let backends = schema["properties"]["backends"]["additionalProperties"]["anyOf"].as_array();
    let of_backends = backends.unwrap().iter().map(|keys| {
        let kind = keys["properties"]["kind"]["const"].as_str();
        (format!("backend {}", kind.unwrap()), keys)
    });
    let mut missing = Vec::new();
    for (kind, keys) in of_stages.chain(of_backends) {
        for key in keys["properties"].as_object().unwrap().keys() {
            let is_there = rows.contains(&(kind.clone(), key.clone()));
            if !is_there && !OF_ALL.contains(&key.as_str()) && !is_of_crops(&kind, key) {
                missing.push(format!("{kind}.{key}"));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "no row says what these change: {missing:?}"
    );
}

// What is taken of crops is read in one place for all kinds: the rows of `yolo` say it.
fn is_of_crops(kind: &str, key: &str) -> bool {
    kind == "http" && ["filter", "padding", "regions"].contains(&key)
}

// The kind and the key that a row changes.
fn row(recipe: &Recipe, set: &str) -> (String, String) {
    let (path, _) = set.split_once('=').unwrap();
    let mut parts = path.split('.');
    match parts.next().unwrap() {
        "backends" => {
            let name = parts.next().unwrap();
            let backend = &recipe.backends[&name.into()];
            let kind = format!("backend {}", backend.spec.kind());
            (kind, parts.next().unwrap().to_owned())
        }
        id => {
            let kind = recipe.stage(&id.into()).map(|stage| stage.spec.kind());
            let kind = kind.map_or("vars", StageKind::word).to_owned();
            (kind, parts.next().unwrap().to_owned())
        }
    }
}

#[test]
fn facts_count_where_they_decide_an_answer() {
    let base = digests(BASE, &[], &Facts::default(), &place);
    let with = |facts: Facts, place: &dyn Fn(&Stage) -> Placement| {
        let changed = differing(&base, &digests(BASE, &[], &facts, place));
        Vec::from_iter(changed).join(" ")
    };
    let cores = Facts {
        cores: 64,
        ..Facts::default()
    };
    assert_eq!(with(cores, &place), "");
    let first = Facts {
        first: Some(Duration::from_secs(2)),
        ..Facts::default()
    };
    assert_eq!(
        with(first, &place),
        "counted.request extract.frames hears.compose listens.compose sounds.compose \
         whisper.compose"
    );
    let facts = Facts::default;
    let here = |change: &dyn Fn(&mut LocalFacts)| {
        with(facts(), &|stage| match place(stage) {
            Placement::Local(mut local) => {
                change(&mut local);
                Placement::Local(local)
            }
            other => other,
        })
    };
    assert_eq!(here(&|it| it.engine = "ort".to_owned()), "");
    assert_eq!(here(&|it| it.device = "cuda:0".to_owned()), "");
    assert_eq!(here(&|it| it.threads = 4), "");
    assert_eq!(here(&|it| it.concurrency = Some(1)), "");
    assert_eq!(here(&|it| it.model.name = "other.onnx".to_owned()), "");
    assert_eq!(
        here(&|it| it.model.digest = "00".to_owned()),
        "cuts.write drawn.write near.detect parts.detect told.request whisper.compose whisper.transcribe"
    );
    let seen = "cuts.write drawn.write near.detect parts.detect told.request";
    assert_eq!(here(&|it| it.model.classes = vec!["cat".into()]), seen);
    assert_eq!(here(&|it| it.model.imgsz = Some(640)), seen);
    assert_eq!(here(&|it| it.model.imgsz = Some(1280)), "");
    let there = |change: &dyn Fn(&mut RemoteFacts)| {
        with(facts(), &|stage| match place(stage) {
            Placement::Remote(mut remote) => {
                change(&mut remote);
                Placement::Remote(remote)
            }
            other => other,
        })
    };
    assert_eq!(there(&|it| it.host = "example.org".to_owned()), "");
    assert_eq!(there(&|it| it.max_body /= 2), "");
    assert_eq!(there(&|it| it.endpoint = Some("other".to_owned())), "");
    // A server of OpenAI's API has models.
    assert_eq!(
        there(&|it| it.model = Some("other".to_owned())),
        "listens.compose listens.request"
    );
}

#[test]
fn a_video_is_known_by_its_content_alone_unless_its_name_is_sent() {
    let digests = |names: &[&str]| {
        let videos = (0..).zip(names).map(|(id, name)| video(VideoId(id), name));
        let facts = Facts {
            videos: videos.collect(),
            ..Facts::default()
        };
        digests(BASE, &[], &facts, &place)
    };
    let base = digests(&["a/one.mp4", "b/two.mp4"]);
    let differing = |names: &[&str]| Vec::from_iter(differing(&base, &digests(names))).join(" ");
    assert_eq!(differing(&["b/two.mp4", "a/one.mp4"]), "");
    assert_eq!(differing(&["c/one.mp4", "c/two.mp4"]), "");
    assert_eq!(differing(&["a/one.mp4", "b/three.mp4"]), "counted.request");
}

fn video(id: VideoId, path: &str) -> VideoFacts {
    VideoFacts {
        id,
        path: path.into(),
        size: Size {
            width: 64,
            height: 64,
        },
        duration: Some(1.0),
        fps: None,
        codec: "h264".to_owned(),
        rotation: 0,
        has_sound: true,
        first_frame: None,
        expected_frames: Some(1),
        wanted: TimeRanges::default(),
    }
}

// An accidental change of how terms are spelled asks everything anew, everywhere: it is seen here.
#[test]
fn the_digests_of_a_recipe_stay_what_they_are() {
    let digests = digests(BASE, &[], &Facts::default(), &place);
    let lines = digests
        .iter()
        .map(|(step, digest)| format!("{step} {digest}\n"));
    let text: String = lines.collect();
    settings().bind(|| assert_snapshot!("digests", text));
}

#[test]
fn no_order_of_keys_and_no_comment_changes_a_digest() {
    let base = digests(BASE, &[], &Facts::default(), &place);
    let mut sections: Vec<Vec<String>> = Vec::new();
    for line in BASE.lines().filter(|line| !line.is_empty()) {
        match line.strip_prefix('[') {
            None if !sections.is_empty() => sections.last_mut().unwrap().push(line.to_owned()),
            _ => sections.push(vec![line.to_owned()]),
        }
    }
    let top = sections
        .iter()
        .take_while(|lines| !lines[0].starts_with('['))
        .count();
    let top: Vec<String> = sections.drain(..top).flatten().collect();
    let config = Config {
        cases: 40,
        failure_persistence: None,
        ..Config::default()
    };
    let shuffled = Just(sections).prop_shuffle().prop_flat_map(|sections| {
        let sections = sections.into_iter().map(|lines| {
            let head = lines[0].clone();
            let keys = Just(lines[1..].to_vec()).prop_shuffle();
            keys.prop_map(move |keys| format!("{head} # a comment\n{}\n", keys.join("\n")))
        });
        sections.collect::<Vec<_>>()
    });
    let tried = TestRunner::new(config).run(&shuffled, |sections| {
        let text = format!("{}\n{}", top.join("\n"), sections.concat());
        let changed = digests(&text, &[], &Facts::default(), &place);
        prop_assert_eq!(differing(&base, &changed), BTreeSet::new());
        Ok(())
    });
    if let Err(failure) = tried {
        panic!("{failure}");
    }
}

#[test]
fn a_recipe_is_not_known_by_the_names_in_it() {
    let named = BASE
        .replace("stages.parts", "stages.pieces")
        .replace("\"parts", "\"pieces")
        .replace("stages.save]", "stages.frames]\nkind = \"save\"")
        .replace("backends.server", "backends.other")
        .replace("\"server\"", "\"other\"");
    let facts = Facts::default();
    let base = digests(BASE, &[], &facts, &place);
    let renamed = digests(&named, &[], &facts, &place);
    let values = |digests: &Digests| digests.values().cloned().collect::<BTreeSet<_>>();
    assert_eq!(values(&base), values(&renamed));
    assert!(renamed.contains_key("pieces.detect"), "{renamed:?}");
}

// By step.
type Digests = BTreeMap<String, String>;

fn digests(
    text: &str,
    sets: &[&str],
    facts: &Facts,
    place: &dyn Fn(&Stage) -> Placement,
) -> Digests {
    let plan = plan_of(text, sets, facts, place);
    let digests = plan
        .steps()
        .filter_map(|(_, step)| Some((step.id.to_string(), step.digest?.to_string())));
    // That of the sound is made of that of its transcript.
    let digests = digests.filter(|(step, _)| !step.ends_with(".sound"));
    let digests: Digests = digests.collect();
    let asked = digests.get("near.detect");
    assert_eq!(
        asked,
        plan.digest(&"near".into())
            .map(|it| it.to_string())
            .as_ref()
    );
    digests
}

fn plan_of(text: &str, sets: &[&str], facts: &Facts, place: &dyn Fn(&Stage) -> Placement) -> Plan {
    let plan = try_plan(text, sets, facts, place);
    plan.unwrap_or_else(|wrong| panic!("{sets:?}: {wrong}"))
}

fn try_plan(
    text: &str,
    sets: &[&str],
    facts: &Facts,
    place: &dyn Fn(&Stage) -> Placement,
) -> Result<Plan, String> {
    plan_with(try_load(text, sets, BTreeMap::new())?, facts, place)
}

fn plan_with(
    recipe: Recipe,
    facts: &Facts,
    place: &dyn Fn(&Stage) -> Placement,
) -> Result<Plan, String> {
    let placements = recipe.stages.iter();
    let placements = placements.filter(|stage| stage.spec.medium().is_some());
    let facts = Facts {
        cores: facts.cores.max(1),
        placements: placements
            .map(|stage| (stage.id.clone(), place(stage)))
            .collect(),
        ..facts.clone()
    };
    let recipe = plan::check(recipe).map_err(|report| format!("{:?}", report.diagnostics))?;
    plan::compile(&recipe, &facts, CompileOptions::default()).map_err(|error| format!("{error:?}"))
}

fn differing(one: &Digests, other: &Digests) -> BTreeSet<String> {
    let steps: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let differ = steps
        .into_iter()
        .filter(|step| one.get(*step) != other.get(*step));
    differ.cloned().collect()
}

fn place(stage: &Stage) -> Placement {
    match stage.spec.backend().map(vpipe::name::BackendName::as_str) {
        Some("here") => {
            let mut here = placements::local("m");
            here.model.classes = ["cat", "dog"].map(Arc::from).into();
            Placement::Local(here)
        }
        // A server of OpenAI's API is placed with the model that it is asked for.
        Some("ears") => {
            let model = stage.settings.get("model").and_then(|model| model.as_str());
            Placement::Remote(RemoteFacts {
                model: Some(model.unwrap_or("whisper-1").to_owned()),
                ..placements::runpod()
            })
        }
        _ => Placement::Remote(placements::runpod()),
    }
}

// The recipe with each of `sets` changed by one that extends it.
fn load(text: &str, sets: &[&str]) -> Recipe {
    let loaded = try_load(text, sets, BTreeMap::new());
    loaded.unwrap_or_else(|wrong| panic!("{sets:?}: {wrong}"))
}

// In a run whose environment may lack what is asked for.
fn try_load(
    text: &str,
    sets: &[&str],
    variables: BTreeMap<String, String>,
) -> Result<Recipe, String> {
    let request = Request {
        recipe: "changed.toml".to_owned(),
        optional_variables: true,
        ..Request::default()
    };
    let mut changed = "version = 1\nextends = \"base.toml\"\n".to_owned();
    for set in sets {
        let is_stage = !["backends.", "vars."].iter().any(|it| set.starts_with(it));
        changed += &format!("{}{set}\n", if is_stage { "stages." } else { "" });
    }
    let files = Files {
        base: text,
        changed: &changed,
        variables,
    };
    recipe::load(&request, &files).map_err(|error| format!("{error}"))
}

struct Files<'a> {
    base: &'a str,
    changed: &'a str,
    variables: BTreeMap<String, String>,
}

impl Environment for Files<'_> {
    fn read(&self, path: &Path) -> io::Result<String> {
        let is_base = path.file_name().is_some_and(|name| name == "base.toml");
        Ok(if is_base { self.base } else { self.changed }.to_owned())
    }

    fn variables(&self) -> BTreeMap<String, String> {
        self.variables.clone()
    }
}
