//! `find`: moments in results that are known, and clips whose frames say which ones they are.

use crate::annotate::can_encode;
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

fn ffprobe(file: &Path, words: &str) -> Vec<String> {
    let probed = Command::new("ffprobe")
        .args(["-v", "error", "-of", "csv=p=0"])
        .args(words.split_whitespace())
        .arg(file)
        .output();
    let told = String::from_utf8(probed.unwrap().stdout).unwrap();
    let lines = told
        .lines()
        .map(|line| line.trim_end_matches(',').to_owned());
    lines.filter(|line| !line.is_empty()).collect()
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
    for kind in ["v", "a"] {
        let words = format!("-select_streams {kind} -show_entries stream=start_time,duration");
        let told = ffprobe(&clip, &words);
        let values: Vec<f64> = told[0].split(',').map(|it| it.parse().unwrap()).collect();
        assert!(values[0].abs() < 0.03, "{told:?}");
        assert!((values[1] - 2.0).abs() < 0.06, "{told:?}");
    }
    // What is said from 1.5 to 2.4 s.
    let said = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(&clip)
        .args(["-map", "0:s", "-f", "srt", "-"])
        .output();
    let captions = String::from_utf8(said.unwrap().stdout).unwrap();
    let lines: Vec<&str> = captions.lines().map(str::trim_end).collect();
    assert_eq!(lines[1], "00:00:00,500 --> 00:00:01,400", "{captions}");
    assert!(lines[2].starts_with("A red ball!"), "{captions}");
    // The video is not there: what was found is told, and why there is no clip of it.
    fs::remove_file(folder.path().join("clip.mp4")).unwrap();
    let said = find(folder.path(), &words);
    assert_eq!(said.code, 1);
    assert!(said.out.contains("no clip: clip.mp4"), "{}", said.out);
}

// Of each packet of a kind when it is shown, and a digest of what is in it, in the order of the file.
fn packets(file: &Path, kind: &str) -> Vec<(f64, String)> {
    let words = format!(
        "-select_streams {kind} -show_packets -show_data_hash md5 -show_entries packet=pts_time,data_hash"
    );
    // Some packets have lines of side data behind them.
    let packet = |line: &String| {
        let (time, hash) = line.split_once(",MD5:")?;
        Some((time.parse().ok()?, hash.trim_matches(',').to_owned()))
    };
    ffprobe(file, &words).iter().filter_map(packet).collect()
}

const X264: &str = "-c:v libx264 -crf 4 -x264-params b-adapt=0:b-pyramid=none:scenecut=0";

#[test]
fn packets_are_copied_where_they_show_the_moment_by_themselves() {
    // How the video is coded, whose moment is from 1 to 3 s, and whether its packets are copied.
    let table = [
        // Groups of a second, with frames that are shown before those that they need.
        (format!("{X264}:keyint=10:bframes=2"), "packets"),
        (format!("{X264}:keyint=10:bframes=2 -f mpegts"), "packets"),
        // The moment ends within a group: at a frame that others are made of, and behind it.
        (
            format!("{X264}:keyint=99:bframes=0 -force_key_frames 1"),
            "packets",
        ),
        (
            format!("{X264}:keyint=99:bframes=2 -force_key_frames 1"),
            "coded",
        ),
        // It begins within a group, or with a frame that others are made over.
        (format!("{X264}:keyint=12:bframes=2"), "coded"),
        (format!("{X264}:keyint=10:bframes=2:open-gop=1"), "coded"),
        // Other codecs, of which browsers play one.
        (
            "-c:v libvpx-vp9 -g 10 -crf 10 -b:v 0 -deadline realtime".to_owned(),
            "packets",
        ),
        ("-c:v mpeg4 -q:v 1 -g 10".to_owned(), "coded"),
    ];
    for (coded, cut) in table {
        if coded.contains("libvpx-vp9") && !can_encode("libvpx-vp9") {
            continue;
        }
        let folder = TempDir::new().unwrap();
        found(folder.path(), &coded);
        let words = ["output", "--seen", "ball", "--clips", "c", "--json"];
        let said = find(folder.path(), &words);
        assert_eq!(said.code, 0, "{coded}: {}{}", said.out, said.talk);
        let told: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(told["moments"][0]["cut"], cut, "{coded}");
        let (video, clip) = (
            folder.path().join("clip.mp4"),
            folder.path().join("c/clip_0m01s-0m03s.mp4"),
        );
        assert_eq!(numbers(&clip), (10..30).collect::<Vec<_>>(), "{coded}");
        let shown = packets(&clip, "v");
        let mut times: Vec<f64> = shown.iter().map(|(time, _)| *time).collect();
        times.sort_by(f64::total_cmp);
        let expected = (0..20).map(|at| f64::from(at) / 10.0);
        assert!(
            times
                .iter()
                .zip(expected)
                .all(|(a, b)| (a - b).abs() < 1e-3),
            "{coded}: {times:?}"
        );
        let (whole, sound) = (packets(&video, "a"), packets(&clip, "a"));
        assert!(sound.len() > 80, "{coded}: {}", sound.len());
        // MPEG transport streams hold frames and sound otherwise than MP4.
        if cut == "packets" && !coded.contains("mpegts") {
            let first = packets(&video, "v")
                .iter()
                .position(|(_, hash)| *hash == shown[0].1);
            let source: Vec<String> = packets(&video, "v")
                .split_off(first.unwrap())
                .into_iter()
                .map(|it| it.1)
                .collect();
            let copied: Vec<String> = shown.into_iter().map(|it| it.1).collect();
            assert_eq!(copied, source[..20], "{coded}");
            let is_of = |hash: &String| whole.iter().any(|(_, it)| it == hash);
            assert!(sound.iter().all(|(_, hash)| is_of(hash)), "{coded}");
        }
    }
}

