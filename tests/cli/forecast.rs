//! What is left to ask and to pay where something is known already: what `plan` and a run say
//! of it, and what is asked then.

use crate::support::fleet::Fleet;
use crate::support::program::Said;
#[cfg(unix)]
use crate::support::program::quiet_environment;
use crate::support::program::vpipe_beside;
use crate::support::repository::CLIP;
use rusqlite::Connection;
use serde_json::Value;
use std::path::Path;
use tempfile::TempDir;

async fn said(fleet: &Fleet, folder: &Path, words: &[&str]) -> Said {
    let words = [words, &[CLIP, "--json"]].concat();
    let said = vpipe_beside(folder, &words, &fleet.variables()).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    said
}

async fn planned(fleet: &Fleet, folder: &Path, words: &[&str]) -> Value {
    let said = said(fleet, folder, &[&["plan", "default"], words].concat()).await;
    serde_json::from_str(&said.out).unwrap()
}

fn images(fleet: &Fleet) -> usize {
    fleet.sizes().iter().sum()
}

// Forgets what was found in all frames but so many; that they were sampled stays known.
fn forget_objects(folder: &Path, but: u32) {
    let journal = Connection::open(folder.join("output/.vpipe/journal.sqlite")).unwrap();
    // The stage with the most answers beside the sampling, which alone has one about the whole.
    let forgotten = journal.execute(
        "DELETE FROM answers WHERE kind = 1
            AND stage NOT IN (SELECT stage FROM answers WHERE kind = 0)
            AND first NOT IN (SELECT DISTINCT first FROM answers WHERE kind = 1
                ORDER BY first LIMIT ?1)",
        [but],
    );
    assert_eq!(forgotten.unwrap(), 26 - but as usize);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_is_neither_asked_nor_forecast() {
    let fleet = Fleet::start(&[], 0, 1).await;
    let folder = TempDir::new().unwrap();
    let before = planned(&fleet, folder.path(), &[]).await;
    assert_eq!(before["forecast"][0]["work"]["count"], 26);
    said(&fleet, folder.path(), &["run", "default"]).await;
    assert_eq!(images(&fleet), 26);

    let whole = planned(&fleet, folder.path(), &[]).await;
    let yolo = &whole["forecast"][0];
    assert_eq!(yolo["work"]["count"], 0);
    assert_eq!(yolo["work"]["all"], 26);
    assert_eq!(yolo["requests"]["high"], 0);
    assert_eq!(whole["cost"]["high"], 0.0);
    assert_eq!(whole["reading_seconds"], 0.0);
    let words = ["plan", "default", CLIP];
    let text = vpipe_beside(folder.path(), &words, &fleet.variables()).await;
    let text = text.out;
    assert!(
        text.contains("yolo: 26 answers are known already"),
        "{text}"
    );
    assert!(text.contains("yolo: nothing is left to ask\n"), "{text}");

    forget_objects(folder.path(), 10);
    let part = planned(&fleet, folder.path(), &[]).await;
    let yolo = &part["forecast"][0];
    assert_eq!(yolo["work"]["count"], 16);
    assert_eq!(yolo["work"]["exact"], true);
    assert_eq!(yolo["requests"]["expected"], 1);
    assert!(part["cost"]["high"].as_f64() < before["cost"]["high"].as_f64());
    assert!(part["reading_seconds"].as_f64() < before["reading_seconds"].as_f64());
    let again = said(&fleet, folder.path(), &["run", "default"]).await;
    let talk = again.talk;
    assert!(
        talk.contains("yolo: 10 answers are known already"),
        "{talk}"
    );
    assert!(
        talk.contains("yolo: 16 of 26 frames in 1 request to "),
        "{talk}"
    );
    assert_eq!(images(&fleet), 26 + 16);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_found_under_another_range_is_expected_to_be_found_again() {
    let fleet = Fleet::start(&[], 0, 1).await;
    let folder = TempDir::new().unwrap();
    said(&fleet, folder.path(), &["run", "default", "--first", "5s"]).await;
    assert_eq!(images(&fleet), 5);
    let yolo = &planned(&fleet, folder.path(), &[]).await["forecast"][0];
    assert_eq!(yolo["work"]["count"], 21);
    assert_eq!(
        yolo["work"]["exact"], false,
        "nobody has read the video so far"
    );
    assert_eq!(yolo["requests"]["high"], 2);
    said(&fleet, folder.path(), &["run", "default"]).await;
    assert_eq!(images(&fleet), 26);
}

// A disk that becomes full on the way, as far as a test can have one: no file may be longer than
// 300 KiB, which the journal is after some of 52 commits of some pages each.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_becomes_full_keeps_what_was_paid() {
    let fleet = Fleet::start(&[], 0, 1).await;
    let folder = TempDir::new().unwrap();
    let words = [
        "run",
        "default",
        CLIP,
        "--max-workers",
        "1",
        "--batch-size",
        "1",
    ];
    let script = "trap '' XFSZ; ulimit -f 600; exec \"$0\" \"$@\"";
    let mut command = std::process::Command::new("sh");
    quiet_environment(&mut command);
    command
        .current_dir(folder.path())
        .args(["-c", script, env!("CARGO_BIN_EXE_vpipe")])
        .args(words)
        .envs(fleet.variables());
    let full = tokio::task::spawn_blocking(move || command.output().unwrap());
    let full = full.await.unwrap();
    let talk = String::from_utf8(full.stderr).unwrap();
    assert_eq!(full.status.code(), Some(3), "{talk}");
    assert!(
        talk.contains("journal.sqlite cannot be written: "),
        "{talk}"
    );
    assert!(talk.contains(" of this run are kept in it"), "{talk}");
    assert!(
        talk.contains("make room and run the same command again"),
        "{talk}"
    );
    let paid = images(&fleet);
    assert!((2..26).contains(&paid), "{paid}: {talk}");
    let again = vpipe_beside(folder.path(), &words, &fleet.variables()).await;
    assert_eq!(again.code, 0, "{}", again.talk);
    // Of what could not be kept one ticket and one answer may be lost.
    assert!((26..=28).contains(&images(&fleet)), "{}", images(&fleet));
}
