//! Videos that a run has seen before, under whatever name: nothing is asked of them again, and no
//! answer of one is taken for that of another.

use crate::support::program::vpipe;
use crate::support::repository::CLIP;
use serde_json::Value;
use std::fs;
use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;
use std::time::SystemTime;
use tempfile::TempDir;
use vpipe::engine::journal::FileStamp;

const RECIPE: &str = "version = 1\n[stages.extract]\nfps = 0.5\n[stages.yolo]\n\
                      inputs = [\"extract\"]\n[stages.merge]\ninputs = [\"yolo\"]\n";

// A folder with two videos of the same size and time: the beginning of the demo clip, and what
// comes after it.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("frames.toml"), RECIPE).unwrap();
    for (name, start) in [("one.mp4", "0"), ("two.mp4", "10")] {
        let made = Command::new("ffmpeg")
            .args(["-v", "error", "-ss", start, "-i", CLIP, "-t", "8", "-an"])
            .args(["-c:v", "mpeg4", "-q:v", "4"])
            .arg(folder.path().join(name))
            .status();
        assert!(made.unwrap().success());
    }
    let names = ["one.mp4", "two.mp4"].map(|name| folder.path().join(name));
    let sizes = names
        .each_ref()
        .map(|path| fs::metadata(path).unwrap().len());
    let size = sizes.into_iter().max().unwrap();
    for path in names {
        let file = File::options().write(true).open(path).unwrap();
        file.set_len(size).unwrap();
        file.set_modified(hour_ago()).unwrap();
    }
    folder
}

// The same for all.
fn hour_ago() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

struct Ran {
    frames: u64,
    known: u64,
    log: String,
}

fn run(folder: &Path, inputs: &[&str]) -> Ran {
    fs::remove_file(folder.join("log")).unwrap_or_default();
    let words = [
        &["run", "frames.toml", "--json", "-vv", "--log", "log"],
        inputs,
    ]
    .concat();
    let said = vpipe(folder, &words);
    assert_eq!(said.code, 0, "{}", said.talk);
    let told: Value = serde_json::from_str(&said.out).unwrap();
    let stages = told["stages"].as_array().unwrap();
    let yolo = stages.iter().find(|stage| stage["id"] == "yolo").unwrap();
    Ran {
        frames: yolo["frames"].as_u64().unwrap(),
        known: yolo["known"].as_u64().unwrap(),
        log: fs::read_to_string(folder.join("log")).unwrap(),
    }
}

fn detections(folder: &Path, stem: &str) -> Value {
    let path = folder.join(format!("output/{stem}_results.json"));
    let results: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    results["detections"].clone()
}

#[test]
fn a_video_is_known_whatever_becomes_of_its_file() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let first = run(folder.path(), &["one.mp4", "two.mp4"]);
    assert_eq!((first.frames, first.known), (8, 0));
    let [one, two] = ["one", "two"].map(|stem| detections(folder.path(), stem));
    assert_ne!(one, two);
    let known = |inputs: &[&str]| {
        let ran = run(folder.path(), inputs);
        assert_eq!(ran.known, ran.frames, "{inputs:?}");
    };
    // Renamed, copied, touched.
    fs::rename(at("one.mp4"), at("a.mp4")).unwrap();
    fs::copy(at("a.mp4"), at("b.mp4")).unwrap();
    known(&["a.mp4", "b.mp4"]);
    let file = File::options().write(true).open(at("a.mp4")).unwrap();
    file.set_modified(SystemTime::now()).unwrap();
    file.set_modified(hour_ago()).unwrap();
    drop(file);
    known(&["a.mp4", "two.mp4"]);
    for stem in ["a", "b"] {
        assert_eq!(detections(folder.path(), stem), one);
    }
    // Swapped.
    fs::rename(at("a.mp4"), at("between")).unwrap();
    fs::rename(at("two.mp4"), at("a.mp4")).unwrap();
    fs::rename(at("between"), at("two.mp4")).unwrap();
    known(&["a.mp4", "two.mp4"]);
    assert_eq!(detections(folder.path(), "a"), two);
    assert_eq!(detections(folder.path(), "two"), one);
    // Another content, of the same size and with the time of before.
    let content = fs::read(at("two.mp4")).unwrap();
    fs::write(at("a.mp4"), content).unwrap();
    let file = File::options().write(true).open(at("a.mp4")).unwrap();
    file.set_modified(hour_ago()).unwrap();
    drop(file);
    known(&["a.mp4"]);
    assert_eq!(detections(folder.path(), "a"), one);
}

#[test]
fn a_file_that_is_the_same_is_not_read_again() {
    let folder = folder();
    let paths = ["one.mp4", "two.mp4"].map(|name| folder.path().join(name));
    // A change that comes from here on shows.
    while !paths
        .iter()
        .all(|it| FileStamp::of(it).unwrap().is_settled())
    {
        thread::sleep(Duration::from_millis(50));
    }
    let is_read = |ran: &Ran| ran.log.contains("reading to know which video it is");
    assert!(is_read(&run(folder.path(), &["one.mp4"])));
    let results = folder.path().join("output/one_results.json");
    let written = FileStamp::of(&results).unwrap();
    let again = run(folder.path(), &["one.mp4"]);
    assert!(!is_read(&again), "{}", again.log);
    assert_eq!(again.known, again.frames);
    // Its results are what they were.
    assert!(written.is_current());
    // Something of this size is known, so what it is has to be known first; and is, at once.
    let other = run(folder.path(), &["two.mp4"]);
    assert!(is_read(&other) && other.known == 0);
    assert!(!is_read(&run(folder.path(), &["two.mp4", "one.mp4"])));
}
