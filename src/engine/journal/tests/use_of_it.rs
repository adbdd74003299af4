//! What is noted is there, for this run and the next, for many threads, and for no other key.

use super::samples::DIGEST;
use super::samples::VIDEO;
use super::samples::content;
use super::samples::frame_key;
use super::samples::journal;
use super::samples::noted;
use super::samples::objects;
use super::samples::sample;
use super::samples::stage;
use super::samples::start;
use super::samples::ticket;
use crate::answer::Answer;
use crate::answer::Extent;
use crate::answer::ItemKey;
use crate::answer::Question;
use crate::answer::SamplingEnd;
use crate::engine::answers::Answers;
use crate::engine::answers::NotedAnswer;
use crate::engine::journal::journal::Journal;
use crate::engine::journal::kept::Kept;
use crate::failure::Class;
use crate::item::SavedFile;
use crate::name::VideoId;
use crate::speech::Recognition;
use crate::speech::Transcript;
use crate::time::Pts;
use std::collections::BTreeMap;
use std::fs;
use std::thread;
use tempfile::tempdir;

// An answer of every kind, each under a key of its own.
fn of_every_kind() -> Vec<NotedAnswer> {
    let key = |number, extent| ItemKey {
        video: VIDEO,
        stage: stage(number),
        extent,
    };
    let frame = |pts, crop| Extent::Frame {
        pts: Pts(pts),
        crop,
    };
    let sound = Extent::Sound { start: 0, end: 480 };
    vec![
        noted(key(1, frame(-30, None)), objects(-30)),
        noted(key(1, frame(-30, Some(0))), objects(1)),
        noted(key(1, frame(-30, Some(1))), Answer::Objects(Vec::new())),
        noted(key(2, frame(i64::MAX, None)), Answer::Fields(Vec::new())),
        noted(key(2, sound), Answer::Recognition(Recognition::default())),
        noted(key(3, frame(30, None)), Answer::Sample(sample(30))),
        noted(
            key(3, Extent::Whole),
            Answer::Sampled(SamplingEnd::default()),
        ),
        noted(
            key(4, Extent::Whole),
            Answer::Transcript(Transcript::default()),
        ),
        noted(
            key(5, frame(0, None)),
            Answer::File(SavedFile {
                modified: Some(7),
                path: "output/a/0.jpg".into(),
                bytes: 12,
            }),
        ),
    ]
}

#[test]
fn every_answer_is_there_now_and_after_the_process() {
    let folder = tempdir().unwrap();
    let all = of_every_kind();
    let check = |journal: &Journal| {
        for NotedAnswer { key, answer, .. } in &all {
            assert_eq!(journal.look_up(key).unwrap().as_ref(), Some(answer));
            assert!(journal.has(key).unwrap());
            let mut other = *key;
            other.video = VideoId(1);
            assert_eq!(journal.look_up(&other).unwrap(), None, "another video");
            other = *key;
            other.stage = stage(9);
            assert!(!journal.has(&other).unwrap(), "another stage");
        }
        assert!(!journal.has(&frame_key(1, -29)).unwrap());
    };
    let first = journal(folder.path());
    first
        .name_video(VideoId(1), &content("another video"))
        .unwrap();
    first.note_answers(&all).unwrap();
    check(&first);
    drop(first);
    let second = journal(folder.path());
    check(&second);
    // A reader does as well, and names are those of the content.
    let reader = Journal::open_existing(folder.path()).unwrap().unwrap();
    assert_eq!(
        reader.look_up(&all[0].key).unwrap(),
        None,
        "it has no name yet"
    );
    reader.find_video(VIDEO, DIGEST).unwrap();
    check(&reader);
}

#[test]
fn an_answer_that_comes_again_takes_the_place_of_the_first() {
    let folder = tempdir().unwrap();
    let journal = journal(folder.path());
    for pts in [1, 2] {
        let answer = noted(frame_key(1, 0), objects(pts));
        journal.note_answers(&[answer]).unwrap();
    }
    assert_eq!(journal.look_up(&frame_key(1, 0)).unwrap(), Some(objects(2)));
}

#[test]
fn a_ticket_is_open_until_its_answers_come_or_it_is_dropped() {
    let folder = tempdir().unwrap();
    let first = journal(folder.path());
    let tickets = ["a", "b", "c"].map(|name| ticket(name, &[0, 30]));
    for ticket in &tickets {
        first.note_ticket(ticket).unwrap();
    }
    assert_eq!(first.open_tickets().unwrap(), tickets);
    let answer = NotedAnswer {
        ticket: Some("b".into()),
        origin: Some("api.runpod.ai, yolo11n".to_owned()),
        ..noted(frame_key(1, 0), objects(0))
    };
    first.note_answers(&[answer]).unwrap();
    first.drop_ticket(&"c".into()).unwrap();
    first.drop_ticket(&"unknown".into()).unwrap();
    drop(first);
    let second = journal(folder.path());
    assert_eq!(second.open_tickets().unwrap(), tickets[..1]);
    let kept = BTreeMap::from([(
        stage(1),
        Kept {
            answers: 1,
            tickets: 1,
        },
    )]);
    assert_eq!(second.kept().unwrap(), kept);
    // Of other videos nothing is known here.
    let third = Journal::open(folder.path()).unwrap();
    third.name_video(VIDEO, &content("another video")).unwrap();
    assert_eq!(third.open_tickets().unwrap(), []);
    assert_eq!(third.kept().unwrap(), BTreeMap::new());
}

