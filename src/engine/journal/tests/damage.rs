//! A journal that is no longer one, is of a newer program, or cannot be written.

use super::samples::DIGEST;
use super::samples::VIDEO;
use super::samples::content;
use super::samples::frame_key;
use super::samples::journal;
use super::samples::noted;
use super::samples::objects;
use super::samples::start;
use super::samples::ticket;
use crate::engine::answers::Answers;
use crate::engine::journal::error::JournalError;
use crate::engine::journal::journal::Journal;
use crate::failure::Class;
use crate::failure::Failure;
use rusqlite::Connection;
use std::fs;
use std::path::Path;
use tempfile::TempDir;
use tempfile::tempdir;

const FRAMES: i64 = 100;

// A folder with a journal of some answers, closed in order.
fn folder() -> TempDir {
    let folder = tempdir().unwrap();
    let journal = journal(folder.path());
    let answers: Vec<_> = (0..FRAMES)
        .map(|pts| noted(frame_key(1, pts), objects(pts)))
        .collect();
    journal.note_answers(&answers).unwrap();
    folder
}

// No answer is wrong, and the journal can be gone on with.
fn is_sound(folder: &Path) -> Journal {
    let journal = journal(folder);
    for pts in 0..FRAMES {
        if let Some(found) = journal.look_up(&frame_key(1, pts)).unwrap() {
            assert_eq!(found, objects(pts));
        }
    }
    let again = noted(frame_key(1, 0), objects(0));
    journal.note_answers(&[again]).unwrap();
    assert!(journal.has(&frame_key(1, 0)).unwrap());
    journal
}

#[test]
fn a_damaged_file_is_set_aside_and_a_new_one_begun() {
    let folder = folder();
    let file = folder.path().join("journal.sqlite");
    let aside = |number| {
        folder
            .path()
            .join(format!("journal.damaged-{number}.sqlite"))
    };
    for number in 1..3 {
        let mut bytes = fs::read(&file).unwrap();
        bytes[..16].fill(b'x');
        fs::write(&file, &bytes).unwrap();
        let journal = is_sound(folder.path());
        assert_eq!(journal.set_aside(), Some(aside(number).as_path()));
        assert!(!journal.has(&frame_key(1, 1)).unwrap(), "it is a new one");
        drop(journal);
        assert_eq!(
            fs::read(aside(number)).unwrap(),
            bytes,
            "all that was there"
        );
    }
    assert_eq!(is_sound(folder.path()).set_aside(), None);
}

#[test]
fn what_is_no_journal_is_set_aside_too() {
    let other = |folder: &Path| {
        let other = Connection::open(folder.join("journal.sqlite")).unwrap();
        other
            .execute_batch("CREATE TABLE cats (name TEXT)")
            .unwrap();
    };
    let text = |folder: &Path| {
        fs::write(
            folder.join("journal.sqlite"),
            "not a journal\n".repeat(1000),
        )
        .unwrap();
    };
    let makers: [&dyn Fn(&Path); 2] = [&other, &text];
    for make in makers {
        let folder = tempdir().unwrap();
        make(folder.path());
        let Err(error) = Journal::open_existing(folder.path()) else {
            panic!("it is read as a journal");
        };
        assert!(matches!(error, JournalError::Damaged { .. }), "{error}");
        assert!(is_sound(folder.path()).set_aside().is_some());
    }
}

#[test]
fn a_file_of_no_bytes_is_a_new_journal() {
    let folder = folder();
    fs::write(folder.path().join("journal.sqlite"), "").unwrap();
    assert_eq!(is_sound(folder.path()).set_aside(), None);
}

// A page that is never looked at until the run goes on may be the one that is damaged.
fn is_sound_or_says_so(folder: &Path) -> Result<(), Failure> {
    let journal = Journal::open(folder).unwrap();
    journal.begin(&start())?;
    journal.name_video(VIDEO, &content(DIGEST))?;
    for pts in 0..FRAMES {
        if let Some(found) = journal.look_up(&frame_key(1, pts))? {
            assert_eq!(found, objects(pts));
        }
    }
    journal.note_answers(&[noted(frame_key(1, 0), objects(0))])?;
    assert!(journal.has(&frame_key(1, 0))?);
    Ok(())
}

// Numbers that look drawn by lot, and are the same each time.
fn scattered(seed: u64) -> impl Iterator<Item = u64> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    })
}

#[test]
fn bytes_that_are_not_as_they_were_make_no_wrong_answer() {
    let whole = folder();
    let file = fs::read(whole.path().join("journal.sqlite")).unwrap();
    for seed in 0..40 {
        let folder = tempdir().unwrap();
        let mut bytes = file.clone();
        let mut numbers = scattered(seed);
        for _ in 0..1 + seed % 20 {
            let at = numbers.next().unwrap() as usize % bytes.len();
            bytes[at] = numbers.next().unwrap() as u8;
        }
        fs::write(folder.path().join("journal.sqlite"), bytes).unwrap();
        is_sound_or_says_so(folder.path()).unwrap_or_else(|failure| {
            assert_eq!(failure.class, Class::Disk, "{failure}");
        });
    }
}

