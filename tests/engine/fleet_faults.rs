//! Frames sent to a fleet on which everything goes wrong that is known to: every one is in the
//! results once, with its own answer or with an error.

use crate::harness::Bench;
use crate::harness::Ran;
use crate::harness::Script;
use crate::support::fleet::Fault;
use crate::support::fleet::Fleet;
use crate::support::fleet::KEY;
use crate::support::fleet::LARGE;
use crate::support::fleet::Setting;
use std::time::Duration;
use vpipe::backends::remote::runpod::Endpoint;
use vpipe::backends::remote::runpod::HOST;
use vpipe::backends::transport::access::Access;
use vpipe::backends::transport::access::Shared;
use vpipe::backends::transport::secret::Secret;
use vpipe::engine::StopReason;
use vpipe::engine::StopSignal;
use vpipe::event::Event;
use vpipe::failure::Class;
use vpipe::item::Found;
use vpipe::recipe::RunpodMode;
use vpipe::recipe::RunpodPolicy;
use vpipe::recipe::RunpodSpec;
use vpipe::recipe::ServerSpec;

pub(crate) const FRAMES: u64 = 64;
pub(crate) const IN_FLIGHT: usize = 8;

pub(crate) fn spec(mode: RunpodMode) -> RunpodSpec {
    RunpodSpec {
        mode,
        server: ServerSpec {
            max_answer: LARGE / 2,
            ..ServerSpec::default()
        },
        ..RunpodSpec::default()
    }
}

fn endpoint(fleet: &Fleet, key: &str, spec: &RunpodSpec) -> Endpoint {
    let access = Access {
        base: fleet.base.clone(),
        shown: None,
        key: Some(Secret::new(key)),
        key_host: HOST,
        allowed: Vec::new(),
        from_recipe: false,
        shared: Shared::default(),
    };
    Endpoint::new(spec, "detect", &access).unwrap()
}

pub(crate) fn bench(fleet: &Fleet, spec: &RunpodSpec) -> Bench {
    Bench::remote(IN_FLIGHT, 4)
        .frames(FRAMES)
        .asking(endpoint(fleet, KEY, spec))
}

async fn run(fleet: &Fleet, spec: &RunpodSpec) -> Ran {
    bench(fleet, spec).run(Script::default()).await
}

pub(crate) fn wrong_or_missing(run: &Ran) -> Vec<u64> {
    let right = |index: u64, found: &Found| match found {
        Found::Objects(objects) => objects.len() == 1 && u64::from(objects[0].class) == index,
        _ => false,
    };
    run.found()
        .filter(|(index, found)| !right(*index, found))
        .map(|(index, _)| index)
        .collect()
}

fn assert_nothing_lost_or_invented(run: &Ran) {
    assert_nothing_lost(run, FRAMES);
}

fn assert_nothing_lost(run: &Ran, frames: u64) {
    let indices: Vec<_> = run.found().map(|(index, _)| index).collect();
    assert_eq!(indices, (0..frames).collect::<Vec<_>>());
    for (index, found) in run.found() {
        match found {
            Found::Objects(objects) => {
                assert_eq!(objects.len(), 1, "frame {index} is silently empty");
                assert_eq!(u64::from(objects[0].class), index, "another frame's answer");
            }
            Found::Error(failure) => assert!(!failure.message.is_empty()),
            Found::Fields(fields) => panic!("frame {index} has {fields:?}"),
            Found::Skipped(why) => panic!("frame {index} was skipped: {why}"),
        }
    }
    assert!(
        !format!("{:?}", run.events).contains(KEY),
        "the key was told"
    );
}

