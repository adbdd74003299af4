//! A loss of power: the journal as the disk may have it then, cut anywhere.

use super::samples::DIGEST;
use super::samples::VIDEO;
use super::samples::content;
use super::samples::frame_key;
use super::samples::journal;
use super::samples::noted;
use super::samples::objects;
use super::samples::ticket;
use crate::engine::answers::Answers;
use crate::engine::journal::journal::Journal;
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
