//! `kill -9` at random moments of a run over five videos, and the same command again until it is
//! done: the results are those of a run that nobody disturbed.

use crate::support::fleet::Fault;
use crate::support::fleet::Fleet;
use crate::support::fleet::Setting;
use crate::support::program::quiet_environment;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;

const VIDEOS: u32 = 5;
const IN_FLIGHT: usize = 5;
const BATCH: usize = 4;

// How often a run is killed. More of it takes minutes.
fn kills() -> u32 {
    let kills = std::env::var("VPIPE_TEST_KILLS").ok();
    kills.map_or(3, |kills| kills.parse().unwrap())
}

// The seconds of a video: more of them than runs are killed get done.
fn seconds() -> u32 {
    4 * kills()
}

// All frames, at two a second.
fn frames() -> usize {
    (VIDEOS * seconds() * 2) as usize
}

// Of different sizes, so that no two frames are the same file.
fn videos(folder: &Path) -> Vec<String> {
    let names = (0..VIDEOS).map(|number| {
        let (name, width) = (format!("{number}.avi"), 320 + 16 * number);
        let made = Command::new("ffmpeg")
            .args(["-v", "error", "-f", "lavfi", "-i"])
            .arg(format!(
                "testsrc=size={width}x180:rate=10:duration={}",
                seconds()
            ))
            .args(["-pix_fmt", "yuv420p", "-c:v", "mpeg4", "-q:v", "2"])
            .arg(folder.join(&name))
            .status();
        assert!(made.unwrap().success());
        name
    });
    names.collect()
}

fn begin(folder: &Path, videos: &[String], fleet: &Fleet) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vpipe"));
    quiet_environment(&mut command);
    command
        .current_dir(folder)
        .args(["run", "default", "--quiet", "--fps", "2"])
        .args(["--batch-size", &BATCH.to_string()])
        .args(["--max-workers", &IN_FLIGHT.to_string()])
        .args(videos)
        .envs(fleet.variables())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().unwrap()
}

// The exit code; `None` where it was killed, after so many calls of the fleet.
async fn run(folder: &Path, videos: &[String], fleet: &Fleet, kill: Option<u64>) -> Option<i32> {
    let mut calls = fleet.calls();
    let before = *calls.borrow();
    let mut child = begin(folder, videos, fleet);
    loop {
        if let Some(ended) = child.try_wait().unwrap() {
            return Some(ended.code().unwrap());
        }
        let is_time = |calls: &u64| kill.is_some_and(|kill| *calls >= before + kill);
        let time = calls.wait_for(is_time);
        // It may have ended without another call.
        let time = tokio::time::timeout(Duration::from_millis(50), time).await;
        if time.is_ok() {
            child.kill().unwrap();
            child.wait().unwrap();
            return None;
        }
    }
}

// The results of all videos, without what may differ between two runs.
fn results(folder: &Path) -> Vec<Value> {
    let read = |number| {
        let path = folder.join(format!("output/{number}_results.json"));
        let text = fs::read_to_string(path).unwrap();
        let mut results: Value = serde_json::from_str(&text).unwrap();
        let fields = results.as_object_mut().unwrap();
        for varies in ["processed_at", "processing_time", "run"] {
            fields.remove(varies);
        }
        results
    };
    (0..VIDEOS).map(read).collect()
}

async fn fleet(faults: Vec<Fault>) -> Fleet {
    let percent = if faults.is_empty() { 0 } else { 10 };
    let setting = Setting {
        faults,
        percent,
        by_content: true,
        ..Setting::default()
    };
    Fleet::of(setting).await
}

async fn undisturbed(folder: &TempDir, videos: &[String]) -> Vec<Value> {
    let fleet = fleet(Vec::new()).await;
    assert_eq!(run(folder.path(), videos, &fleet, None).await, Some(0));
    let results = results(folder.path());
    fs::remove_dir_all(folder.path().join("output")).unwrap();
    results
}

// Gives the fleet, and how often the run was killed.
async fn killed(folder: &TempDir, videos: &[String], fleet: &Fleet) -> u32 {
    let (mut random, mut killed) = (7_u64, 0);
    for _ in 0..2 * kills() + 20 {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        // A job takes some four calls, so that there is work left to the last.
        let kill = (killed < kills()).then_some(1 + (random >> 33) % 40);
        match run(folder.path(), videos, fleet, kill).await {
            None => killed += 1,
            Some(0) => return killed,
            // What was not answered is asked by the next run.
            Some(_) => {}
        }
    }
    panic!("it is never done");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_nothing_is_lost_and_little_is_paid_twice() {
    let folder = TempDir::new().unwrap();
    let videos = videos(folder.path());
    let wanted = undisturbed(&folder, &videos).await;
    let fleet = fleet(Vec::new()).await;
    let killed = killed(&folder, &videos, &fleet).await;
    assert_eq!(killed, kills(), "it was done before");
    assert_eq!(results(folder.path()), wanted);
    let paid: usize = fleet.sizes().iter().sum();
    eprintln!("{killed} kills: {paid} frames were paid, of {}", frames());
    // At most what was in flight without a ticket at each kill.
    assert!(paid <= frames() + killed as usize * IN_FLIGHT * BATCH);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_while_all_else_goes_wrong_the_results_are_the_same() {
    let folder = TempDir::new().unwrap();
    let videos = videos(folder.path());
    let wanted = undisturbed(&folder, &videos).await;
    // Odd bytes stand in the name of a class, and so in the results.
    let good =
        |fault: &Fault| !fault.costs_frames() && !fault.is_chance() && *fault != Fault::OddBytes;
    let fleet = fleet(Fault::ALL.into_iter().filter(good).collect()).await;
    let killed = killed(&folder, &videos, &fleet).await;
    assert_eq!(killed, kills(), "it was done before");
    assert_eq!(results(folder.path()), wanted);
    let (paid, jobs) = (fleet.sizes().iter().sum::<usize>(), fleet.sizes().len());
    eprintln!(
        "{killed} kills: {paid} frames in {jobs} jobs, of {} frames",
        frames()
    );
}
