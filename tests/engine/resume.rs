//! Runs that are killed and begun again: what was answered is not asked, and what a server has
//! accepted is collected.

use crate::fleet_faults::FRAMES;
use crate::fleet_faults::IN_FLIGHT;
use crate::fleet_faults::bench;
use crate::fleet_faults::spec;
use crate::fleet_faults::wrong_or_missing;
use crate::harness::Bench;
use crate::harness::Counted;
use crate::harness::Ran;
use crate::harness::Script;
use crate::support::fleet::Fault;
use crate::support::fleet::Fleet;
use crate::support::store::MemoryStore;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use vpipe::engine::StopReason;
use vpipe::event::Event;
use vpipe::failure::Class;
use vpipe::failure::Failure;
use vpipe::item::Found;
use vpipe::item::Item;
use vpipe::recipe::RunpodMode;
use vpipe::recipe::RunpodSpec;

// How often a run is killed; more of it is told apart in no other way.
fn kills() -> u64 {
    let kills = std::env::var("VPIPE_TEST_KILLS").ok();
    kills.map_or(5, |kills| kills.parse().unwrap())
}

// What goes wrong and can be made good. Whose answer it is that two jobs share, nobody can tell.
fn faults() -> Vec<Fault> {
    let good = |fault: &Fault| !fault.costs_frames() && !fault.is_chance();
    Fault::ALL.into_iter().filter(good).collect()
}

struct Killed {
    fleet: Fleet,
    memory: Arc<MemoryStore>,
    last: Ran,
    kills: u64,
}

// Killed at random events until it was killed often enough, and then run until all is done.
async fn killed(faults: &[Fault], percent: u64, seed: u64, kills: u64) -> Killed {
    let fleet = Fleet::start(faults, percent, seed).await;
    let memory = Arc::new(MemoryStore::default());
    let (mut random, mut killed) = (seed, 0);
    for _ in 0..2 * kills + 20 {
        let mut bench = bench(&fleet, &quick()).keeping(&memory);
        if killed < kills {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            bench = bench.killed_after(1 + (random >> 33) % 250);
        }
        let run = bench.run(Script::default()).await;
        killed += u64::from(run.killed);
        if !run.killed && wrong_or_missing(&run).is_empty() {
            return Killed {
                fleet,
                memory,
                last: run,
                kills: killed,
            };
        }
    }
    panic!("it is never done");
}

fn quick() -> RunpodSpec {
    RunpodSpec {
        queue_timeout: Duration::from_secs(1),
        ..spec(RunpodMode::Async)
    }
}

// Every frame has the answer that an uninterrupted run gives it.
fn assert_right(killed: &Killed) {
    let indices: Vec<_> = killed.last.found().map(|(index, _)| index).collect();
    assert_eq!(indices, (0..FRAMES).collect::<Vec<_>>());
    assert_eq!(killed.memory.answers() as u64, FRAMES);
    assert_eq!(killed.memory.twice(), [], "kept twice");
    assert_eq!(killed.memory.open(), 0, "tickets are left open");
}

#[tokio::test]
async fn no_kill_loses_what_is_paid() {
    for seed in 1..=3 {
        let killed = killed(&[], 0, seed, kills()).await;
        assert_right(&killed);
        let tickets = killed.memory.tickets();
        let (kept, lost): (Vec<_>, Vec<_>) = killed
            .fleet
            .jobs()
            .into_iter()
            .partition(|(name, _)| tickets.contains(name));
        let mut times: BTreeMap<u64, u32> = BTreeMap::new();
        for image in kept.into_iter().flat_map(|(_, images)| images) {
            *times.entry(image).or_default() += 1;
        }
        let once = (0..FRAMES).map(|image| (image, 1)).collect();
        assert_eq!(times, once, "seed {seed}: each is paid once");
        // What was on its way to the server, or its ticket on its way back.
        let most = killed.kills * IN_FLIGHT as u64;
        assert!(
            lost.len() as u64 <= most,
            "seed {seed}: {} lost",
            lost.len()
        );
    }
}

#[tokio::test]
async fn no_kill_asks_again_what_can_still_be_had_whatever_else_goes_wrong() {
    for seed in 1..=3 {
        let killed = killed(&faults(), 10, seed, kills()).await;
        assert_right(&killed);
        let tickets = killed.memory.tickets();
        let again = killed.fleet.submitted_again();
        let again: Vec<_> = again
            .into_iter()
            .filter(|(_, job)| tickets.contains(job))
            .collect();
        assert_eq!(again, [], "seed {seed}: their answers could be had");
    }
}

#[tokio::test]
async fn what_is_known_is_not_asked_and_nothing_waits_for_it() {
    for bench in [
        (|| Bench::remote(2, 4).frames(22)) as fn() -> Bench,
        || Bench::local(2).frames(22),
        || Bench::crops(false).frames(22),
        || Bench::here_and_there().frames(22),
    ] {
        let memory = Arc::new(MemoryStore::default());
        let first = bench().keeping(&memory).run(Script::default()).await;
        let asked = Counted::default();
        let (by_request, by_thread) = (asked.clone(), asked.clone());
        let script = Script::requests(move |_| {
            by_request.add();
            Box::pin(async { Ok(()) })
        })
        .and_threads(move |_| {
            by_thread.add();
            Ok(())
        });
        let second = bench().keeping(&memory).run(script).await;
        assert_eq!(asked.now(), 0, "something was asked again");
        let all = |run: &Ran| -> Vec<_> {
            let found = run.found();
            found.map(|(index, found)| (index, found.clone())).collect()
        };
        assert_eq!(all(&first), all(&second));
        let known: u64 = second.events.iter().map(known).sum();
        assert_eq!(known, memory.answers() as u64);
        let began = |event: &Event| matches!(event, Event::Exchanged { .. });
        assert!(!second.events.iter().any(began), "a request was sent");
    }
}

