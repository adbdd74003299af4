//! A loss of power: the journal as the disk may have it then, cut anywhere.

use super::samples::DIGEST;
use super::samples::VIDEO;
use super::samples::content;
use super::samples::frame_key;
use super::samples::journal;
use super::samples::noted;
use super::samples::objects;
use super::samples::start;
use super::samples::ticket;
use crate::answer::OpenTicket;
use crate::engine::answers::Answers;
use crate::engine::answers::NotedAnswer;
use crate::engine::journal::journal::Journal;
use crate::failure::Class;
use crate::name::VideoId;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use tempfile::tempdir;

const FRAMES: i64 = 8;

// Notes answers and tickets, and gives the file and the log that was not yet written into it.
fn written() -> (Vec<u8>, Vec<u8>) {
    let folder = tempdir().unwrap();
    let journal = journal(folder.path());
    for pts in 0..FRAMES {
        let ticket = ticket(&format!("job {pts}"), &[pts]);
        journal.note_ticket(&ticket).unwrap();
        let mut answer = noted(frame_key(1, pts), objects(pts));
        answer.ticket = Some(ticket.ticket);
        journal.note_answers(&[answer]).unwrap();
    }
    let read = |name| fs::read(folder.path().join(name)).unwrap();
    (read("journal.sqlite"), read("journal.sqlite-wal"))
}

// How many of the answers are known; those are the first ones, and as they were noted.
fn known(folder: &Path, file: &[u8], log: &[u8]) -> usize {
    fs::write(folder.join("journal.sqlite"), file).unwrap();
    fs::write(folder.join("journal.sqlite-wal"), log).unwrap();
    let journal = Journal::open(folder).unwrap();
    journal.name_video(VIDEO, &content(DIGEST)).unwrap();
    let found: Vec<_> = (0..FRAMES)
        .map(|pts| (pts, journal.look_up(&frame_key(1, pts)).unwrap()))
        .collect();
    let known = found
        .iter()
        .take_while(|(_, found)| found.is_some())
        .count();
    for (pts, found) in found {
        if let Some(found) = found {
            assert_eq!(found, objects(pts));
            assert!((pts as usize) < known, "an earlier answer is missing");
        }
    }
    // A ticket is open where its answer is not there, and only then.
    for ticket in journal.open_tickets().unwrap() {
        assert_eq!(ticket.ticket.as_str(), format!("job {known}"));
    }
    known
}

#[test]
fn the_log_cut_at_every_page_and_within() {
    let (file, log) = written();
    // The header of the log; then a header and a page, again and again.
    let step = 24 + 4096;
    let mut best = 0;
    for page in 0..=(log.len() - 32) / step {
        let end = 32 + page * step;
        for cut in [end, end + 7, end + 24 + 100, end + step - 1] {
            let folder = tempdir().unwrap();
            let known = known(folder.path(), &file, &log[..cut.min(log.len())]);
            assert!(known >= best, "more of the log, and less is known");
            best = known;
        }
    }
    assert_eq!(best, FRAMES as usize);
}

#[test]
fn a_page_of_the_log_that_was_not_written() {
    let (file, log) = written();
    let step = 24 + 4096;
    for page in 0..(log.len() - 32) / step {
        let folder = tempdir().unwrap();
        let mut log = log.clone();
        let start = 32 + page * step;
        log[start..start + step].fill(0);
        known(folder.path(), &file, &log);
    }
}

#[test]
fn the_file_cut_at_every_page() {
    let folder = tempdir().unwrap();
    let first = journal(folder.path());
    for pts in 0..FRAMES {
        let answer = noted(frame_key(1, pts), objects(pts));
        first.note_answers(&[answer]).unwrap();
    }
    drop(first);
    let file = fs::read(folder.path().join("journal.sqlite")).unwrap();
    let mut counts = Vec::new();
    for page in 0..=file.len() / 4096 {
        for cut in [page * 4096, page * 4096 + 1000] {
            let folder = tempdir().unwrap();
            let cut = cut.min(file.len());
            counts.push(known(folder.path(), &file[..cut], &[]));
        }
    }
    assert_eq!(counts.first(), Some(&0));
    assert_eq!(counts.last(), Some(&(FRAMES as usize)));
}

// What a journal knows of the videos of the runs below: answers by video and time, and tickets.
#[derive(Clone, Debug, Default, PartialEq)]
struct Known {
    answers: BTreeSet<(u32, i64)>,
    tickets: BTreeSet<String>,
}

const VIDEOS: u32 = 3;
const OF_A_VIDEO: i64 = 72;

// No two frames of two videos have the same answer.
fn answer_of(video: u32, pts: i64) -> NotedAnswer {
    let mut answer = noted(frame_key(1, pts), objects(1_000 * i64::from(video) + pts));
    answer.key.video = VideoId(video);
    answer
}

