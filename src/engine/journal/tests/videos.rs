//! Files and videos: what is remembered of a file while it is the same, and what is noted of one
//! before it is known which video it is.

use super::samples::VIDEO;
use super::samples::content;
use super::samples::frame_key;
use super::samples::noted;
use super::samples::objects;
use super::samples::start;
use super::samples::ticket;
use crate::answer::ItemKey;
use crate::engine::answers::Answers;
use crate::engine::answers::NotedAnswer;
use crate::engine::journal::journal::Journal;
use crate::engine::journal::stamp::FileStamp;
use crate::name::VideoId;
use std::fs;
use std::fs::File;
use std::path::Path;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;
use std::time::SystemTime;
use tempfile::TempDir;
use tempfile::tempdir;

fn journal(folder: &TempDir) -> Journal {
    let journal = Journal::open(&folder.path().join("state")).unwrap();
    journal.begin(&start()).unwrap();
    journal
}

// A file that was last written an hour before this time.
fn file(folder: &TempDir, name: &str, text: &str, hour: SystemTime) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    file.set_modified(hour - Duration::from_secs(3600)).unwrap();
    path
}

// As it will be in two seconds.
fn settled(path: &Path) -> FileStamp {
    FileStamp {
        is_settled: true,
        ..FileStamp::of(path).unwrap()
    }
}

fn frame(video: VideoId, pts: i64) -> ItemKey {
    ItemKey {
        video,
        ..frame_key(1, pts)
    }
}

fn answers(video: VideoId, frames: std::ops::Range<i64>) -> Vec<NotedAnswer> {
    let answers = frames.map(|pts| noted(frame(video, pts), objects(pts)));
    answers.collect()
}

fn known(journal: &Journal, video: VideoId) -> Vec<i64> {
    let has = |pts: &i64| {
        let found = journal.look_up(&frame(video, *pts)).unwrap();
        assert!(found.is_none() || found == Some(objects(*pts)));
        found.is_some()
    };
    (0..10).filter(has).collect()
}

#[test]
fn a_file_is_remembered_while_nothing_about_it_has_changed() {
    let (folder, now) = (tempdir().unwrap(), SystemTime::now());
    let journal = journal(&folder);
    let remembered = |path: &Path| journal.remembered(&settled(path)).unwrap();
    let path = file(&folder, "a.mp4", "abc", now);
    assert_eq!(remembered(&path), None);
    journal.remember(&settled(&path), &content("1")).unwrap();
    assert_eq!(remembered(&path).as_deref(), Some("1"));
    // Another name, another size, another time.
    let copy = folder.path().join("b.mp4");
    fs::copy(&path, &copy).unwrap();
    assert_eq!(remembered(&copy), None);
    let moved = folder.path().join("c.mp4");
    fs::rename(&path, &moved).unwrap();
    assert_eq!(remembered(&moved), None);
    for (text, time) in [("abcd", now), ("abc", now - Duration::from_secs(1))] {
        assert_eq!(remembered(&file(&folder, "a.mp4", text, time)), None);
    }
}

// Two files of the same size and time change names: each is another file now.
#[test]
fn a_file_is_not_taken_for_one_that_had_its_name() {
    let (folder, now) = (tempdir().unwrap(), SystemTime::now());
    let journal = journal(&folder);
    let [one, other] = ["a.mp4", "b.mp4"].map(|name| file(&folder, name, name, now));
    for path in [&one, &other] {
        journal.remember(&settled(path), &content("1")).unwrap();
    }
    let between = folder.path().join("between");
    fs::rename(&one, &between).unwrap();
    fs::rename(&other, &one).unwrap();
    fs::rename(&between, &other).unwrap();
    for path in [&one, &other] {
        assert_eq!(journal.remembered(&settled(path)).unwrap(), None);
    }
}

// Unix alone says when a file was changed, whatever time it was given afterwards.
#[cfg(unix)]
#[test]
fn a_time_that_is_set_back_hides_no_change() {
    let (folder, now) = (tempdir().unwrap(), SystemTime::now());
    let journal = journal(&folder);
    let path = file(&folder, "a.mp4", "abc", now);
    let stamp = settled(&path);
    journal.remember(&stamp, &content("1")).unwrap();
    // The clock of a file system may stand still for some milliseconds.
    while stamp.is_current() {
        file(&folder, "a.mp4", "xyz", now);
    }
    assert_eq!(journal.remembered(&settled(&path)).unwrap(), None);
}