async fn each_fault_alone(mode: RunpodMode) {
    let runs = Fault::ALL.map(|fault| async move {
        let fleet = Fleet::start(&[fault], 30, 7).await;
        let mut spec = spec(mode);
        if fault == Fault::Stuck {
            spec.queue_timeout = Duration::from_millis(500);
        }
        let run = run(&fleet, &spec).await;
        assert_eq!(run.stop.reason(), None, "{fault:?}");
        assert_nothing_lost_or_invented(&run);
        let wrong = wrong_or_missing(&run).len() as u64;
        // The answer to a request itself is that of no other job.
        let is_at_once = mode == RunpodMode::Sync && fault == Fault::OtherId;
        if fault.costs_frames() && !is_at_once {
            assert!((1..FRAMES).contains(&wrong), "{fault:?}: {wrong}");
        } else if fault.is_chance() {
            // Four of a batch were lost at once where nothing was tried in halves.
            assert!(wrong < 4, "{fault:?}: {wrong}");
        } else {
            assert_eq!(wrong_or_missing(&run), [0; 0], "{fault:?} can be made good");
        }
        if mode == RunpodMode::Async {
            assert_eq!(fleet.submitted_twice(), [[0; 0]; 0], "{fault:?}");
        }
        assert_eq!(fleet.strangers(), 0);
    });
    futures_util::future::join_all(runs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_alone_loses_and_invents_nothing() {
    each_fault_alone(RunpodMode::Async).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_alone_loses_and_invents_nothing_in_one_round_trip_either() {
    each_fault_alone(RunpodMode::Sync).await;
}

async fn all_faults_together(mode: RunpodMode) {
    let runs = [1, 2, 3, 4].map(|seed| async move {
        let fleet = Fleet::start(&Fault::ALL, 10, seed).await;
        let mut spec = spec(mode);
        spec.queue_timeout = Duration::from_secs(1);
        let run = run(&fleet, &spec).await;
        assert_nothing_lost_or_invented(&run);
        if mode == RunpodMode::Async {
            assert_eq!(fleet.submitted_twice(), [[0; 0]; 0]);
        }
    });
    futures_util::future::join_all(runs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_faults_together_lose_and_invent_nothing() {
    all_faults_together(RunpodMode::Async).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_faults_together_lose_and_invent_nothing_in_one_round_trip_either() {
    all_faults_together(RunpodMode::Sync).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ran_out_of_memory_is_not_sent_again_as_large() {
    for (fault, most) in [(Fault::OutOfMemory, 2), (Fault::Oversize, 3)] {
        let fleet = Fleet::start(&[fault], 100, 1).await;
        let run = run(&fleet, &spec(RunpodMode::Async)).await;
        assert_eq!(wrong_or_missing(&run), [0; 0]);
        let bodies = fleet.bodies().len();
        let too_large = fleet.sizes().iter().filter(|size| **size > most).count();
        assert!(
            too_large <= IN_FLIGHT,
            "{too_large} were known to be too large"
        );
        let advice = run.events.iter().any(
            |event| matches!(event, Event::Notice { text } if text.contains("`--batch-size 2`")),
        );
        assert_eq!(advice, fault == Fault::OutOfMemory);
        // Four go as two and two; a body that was refused as a whole never became a job.
        assert!(bodies <= 2 * FRAMES as usize / 4 + IN_FLIGHT, "{bodies}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_without_workers_stops_the_run_and_says_what_to_do() {
    let setting = Setting {
        workers: 0,
        ..Setting::default()
    };
    let fleet = Fleet::of(setting).await;
    let mut spec = spec(RunpodMode::Async);
    spec.queue_timeout = Duration::from_millis(300);
    let run = run(&fleet, &spec).await;
    let Some(StopReason::Failed(failure)) = run.stop.reason() else {
        panic!("it went on");
    };
    assert_eq!(failure.class, Class::Unavailable);
    assert!(
        failure
            .message
            .contains("took the job in 0.3 s: it has no workers"),
        "{}",
        failure.message
    );
    assert_eq!(fleet.left(), 0, "jobs were left in the queue");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_queued_is_taken_back_when_the_run_is_stopped() {
    let fleet = Fleet::start(&[Fault::Stuck], 100, 1).await;
    let stop = StopSignal::default();
    let bench = bench(&fleet, &spec(RunpodMode::Async)).stopped_by(&stop);
    let interrupt = async {
        while fleet.sizes().len() < IN_FLIGHT {
            tokio::task::yield_now().await;
        }
        stop.interrupt();
    };
    let (run, ()) = futures_util::future::join(bench.run(Script::default()), interrupt).await;
    assert_eq!(fleet.left(), 0, "jobs were left in the queue");
    assert_eq!(fleet.cancelled() as usize, fleet.sizes().len());
    let skipped = |(_, found): (u64, &Found)| matches!(found, Found::Skipped(_));
    assert!(run.found().all(skipped), "nobody looked at anything");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_job_took_is_noted_and_its_policy_is_passed_on() {
    let fleet = Fleet::start(&[], 0, 1).await;
    let mut spec = spec(RunpodMode::Async);
    spec.policy = RunpodPolicy {
        execution_timeout: Some(90_000),
        low_priority: Some(true),
        ttl: None,
    };
    let run = run(&fleet, &spec).await;
    let policy = serde_json::json!({ "executionTimeout": 90_000, "lowPriority": true });
    assert!(fleet.bodies().iter().all(|body| body["policy"] == policy));
    let exchanges: Vec<_> = run
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Exchanged { exchange, .. } => Some(exchange),
            _ => None,
        })
        .collect();
    assert_eq!(exchanges.len() as u64, FRAMES / 4);
    for exchange in exchanges {
        assert_eq!(exchange.executed, Some(Duration::from_millis(5)));
        assert_eq!(exchange.queued, Some(Duration::from_millis(3)));
        assert!(exchange.worker.is_some() && exchange.sent > 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_stops_the_run_and_is_not_told() {
    let fleet = Fleet::start(&[], 0, 1).await;
    let run = Bench::remote(IN_FLIGHT, 4)
        .frames(FRAMES)
        .asking(endpoint(&fleet, "rpa_WRONG", &RunpodSpec::default()))
        .run(Script::default())
        .await;
    let refused = run.found().filter(
        |(_, found)| matches!(found, Found::Error(failure) if failure.class == Class::Refused),
    );
    assert!(
        (1..=IN_FLIGHT * 4).contains(&refused.count()),
        "what was in flight was refused"
    );
    assert!(!format!("{:?}", run.events).contains("rpa_WRONG"));
    assert!(run.stop.is_stopping());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_that_the_handler_fails_on_is_found_and_the_others_are_kept() {
    let size = 16;
    let fleet = Fleet::start(&[Fault::BadImage], 100, 1).await;
    let run = Bench::remote(1, size)
        .frames(size as u64)
        .asking(endpoint(&fleet, KEY, &spec(RunpodMode::Async)))
        .run(Script::default())
        .await;
    assert_nothing_lost(&run, size as u64);
    // Multiples of 11.
    assert_eq!(wrong_or_missing(&run), [0, 11]);
    // Twice the whole; each half of 8 holds one of them, and then at each of three levels one half
    // of two does; and once more each of the two alone.
    assert_eq!(fleet.bodies().len(), 2 + 2 + 2 * (3 * 2) + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_failures_ends_the_run_after_a_few() {
    for (fault, words) in [
        (Fault::FailedByHandler, "boom"),
        (Fault::FailedWithObject, "no images"),
        (Fault::CompletedWithError, "the model is not there"),
        (Fault::NoOutput, "its output is gone"),
    ] {
        let fleet = Fleet::start(&[fault], 100, 1).await;
        let run = bench(&fleet, &spec(RunpodMode::Async))
            .frames(400)
            .run(Script::default())
            .await;
        let Some(StopReason::Failed(failure)) = run.stop.reason() else {
            panic!("{fault:?}: it went on");
        };
        assert!(failure.message.contains(words), "{fault:?}: {failure}");
        let sent = fleet.bodies().len();
        assert!(
            sent <= 8 + IN_FLIGHT,
            "{fault:?}: {sent} requests were paid"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_more_is_paid_where_the_first_answer_cannot_be_read() {
    let runs = [
        Fault::OtherOutput,
        Fault::FewerAnswers,
        Fault::MoreAnswers,
        Fault::LargeAnswer,
        Fault::HalfAnswer,
        Fault::DeepAnswer,
        Fault::NumberStatus,
        Fault::OtherId,
        Fault::BoxNotANumber,
        Fault::NoId,
        Fault::IdOfDots,
        Fault::HalfTicket,
    ]
    .map(|fault| async move {
        let setting = Setting {
            faults: vec![fault],
            percent: 100,
            from_the_first: true,
            ..Setting::default()
        };
        let fleet = Fleet::of(setting).await;
        let run = run(&fleet, &spec(RunpodMode::Async)).await;
        let Some(StopReason::Failed(failure)) = run.stop.reason() else {
            panic!("{fault:?}: it went on");
        };
        assert_eq!(failure.class, Class::BadAnswer, "{fault:?}: {failure}");
        let told = format!("{:?}", run.events);
        assert!(!told.contains(KEY), "{fault:?}: the key was told");
        let sent = fleet.bodies().len();
        assert!(sent <= 1, "{fault:?}: {sent} requests were paid");
    });
    futures_util::future::join_all(runs).await;
}