fn name_videos(journal: &Journal) {
    for video in 0..VIDEOS {
        let digest = format!("video {video}");
        journal
            .name_video(VideoId(video), &content(&digest))
            .unwrap();
    }
}

// The file and the log of a journal of three runs over three videos, in jobs of four frames of which
// one in nine is lost; and all that was known, one state after the other.
fn three_runs() -> (Vec<u8>, Vec<u8>, Vec<Known>) {
    let folder = tempdir().unwrap();
    // While somebody has it open, nothing of the log is written into the file.
    let holder = Journal::open(folder.path()).unwrap();
    let mut states = vec![Known::default()];
    for run in 0..3 {
        let journal = Journal::open(folder.path()).unwrap();
        journal.begin(&start()).unwrap();
        name_videos(&journal);
        let from = run * OF_A_VIDEO / 3;
        let until = (run + 1) * OF_A_VIDEO / 3;
        for video in 0..VIDEOS {
            for first in (from..until).step_by(4) {
                let frames: Vec<i64> = (first..until.min(first + 4)).collect();
                let name = format!("job {run} {video} {first}");
                let mut job: OpenTicket = ticket(&name, &frames);
                job.video = VideoId(video);
                journal.note_ticket(&job).unwrap();
                let mut state = states.last().unwrap().clone();
                state.tickets.insert(name.clone());
                states.push(state.clone());
                state.tickets.remove(&name);
                if first % 9 == 8 {
                    journal.drop_ticket(&job.ticket).unwrap();
                } else {
                    let of_job = |pts: &i64| NotedAnswer {
                        ticket: Some(job.ticket.clone()),
                        ..answer_of(video, *pts)
                    };
                    let answers: Vec<_> = frames.iter().map(of_job).collect();
                    journal.note_answers(&answers).unwrap();
                    let frames = frames.iter().map(|pts| (video, *pts));
                    state.answers.extend(frames);
                }
                states.push(state);
            }
        }
    }
    let read = |name| fs::read(folder.path().join(name)).unwrap();
    let (file, log) = (read("journal.sqlite"), read("journal.sqlite-wal"));
    drop(holder);
    (file, log, states)
}

// What is left of a journal; no answer in it is wrong. `None` where it says that it is damaged.
fn left(file: &[u8], log: &[u8]) -> Option<Known> {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("journal.sqlite"), file).unwrap();
    fs::write(folder.path().join("journal.sqlite-wal"), log).unwrap();
    let journal = Journal::open(folder.path()).unwrap();
    name_videos(&journal);
    let mut known = Known::default();
    for video in 0..VIDEOS {
        for pts in 0..OF_A_VIDEO {
            let right = answer_of(video, pts);
            match journal.look_up(&right.key) {
                Ok(None) => {}
                Ok(Some(found)) => {
                    assert_eq!(found, right.answer);
                    known.answers.insert((video, pts));
                }
                Err(failure) => {
                    assert_eq!(failure.class, Class::Disk, "{failure}");
                    return None;
                }
            }
        }
    }
    let open = journal.open_tickets().unwrap().into_iter();
    known.tickets = open.map(|open| open.ticket.to_string()).collect();
    Some(known)
}

#[test]
fn after_any_page_of_a_long_log_all_is_as_it_was_at_some_moment() {
    let (file, log, states) = three_runs();
    let step = 24 + 4096;
    let (pages, mut moment) = ((log.len() - 32) / step, 0);
    for page in 0..=pages {
        // At the border, and of one in four somewhere in the page that follows.
        let within = (page % 4 == 0).then_some(page * 37 % step);
        for within in [Some(0), within].into_iter().flatten() {
            let end = (32 + page * step + within).min(log.len());
            let known = left(&file, &log[..end]).unwrap();
            let after = states[moment..].iter().position(|state| *state == known);
            let Some(after) = after else {
                panic!("page {page} of {pages}: {known:?} never was, or was before");
            };
            moment += after;
        }
    }
    assert_eq!(moment, states.len() - 1, "the whole log has all");
    eprintln!("{pages} pages, {} states", states.len());
}

#[test]
fn of_a_long_journal_cut_at_every_page_no_answer_is_wrong() {
    let (file, log, states) = three_runs();
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("journal.sqlite"), file).unwrap();
    fs::write(folder.path().join("journal.sqlite-wal"), log).unwrap();
    // In order, so that all of the log is in the file.
    drop(Journal::open(folder.path()).unwrap());
    let file = fs::read(folder.path().join("journal.sqlite")).unwrap();
    let pages = file.len() / 4096;
    for page in 0..pages {
        left(&file[..page * 4096 + page * 37 % 4096], &[]);
        let mut torn = file.clone();
        torn[page * 4096..][..4096].fill(0);
        left(&torn, &[]);
    }
    assert_eq!(left(&file, &[]).as_ref(), states.last());
    eprintln!("{pages} pages");
}
