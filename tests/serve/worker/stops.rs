//! Jobs that nobody wants any more.

use super::harness::plane;
use super::harness::settings;
use super::harness::start;
use super::harness::within;
use super::script::Script;
use crate::control_plane::Call;
use crate::control_plane::Fault;
use serde_json::json;

#[tokio::test]
async fn a_job_that_is_stopped_ends_at_once_and_is_not_answered() {
    let (plane, script) = (
        plane(&[(Call::Stop, &[Fault::Status(500), Fault::Lost])]).await,
        Script::new(),
    );
    plane.submit("a", json!({ "do": "wait" }));
    plane.submit("b", json!({ "value": 1 }));
    let worker = start(&settings(&plane, "w1"), &script);
    within(script.until(|done| done.begun.contains_key("a"))).await;
    plane.cancel("a");
    within(plane.until_all_are_through()).await;
    assert_eq!(script.done().dropped, ["a"]);
    let notes = worker.end().await;
    assert!(plane.job("a").posts.is_empty());
    assert!(plane.job("b").answer().is_some());
    assert!(
        notes.iter().any(|note| note.starts_with("INFO a: stopped")),
        "{notes:?}"
    );
}

#[tokio::test]
async fn a_job_that_is_stopped_before_its_begin_is_not_begun() {
    let (plane, script) = (plane(&[]).await, Script::new());
    plane.submit("a", json!({ "do": "wait" }));
    plane.submit("b", json!({ "value": 1 }));
    let worker = start(&settings(&plane, "w1"), &script);
    let has_both = |named: &Vec<String>| named.len() == 2;
    within(plane.until(|state| state.named.values().any(has_both))).await;
    plane.cancel("b");
    within(plane.until(|state| state.named.values().all(|named| named.len() == 1))).await;
    script.open();
    within(plane.until_all_are_through()).await;
    worker.end().await;
    assert!(!script.done().begun.contains_key("b"));
    assert!(plane.job("b").posts.is_empty());
}

#[tokio::test]
async fn an_answer_that_nobody_wants_any_more_is_dropped() {
    let away = [Fault::Status(500); 1_000];
    let (plane, script) = (plane(&[(Call::Done, &away)]).await, Script::new());
    plane.submit("a", json!({ "value": 1 }));
    let worker = start(&settings(&plane, "w1"), &script);
    within(plane.until(|state| state.calls.contains_key(&Call::Done))).await;
    plane.cancel("a");
    within(plane.until(|state| state.named.values().all(Vec::is_empty))).await;
    worker.end().await;
    assert_eq!(plane.job("a").answer(), None);
}

// The job is gone from the control plane: nobody is told anything any more.
#[tokio::test]
async fn an_answer_of_a_job_that_is_gone_is_given_up() {
    let (plane, script) = (
        plane(&[(Call::Done, &[Fault::Status(404)])]).await,
        Script::new(),
    );
    plane.submit("a", json!({ "value": 1 }));
    let worker = start(&settings(&plane, "w1"), &script);
    within(plane.until(|state| state.calls.contains_key(&Call::Done))).await;
    worker.end().await;
    assert_eq!(plane.job("a").posts.len(), 1);
}