#[test]
fn a_newer_journal_is_refused_and_left_alone() {
    let folder = folder();
    let file = folder.path().join("journal.sqlite");
    let newer = Connection::open(&file).unwrap();
    newer.pragma_update(None, "user_version", 7).unwrap();
    drop(newer);
    let before = fs::read(&file).unwrap();
    for error in [
        Journal::open(folder.path()).err().unwrap(),
        Journal::open_existing(folder.path()).err().unwrap(),
    ] {
        let said = error
            .to_string()
            .replace(&file.display().to_string(), "FILE");
        insta::allow_duplicates! {
            insta::assert_snapshot!(said, @"the journal FILE is of a newer vpipe: it has format 7, and this one knows 2");
            insta::assert_snapshot!(error.help(), @"run the newer vpipe, or give this one a journal of its own with --state-dir DIR");
        }
    }
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn where_no_file_can_be_there_is_no_journal() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let error = Journal::open(&folder.path().join("file")).err().unwrap();
    assert!(matches!(error, JournalError::Unusable { .. }), "{error}");
    assert!(error.to_string().starts_with("the journal "));
    assert!(
        Journal::open_existing(&folder.path().join("file"))
            .unwrap()
            .is_none()
    );
    assert!(
        Journal::open_existing(&folder.path().join("none"))
            .unwrap()
            .is_none()
    );
    let entries = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(entries, 1, "to look for a journal makes none");
}

/// Neither to a file that is there nor to one that would be made.
#[cfg(unix)]
#[test]
fn a_link_is_not_followed() {
    use std::os::unix::fs::symlink;
    let folder = tempdir().unwrap();
    let (precious, made) = (folder.path().join("precious"), folder.path().join("made"));
    fs::write(&precious, "").unwrap();
    let state = folder.path().join("state");
    let ends_in_why = |error: String| {
        assert!(
            error.ends_with("it is a link, a folder or a device"),
            "{error}"
        );
    };
    for name in ["sqlite", "sqlite-wal", "sqlite-shm", "lock"] {
        for elsewhere in [&precious, &made] {
            fs::create_dir(&state).unwrap();
            symlink(elsewhere, state.join(format!("journal.{name}"))).unwrap();
            ends_in_why(Journal::open(&state).err().unwrap().to_string());
            fs::remove_dir_all(&state).unwrap();
        }
    }
    let journal = Journal::open(&state).unwrap();
    drop(journal.hold("output/a_results.json").unwrap().unwrap());
    let [lock] = <[_; 1]>::try_from(
        fs::read_dir(state.join("locks"))
            .unwrap()
            .collect::<Vec<_>>(),
    )
    .unwrap()
    .map(|entry| entry.unwrap().path());
    for elsewhere in [&precious, &made] {
        fs::remove_file(&lock).unwrap();
        symlink(elsewhere, &lock).unwrap();
        ends_in_why(journal.hold("output/a_results.json").unwrap_err().message);
        assert!(!journal.is_held("output/a_results.json"));
    }
    assert!(!made.exists());
    assert_eq!(fs::read(&precious).unwrap(), b"");
}

#[test]
fn a_full_disk_is_told_with_what_is_kept() {
    let folder = folder();
    let journal = journal(folder.path());
    let answer = noted(frame_key(1, 1_000), objects(1_000));
    journal.note_answers(&[answer]).unwrap();
    journal
        .store
        .maintain(|connection| connection.execute_batch("PRAGMA max_page_count = 1"))
        .unwrap();
    let many: Vec<_> = (2_000..4_000)
        .map(|pts| noted(frame_key(1, pts), objects(pts)))
        .collect();
    let failure = journal.note_answers(&many).unwrap_err();
    assert_eq!(failure.class, Class::Disk);
    let said = failure
        .message
        .replace(&folder.path().display().to_string(), "FOLDER");
    insta::assert_snapshot!(said.replace('\\', "/"), @"the journal FOLDER/journal.sqlite cannot be written: database or disk is full; 1 answer of this run is kept in it");
    insta::assert_snapshot!(failure.help.unwrap(), @"make room and run the same command again: what is kept is not asked again");
    // All or none.
    assert!(journal.has(&frame_key(1, 1_000)).unwrap());
    assert!(!journal.has(&frame_key(1, 2_000)).unwrap());
    let full = (0..).map(|number| journal.note_ticket(&ticket(&format!("job {number}"), &[0; 40])));
    let failure = full.take(100).find_map(Result::err).unwrap();
    assert_eq!(failure.class, Class::Disk);
    journal
        .store
        .maintain(|connection| connection.execute_batch("PRAGMA max_page_count = 1000000"))
        .unwrap();
    journal.note_answers(&many).unwrap();
    assert!(journal.has(&frame_key(1, 2_000)).unwrap());
    assert!(journal.name_video(VIDEO, &content("another")).is_ok());
}
