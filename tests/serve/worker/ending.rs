//! The end of a worker, by a signal and without one.

use super::harness::all_is_right;
use super::harness::plane;
use super::harness::settings;
use super::harness::start;
use super::harness::submit;
use super::harness::within;
use super::script::Script;
use crate::control_plane::At;
use crate::control_plane::Call;
use crate::control_plane::Fault;
use serde_json::json;

#[tokio::test]
async fn what_was_taken_is_done_and_nothing_more_is_taken() {
    let (plane, script) = (
        plane(&[(Call::Done, &[Fault::Status(500), Fault::Cut])]).await,
        Script::new(),
    );
    for id in ["a", "b", "c", "d"] {
        plane.submit(id, json!({ "do": "wait" }));
    }
    let mut worker = start(&settings(&plane, "w1"), &script);
    within(plane.until(|state| state.named.values().any(|named| named.len() == 2))).await;
    worker.stop();
    script.open();
    worker.ended().await;
    // One was at work and one was ahead.
    for (id, at) in [
        ("a", At::Answered(true)),
        ("b", At::Answered(true)),
        ("c", At::Queue),
        ("d", At::Queue),
    ] {
        assert_eq!(plane.job(id).at, at, "{id}");
    }
    // Another worker goes on.
    let other = start(&settings(&plane, "w2"), &script);
    within(plane.until_all_are_through()).await;
    other.end().await;
    all_is_right("two", &plane, &[script]);
}

#[tokio::test]
async fn a_worker_that_waits_for_jobs_ends_at_once() {
    let (plane, script) = (plane(&[]).await, Script::new());
    let worker = start(&settings(&plane, "w1"), &script);
    within(plane.until(|state| state.calls.contains_key(&Call::Take))).await;
    let notes = worker.end().await;
    assert!(notes.is_empty(), "{notes:?}");
}

#[tokio::test]
async fn what_a_dead_worker_had_is_done_by_another() {
    let (plane, dead, script) = (plane(&[]).await, Script::new(), Script::new());
    submit(&plane, 2);
    plane.submit("w", json!({ "do": "wait" }));
    let worker = start(&settings(&plane, "w1"), &dead);
    within(dead.until(|done| done.begun.contains_key("w"))).await;
    worker.kill().await;
    assert_eq!(dead.done().dropped, ["w"]);
    plane.bury("w1");
    script.open();
    let other = start(&settings(&plane, "w2"), &script);
    within(plane.until_all_are_through()).await;
    other.end().await;
    assert!(plane.state().wrong.is_empty());
    assert_eq!(script.done().begun.get("w"), Some(&1));
    assert_eq!(plane.job("w").at, At::Answered(true));
}

#[tokio::test]
async fn a_worker_that_begins_anew_does_one_job() {
    for input in [json!({ "value": 1 }), json!({ "do": "fail" })] {
        let (plane, script) = (plane(&[]).await, Script::new());
        plane.submit("a", input);
        plane.submit("b", json!({ "value": 2 }));
        let mut settings = settings(&plane, "w1");
        (settings.once, settings.slots) = (true, 4);
        // By itself, without a signal.
        start(&settings, &script).ended().await;
        assert_eq!(plane.job("a").answer().unwrap()["stopPod"], true);
        assert_eq!(plane.job("b").at, At::Queue);
        assert_eq!(plane.state().calls[&Call::Take], 1);
    }
}
