//! What a client sees of a job, and in which order.

use super::harness::plane;
use super::harness::settings;
use super::harness::start;
use super::harness::within;
use super::script::Script;
use super::script::TOO_LARGE;
use crate::control_plane::Call;
use crate::control_plane::Fault;
use serde_json::Value;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn what_has_no_output_has_an_error_in_words() {
    let large = format!("the output has {}", TOO_LARGE + r#"{"output":""}"#.len());
    for (input, words) in [
        (json!({ "do": "fail" }), "nothing is seen"),
        (json!({ "do": "panic" }), "vpipe has a defect: boom"),
        (json!({ "do": "large" }), &large),
        (json!({}), "the job has no input"),
        (json!(null), "the job has no input"),
        (json!([1]), "the input of the job is not an object"),
    ] {
        let (plane, script) = (plane(&[]).await, Script::new());
        plane.submit("a", input.clone());
        plane.submit("b", json!({ "value": 1 }));
        let worker = start(&settings(&plane, "w1"), &script);
        within(plane.until_all_are_through()).await;
        worker.end().await;
        let (a, b) = (plane.job("a"), plane.job("b"));
        let error = a.answer().unwrap()["error"].as_str().unwrap();
        assert!(error.starts_with(words), "{input}: {error}");
        assert_eq!(a.posts.len(), 1, "{input}");
        assert_eq!(b.answer().unwrap()["output"]["given"]["value"], 1);
        assert!(plane.state().wrong.is_empty());
    }
}

// Nobody sees a job that is completed and has no output.
#[tokio::test]
async fn an_answer_that_is_refused_becomes_an_error() {
    for (status, words) in [
        (400, "RunPod refuses the output"),
        (413, "the output has"),
        (422, "RunPod refuses the output"),
    ] {
        let (plane, script) = (
            plane(&[(Call::Done, &[Fault::Status(status)])]).await,
            Script::new(),
        );
        plane.submit("a", json!({ "value": 1 }));
        let worker = start(&settings(&plane, "w1"), &script);
        within(plane.until_all_are_through()).await;
        worker.end().await;
        let job = plane.job("a");
        let error = job.answer().unwrap()["error"].as_str().unwrap();
        assert!(error.starts_with(words), "{status}: {error}");
        assert_eq!(job.posts.len(), 2, "{status}");
    }
}

#[tokio::test]
async fn progress_comes_in_order_and_before_the_answer() {
    let slow = Fault::Slow(Duration::from_millis(20));
    for faults in [
        &[][..],
        &[Fault::Fine, slow, slow, slow],
        &[Fault::Status(500), slow, Fault::Lost, slow],
        &[Fault::Slow(Duration::from_secs(3_600)), Fault::Cut],
    ] {
        let (plane, script) = (plane(&[(Call::Progress, faults)]).await, Script::new());
        plane.submit("a", json!({ "do": "progress", "count": 40 }));
        let worker = start(&settings(&plane, "w1"), &script);
        within(plane.until_all_are_through()).await;
        worker.end().await;
        let job = plane.job("a");
        assert!(plane.state().wrong.is_empty(), "{:?}", plane.state().wrong);
        assert_eq!(job.posts.last().unwrap().call, Call::Done);
        let steps: Vec<u64> = job
            .bodies(Call::Progress)
            .iter()
            .map(|body| body["output"].as_u64().unwrap())
            .collect();
        assert!(steps.is_sorted(), "{steps:?}");
        // Where some wait, the last of them is told.
        assert!(steps.last() == Some(&39) || !faults.is_empty(), "{steps:?}");
    }
}

#[tokio::test]
async fn parts_come_in_order_and_none_is_lost() {
    for faults in [
        &[][..],
        &[
            Fault::Fine,
            Fault::Status(500),
            Fault::Lost,
            Fault::TooMany(5),
        ],
        &[Fault::Cut, Fault::Fine, Fault::Cut],
    ] {
        let (plane, script) = (plane(&[(Call::Chunk, faults)]).await, Script::new());
        plane.submit("a", json!({ "do": "stream", "count": 30 }));
        let worker = start(&settings(&plane, "w1"), &script);
        within(plane.until_all_are_through()).await;
        worker.end().await;
        let job = plane.job("a");
        let mut parts: Vec<&Value> = job.bodies(Call::Chunk);
        // What was taken while the line broke comes again.
        parts.dedup();
        let all: Vec<Value> = (0..30)
            .map(|part| json!({ "output": { "part": part } }))
            .collect();
        assert_eq!(parts, all.iter().collect::<Vec<_>>());
        let last = job.posts.last().unwrap();
        assert!(last.call == Call::Done && last.is_stream);
        assert!(plane.state().wrong.is_empty());
    }
}

#[tokio::test]
async fn a_part_that_is_refused_is_the_error_of_the_job() {
    let (plane, script) = (
        plane(&[(Call::Chunk, &[Fault::Fine, Fault::Status(413)])]).await,
        Script::new(),
    );
    plane.submit("a", json!({ "do": "stream", "count": 5 }));
    let worker = start(&settings(&plane, "w1"), &script);
    within(plane.until_all_are_through()).await;
    worker.end().await;
    let job = plane.job("a");
    assert!(
        job.answer().unwrap()["error"]
            .as_str()
            .unwrap()
            .starts_with("the output has")
    );
    assert_eq!(job.bodies(Call::Chunk).len(), 1);
}

// An answer that cannot be delivered is kept, pinged, and in nobody's way.
#[tokio::test]
async fn a_late_answer_holds_up_no_other_job() {
    let away = [Fault::Status(500); 1_000];
    let (plane, script) = (plane(&[(Call::Done, &away)]).await, Script::new());
    for number in 0..20 {
        plane.submit(&format!("j{number:02}"), json!({ "value": number }));
    }
    let worker = start(&settings(&plane, "w1"), &script);
    within(script.until(|done| done.begun.len() == 20)).await;
    // They are named as long as they are not delivered, so that no other worker is given them.
    within(plane.until(|state| state.named.values().any(|named| named.len() == 20))).await;
    within(plane.until_all_are_through()).await;
    worker.end().await;
    super::harness::all_is_right("late", &plane, &[script]);
}

// Neither is it the answer to a job that cannot be done.
#[tokio::test]
async fn a_late_refusal_holds_up_no_other_job() {
    let away = [Fault::Status(500); 1_000];
    let (plane, script) = (plane(&[(Call::Done, &away)]).await, Script::new());
    for id in ["a", "b", "c"] {
        plane.submit(id, json!({}));
    }
    plane.submit("d", json!({ "value": 1 }));
    let worker = start(&settings(&plane, "w1"), &script);
    within(script.until(|done| done.begun.contains_key("d"))).await;
    assert!(plane.job("a").answer().is_none());
    within(plane.until_all_are_through()).await;
    worker.end().await;
}
