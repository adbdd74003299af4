//! Things are the same, and are asked about once, whatever the limits, the batches and the order of
//! answers, and wherever a run was killed.

use super::Folder;
use super::MOVING;
use super::assert_same;
use crate::known::bench::Bench;
use crate::known::bench::Ran;
use proptest::prelude::ProptestConfig;
use proptest::prelude::any;
use proptest::prop_assert_eq;
use proptest::proptest;
use std::fs;

const RECIPE: &str = r#"
version = 1
[stages.extract]
fps = 2
[stages.batch]
inputs = ["extract"]
size = 4
[stages.found]
kind = "yolo"
inputs = ["batch"]
[stages.track]
inputs = ["found"]
best_of = 3
lines.half = [[0, 0.42], [1, 0.42]]
regions.low = [[0, 0.45], [1, 0.45], [1, 1], [0, 1]]
[stages.once]
kind = "yolo"
inputs = ["track.crops"]
filter = "first"
[stages.passing]
kind = "yolo"
inputs = ["track.frames"]
conf = 0.4
filter = "crossed('half') or entered('low') and track > 0 and age > 0 and speed >= 0"
[stages.merge]
inputs = ["track", "once", "passing"]
primary = "track"
"#;

fn asked(ran: &Ran, stages: &[&str]) -> usize {
    stages.iter().map(|stage| ran.count(stage)).sum()
}

#[test]
fn what_is_asked_of_things_is_asked_once_and_then_known() {
    let folder = Folder::new();
    let video = folder.clip("a.mp4", MOVING);
    let bench = Bench::new(RECIPE, &[&video]);
    let opened = bench.open();
    let ran = bench.run_on(&opened);
    // Two things all along, each asked about at its best; and frames in which they pass.
    assert_eq!((ran.count("found"), ran.count("once")), (24, 2));
    let passing = ran.count("passing");
    assert!(0 < passing && passing < 24, "{passing}");
    fs::remove_file(&video).unwrap();
    let again = bench.run_on(&opened);
    assert_same(&ran, &again);
    assert_eq!(again.stages_asked(), "");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn things_are_the_same_however_a_run_is_made(
        size in 1..9_usize,
        concurrency in 1..6_usize,
        once in 1..4_usize,
        turns in any::<u64>(),
        killed in any::<u64>(),
        prefix in 0..60_usize,
    ) {
        let folder = Folder::new();
        let video = folder.clip("a.mp4", MOVING);
        let usual = Bench::new(RECIPE, &[&video]);
        let opened = usual.open();
        let expected = usual.run_on(&opened);
        let mut other = usual
            .alone()
            .with(&format!("batch.size={size}"))
            .with(&format!("found.concurrency={concurrency}"))
            .with(&format!("once.concurrency={once}"));
        other.turns = Some(turns);
        let ran = other.run_on(&opened);
        assert_same(&expected, &ran);
        prop_assert_eq!(&ran.asked, &expected.asked);
        // Some of the answers were kept: those of the beginning, or here and there.
        let is_kept = |number: usize| match killed % 3 {
            0 => number < prefix,
            1 => (killed >> (number % 64)) & 1 == 0,
            _ => number >= prefix,
        };
        let stages = ["found", "once", "passing"];
        let before = other.memory.all().len();
        other.memory.keep(|number, _, _| is_kept(number));
        let kept = other.memory.all().len();
        let again = other.run_on(&opened);
        assert_same(&expected, &again);
        prop_assert_eq!(other.memory.all().len(), before);
        assert!(asked(&again, &stages) <= before - kept);
    }
}