#[test]
fn a_file_that_was_just_written_is_not_remembered() {
    let folder = tempdir().unwrap();
    let journal = journal(&folder);
    let path = folder.path().join("a.mp4");
    fs::write(&path, "abc").unwrap();
    let later = SystemTime::now() + Duration::from_secs(3600);
    let file = File::options().write(true).open(&path).unwrap();
    file.set_modified(later).unwrap();
    let stamp = FileStamp::of(&path).unwrap();
    assert!(!stamp.is_settled());
    journal.remember(&stamp, &content("1")).unwrap();
    assert_eq!(journal.remembered(&stamp).unwrap(), None);
    assert_eq!(journal.remembered(&settled(&path)).unwrap(), None);
}

#[test]
fn of_a_size_that_no_video_has_nothing_is_known() {
    let folder = tempdir().unwrap();
    let journal = journal(&folder);
    let may_know = |bytes| journal.may_know(bytes).unwrap();
    assert!(!may_know(1_000));
    journal.name_video(VIDEO, &content("1")).unwrap();
    assert!(may_know(1_000) && !may_know(1_001));
    let path = file(&folder, "a.mp4", "abc", SystemTime::now());
    journal.name_unread(VideoId(1), &settled(&path)).unwrap();
    assert!(may_know(3) && !may_know(4));
    // Older journals do not know the size of all.
    let forget = "UPDATE videos SET bytes = NULL WHERE digest = '1'";
    journal
        .store
        .maintain(|it| it.execute_batch(forget))
        .unwrap();
    assert!(may_know(4));
    journal.name_video(VIDEO, &content("1")).unwrap();
    assert!(!may_know(4));
}

#[test]
fn what_is_noted_before_a_file_is_read_is_of_its_content_then() {
    let folder = tempdir().unwrap();
    let first = journal(&folder);
    let path = file(&folder, "a.mp4", "abc", SystemTime::now());
    first.name_unread(VIDEO, &settled(&path)).unwrap();
    first.note_answers(&answers(VIDEO, 0..3)).unwrap();
    first.note_ticket(&ticket("a", &[5])).unwrap();
    assert_eq!(known(&first, VIDEO), [0, 1, 2]);
    first
        .name_read(VIDEO, &settled(&path), &content("1"))
        .unwrap();
    first.note_answers(&answers(VIDEO, 3..5)).unwrap();
    assert_eq!(known(&first, VIDEO), [0, 1, 2, 3, 4]);
    drop(first);
    let second = journal(&folder);
    let digest = second.remembered(&settled(&path)).unwrap();
    assert_eq!(digest.as_deref(), Some("1"));
    second.name_video(VIDEO, &content("1")).unwrap();
    assert_eq!(known(&second, VIDEO), [0, 1, 2, 3, 4]);
    assert_eq!(second.open_tickets().unwrap(), [ticket("a", &[5])]);
}

#[test]
fn a_run_that_ends_before_a_file_is_read_loses_nothing() {
    let folder = tempdir().unwrap();
    let first = journal(&folder);
    let path = file(&folder, "a.mp4", "abc", SystemTime::now());
    let stamp = settled(&path);
    first.name_unread(VIDEO, &stamp).unwrap();
    first.note_answers(&answers(VIDEO, 0..3)).unwrap();
    first.note_ticket(&ticket("a", &[5])).unwrap();
    drop(first);
    // Read first, since something of this size is there.
    let second = journal(&folder);
    assert_eq!(second.remembered(&stamp).unwrap(), None);
    assert!(second.may_know(stamp.bytes()).unwrap());
    second.remember(&stamp, &content("1")).unwrap();
    second.name_video(VIDEO, &content("1")).unwrap();
    assert_eq!(known(&second, VIDEO), [0, 1, 2]);
    assert_eq!(second.open_tickets().unwrap(), [ticket("a", &[5])]);
}

