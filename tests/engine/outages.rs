//! Backends that go away: for a while, for good, and for one item alone.
//!
//! The clock is tokio's own and stands still while anything runs, except where a fleet is asked.

use crate::fleet_faults::FRAMES;
use crate::fleet_faults::bench;
use crate::fleet_faults::spec;
use crate::fleet_faults::wrong_or_missing;
use crate::harness::Bench;
use crate::harness::Counted;
use crate::harness::Ran;
use crate::harness::Script;
use crate::support::fleet::Fleet;
use crate::support::store::MemoryStore;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;
use vpipe::engine::StopReason;
use vpipe::event::Event;
use vpipe::failure::Class;
use vpipe::failure::Failure;
use vpipe::item::Found;
use vpipe::item::Item;
use vpipe::recipe::RunpodMode;

const LONGEST: Duration = Duration::from_secs(300);

/// A server that takes two seconds for a request, and may be away.
#[derive(Clone, Default)]
struct Backend {
    away: Arc<AtomicBool>,
    accepted: Counted,
    missed: Counted,
}

impl Backend {
    fn here(&self) -> Result<(), Failure> {
        if self.away.load(Ordering::Relaxed) {
            self.missed.add();
            return Err(Failure::new(Class::Network, "connection refused"));
        }
        Ok(())
    }

    fn script(&self) -> Script {
        let (submits, waits) = (self.clone(), self.clone());
        Script::requests(move |_| {
            let backend = waits.clone();
            Box::pin(async move {
                tokio::time::sleep(Duration::from_secs(2)).await;
                backend.here()
            })
        })
        .submitting(move |_| {
            let here = submits.here();
            if here.is_ok() {
                submits.accepted.add();
            }
            Box::pin(async move { here })
        })
    }

    async fn away_after(&self, requests: usize) -> Instant {
        while self.accepted.now() < requests {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        self.away.store(true, Ordering::Relaxed);
        Instant::now()
    }
}

fn outages(run: &Ran) -> Vec<&'static str> {
    let told = run.events.iter().filter_map(|event| match event {
        Event::OutageBegan { .. } => Some("began"),
        Event::OutageEnded { .. } => Some("ended"),
        _ => None,
    });
    told.collect()
}

#[tokio::test(start_paused = true)]
async fn a_short_outage_costs_no_item_and_no_second_payment() {
    let backend = Backend::default();
    let bench = Bench::remote(3, 4).frames(80);
    let back = async {
        backend.away_after(6).await;
        tokio::time::sleep(Duration::from_secs(60)).await;
        backend.away.store(false, Ordering::Relaxed);
    };
    let (run, ()) = tokio::join!(bench.run(backend.script()), back);
    assert_eq!(run.stop.reason(), None);
    assert_eq!(run.objects(), 80);
    assert_eq!(backend.accepted.now(), 20, "some were paid twice");
    assert_eq!(outages(&run), ["began", "ended"]);
    // Those in flight, and a probe each 0.5 s to 10 s that itself takes up to 2 s.
    assert!(
        (8..=20).contains(&backend.missed.now()),
        "{}",
        backend.missed.now()
    );
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_is_gone_for_good_stops_the_run_which_another_one_finishes() {
    let (backend, memory) = (Backend::default(), Arc::new(MemoryStore::default()));
    let bench = || Bench::remote(3, 4).frames(80).keeping(&memory);
    let gone = backend.away_after(6);
    let (run, gone) = tokio::join!(bench().run(backend.script()), gone);
    let stopped = run.stopped.unwrap() - gone;
    let most = LONGEST + Duration::from_secs(15);
    assert!((LONGEST..most).contains(&stopped), "{stopped:?}");
    let Some(StopReason::Failed(failure)) = run.stop.reason() else {
        panic!("it went on");
    };
    assert_eq!(failure.class, Class::Unavailable);
    assert_eq!(
        failure.message,
        "no request was answered for 5 min: connection refused"
    );
    let failed = run
        .found()
        .filter(|(_, found)| matches!(found, Found::Error(_)));
    assert_eq!(failed.count(), 0, "nothing is written off");
    assert!(memory.open() > 0, "what was accepted can be collected");
    backend.away.store(false, Ordering::Relaxed);
    let again = bench().run(backend.script()).await;
    assert_eq!(again.objects(), 80);
    assert_eq!(backend.accepted.now(), 20, "some were paid twice");
    assert_eq!(memory.open(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_item_that_no_request_gets_through_with_is_no_outage() {
    for others in [4, 80] {
        let script = Script::default().submitting(|item: &Item| {
            let broken = item.to_string().starts_with("frames 4..");
            Box::pin(async move {
                match broken {
                    true => Err(Failure::new(Class::Network, "the line is cut")),
                    false => Ok(()),
                }
            })
        });
        let run = Bench::remote(2, 4).frames(4 + others).run(script).await;
        let failed = run
            .found()
            .filter(|(_, found)| matches!(found, Found::Error(_)));
        let failed: Vec<_> = failed.map(|(index, _)| index).collect();
        assert_eq!(failed, [4, 5, 6, 7]);
        assert_eq!(run.objects() as u64, others);
        assert_eq!(run.stop.reason(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_never_answered_ends_the_run_quickly() {
    let backend = Backend::default();
    backend.away.store(true, Ordering::Relaxed);
    let start = Instant::now();
    let run = Bench::remote(3, 4).frames(80).run(backend.script()).await;
    assert!(run.stopped.unwrap() - start < Duration::from_secs(60));
    let Some(StopReason::Failed(failure)) = run.stop.reason() else {
        panic!("it went on");
    };
    assert!(
        failure.message.contains("it has answered nothing so far"),
        "{failure}"
    );
    assert_eq!(outages(&run), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_that_goes_away_and_comes_back_loses_nothing() {
    let fleet = Fleet::start(&[], 0, 1).await;
    let memory = Arc::new(MemoryStore::default());
    let run = bench(&fleet, &spec(RunpodMode::Async)).keeping(&memory);
    let mut noticed = run.outages();
    let away = async {
        while fleet.sizes().len() < 10 {
            tokio::task::yield_now().await;
        }
        fleet.leave();
        noticed.wait_for(|outages| *outages == 1).await.unwrap();
        fleet.come_back();
    };
    let (run, ()) = tokio::join!(run.run(Script::default()), away);
    assert_eq!(run.stop.reason(), None);
    assert_eq!(wrong_or_missing(&run), [0; 0]);
    assert_eq!(
        fleet.jobs().len() as u64,
        FRAMES / 4,
        "some were paid twice"
    );
    assert_eq!(outages(&run), ["began", "ended"]);
    assert_eq!(memory.answers() as u64, FRAMES);
}
