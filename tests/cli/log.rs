//! The log: followed from a frame to its answer, and free of keys and bodies.

use crate::support::fleet::Fault;
use crate::support::fleet::Fleet;
use crate::support::fleet::KEY;
use crate::support::program::vpipe_beside;
use crate::support::repository::CLIP;
use std::collections::BTreeSet;
use std::fs;
use tempfile::TempDir;

// The item and the step that a line of the log is about.
fn subject(line: &str) -> &str {
    let (_, rest) = line.split_once("item{").unwrap();
    rest.split_once(" attempt=").unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_followed_from_its_frames_to_its_answer() {
    let fleet = Fleet::start(&[Fault::HtmlGateway, Fault::NoOutput], 30, 5).await;
    let folder = TempDir::new().unwrap();
    let words = ["run", "default", CLIP, "-vv", "--log", "run.log"];
    let said = vpipe_beside(folder.path(), &words, &fleet.variables()).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    let log = fs::read_to_string(folder.path().join("run.log")).unwrap();
    for told in [&said.talk, &log] {
        assert!(!told.contains(KEY), "the key was told: {told}");
        // The first bytes of every JPEG in base64, and a field of every answer.
        assert!(!told.contains("/9j/"), "a request was told: {told}");
        assert!(!told.contains("class_name"), "an answer was told: {told}");
        assert!(told.contains("placed on a server stage=yolo"), "{told}");
        assert!(told.contains("decoder opened"), "{told}");
        assert!(told.contains("results written video=0"), "{told}");
    }
    let about = |what: &str| -> BTreeSet<&str> {
        let lines = log.lines().filter(|line| line.contains(what));
        lines.map(subject).collect()
    };
    let accepted = about(": accepted ticket=");
    assert!(accepted.len() > 1, "{log}");
    assert!(
        accepted
            .iter()
            .all(|it| it.starts_with("step=yolo.") && it.contains(" item=frame"))
    );
    let answered = about(": answered ");
    assert!(accepted.is_subset(&answered), "{accepted:?} {answered:?}");
    // Two answers were of no use, and their requests went out a second time.
    assert!(log.contains(": trying again "), "{log}");
    assert!(log.contains(" attempt=2}: vpipe::engine"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_says_what_is_logged() {
    let folder = TempDir::new().unwrap();
    let run = async |filter: &'static str| {
        let words = ["run", "default", CLIP, "--first", "1s"];
        vpipe_beside(folder.path(), &words, &[("VPIPE_LOG", filter)]).await
    };
    let silent = run("").await;
    assert!(!silent.talk.contains("vpipe::"), "{}", silent.talk);
    let app = run("vpipe::app=info").await;
    assert!(app.talk.contains("vpipe::app::placement"), "{}", app.talk);
    assert!(!app.talk.contains("vpipe::media"), "{}", app.talk);
    let wrong = run("vpipe=loud").await;
    assert_eq!(wrong.code, 2, "{}", wrong.talk);
    assert!(
        wrong.talk.contains("VPIPE_LOG is not a filter"),
        "{}",
        wrong.talk
    );
}
