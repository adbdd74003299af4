//! A defect of the program itself: whatever breaks down, the run ends, says so once, and what the
//! other videos have is kept.

use crate::harness::Bench;
use crate::harness::Broken;
use crate::harness::Ran;
use crate::harness::Script;
use vpipe::engine::StopReason;
use vpipe::failure::Class;
use vpipe::item::Found;

fn assert_ended_well(run: &Ran, part: &str) {
    let Some(StopReason::Failed(failure)) = run.stop.reason() else {
        panic!("{part}: {:?}", run.stop.reason());
    };
    assert_eq!(failure.class, Class::Internal, "{part}: {failure}");
    assert!(failure.message.contains("boom"), "{part}: {failure}");
    // The first video was through before the second one broke down.
    for index in 0..8 {
        let found = run.of(0, "yolo", index);
        assert!(
            matches!(found, Some(Found::Objects(_))),
            "{part}: {found:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_breaks_down_the_run_ends_and_the_other_videos_are_kept() {
    for broken in Broken::ALL {
        let bench = match broken {
            Broken::Thread => Bench::local(1),
            _ => Bench::remote(2, 4),
        };
        let run = bench
            .videos(2)
            .frames(8)
            .breaking(broken)
            .run(Script::default())
            .await;
        assert_ended_well(&run, &format!("{broken:?}"));
    }
}