#[test]
fn a_file_that_has_changed_has_none_of_the_answers_of_before() {
    let folder = tempdir().unwrap();
    let first = journal(&folder);
    let now = SystemTime::now();
    let path = file(&folder, "a.mp4", "abc", now);
    let stamp = settled(&path);
    first.name_unread(VIDEO, &stamp).unwrap();
    first.note_answers(&answers(VIDEO, 0..3)).unwrap();
    drop(first);
    let second = journal(&folder);
    let path = file(&folder, "a.mp4", "xyz", now - Duration::from_secs(1));
    assert!(!stamp.is_current());
    second.remember(&settled(&path), &content("2")).unwrap();
    second.name_video(VIDEO, &content("2")).unwrap();
    assert!(known(&second, VIDEO).is_empty());
}

// Another process reads the file first, and knows what is in it before the one that works on it.
#[test]
fn two_processes_find_out_what_one_file_is() {
    for is_known in [false, true] {
        let folder = tempdir().unwrap();
        let [one, other] = [(); 2].map(|()| journal(&folder));
        let path = file(&folder, "a.mp4", "abc", SystemTime::now());
        let stamp = settled(&path);
        if is_known {
            other.name_video(VIDEO, &content("1")).unwrap();
        }
        one.name_unread(VIDEO, &stamp).unwrap();
        one.note_answers(&answers(VIDEO, 0..3)).unwrap();
        other.remember(&stamp, &content("1")).unwrap();
        other.name_video(VIDEO, &content("1")).unwrap();
        assert_eq!(known(&other, VIDEO), [0, 1, 2]);
        other.note_answers(&answers(VIDEO, 3..5)).unwrap();
        one.note_answers(&answers(VIDEO, 5..8)).unwrap();
        one.name_read(VIDEO, &stamp, &content("1")).unwrap();
        for journal in [one, other] {
            assert_eq!(known(&journal, VIDEO), Vec::from_iter(0..8));
        }
    }
}

#[test]
fn two_names_of_one_content_share_what_is_noted() {
    let folder = tempdir().unwrap();
    let journal = journal(&folder);
    let other = VideoId(1);
    let path = file(&folder, "a.mp4", "abc", SystemTime::now());
    journal.name_video(VIDEO, &content("1")).unwrap();
    journal.name_unread(other, &settled(&path)).unwrap();
    journal.note_answers(&answers(VIDEO, 0..3)).unwrap();
    journal.note_answers(&answers(other, 2..6)).unwrap();
    let mut job = ticket("a", &[7]);
    job.video = other;
    journal.note_ticket(&job).unwrap();
    assert_eq!(known(&journal, VIDEO), [0, 1, 2]);
    assert_eq!(known(&journal, other), [2, 3, 4, 5]);
    journal
        .name_read(other, &settled(&path), &content("1"))
        .unwrap();
    for video in [VIDEO, other] {
        assert_eq!(known(&journal, video), [0, 1, 2, 3, 4, 5]);
    }
    assert_eq!(journal.open_tickets().unwrap().len(), 1);
}

#[test]
fn no_answer_of_one_unread_file_is_taken_for_that_of_another() {
    let (folder, now) = (tempdir().unwrap(), SystemTime::now());
    let journal = journal(&folder);
    let other = VideoId(1);
    for (video, name) in [(VIDEO, "a.mp4"), (other, "b.mp4")] {
        let path = file(&folder, name, name, now);
        journal.name_unread(video, &settled(&path)).unwrap();
    }
    journal.note_answers(&answers(VIDEO, 0..3)).unwrap();
    let swapped = "UPDATE answers SET video = 3 - video";
    journal
        .store
        .maintain(|it| it.execute_batch(swapped))
        .unwrap();
    assert!(known(&journal, other).is_empty());
    let path = folder.path().join("b.mp4");
    journal
        .name_read(other, &settled(&path), &content("2"))
        .unwrap();
    assert!(known(&journal, other).is_empty());
}

#[test]
fn nothing_is_lost_of_what_is_noted_while_a_file_turns_out_to_be_known() {
    let folder = tempdir().unwrap();
    let journal = journal(&folder);
    let path = file(&folder, "a.mp4", "abc", SystemTime::now());
    let stamp = settled(&path);
    journal.name_video(VideoId(1), &content("1")).unwrap();
    journal.name_unread(VIDEO, &stamp).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            for pts in 0..10 {
                journal.note_answers(&answers(VIDEO, pts..pts + 1)).unwrap();
            }
        });
        scope.spawn(|| journal.name_read(VIDEO, &stamp, &content("1")).unwrap());
    });
    assert_eq!(known(&journal, VIDEO), Vec::from_iter(0..10));
}