#[test]
fn a_question_about_sound_comes_back() {
    let folder = tempdir().unwrap();
    let journal = journal(folder.path());
    let mut asked = ticket("s", &[]);
    asked.question = Question::Sound {
        range: [0, 480_000],
        own: [0, 464_000],
    };
    journal.note_ticket(&asked).unwrap();
    let mut boxes = ticket("t", &[]);
    boxes.question = Question::Boxes(sample(60));
    journal.note_ticket(&boxes).unwrap();
    assert_eq!(journal.open_tickets().unwrap(), [asked, boxes]);
}

#[test]
fn asked_anew_only_this_run_counts() {
    let folder = tempdir().unwrap();
    let first = journal(folder.path());
    first.note_answers(&of_every_kind()).unwrap();
    first.note_ticket(&ticket("a", &[0])).unwrap();
    drop(first);
    let fresh = journal(folder.path());
    fresh.ask_anew().unwrap();
    for NotedAnswer { key, .. } in of_every_kind() {
        assert_eq!(fresh.look_up(&key).unwrap(), None);
    }
    assert_eq!(fresh.open_tickets().unwrap(), []);
    assert_eq!(fresh.kept().unwrap(), BTreeMap::new());
    let key = frame_key(1, -30);
    fresh.note_answers(&[noted(key, objects(5))]).unwrap();
    assert_eq!(fresh.look_up(&key).unwrap(), Some(objects(5)));
    drop(fresh);
    // What was not asked anew before the end is as it was.
    let third = journal(folder.path());
    assert_eq!(third.look_up(&key).unwrap(), Some(objects(5)));
    assert!(third.has(&frame_key(3, 30)).unwrap());
}

#[test]
fn a_video_without_a_name_is_a_defect() {
    let folder = tempdir().unwrap();
    let journal = journal(folder.path());
    let mut key = frame_key(1, 0);
    key.video = VideoId(7);
    let failure = journal.note_answers(&[noted(key, objects(0))]).unwrap_err();
    assert_eq!(failure.class, Class::Internal);
    assert_eq!(
        failure.message,
        "the journal was not told which file video 7 is"
    );
}

#[test]
fn many_read_while_one_writes() {
    const FRAMES: i64 = 300;
    let folder = tempdir().unwrap();
    let journal = journal(folder.path());
    thread::scope(|scope| {
        scope.spawn(|| {
            for pts in 0..FRAMES {
                let answer = noted(frame_key(1, pts), objects(pts));
                journal.note_answers(&[answer]).unwrap();
            }
        });
        for _ in 0..4 {
            scope.spawn(|| {
                while !journal.has(&frame_key(1, FRAMES - 1)).unwrap() {
                    for pts in 0..FRAMES {
                        let found = journal.look_up(&frame_key(1, pts)).unwrap();
                        assert!(found.is_none_or(|it| it == objects(pts)));
                    }
                }
            });
        }
    });
    let all = (0..FRAMES).all(|pts| journal.has(&frame_key(1, pts)).unwrap());
    assert!(all);
}

#[test]
fn two_processes_write_to_one_journal() {
    let folder = tempdir().unwrap();
    let [one, other] = [(); 2].map(|()| journal(folder.path()));
    for pts in 0..20 {
        let by = if pts % 2 == 0 { &one } else { &other };
        by.note_answers(&[noted(frame_key(1, pts), objects(pts))])
            .unwrap();
    }
    for pts in 0..20 {
        assert!(one.has(&frame_key(1, pts)).unwrap());
        assert!(other.has(&frame_key(1, pts)).unwrap());
    }
    assert_eq!(one.history(None).unwrap().len(), 2);
    assert_eq!(start().inputs.len(), 2);
}

#[test]
fn ten_objects_a_frame_take_less_than_a_kilobyte() {
    const FRAMES: i64 = 2_000;
    let folder = tempdir().unwrap();
    let journal = journal(folder.path());
    for pts in 0..FRAMES {
        let pts = pts * 30;
        let taken = noted(frame_key(2, pts), Answer::Sample(sample(pts)));
        let seen = noted(frame_key(1, pts), objects(pts));
        journal.note_answers(&[taken]).unwrap();
        journal.note_answers(&[seen]).unwrap();
    }
    drop(journal);
    let file = folder.path().join("journal.sqlite");
    let a_frame = fs::metadata(file).unwrap().len() / FRAMES.unsigned_abs();
    assert!(a_frame < 1_000, "{a_frame} bytes a frame");
}

#[cfg(unix)]
#[test]
fn its_files_are_of_this_user_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempdir().unwrap();
    let place = folder.path().join("state");
    let journal = journal(&place);
    journal.note_ticket(&ticket("a", &[0])).unwrap();
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(place.clone()), 0o700);
    for name in [
        "journal.sqlite",
        "journal.sqlite-wal",
        "journal.sqlite-shm",
        "journal.lock",
    ] {
        assert_eq!(mode(place.join(name)), 0o600, "{name}");
    }
}