#[test]
fn a_clip_takes_no_place_of_another_file() {
    let folder = TempDir::new().unwrap();
    found(folder.path(), &format!("{X264}:keyint=10"));
    let clip = folder.path().join("c/clip_0m01s-0m03s.mp4");
    fs::create_dir(folder.path().join("c")).unwrap();
    fs::copy(folder.path().join("clip.mp4"), &clip).unwrap();
    let before = fs::read(&clip).unwrap();
    let words = ["output", "--seen", "ball", "--clips", "c"];
    let said = find(folder.path(), &words);
    assert_eq!(said.code, 1, "{}", said.talk);
    let told = "no clip: c/clip_0m01s-0m03s.mp4 is there already, and vpipe did not write it";
    assert!(said.out.contains(told), "{}", said.out);
    assert_eq!(fs::read(&clip).unwrap(), before);
    assert_eq!(fs::read_dir(folder.path().join("c")).unwrap().count(), 1);
    fs::remove_file(&clip).unwrap();
    // One that it wrote itself is written again.
    for _ in 0..2 {
        let said = find(folder.path(), &words);
        assert_eq!(said.code, 0, "{}{}", said.out, said.talk);
        assert!(said.out.contains("packets of the video"), "{}", said.out);
    }
}

#[test]
fn what_may_be_there_and_is_not_found_is_told() {
    let folder = TempDir::new().unwrap();
    found(folder.path(), "-c:v mpeg4");
    let path = folder.path().join("output/clip_results.json");
    let mut results: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    results["detections"][0] = json!({ "timestamp": 0.0, "frame_number": 0, "error": "network" });
    results["detections"][3] =
        json!({ "timestamp": 3.0, "frame_number": 30, "skipped": "stopped" });
    results["transcription"]["gaps"] = json!([{ "start": 0.0, "end": 1.0, "error": "network" }]);
    fs::write(path, results.to_string()).unwrap();
    let said = find(
        folder.path(),
        &["output", "--seen", "bal", "--seen", "Ball", "--said", "red"],
    );
    assert_eq!((said.code, said.out.as_str()), (0, ""));
    assert_eq!(
        said.talk,
        "no results know a class \"bal\"\n\
         2 frames without an answer: what is seen there is not found\n\
         1 part of the sound without an answer: what is said there is not found\n\
         nothing found in 1 results file\n"
    );
    // A class that a model declares is known, seen or not.
    let said = find(folder.path(), &["output", "--seen", "circle", "--json"]);
    let told: Value = serde_json::from_str(&said.out).unwrap();
    let doubts = [
        &told["unknown_classes"],
        &told["unanswered_frames"],
        &told["unanswered_sound"],
    ];
    assert_eq!(json!(doubts), json!([[], 2, 0]));
}

#[cfg(unix)]
#[test]
fn a_clip_that_is_interrupted_is_not_there() {
    let folder = TempDir::new().unwrap();
    found(folder.path(), "-vf scale=1280:960,loop=9:40:0 -c:v mpeg4");
    let path = folder.path().join("output/clip_results.json");
    let mut results: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    results["transcription"]["segments"][0]["end"] = json!(39.0);
    fs::write(path, results.to_string()).unwrap();
    let clips = folder.path().join("c");
    let files = || {
        fs::read_dir(&clips)
            .into_iter()
            .flatten()
            .map(|it| it.unwrap().path())
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_vpipe"));
    crate::support::program::quiet_environment(&mut command);
    let mut child = command
        .current_dir(folder.path())
        .args(["find", "output", "--said", "red ball", "--clips", "c"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let is_begun = || files().any(|path| fs::metadata(path).is_ok_and(|about| about.len() > 0));
    while !is_begun() && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    let mut kill = Command::new("kill");
    let sent = kill.args(["-INT", &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(files().count(), 0);
}
