//! The engine's promises, tried on plans of real recipes with steps that only count.
//!
//! Nothing here waits for the clock: steps meet at barriers, and where time matters it is
//! tokio's paused clock.

use crate::harness::Bench;
use crate::harness::Counted;
use crate::harness::Script;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use vpipe::engine::Denial;
use vpipe::engine::Gate;
use vpipe::engine::StopReason;
use vpipe::engine::StopSignal;
use vpipe::event::Event;
use vpipe::exchange::Exchange;
use vpipe::failure::Class;
use vpipe::failure::Failure;
use vpipe::item::Found;
use vpipe::item::Item;
use vpipe::name::StageId;
use vpipe::name::VideoId;

#[tokio::test]
async fn a_stage_at_a_server_reaches_and_never_passes_its_limit() {
    let bench = Bench::remote(5, 4).frames(80);
    let run = bench.run(Script::meeting(5)).await;
    assert_eq!(run.most_in_flight("yolo"), 5 * 4);
    assert_eq!(run.objects(), 80);
}

#[tokio::test]
async fn a_stage_on_threads_reaches_and_never_passes_its_limit() {
    let bench = Bench::local(3).frames(60);
    let barrier = Arc::new(std::sync::Barrier::new(3));
    let run = bench
        .run(Script::threads(move |_| {
            barrier.wait();
            Ok(())
        }))
        .await;
    assert_eq!(run.most_in_flight("yolo"), 3);
    assert_eq!(run.objects(), 60);
}

#[tokio::test]
async fn a_backend_bounds_the_stages_that_share_it() {
    let bench = Bench::two_stages_on_one_backend(3).frames(60);
    let run = bench.run(Script::meeting(3)).await;
    assert_eq!(run.most_in_flight_together(), 3 * 4);
    assert_eq!(run.objects(), 2 * 60);
}

#[tokio::test]
async fn nothing_blocks_with_room_for_one_item_everywhere() {
    for bench in [
        Bench::local(1),
        Bench::remote(1, 1),
        Bench::remote(1, 7),
        Bench::two_stages_on_one_backend(1),
        Bench::here_and_there(),
        Bench::crops(true),
        Bench::crops(false),
        Bench::found(true),
        Bench::found(false),
    ] {
        let stages = bench.detecting_stages();
        let run = bench
            .inbox(1)
            .videos(3)
            .frames(40)
            .run(Script::default())
            .await;
        assert_eq!(run.records(), 3);
        assert_eq!(run.objects(), 3 * 40 * stages);
    }
}

#[tokio::test]
async fn frames_in_memory_stay_within_what_the_plan_computed() {
    for (bench, times) in [
        (Bench::local(2), 3),
        (Bench::remote(3, 8), 3),
        (Bench::here_and_there(), 3),
        // Here a frame that waits for its boxes is the one that is looked at, and not counted
        // twice.
        (Bench::crops(true), 6),
        (Bench::crops(false), 6),
        (Bench::found(true), 6),
        (Bench::found(false), 6),
    ] {
        let bench = bench.videos(3).frames(100);
        let bound = bench.plan().peak().frames;
        let alive = Counted::default();
        // Every fifth request waits until memory is as full as it gets: the source is asked
        // for more for as long as anybody takes it.
        let run = bench.counting(&alive).run(Script::slow()).await;
        assert_eq!(run.records(), 3);
        let most = alive.most();
        assert!(
            most <= bound,
            "{most} frames were alive, the plan said {bound}"
        );
        assert!(
            most * times >= bound,
            "{most} frames were alive: a bound of {bound} says little"
        );
        assert_eq!(alive.now(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waits_to_be_retried_does_not_idle_its_slot() {
    let bench = Bench::remote(1, 1).frames(2);
    let (tries, order) = (Counted::default(), Counted::log());
    let prepared = bench.prepared();
    let log = order.clone();
    let run = bench
        .run(Script::requests(move |item: &Item| {
            let (name, tries) = (item.to_string(), tries.clone());
            let (log, mut prepared) = (log.clone(), prepared.clone());
            Box::pin(async move {
                log.note(&name);
                if tries.add() == 1 {
                    // The other one waits for the slot before this one fails.
                    prepared.wait_for(|count| *count == 2).await.unwrap();
                    return Err(Failure::new(Class::Busy, "try again"));
                }
                Ok(())
            })
        }))
        .await;
    let [failed, other, again] = <[String; 3]>::try_from(order.notes()).unwrap();
    assert_ne!(other, failed);
    assert_eq!(again, failed);
    assert_eq!(run.objects(), 2);
    assert!(
        run.events
            .iter()
            .any(|event| matches!(event, Event::Retrying { attempt: 1, .. }))
    );
}

#[tokio::test(start_paused = true)]
async fn an_item_that_fails_for_good_keeps_its_place_and_its_reason() {
    let run = Bench::remote(2, 4)
        .frames(16)
        .run(Script::requests(|item: &Item| {
            let broken = item.to_string().starts_with("frames 4");
            Box::pin(async move {
                if broken {
                    Err(Failure::new(Class::Lost, "the job is gone"))
                } else {
                    Ok(())
                }
            })
        }))
        .await;
    let errors: Vec<_> = run
        .found()
        .filter(|(_, found)| matches!(found, Found::Error(_)))
        .map(|(index, _)| index)
        .collect();
    assert_eq!(errors, [4, 5, 6, 7]);
    assert_eq!(run.objects(), 12);
    assert_eq!(run.found().count(), 16);
    let retries = run
        .events
        .iter()
        .filter(|event| matches!(event, Event::Retrying { .. }))
        .count();
    assert_eq!(retries, 4, "five attempts, four pauses");
}

#[tokio::test(start_paused = true)]
async fn every_attempt_at_a_request_is_told_with_what_it_took() {
    let tries = Counted::default();
    let run = Bench::remote(1, 4)
        .frames(12)
        .run(Script::requests(move |_| {
            let failed = tries.add() == 2;
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(70)).await;
                match failed {
                    true => Err(Failure::new(Class::Busy, "try again")),
                    false => Ok(()),
                }
            })
        }))
        .await;
    let exchanges: Vec<_> = run
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Exchanged { exchange, .. } => Some(exchange),
            _ => None,
        })
        .collect();
    assert_eq!(exchanges.len(), 4);
    let answered: Vec<_> = exchanges.iter().map(|exchange| exchange.answered).collect();
    assert_eq!(answered, [true, false, true, true]);
    for exchange in exchanges {
        assert_eq!(exchange.frames, 4);
        assert!(exchange.sent > 0);
        assert!(exchange.waited >= Duration::from_millis(70));
    }
}

