//! Replays as data: of a cassette of `base.toml`, each row of the table misses the stages that it
//! asks anew, says why, and finds all others.

use super::BASE;
use super::KEYS;
use super::place;
use super::plan_of;
use crate::support::snapshots::settings;
use crate::support::store::MemoryStore;
use insta::assert_snapshot;
use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use vpipe::answer::Answer;
use vpipe::answer::Extent;
use vpipe::answer::ItemKey;
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

#[test]
fn a_changed_recipe_misses_what_it_asks_anew_and_nothing_else() {
    let plan = |sets: &[&str]| plan_of(BASE, sets, &Facts::default(), &place);
    let base = plan(&[]);
    let stages = base.stages().iter();
    let known: BTreeSet<_> = stages.filter_map(|stage| base.digest(&stage.id)).collect();
    let cassette = Arc::new(recorded(&base));
    let (mut wrong, mut told) = (String::new(), String::new());
    for (set, steps) in KEYS {
        let plan = plan(&[set]);
        let video = ReplayedVideo {
            id: VideoId(0),
            path: "a.mp4".into(),
            digest: DIGEST.to_owned(),
            is_there: true,
        };
        let replay = Replay::new(&cassette, &plan, [video].into_iter());
        // What is asked anew; a transcript that is joined anew is asked of nobody.
        let anew: BTreeSet<&str> = steps
            .split_whitespace()
            .filter_map(|step| step.split_once('.'))
            .filter(|(_, does)| *does != "compose")
            .map(|(stage, _)| stage)
            .collect();
        let mut missing = 0;
        for stage in plan.stages() {
            let Some((key, _)) = asked(&plan, &stage.id) else {
                continue;
            };
            let id = stage.id.as_str();
            // What another stage was asked in the same words is known too.
            let is_anew = anew.contains(id) && !known.contains(&key.stage);
            missing += u64::from(is_anew);
            match (replay.look_up(&key), is_anew) {
                (Ok(Some(_)), false) => {}
                (Err(failure), true) => {
                    assert_eq!(failure.class, Class::NotRecorded);
                    assert!(replay.has(&key).unwrap(), "nothing is decoded for it");
                    told += &format!("{set}\n  {id}: {failure}\n");
                }
                (other, _) => wrong += &format!("{set}: {id}: {other:?}\n"),
            }
        }
        let missed: u64 = replay.misses().groups.iter().map(|it| it.items).sum();
        assert_eq!(missed, missing, "{set}");
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(!told.contains("decides its answers"), "{told}");
    settings().bind(|| assert_snapshot!("misses", told));
}
