//! Replays as data: of a cassette of `base.toml`, each row of the table misses the stages that it
//! asks anew, says why, and finds all others.

use super::BASE;
use super::KEYS;
use super::place;
use super::plan_of;
use super::try_plan;
use crate::support::snapshots::settings;
use crate::support::store::MemoryStore;
use insta::assert_snapshot;
use proptest::prop_assert;
use proptest::prop_assume;
use proptest::test_runner::Config;
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use vpipe::answer::Answer;
use vpipe::answer::Extent;
use vpipe::answer::ItemKey;
use vpipe::answer::StageDigest;
use vpipe::engine::Answers;
use vpipe::engine::NotedAnswer;
use vpipe::engine::cassette;
use vpipe::engine::cassette::Cassette;
use vpipe::engine::cassette::CassetteHead;
use vpipe::engine::cassette::CassetteStage;
use vpipe::engine::cassette::CassetteVideo;
use vpipe::engine::cassette::Recording;
use vpipe::engine::cassette::Replay;
use vpipe::engine::cassette::ReplayedVideo;
use vpipe::facts::Facts;
use vpipe::failure::Class;
use vpipe::name::StageId;
use vpipe::name::VideoId;
use vpipe::plan::Plan;
use vpipe::speech::Recognition;
use vpipe::time::Pts;

const DIGEST: &str = "abc";

// What a stage is asked about, and an answer to that.
fn asked(plan: &Plan, stage: &StageId) -> Option<(ItemKey, Answer)> {
    let is_sound = plan.sound(stage).is_some();
    let key = ItemKey {
        video: VideoId(0),
        stage: plan.digest(stage)?,
        extent: match is_sound {
            true => Extent::Sound { start: 0, end: 9 },
            false => Extent::Frame {
                pts: Pts(0),
                crop: None,
            },
        },
    };
    let answer = match is_sound {
        true => Answer::Recognition(Recognition::default()),
        false => Answer::Objects(Vec::new()),
    };
    Some((key, answer))
}

// The cassette of a run in which each stage was asked once.
fn recorded(plan: &Plan) -> Cassette {
    let recording = Recording::new(Arc::new(MemoryStore::default()));
    let stages = plan.stages().iter().filter_map(|stage| {
        let (key, answer) = asked(plan, &stage.id)?;
        let noted = NotedAnswer {
            key,
            answer,
            origin: None,
            ticket: None,
        };
        recording.note_answers(&[noted]).unwrap();
        Some(CassetteStage {
            id: stage.id.clone(),
            kind: stage.kind.word().to_owned(),
            place: None,
            terms: plan.terms(&stage.id).cloned(),
            asked: plan.digest(&stage.id),
            sampling: None,
            sound: plan.sound(&stage.id),
            transcript: plan.transcript(&stage.id),
            lines: 0,
            digest: String::new(),
        })
    });
    let head = CassetteHead {
        format: 0,
        check: String::new(),
        recipe: "base.toml".to_owned(),
        recipe_digest: String::new(),
        stages: stages.collect(),
        videos: vec![CassetteVideo::of(
            &super::video(VideoId(0), "a.mp4"),
            DIGEST.to_owned(),
        )],
    };
    let files = cassette::files(&recording, head, &[vec![VideoId(0)]]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    Cassette::open(folder.path()).unwrap()
}

// A cassette of the recipe, and what its stages are kept under.
struct Recorded {
    cassette: Arc<Cassette>,
    known: BTreeSet<StageDigest>,
}

impl Recorded {
    fn new() -> Self {
        let base = plan_of(BASE, &[], &Facts::default(), &place);
        let stages = base.stages().iter();
        Self {
            cassette: Arc::new(recorded(&base)),
            known: stages.filter_map(|stage| base.digest(&stage.id)).collect(),
        }
    }

    // Replays `plan`, whose steps of this name are not what was recorded; gives what is told of each
    // stage that is missed, or what is not as it should be.
    fn replay(&self, plan: &Plan, anew: &BTreeSet<&str>) -> Result<String, String> {
        let video = ReplayedVideo {
            id: VideoId(0),
            path: "a.mp4".into(),
            digest: DIGEST.to_owned(),
            is_there: true,
        };
        let replay = Replay::new(&self.cassette, plan, [video].into_iter());
        // What two stages ask in the same words is missed once.
        let (mut missing, mut told) = (BTreeSet::new(), String::new());
        for stage in plan.stages() {
            let Some((key, _)) = asked(plan, &stage.id) else {
                continue;
            };
            let id = stage.id.as_str();
            // What another stage was asked in the same words is known too.
            let is_anew = anew.contains(id) && !self.known.contains(&key.stage);
            if is_anew {
                missing.insert(key.stage);
            }
            match (replay.look_up(&key), is_anew) {
                (Ok(Some(_)), false) => {}
                (Err(failure), true) => {
                    assert_eq!(failure.class, Class::NotRecorded);
                    assert!(replay.has(&key).unwrap(), "nothing is decoded for it");
                    told += &format!("  {id}: {failure}\n");
                }
                (other, _) => return Err(format!("{id}: {other:?}")),
            }
        }
        let missed: u64 = replay.misses().groups.iter().map(|it| it.items).sum();
        assert_eq!(missed, missing.len() as u64);
        Ok(told)
    }
}

// The stages of these steps that ask; a transcript that is joined anew is asked of nobody.
fn asking<'a>(steps: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let steps = steps.flat_map(str::split_whitespace);
    let steps = steps.filter_map(|step| step.split_once('.'));
    let asking = steps.filter(|(_, does)| *does != "compose");
    asking.map(|(stage, _)| stage).collect()
}