fn known(event: &Event) -> u64 {
    match event {
        Event::Recalled { frames, .. } => *frames,
        _ => 0,
    }
}

#[tokio::test]
async fn of_a_batch_only_what_is_not_known_is_asked() {
    let memory = Arc::new(MemoryStore::default());
    let bench = |size| Bench::remote(1, size).frames(8).keeping(&memory);
    // The handler fails on 4..8, however small.
    let script = Script::requests(|item: &Item| {
        let name = item.to_string();
        let fails = [
            "frames 4",
            "frames 5",
            "frames 6",
            "frames 7",
            "frames 0..7",
        ];
        let fails = fails.iter().any(|first| name.starts_with(first));
        Box::pin(async move {
            match fails {
                true => Err(Failure::new(Class::Worker, "boom")),
                false => Ok(()),
            }
        })
    });
    bench(8).run(script).await;
    assert_eq!(memory.answers(), 4);
    let log = Counted::log();
    let notes = log.clone();
    let run = bench(3).run(Script::requests(move |item: &Item| {
        notes.note(&item.to_string());
        Box::pin(async { Ok(()) })
    }));
    assert_eq!(run.await.objects(), 8);
    let asked: Vec<_> = log.notes();
    let frames = |range: &String| {
        let (first, last) = range
            .trim_start_matches("frames ")
            .split_once("..")
            .unwrap();
        first.parse::<u64>().unwrap()..=last.parse().unwrap()
    };
    let mut asked: Vec<u64> = asked.iter().flat_map(frames).collect();
    asked.sort_unstable();
    assert_eq!(asked, [4, 5, 6, 7]);
}

#[tokio::test]
async fn what_nobody_may_be_asked_for_is_missing_with_its_reason() {
    for (class, stops) in [(Class::BadAnswer, false), (Class::Disk, true)] {
        let miss = Failure::new(class, "there is no answer for it");
        let memory = Arc::new(MemoryStore::default().sealed(miss));
        let script = Script::requests(|_| panic!("it was asked"));
        let run = Bench::remote(1, 4)
            .frames(8)
            .keeping(&memory)
            .run(script)
            .await;
        let missing = |found: &Found| matches!(found, Found::Error(failure) if failure.message.contains("no answer for it"));
        let missing = run.found().filter(|(_, found)| missing(found)).count();
        assert!(missing > 0 && (stops || missing == 8), "{class}: {missing}");
        assert_eq!(run.stop.is_stopping(), stops, "{class}");
    }
}

#[tokio::test]
async fn where_no_answer_can_be_kept_no_more_is_asked() {
    let memory = Arc::new(MemoryStore::with_room(12));
    let asked = Counted::default();
    let counter = asked.clone();
    let script = Script::requests(move |_| {
        counter.add();
        Box::pin(async { Ok(()) })
    });
    let run = Bench::remote(2, 4).frames(400).keeping(&memory).run(script);
    let run = run.await;
    let Some(StopReason::Failed(failure)) = run.stop.reason() else {
        panic!("it went on");
    };
    assert_eq!(failure.message, "the disk is full");
    // Those of a request, or of two that came together.
    assert!([8, 12].contains(&memory.answers()), "what was kept stays");
    assert!(asked.now() <= 3 + 2 + 2, "{} were asked", asked.now());
    let stops = |event: &&Event| matches!(event, Event::Stopping { .. });
    assert_eq!(run.events.iter().filter(stops).count(), 1);
}

#[tokio::test]
async fn jobs_that_are_gone_are_asked_anew_and_said_once() {
    let memory = Arc::new(MemoryStore::default());
    let bench = || Bench::remote(3, 4).frames(24).keeping(&memory);
    let (all, counter) = (Counted::default(), Counted::default());
    let waits = counter.clone();
    let script = Script::requests(move |_| {
        waits.add();
        Box::pin(std::future::pending())
    });
    let run = bench().run(script);
    let killed = async {
        while memory.open() < 3 || counter.now() < 3 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = run => panic!("nobody was answered"),
        () = killed => {}
    }
    assert_eq!(memory.open(), 3);
    let (counter, gone) = (all.clone(), Counted::default());
    let script = Script::requests(move |_| {
        let is_gone = gone.add() <= 2;
        Box::pin(async move {
            match is_gone {
                true => Err(Failure::new(Class::Lost, "the server lost the job")),
                false => Ok(()),
            }
        })
    })
    .submitting(move |_| {
        counter.add();
        Box::pin(async { Ok(()) })
    });
    let run = bench().run(script).await;
    assert_eq!(run.objects(), 24);
    assert_eq!(all.now(), 5, "of 6 requests, 1 was collected");
    let told: Vec<_> = run.events.iter().filter_map(collecting).collect();
    assert_eq!(told, ["waits for 3", "1 came, 2 were gone"]);
    assert_eq!((memory.open(), memory.twice().len()), (0, 0));
}

fn collecting(event: &Event) -> Option<String> {
    match event {
        Event::Collecting { jobs } => Some(format!("waits for {jobs}")),
        Event::Collected { jobs, gone } => Some(format!("{jobs} came, {gone} were gone")),
        _ => None,
    }
}

#[tokio::test]
async fn answers_that_come_together_are_written_together() {
    let memory = Arc::new(MemoryStore::default());
    let bench = Bench::remote(8, 1).frames(64).keeping(&memory);
    assert_eq!(bench.run(Script::meeting(8)).await.objects(), 64);
    assert!(memory.commits() <= 32, "{} commits", memory.commits());
}
