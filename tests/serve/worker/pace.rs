//! How often a worker calls, on a clock that goes on only while everybody waits.

use super::harness::settings;
use super::harness::start;
use super::script::Script;
use crate::control_plane::Call;
use crate::control_plane::ControlPlane;
use crate::control_plane::Fault;
use serde_json::json;
use std::ops::RangeInclusive;
use std::time::Duration;
use vpipe::serve::worker::Pace;

/// What is answered to each question, and how often it is asked in a minute.
const TABLE: &[(Fault, RangeInclusive<u64>)] = &[
    // Once a second, with a begin that is quicker.
    (Fault::Status(204), 40..=70),
    (Fault::Status(400), 40..=70),
    // Every 5 s, as RunPod's own workers do.
    (Fault::Status(429), 12..=13),
    (Fault::TooMany(20_000), 3..=4),
    // No longer than a minute, whatever is asked for.
    (Fault::TooMany(3_600_000), 1..=2),
    // Less and less often.
    (Fault::Status(500), 5..=10),
    (Fault::Lost, 5..=10),
    (Fault::Page, 5..=10),
];

#[tokio::test(start_paused = true)]
async fn no_answer_makes_a_worker_ask_without_a_pause() {
    for (fault, often) in TABLE {
        let faults = [*fault; 2_000];
        let plane = ControlPlane::start(
            Duration::ZERO,
            &[(Call::Take, &faults), (Call::Stop, &faults)],
        )
        .await;
        let mut settings = settings(&plane, "w1");
        settings.pace = Pace::default();
        settings.plane.interval = Duration::from_secs(10);
        let worker = start(&settings, &Script::new());
        tokio::time::sleep(Duration::from_secs(60)).await;
        worker.end().await;
        let calls = plane.state().calls.clone();
        assert!(often.contains(&calls[&Call::Take]), "{fault:?}: {calls:?}");
        assert!(
            (6..=7).contains(&calls[&Call::Ping]),
            "{fault:?}: {calls:?}"
        );
    }
}

// The control plane holds each question open for 20 s: another follows at once.
#[tokio::test(start_paused = true)]
async fn a_question_that_is_held_open_is_followed_by_another() {
    let plane = ControlPlane::start(Duration::from_secs(20), &[]).await;
    let mut settings = settings(&plane, "w1");
    settings.pace = Pace::default();
    settings.plane.interval = Duration::from_secs(10);
    let script = Script::new();
    let worker = start(&settings, &script);
    tokio::time::sleep(Duration::from_secs(59)).await;
    assert_eq!(plane.state().calls[&Call::Take], 3);
    plane.submit("a", json!({ "value": 1 }));
    plane.until_all_are_through().await;
    worker.end().await;
    assert_eq!(script.done().begun["a"], 1);
}
