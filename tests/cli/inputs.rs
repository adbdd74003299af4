//! `vpipe run` on inputs good and bad: one clear message each, and its exit code.

use crate::support::process::watch;
use crate::support::program;
use crate::support::program::Said;
use crate::support::program::vpipe;
use crate::support::repository::CLIP;
use serde_json::Value;
use serde_json::json;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

// A folder with `name` in it, which FFmpeg makes of the demo clip.
fn folder_with(name: &str, options: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    cut(&folder.path().join(name), options);
    folder
}

fn cut(path: &Path, options: &[&str]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-i", CLIP, "-c", "copy"])
        .args(options)
        .arg(path)
        .status();
    assert!(made.unwrap().success());
}

fn results(folder: &TempDir, name: &str) -> Value {
    let path = folder.path().join("output").join(name);
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

// That it ended so, with `message` in its talk, and that no file was written.
fn assert_refused(folder: &TempDir, words: &[&str], code: i32, message: &str) {
    let Said {
        out,
        talk,
        code: ended,
    } = vpipe(folder.path(), words);
    assert_eq!((out.as_str(), ended), ("", code), "{talk}");
    assert_eq!(talk.matches(message).count(), 1, "{talk}");
    assert!(!talk.contains("panicked"), "{talk}");
    let output = folder.path().join("output");
    let written = output.is_dir() && fs::read_dir(output).unwrap().next().is_some();
    assert!(!written, "a file was written: {talk}");
}

#[test]
fn files_that_are_no_videos_are_refused() {
    let folder = folder_with("sound.mp4", &["-vn"]);
    fs::write(folder.path().join("text.mp4"), "not a video").unwrap();
    fs::write(folder.path().join("empty.mp4"), "").unwrap();
    fs::create_dir(folder.path().join("nothing")).unwrap();
    for (name, code, message) in [
        ("missing.mp4", 2, "there is no file or folder `missing.mp4`"),
        (
            "text.mp4",
            3,
            "`text.mp4` is not a video that FFmpeg can open",
        ),
        ("sound.mp4", 3, "`sound.mp4` has no video stream"),
        ("empty.mp4", 3, "`empty.mp4` is empty (0 bytes)"),
        (
            "nothing",
            3,
            "the folder `nothing` holds no videos, no sound files and no JPEG or PNG pictures",
        ),
    ] {
        // Nobody listens: sound alone is of no use.
        let words = ["run", "default", name, "--set", "yolo.backend=local"];
        assert_refused(&folder, &words, code, message);
        let quiet = [&words[..], &["--quiet"]].concat();
        assert_refused(&folder, &quiet, code, message);
    }
}

#[test]
fn runs_that_could_not_keep_their_results_do_not_begin() {
    let folder = folder_with("clip.mp4", &["-t", "1"]);
    fs::create_dir(folder.path().join("other")).unwrap();
    fs::copy(
        folder.path().join("clip.mp4"),
        folder.path().join("other/clip.mp4"),
    )
    .unwrap();
    fs::write(folder.path().join("taken"), "").unwrap();
    let two = ["run", "default", "clip.mp4", "other/clip.mp4"];
    assert_refused(&folder, &two, 2, "would both be written to");
    let taken = ["run", "default", "clip.mp4", "--output-dir", "taken"];
    assert_refused(&folder, &taken, 3, "cannot write to taken");
}

#[test]
fn wrong_recipes_and_models_are_refused() {
    let folder = folder_with("clip.mp4", &["-t", "1"]);
    fs::write(folder.path().join("text.onnx"), "not a model").unwrap();
    let unknown = ["run", "defautl", "clip.mp4"];
    assert_refused(
        &folder,
        &unknown,
        2,
        "no preset and no file called `defautl`",
    );
    let mistaken = ["run", "default", "clip.mp4", "--set", "yolo.conf=3"];
    assert_refused(&folder, &mistaken, 2, "`conf` cannot be 3");
    let text = [
        "run",
        "default",
        "clip.mp4",
        "--set",
        "yolo.model=text.onnx",
    ];
    assert_refused(&folder, &text, 3, "text.onnx is not a whole ONNX model");
    fs::create_dir(folder.path().join("empty")).unwrap();
    for (voice, code, message) in [
        ("whisper.model=nowhere", 2, "nowhere does not exist"),
        ("whisper.model=empty", 3, "empty has no tokenizer.json"),
        ("whisper.model=text.onnx", 3, "text.onnx"),
    ] {
        let words = ["run", "default", "clip.mp4", "--set", voice];
        assert_refused(&folder, &words, code, message);
    }
    let words = [
        "--set",
        "whisper.backend=local",
        "--set",
        "whisper.language=de",
    ];
    let words = [&["run", "default", "clip.mp4"], &words[..]].concat();
    assert_refused(
        &folder,
        &words,
        2,
        "built-in voice does not know the language `de`",
    );
}

#[test]
fn one_bad_video_does_not_keep_the_others_from_being_seen() {
    let folder = folder_with("good.mp4", &["-t", "2", "-an"]);
    fs::write(folder.path().join("bad.mp4"), "not a video").unwrap();
    let said = vpipe(folder.path(), &["run", "default", ".", "--json"]);
    assert_eq!(said.code, 1, "{}", said.talk);
    let outcome: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(outcome["exit_code"], 1);
    let errors: Vec<bool> = outcome["videos"]
        .as_array()
        .unwrap()
        .iter()
        .map(|video| video["error"].is_string())
        .collect();
    assert_eq!(errors, [true, false], "{outcome:#}");
    assert_eq!(
        results(&folder, "good_results.json")["summary"]["failed"],
        0
    );
}

#[test]
fn a_beginning_can_be_tried() {
    let folder = tempfile::tempdir().unwrap();
    let said = vpipe(folder.path(), &["run", "default", CLIP, "--first", "3s"]);
    assert_eq!((said.out.as_str(), said.code), ("", 0), "{}", said.talk);
    let results = results(&folder, "clip_results.json");
    assert_eq!(results["summary"]["frames"], 3);
    assert_eq!(results["demo"], true);
    assert!(
        said.talk
            .contains("demo models of six drawn shapes and 60 English words about them"),
        "{}",
        said.talk
    );
}

#[test]
fn quiet_is_quiet() {
    let folder = tempfile::tempdir().unwrap();
    let words = ["run", "default", CLIP, "--first", "1s", "-q"];
    let said = vpipe(folder.path(), &words);
    assert_eq!(
        (said.out, said.talk, said.code),
        (String::new(), String::new(), 0)
    );
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_what_is_done() {
    use std::io::BufRead;
    use std::io::BufReader;
    use std::process::Stdio;

    let folder = tempfile::tempdir().unwrap();
    let recipe = "version = 1\nextends = \"default\"\n[stages.save]\ninputs = [\"extract\"]\n\
                  [stages.merge]\ninputs = [\"yolo\", \"whisper\", \"save\"]\n";
    fs::write(folder.path().join("r.toml"), recipe).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_vpipe"));
    program::quiet_environment(&mut command);
    let mut child = command
        .current_dir(folder.path())
        .args(["run", "r.toml", CLIP, "--fps", "30"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let talk = BufReader::new(child.stderr.take().unwrap()).lines();
    program::interrupt_after(5, &folder.path().join("output/clip_frames"), &mut child);
    let rest: Vec<String> = talk.map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest:#?}");
    assert!(
        rest.iter().any(|line| line == "stopping: interrupted"),
        "{rest:#?}"
    );
    let results = results(&folder, "clip_results.partial.json");
    assert!(results["summary"]["frames"].as_u64().unwrap() < 770);
    assert_eq!(results["run"]["stopped"], "interrupted");
}

#[test]
fn a_file_that_breaks_off_gives_what_it_has_and_says_so() {
    let folder = TempDir::new().unwrap();
    let whole = fs::read(CLIP).unwrap();
    fs::write(folder.path().join("cut.mp4"), whole.get(..400_000).unwrap()).unwrap();
    let said = vpipe(folder.path(), &["run", "default", "cut.mp4"]);
    assert_eq!(said.code, 1, "{}", said.talk);
    assert!(said.talk.contains("`cut.mp4` breaks off"), "{}", said.talk);
    let results = results(&folder, "cut_results.json");
    let frames = results["detections"].as_array().unwrap().len();
    assert!((1..26).contains(&frames));
    assert_eq!(results["failures"][0]["class"], "media");
}

// The bytes of each packet of a stream in its file, as ffprobe says.
fn packets(file: &Path, stream: &str) -> Vec<std::ops::Range<usize>> {
    let said = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", stream, "-of", "csv=p=0"])
        .args(["-show_entries", "packet=size,pos"])
        .arg(file)
        .output()
        .unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let packet = |line: &str| {
        let (size, start) = line.split_once(',').unwrap();
        let start: usize = start.trim_matches(',').parse().unwrap();
        start..start + size.parse::<usize>().unwrap()
    };
    said.lines().map(packet).collect()
}

fn made(path: &Path, options: &str) {
    let made = Command::new("ffmpeg")
        .args(["-v", "error"])
        .args(options.split_whitespace())
        .arg(path)
        .status();
    assert!(made.unwrap().success());
}

#[test]
fn results_count_the_packets_that_are_damaged() {
    let folder = TempDir::new().unwrap();
    let clip = folder.path().join("clip.mov");
    made(
        &clip,
        "-f lavfi -i testsrc2=s=64x48:r=5:d=4 -f lavfi -i sine=d=4 -c:v png -c:a alac",
    );
    let (frames, sound) = (packets(&clip, "v"), packets(&clip, "a"));
    let mut bytes = fs::read(&clip).unwrap();
    for packet in [&frames[3], &frames[7], &frames[12], &sound[2], &sound[9]] {
        bytes[packet.clone()].fill(0x55);
    }
    fs::write(&clip, bytes).unwrap();
    let said = vpipe(folder.path(), &["run", "default", "clip.mov", "--fps", "5"]);
    assert_eq!(said.code, 1, "{}", said.talk);
    let results = results(&folder, "clip_results.json");
    let damaged = json!({ "frames": 3, "sound": 2 });
    assert_eq!(results["run"]["damaged_packets"], damaged);
    assert_eq!(results["summary"]["failed"], 3);
}

#[test]
fn the_length_of_joined_files_is_that_of_all_their_parts() {
    let folder = TempDir::new().unwrap();
    let source = "-f lavfi -i testsrc2=s=64x48:r=25:d=2 -f lavfi -i sine=d=2";
    for (name, options, sound_alone) in [
        ("a.ts", "-c:v mpeg2video -c:a mp2 -t 2", false),
        ("b.mkv", "-c:v mjpeg -c:a pcm_s16le -t 2", false),
        ("c.mka", "-map 1:a -c:a pcm_s16le", true),
    ] {
        let path = folder.path().join(name);
        made(&path, &format!("{source} {options}"));
        let part = fs::read(&path).unwrap();
        fs::write(&path, part.repeat(2)).unwrap();
        let said = vpipe(folder.path(), &["run", "default", name]);
        assert_eq!(said.code, 0, "{}", said.talk);
        let stem = name.split_once('.').unwrap().0;
        let results = results(&folder, &format!("{stem}_results.json"));
        let length = results["source"]["duration"].as_f64().unwrap();
        assert!((length - 4.0).abs() < 0.1, "{name}: {length}");
        assert_eq!(
            results["summary"]["frames"],
            if sound_alone { 0 } else { 4 }
        );
        assert_eq!(results["run"].get("damaged_packets"), None, "{name}");
    }
}

#[test]
fn a_folder_stands_for_its_sound_where_anything_takes_sound() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join("in").join(name);
    cut(&path("a.mp4"), &["-t", "1"]);
    let mp3 = ["-t", "1", "-vn", "-c:a", "libmp3lame"];
    cut(&path("b.mp3"), &mp3);
    fs::write(path("c.wav"), "not sound").unwrap();
    let said = vpipe(folder.path(), &["run", "default", "in", "--json"]);
    assert_eq!(said.code, 1, "{}", said.talk);
    let outcome: Value = serde_json::from_str(&said.out).unwrap();
    let videos = outcome["videos"].as_array().unwrap();
    let errors: Vec<bool> = videos.iter().map(|it| it["error"].is_string()).collect();
    assert_eq!(errors, [false, false, true], "{outcome:#}");
    let heard = results(&folder, "b_results.json");
    assert!(heard["transcription"]["segments"].is_array(), "{heard:#}");
    // Nobody listens, so nothing is wrong with a sound file.
    let words = [
        "run",
        "default",
        "in",
        "--json",
        "--set",
        "yolo.backend=local",
    ];
    let said = vpipe(folder.path(), &words);
    assert_eq!(said.code, 0, "{}", said.talk);
    let outcome: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(outcome["videos"].as_array().unwrap().len(), 1);
    let named = format!(
        "{}, {}",
        Path::new("in").join("b.mp3").display(),
        Path::new("in").join("c.wav").display()
    );
    let left_out =
        format!("2 sound files of folders are left out, since no stage takes sound: {named}");
    assert!(said.talk.contains(&left_out), "{}", said.talk);
    let said = vpipe(
        folder.path(),
        &["plan", "default", "in", "--set", "yolo.backend=local"],
    );
    assert_eq!(said.code, 0, "{}", said.talk);
}

/// A colour profile unpacks to a thousand times its length, and no picture is made of it.
#[test]
fn a_picture_takes_what_its_pixels_take() {
    let folder = tempfile::tempdir().unwrap();
    let file = fs::File::create(folder.path().join("bomb.png")).unwrap();
    let mut info = png::Info::with_size(64, 48);
    info.color_type = png::ColorType::Rgb;
    info.icc_profile = Some(vec![0; 400 << 20].into());
    let encoder = png::Encoder::with_info(file, info).unwrap();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[200; 64 * 48 * 3]).unwrap();
    writer.finish().unwrap();
    // The same as the frame of a video.
    let video = folder.path().join("video.mkv");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-framerate", "1", "-i"])
        .arg(folder.path().join("bomb.png"))
        .args(["-c", "copy"])
        .arg(video)
        .status();
    assert!(made.unwrap().success());
    for name in ["bomb.png", "video.mkv"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vpipe"));
        program::quiet_environment(&mut command);
        command.current_dir(folder.path());
        command.args(["run", "default", name]);
        let went = watch(&mut command, Duration::from_secs(120));
        assert!(went.status.success(), "{name}: {}", went.talk);
        assert!(went.megabytes < 200, "{name}: {} MB", went.megabytes);
    }
    for name in ["bomb_results.json", "video_results.json"] {
        let entries = &results(&folder, name)["detections"];
        assert_eq!(entries.as_array().unwrap().len(), 1, "{name}");
        assert!(entries[0]["error"].is_null(), "{name}: {entries}");
    }
}