#[tokio::test]
async fn a_request_is_made_while_all_slots_are_taken() {
    let bench = Bench::remote(1, 1).frames(2);
    let prepared = bench.prepared();
    let run = bench
        .run(Script::requests(move |_| {
            let mut prepared = prepared.clone();
            Box::pin(async move {
                // The one slot is not given back before the next request is ready.
                prepared.wait_for(|count| *count == 2).await.unwrap();
                Ok(())
            })
        }))
        .await;
    assert_eq!(run.objects(), 2);
}

#[tokio::test]
async fn a_request_that_is_too_large_goes_on_in_halves() {
    let run = Bench::remote(2, 8)
        .frames(24)
        .run(Script::requests(|item: &Item| {
            let frames = item.progress_units();
            Box::pin(async move {
                if frames > 2 {
                    Err(Failure::new(Class::TooLarge, "out of memory"))
                } else {
                    Ok(())
                }
            })
        }))
        .await;
    assert_eq!(run.objects(), 24);
    assert_eq!(
        run.found().map(|(index, _)| index).collect::<Vec<_>>(),
        (0..24).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_failure_that_would_meet_every_item_stops_the_run() {
    let run = Bench::remote(1, 1)
        .frames(50)
        .run(Script::requests(|_| {
            Box::pin(async { Err(Failure::new(Class::Refused, "the key is wrong")) })
        }))
        .await;
    let errors = run
        .found()
        .filter(|(_, found)| matches!(found, Found::Error(_)))
        .count();
    assert_eq!(errors, 1, "one request was refused");
    let skipped = run
        .found()
        .filter(|(_, found)| matches!(found, Found::Skipped(_)))
        .count();
    assert_eq!(run.found().count(), 1 + skipped, "the others were not sent");
    assert!(matches!(run.stop.reason(), Some(StopReason::Failed(_))));
}

// Lets so many requests through.
struct Toll(std::sync::Mutex<u32>);

impl Gate for Toll {
    fn admit(&self, _: &StageId, _: VideoId, _: u64) -> Result<(), Denial> {
        let mut left = self.0.lock().unwrap();
        *left = left.checked_sub(1).ok_or(Denial::Run(StopReason::Budget))?;
        Ok(())
    }

    fn settle(&self, _stage: &StageId, _exchange: &Exchange) {}
}

#[tokio::test(start_paused = true)]
async fn what_is_paid_is_waited_for_and_nothing_more_is_sent() {
    let run = Bench::remote(4, 4)
        .frames(400)
        .through(Toll(std::sync::Mutex::new(3)))
        // Longer than what runs is waited for after any other stop.
        .run(Script::requests(|_| {
            Box::pin(async {
                tokio::time::sleep(Duration::from_secs(100)).await;
                Ok(())
            })
        }))
        .await;
    assert_eq!(run.objects(), 3 * 4);
    let sent = |event: &&Event| matches!(event, Event::Exchanged { .. });
    assert_eq!(run.events.iter().filter(sent).count(), 3);
    assert_eq!(run.stop.reason(), Some(StopReason::Budget));
    assert!(
        run.found()
            .any(|(_, found)| matches!(found, Found::Skipped(_)))
    );
}

#[tokio::test]
async fn after_a_stop_every_frame_that_was_taken_has_an_entry() {
    let stop = StopSignal::default();
    let switch = stop.clone();
    let done = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let bench = Bench::local(2).frames(1000).stopped_by(&stop);
    let emitted = bench.emitted();
    let run = bench
        .run(Script::threads(move |_| {
            if done.fetch_add(1, Ordering::Relaxed) == 20 {
                // One frame waits, beside those that both threads work on.
                while *emitted.borrow() < 24 {
                    std::thread::yield_now();
                }
                switch.interrupt();
            }
            Ok(())
        }))
        .await;
    let indices: Vec<_> = run.found().map(|(index, _)| index).collect();
    assert_eq!(indices, (0..indices.len() as u64).collect::<Vec<_>>());
    assert!(
        indices.len() < 100,
        "no new work after the stop, but {} were taken",
        indices.len()
    );
    assert!(
        run.found()
            .any(|(_, found)| matches!(found, Found::Skipped(_)))
    );
    assert!(
        run.events
            .iter()
            .any(|event| matches!(event, Event::Stopping { .. }))
    );
}