#[test]
fn a_changed_recipe_misses_what_it_asks_anew_and_nothing_else() {
    let recorded = Recorded::new();
    let (mut wrong, mut told) = (String::new(), String::new());
    for (set, steps) in KEYS {
        let plan = plan_of(BASE, &[set], &Facts::default(), &place);
        match recorded.replay(&plan, &asking([*steps].into_iter())) {
            Ok(lines) => lines
                .lines()
                .for_each(|line| told += &format!("{set}\n{line}\n")),
            Err(why) => wrong += &format!("{set}: {why}\n"),
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(!told.contains("decides its answers"), "{told}");
    settings().bind(|| assert_snapshot!("misses", told));
}

#[test]
fn what_two_stages_ask_alike_is_missed_once() {
    let recorded = Recorded::new();
    let sets = ["far.conf=0.3", "again.conf=0.3"];
    let plan = plan_of(BASE, &sets, &Facts::default(), &place);
    let anew = asking(["far.request again.request"].into_iter());
    let told = recorded.replay(&plan, &anew).unwrap();
    assert_eq!(told.lines().count(), 2, "{told}");
}

// The row `set`, or the same with `number` where it has a number that decides something; `None`
// where that is what holds without it.
fn with_number(set: &str, steps: &str, number: Option<u32>) -> Option<String> {
    let (path, value) = set.split_once('=').unwrap();
    let Some(number) = number.filter(|_| !steps.is_empty()) else {
        return Some(set.to_owned());
    };
    let (value, usual) = match (value.parse::<u32>(), value.parse::<f64>()) {
        (Ok(_), _) => (number.to_string(), [1, 5, 85, 300, 1280].contains(&number)),
        (_, Ok(_)) => {
            let share = number % 100;
            (
                format!("0.{share:02}"),
                [0, 10, 15, 50, 70].contains(&share),
            )
        }
        _ => return Some(set.to_owned()),
    };
    (!usual).then(|| format!("{path}={value}"))
}

// However many keys are changed at once, and to whatever numbers.
#[test]
fn a_miss_never_passes() {
    let recorded = Recorded::new();
    let config = Config {
        cases: 300,
        max_global_rejects: 3000,
        failure_persistence: None,
        ..Config::default()
    };
    let rows = (0..KEYS.len(), proptest::option::of(1_u32..2000));
    let rows = proptest::collection::vec(rows, 1..6);
    let tried = TestRunner::new(config).run(&rows, |rows| {
        let mut changes: BTreeMap<&str, (String, &str)> = BTreeMap::new();
        for (row, number) in rows {
            let (set, steps) = KEYS[row];
            let changed = with_number(set, steps, number);
            prop_assume!(changed.is_some());
            let (path, _) = set.split_once('=').unwrap();
            changes.insert(path, (changed.unwrap(), steps));
        }
        let sets: Vec<&str> = changes.values().map(|(set, _)| set.as_str()).collect();
        let plan = try_plan(BASE, &sets, &Facts::default(), &place);
        // Some keys do not go together, and some numbers are too large.
        prop_assume!(plan.is_ok());
        let anew = asking(changes.values().map(|(_, steps)| *steps));
        let replayed = recorded.replay(&plan.unwrap(), &anew);
        prop_assert!(replayed.is_ok(), "{sets:?}: {}", replayed.unwrap_err());
        Ok(())
    });
    if let Err(failure) = tried {
        panic!("{failure}");
    }
}
