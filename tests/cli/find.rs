//! `find`: moments in results that are known, and clips whose frames say which ones they are.

use crate::support::program::Said;
use crate::support::program::vpipe;
use serde_json::Value;
use serde_json::json;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

// Frames of one grey each: its luma is 16 and five times its number. Ten a second.
const COUNTED: &str =
    "-f lavfi -i nullsrc=s=64x48:r=10:d=4,format=yuv420p,geq=lum=16+5*N:cb=128:cr=128";

const RECIPE: &str = r#"
version = 1
[stages.extract]
fps = 1
[stages.yolo]
inputs = ["extract"]
[stages.merge]
inputs = ["yolo"]
"#;

fn ffmpeg(folder: &Path, words: &[&str]) {
    let words = words.iter().flat_map(|it| it.split_whitespace());
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-y"])
        .args(words)
        .current_dir(folder)
        .status();
    assert!(made.unwrap().success());
}

// The results of a run over a counted clip, in which a ball is seen from 1 to 3 s and something is said.
fn found(folder: &Path, coded: &str) {
    let sound = "-f lavfi -i sine=d=4:r=44100";
    ffmpeg(folder, &[COUNTED, sound, coded, "-c:a aac clip.mp4"]);
    fs::write(folder.join("r.toml"), RECIPE).unwrap();
    let said = vpipe(folder, &["run", "r.toml", "clip.mp4"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    let path = folder.join("output/clip_results.json");
    let mut results: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let entries = results["detections"].as_array_mut().unwrap();
    for (at, entry) in entries.iter_mut().enumerate() {
        let ball =
            json!({ "bbox": [1, 1, 9, 9], "class": 0, "class_name": "ball", "confidence": 0.5 });
        let objects = if (1..3).contains(&at) {
            vec![ball]
        } else {
            vec![]
        };
        entry["count"] = json!(objects.len());
        entry["detections"] = json!(objects);
    }
    results["transcription"] = json!({
        "language": null, "language_probability": null, "duration": 4.0, "text": "",
        "segments": [{ "id": 0, "start": 1.5, "end": 2.4, "text": "A red ball! \u{1b}[31m" }],
    });
    fs::write(path, results.to_string()).unwrap();
}

fn find(folder: &Path, words: &[&str]) -> Said {
    vpipe(folder, &[&["find"], words].concat())
}

#[test]
fn moments_are_told_with_their_times() {
    let folder = TempDir::new().unwrap();
    found(folder.path(), "-c:v mpeg4");
    let said = find(folder.path(), &["output", "--seen", "Ball"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    assert_eq!(said.out, "output/clip_results.json  1.0-3.0 s\n");
    assert_eq!(said.talk, "1 moment in 1 results file\n");
    let said = find(
        folder.path(),
        &["output/*.json", "--seen", "ball", "--said", "red ball"],
    );
    assert_eq!(said.code, 0, "{}", said.talk);
    let line = "output/clip_results.json  1.5-2.4 s  \"A red ball! \\u001b[31m\"\n";
    assert_eq!(said.out, line);
    let said = find(
        folder.path(),
        &["output", "--seen", "ball", "--class-confidence", "0.6"],
    );
    assert_eq!((said.code, said.out.as_str()), (0, ""));
    assert_eq!(said.talk, "nothing found in 1 results file\n");
    let words = [
        "output", "--seen", "ball", "--said", "red ball", "--within", "0s", "--json",
    ];
    let told: Value = serde_json::from_str(&find(folder.path(), &words).out).unwrap();
    let moment = json!({
        "results": "output/clip_results.json",
        "video": "clip.mp4",
        "start": 1.5,
        "end": 2.4,
        "said": ["A red ball! \u{1b}[31m"],
    });
    assert_eq!(told["moments"], json!([moment]));
}

#[test]
fn what_cannot_be_searched_is_told() {
    let folder = TempDir::new().unwrap();
    found(folder.path(), "-c:v mpeg4");
    fs::create_dir(folder.path().join("none")).unwrap();
    for (words, told) in [
        (vec!["output"], "nothing is looked for"),
        (vec!["output", "--said", "?!"], "has no letters"),
        (
            vec!["none", "--seen", "ball"],
            "there are no results in none",
        ),
        (vec!["output", "--seen", ""], "is the name of no class"),
        (vec!["clip.mp4", "--said", "ball"], "is not JSON"),
        (
            vec!["*.xml", "--seen", "ball"],
            "nothing matches `*.xml`; the name of a folder stands for the results in it",
        ),
        (
            vec!["output", "--seen", "ball", "--class-confidence", "2"],
            "from 0 to 1",
        ),
    ] {
        let said = find(folder.path(), &words);
        assert_eq!(said.code, 2, "{words:?}: {}", said.talk);
        assert!(said.talk.contains(told), "{words:?}: {}", said.talk);
    }
    let said = find(
        folder.path(),
        &["output", "--seen", "ball", "--clips", "clip.mp4"],
    );
    assert_eq!(said.code, 3, "{}", said.talk);
    let told = "cannot write to clip.mp4: it is a file; name a folder";
    assert!(said.talk.contains(told), "{}", said.talk);
    // One of several is told, and the others are searched.
    fs::write(
        folder.path().join("output/b_results.json"),
        "{\"format\": 1,",
    )
    .unwrap();
    let said = find(folder.path(), &["output", "--seen", "ball"]);
    assert_eq!(said.code, 1);
    assert!(
        said.talk.contains("b_results.json ends in the middle"),
        "{}",
        said.talk
    );
    assert!(said.out.contains("1.0-3.0 s"), "{}", said.out);
}

// The numbers of the frames of a counted clip.
fn numbers(file: &Path) -> Vec<i64> {
    let decoded = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(file)
        .args([
            "-map", "0:v", "-vsync", "0", "-f", "rawvideo", "-pix_fmt", "gray", "-",
        ])
        .output();
    let pixels = decoded.unwrap().stdout;
    let middle =
        |frame: &[u8]| (f64::from(frame[64 * 24 + 32]) * 219.0 / 255.0 / 5.0).round() as i64;
    pixels.chunks(64 * 48).map(middle).collect()
}

#[test]
fn clips_begin_and_end_with_their_moments() {
    let folder = TempDir::new().unwrap();
    // Keyframes at 0, 1.2 and 2.4 s alone.
    found(
        folder.path(),
        "-c:v mpeg4 -q:v 1 -g 12 -sc_threshold 1000000000",
    );
    let words = ["output", "--seen", "ball", "--clips", "my clips"];
    let said = find(folder.path(), &words);
    assert_eq!(said.code, 0, "{}", said.talk);
    assert!(
        said.out.contains("my clips/clip_0m01s-0m03s.mp4"),
        "{}",
        said.out
    );
    let clip = folder.path().join("my clips/clip_0m01s-0m03s.mp4");
    assert_eq!(numbers(&clip), (10..30).collect::<Vec<_>>());
    let probed = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-of",
            "csv=p=0",
            "-show_entries",
            "stream=codec_type,start_time,duration",
        ])
        .arg(&clip)
        .output();
    let probed = String::from_utf8(probed.unwrap().stdout).unwrap();
    for stream in probed.lines() {
        let values: Vec<&str> = stream.trim_end_matches(',').split(',').collect();
        let number = |at: usize| values[at].parse::<f64>().unwrap();
        assert!(number(1).abs() < 0.03, "{probed}");
        assert!((number(2) - 2.0).abs() < 0.06, "{probed}");
    }
    assert_eq!(probed.lines().count(), 2, "{probed}");
    // The video is not there: what was found is told, and why there is no clip of it.
    fs::remove_file(folder.path().join("clip.mp4")).unwrap();
    let said = find(folder.path(), &words);
    assert_eq!(said.code, 1);
    assert!(said.out.contains("no clip: clip.mp4"), "{}", said.out);
}
