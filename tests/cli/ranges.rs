//! Parts of a video: what of it is looked at and listened to, what is known of them later, and what
//! lies beyond the end.

use crate::support::program::Said;
use crate::support::program::vpipe;
use crate::support::repository::CLIP;
use crate::support::repository::ROOT;
use serde_json::Value;
use serde_json::json;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

fn example() -> String {
    format!("{ROOT}/recipes/examples/ranges.toml")
}

fn run(folder: &Path, recipe: &str, more: &[&str]) -> Said {
    let words = [&["run", recipe, CLIP], more].concat();
    let said = vpipe(folder, &words);
    assert_eq!(said.code, 0, "{}", said.talk);
    said
}

fn results(folder: &Path, name: &str) -> Value {
    let file = folder.join("output").join(name);
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

// The times and numbers of the frames that were looked at.
fn frames(results: &Value) -> Vec<(f64, u64)> {
    let entries = results["detections"].as_array().unwrap().iter();
    let frame = |entry: &Value| {
        let time = entry["timestamp"].as_f64().unwrap();
        (time, entry["frame_number"].as_u64().unwrap())
    };
    entries.map(frame).collect()
}

// Samples of both ranges, two a second; the clip has thirty frames a second.
fn due(ranges: &[(f64, f64)]) -> Vec<(f64, u64)> {
    let of_range = |&(start, end): &(f64, f64)| {
        let samples = (0..).map(move |sample| start + 0.5 * f64::from(sample));
        samples.take_while(move |time| *time < end)
    };
    let times = ranges.iter().flat_map(of_range);
    times.map(|time| (time, (30.0 * time) as u64)).collect()
}

#[test]
fn the_parts_that_are_wanted_are_looked_at_and_listened_to() {
    let folder = TempDir::new().unwrap();
    run(folder.path(), &example(), &[]);
    let found = results(folder.path(), "clip_results.json");
    assert_eq!(frames(&found), due(&[(3.0, 6.0), (14.0, 18.0)]));
    let parts = json!([{ "start": 3.0, "end": 6.0 }, { "start": 14.0, "end": 18.0 }]);
    let range = json!({ "start": 3.0, "end": 18.0, "parts": parts });
    assert_eq!(found["range"], range);
    assert_eq!(found["summary"]["failed"], 0);
    let speech = &found["transcription"];
    assert_eq!(speech["gaps"], Value::Null, "what is not wanted is no gap");
    let segments = speech["segments"].as_array().unwrap();
    assert!(!segments.is_empty());
    for segment in segments {
        let (start, end) = (segment["start"].as_f64(), segment["end"].as_f64());
        let within = [(3.0, 6.0), (14.0, 18.0)]
            .iter()
            .any(|&(from, to)| start >= Some(from) && end <= Some(to));
        assert!(within, "{segment}");
    }
    // One range alone is told as it always was.
    let one = ["--set", "extract.ranges=[\"20-\"]", "--output-dir", "one"];
    run(folder.path(), &example(), &one);
    let one = fs::read(folder.path().join("one/clip_results.json")).unwrap();
    let one: Value = serde_json::from_slice(&one).unwrap();
    assert_eq!(one["range"], json!({ "start": 20.0, "end": null }));
}

#[test]
fn the_first_of_ranges_is_the_first_of_what_they_hold() {
    let folder = TempDir::new().unwrap();
    let quiet = ["--without", "whisper"];
    run(
        folder.path(),
        &example(),
        &[&quiet[..], &["--first", "4s"]].concat(),
    );
    let found = results(folder.path(), "clip_results.json");
    assert_eq!(frames(&found), due(&[(3.0, 6.0), (14.0, 15.0)]));
    let parts = json!([{ "start": 3.0, "end": 6.0 }, { "start": 14.0, "end": 15.0 }]);
    assert_eq!(found["range"]["parts"], parts);
    run(
        folder.path(),
        &example(),
        &[&quiet[..], &["--first", "2s", "--fresh"]].concat(),
    );
    let found = results(folder.path(), "clip_results.partial.json");
    assert_eq!(frames(&found), due(&[(3.0, 5.0)]));
    assert_eq!(found["range"], json!({ "start": 3.0, "end": 5.0 }));
}

#[test]
fn a_frame_is_known_whichever_range_asked_for_it() {
    let folder = TempDir::new().unwrap();
    let quiet = ["--without", "whisper"];
    run(folder.path(), &example(), &quiet);
    let window = [
        "--set",
        "extract.ranges=[]",
        "--set",
        "extract.start=14",
        "--set",
        "extract.end=18",
    ];
    let said = run(folder.path(), &example(), &[&quiet[..], &window].concat());
    assert!(
        said.talk.contains("yolo: 8 of 8 known from before"),
        "{}",
        said.talk
    );
    let kept = "output/clip_results.json is kept: it covers more of the video than 14 s to 18 s";
    assert!(said.talk.replace('\\', "/").contains(kept), "{}", said.talk);
    // All of it covers more than both, and takes their place.
    let said = run(
        folder.path(),
        &example(),
        &[&quiet[..], &window[..2]].concat(),
    );
    assert!(
        said.talk.contains("yolo: 14 of 52 known from before"),
        "{}",
        said.talk
    );
    let all = results(folder.path(), "clip_results.json");
    assert_eq!(all["range"], Value::Null);
    let said = run(folder.path(), &example(), &quiet);
    assert!(
        said.talk.contains("than 3 s to 6 s, 14 s to 18 s"),
        "{}",
        said.talk
    );
    let words = [
        "compare",
        "output/clip_results.json",
        "output/clip_results.partial.json",
    ];
    let said = vpipe(folder.path(), &words);
    assert_eq!(said.code, 5, "{}", said.talk);
    let range = "range: 3 s to 6 s, 14 s to 18 s, before all of it";
    assert!(said.out.contains(range), "{}", said.out);
}

#[test]
fn a_plan_counts_what_the_ranges_hold() {
    let folder = TempDir::new().unwrap();
    let said = vpipe(folder.path(), &["plan", &example(), CLIP]);
    assert_eq!(said.code, 0, "{}", said.talk);
    for part in [
        "yolo: 14 frames on",
        "whisper: 7 s of sound on",
        ", 14 frames, ",
    ] {
        assert!(said.out.contains(part), "{}", said.out);
    }
}

#[test]
fn a_range_beyond_the_end_is_told_of_its_video_before_any_work() {
    let folder = TempDir::new().unwrap();
    fs::copy(CLIP, folder.path().join("long.mp4")).unwrap();
    let short = Command::new("ffmpeg")
        .args(["-v", "error", "-i", CLIP, "-t", "6", "-c", "copy"])
        .arg(folder.path().join("short.mp4"))
        .status();
    assert!(short.unwrap().success());
    let recipe = example();
    for verb in ["run", "plan"] {
        let said = vpipe(folder.path(), &[verb, &recipe, "short.mp4", "long.mp4"]);
        assert_eq!(said.code, 1, "{verb}: {}", said.talk);
        let why = "`short.mp4` ends before 14 s, where one of the `ranges` of `extract` begins: it has 6.";
        let all = [said.out, said.talk].concat();
        assert!(all.contains(why), "{all}");
    }
    assert!(folder.path().join("output/long_results.json").exists());
    assert!(!folder.path().join("output/short_results.json").exists());
    let set = ["--set", "extract.ranges=[\"3-6\"]"];
    let cured = [&["run", &recipe, "short.mp4"][..], &set].concat();
    assert_eq!(vpipe(folder.path(), &cured).code, 0);
}

#[test]
fn a_start_beyond_the_end_is_an_error_for_sound_alone_too() {
    let folder = TempDir::new().unwrap();
    let sound = Command::new("ffmpeg")
        .args(["-v", "error", "-i", CLIP, "-vn", "-t", "6", "-c:a", "flac"])
        .arg(folder.path().join("said.flac"))
        .status();
    assert!(sound.unwrap().success());
    let heard = "version = 1\n[stages.extract]\n[stages.whisper]\ninputs = [\"extract\"]\n\
                 [stages.merge]\ninputs = [\"whisper\"]\n";
    fs::write(folder.path().join("heard.toml"), heard).unwrap();
    for (input, start, cured) in [("said.flac", "9", "2"), (CLIP, "60", "20")] {
        let set = |start: &str| format!("extract.start={start}");
        let run = |set: &str| vpipe(folder.path(), &["run", "heard.toml", input, "--set", set]);
        let said = run(&set(start));
        assert_eq!(said.code, 3, "{}", said.talk);
        let why = format!("ends before {start} s, where `start` of `extract` is");
        assert!(said.talk.contains(&why), "{}", said.talk);
        let said = run(&set(cured));
        assert_eq!(said.code, 0, "{}", said.talk);
    }
    // A sound track that ends before its video does is no error where frames are looked at.
    let part = Command::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-i",
            CLIP,
            "-i",
            "said.flac",
            "-map",
            "0:v",
            "-map",
            "1:a",
        ])
        .args(["-c:v", "copy", "-c:a", "aac", "part.mp4"])
        .current_dir(folder.path())
        .status();
    assert!(part.unwrap().success());
    let set = ["--set", "extract.start=20"];
    let said = vpipe(
        folder.path(),
        &[&["run", "default", "part.mp4"][..], &set].concat(),
    );
    assert_eq!(said.code, 0, "{}", said.talk);
    let said = vpipe(
        folder.path(),
        &[&["run", "heard.toml", "part.mp4", "--fresh"][..], &set].concat(),
    );
    assert_ne!(said.code, 0, "{}", said.talk);
    assert!(said.talk.contains("ends before 20 s"), "{}", said.talk);
}
