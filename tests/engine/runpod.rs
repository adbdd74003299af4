//! Pictures sent to a fleet on which everything goes wrong that is known to: every one is in the
//! results once, with its own answer or with an error.

use crate::fleet::Fault;
use crate::fleet::Fleet;
use crate::fleet::KEY;
use crate::harness::Bench;
use crate::harness::Ran;
use crate::harness::Script;
use vpipe::backends::http::Access;
use vpipe::backends::http::Secret;
use vpipe::backends::runpod::Endpoint;
use vpipe::backends::runpod::HOST;
use vpipe::failure::Class;
use vpipe::item::Found;
use vpipe::recipe::RunpodSpec;

const PICTURES: u64 = 64;

async fn run(fleet: &Fleet, key: &str) -> Ran {
    let access = Access {
        base: fleet.base.clone(),
        key: Some(Secret::new(key)),
        key_host: HOST,
        allowed: Vec::new(),
    };
    let endpoint = Endpoint::new(&RunpodSpec::default(), "detect", &access).unwrap();
    Bench::remote(8, 4)
        .pictures(PICTURES)
        .asking(endpoint)
        .run(Script::default())
        .await
}

fn wrong_or_missing(run: &Ran) -> Vec<u64> {
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
    let indices: Vec<_> = run.found().map(|(index, _)| index).collect();
    assert_eq!(indices, (0..PICTURES).collect::<Vec<_>>());
    for (index, found) in run.found() {
        match found {
            Found::Objects(objects) => {
                assert_eq!(objects.len(), 1, "picture {index} is silently empty");
                assert_eq!(
                    u64::from(objects[0].class),
                    index,
                    "another picture's answer"
                );
            }
            Found::Error(failure) => assert!(!failure.message.is_empty()),
            Found::Skipped(why) => panic!("picture {index} was skipped: {why}"),
        }
    }
    assert!(
        !format!("{:?}", run.events).contains(KEY),
        "the key was told"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_alone_loses_and_invents_nothing() {
    let runs = Fault::ALL.map(|fault| async move {
        let fleet = Fleet::start(&[fault], 30, 7).await;
        let run = run(&fleet, KEY).await;
        assert_nothing_lost_or_invented(&run);
        if !fault.may_cost_pictures() {
            assert_eq!(wrong_or_missing(&run), [0; 0], "{fault:?} can be made good");
        }
        assert_eq!(fleet.submitted_twice(), [[0; 0]; 0], "{fault:?}");
        assert_eq!(fleet.strangers(), 0);
    });
    futures_util::future::join_all(runs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_faults_together_lose_and_invent_nothing() {
    for seed in [1, 2, 3] {
        let fleet = Fleet::start(&Fault::ALL, 10, seed).await;
        let run = run(&fleet, KEY).await;
        assert_nothing_lost_or_invented(&run);
        assert_eq!(fleet.submitted_twice(), [[0; 0]; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_stops_the_run_and_is_not_told() {
    let fleet = Fleet::start(&[Fault::Lost], 0, 1).await;
    let run = run(&fleet, "rpa_WRONG").await;
    let refused = run.found().filter(
        |(_, found)| matches!(found, Found::Error(failure) if failure.class == Class::Refused),
    );
    assert!(
        (1..=8 * 4).contains(&refused.count()),
        "what was in flight was refused"
    );
    assert!(!format!("{:?}", run.events).contains("rpa_WRONG"));
    assert!(run.stop.is_stopping());
}
