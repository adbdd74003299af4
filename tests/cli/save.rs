//! `save` as users meet it: files on the disk, with and without results beside them.

use crate::support::program;
use crate::support::program::vpipe;
use crate::support::repository::CLIP;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

const FRAMES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/recipes/examples/frames.toml");

/// The files under `folder`, sorted, as paths from there; without the journal.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.ends_with(".vpipe") {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else {
                let inner = path.strip_prefix(folder).unwrap();
                found.push(inner.to_str().unwrap().replace('\\', "/"));
            }
        }
    }
    found.sort();
    found
}

// A clip of two seconds that FFmpeg's test source makes.
fn clip(folder: &TempDir, name: &str, options: &[&str]) {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i"])
        .arg("testsrc=size=320x180:rate=10:duration=2")
        .args(["-pix_fmt", "yuv420p", "-c:v", "mpeg4", "-q:v", "2"])
        .args(options)
        .arg(path)
        .status();
    assert!(made.unwrap().success());
}

fn recipe(folder: &TempDir, stages: &str) {
    let text = format!("version = 1\n[stages.extract]\n{stages}");
    fs::write(folder.path().join("r.toml"), text).unwrap();
}

/// The size of a frame, and its pixels as RGB, as FFmpeg reads them.
fn rgb(path: &Path) -> Vec<u8> {
    let read = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args(["-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
        .output()
        .unwrap();
    assert!(read.status.success(), "{}", path.display());
    read.stdout
}

#[test]
fn two_stages_are_a_frame_extractor() {
    let folder = TempDir::new().unwrap();
    clip(&folder, "a.mp4", &[]);
    clip(&folder, "sub/b.mp4", &["-metadata:s:v", "rotate=90"]);
    let words = ["run", FRAMES, "a.mp4", "sub/b.mp4", "--fps", "2", "--json"];
    let said = vpipe(folder.path(), &words);
    assert_eq!(said.code, 0, "{}", said.talk);
    let names = [
        "000000_0.000s",
        "000001_0.500s",
        "000002_1.000s",
        "000003_1.500s",
    ];
    let expected: Vec<String> = ["a", "b"]
        .iter()
        .flat_map(|video| names.map(|name| format!("{video}_frames/{name}.jpg")))
        .collect();
    assert_eq!(files(&folder.path().join("output")), expected);
    assert_eq!(
        rgb(&folder.path().join("output/a_frames/000001_0.500s.jpg")).len(),
        320 * 180 * 3
    );
    let outcome: Value = serde_json::from_str(&said.out).unwrap();
    let first = &outcome["videos"][0];
    assert_eq!(first["results"], Value::Null);
    assert_eq!(first["summary"]["frames"], 4);
    assert_eq!(first["saved"][0]["files"], 4);
    assert_eq!(
        first["saved"][0]["folder"],
        Path::new("output").join("a_frames").to_str().unwrap()
    );
    assert!(said.talk.contains("save: 4 frames in "), "{}", said.talk);
    assert!(said.talk.contains("8 frames in "), "{}", said.talk);
    // Twice is as once: the same files, nothing beside them.
    let said = vpipe(folder.path(), &words);
    assert_eq!(said.code, 0, "{}", said.talk);
    assert_eq!(files(&folder.path().join("output")), expected);
}

#[test]
fn png_keeps_every_pixel() {
    let folder = TempDir::new().unwrap();
    clip(&folder, "a.avi", &[]);
    recipe(
        &folder,
        "[stages.save]\ninputs = [\"extract\"]\nformat = \"png\"\n\
         output_dir = \"{{ video.stem }}\"\nname = \"{{ frame.frame_number }}\"\n",
    );
    let said = vpipe(folder.path(), &["run", "r.toml", "a.avi"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    assert_eq!(
        files(&folder.path().join("a")),
        ["000000.png", "000010.png"]
    );
    let saved = rgb(&folder.path().join("a/000010.png"));
    let reference = Command::new("ffmpeg")
        .current_dir(folder.path())
        .args([
            "-v",
            "error",
            "-i",
            "a.avi",
            "-vf",
            "select=eq(n\\,10)",
            "-frames:v",
            "1",
        ])
        .args(["-sws_flags", "accurate_rnd+full_chroma_int+bicubic"])
        .args(["-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
        .output()
        .unwrap()
        .stdout;
    assert_eq!(saved.len(), reference.len());
    let far = saved
        .iter()
        .zip(&reference)
        .filter(|(a, b)| a.abs_diff(**b) > 2);
    assert_eq!(far.count(), 0);
}

#[test]
fn results_name_the_files_where_merge_takes_them() {
    let folder = TempDir::new().unwrap();
    recipe(
        &folder,
        "[stages.yolo]\ninputs = [\"extract\"]\n[stages.save]\ninputs = [\"extract\"]\n\
         [stages.merge]\ninputs = [\"yolo\", \"save\"]\n",
    );
    let words = ["run", "r.toml", CLIP, "--first", "2s", "--output-dir", "o"];
    let said = vpipe(folder.path(), &words);
    assert_eq!(said.code, 0, "{}", said.talk);
    let results = fs::read(folder.path().join("o/clip_results.json")).unwrap();
    let results: Value = serde_json::from_slice(&results).unwrap();
    let entries = results["detections"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    for entry in entries {
        let saved = folder.path().join(entry["saved"].as_str().unwrap());
        assert!(saved.is_file(), "{entry}");
        assert!(entry["count"].is_u64());
    }
    // Not told, but written all the same, where merge does not take them.
    let text = fs::read_to_string(folder.path().join("r.toml")).unwrap();
    fs::write(
        folder.path().join("r.toml"),
        text.replace(", \"save\"]", "]"),
    )
    .unwrap();
    let said = vpipe(folder.path(), &["run", "r.toml", CLIP, "--first", "2s"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    assert_eq!(said.talk.matches(": done").count(), 1, "{}", said.talk);
    assert!(said.talk.contains("save: 2 frames in "), "{}", said.talk);
    assert_eq!(files(&folder.path().join("output")).len(), 3);
}

#[test]
fn frames_that_nobody_looks_at_say_so_in_the_results() {
    let folder = TempDir::new().unwrap();
    clip(&folder, "a.mp4", &[]);
    recipe(
        &folder,
        "[stages.save]\ninputs = [\"extract\"]\n[stages.merge]\ninputs = [\"save\"]\n",
    );
    let said = vpipe(folder.path(), &["run", "r.toml", "a.mp4"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    let results = fs::read(folder.path().join("output/a_results.json")).unwrap();
    let results: Value = serde_json::from_slice(&results).unwrap();
    let entry = &results["detections"][1];
    assert_eq!(entry["skipped"], "no stage of this run looks at frames");
    assert!(
        entry["saved"]
            .as_str()
            .unwrap()
            .ends_with("000001_1.000s.jpg")
    );
}

// That it ended with `code` and said `message` once and nothing of a panic.
fn assert_told(folder: &TempDir, words: &[&str], code: i32, message: &str) {
    let said = vpipe(folder.path(), words);
    assert_eq!(said.code, code, "{}", said.talk);
    assert_eq!(said.talk.matches(message).count(), 1, "{}", said.talk);
    assert!(!said.talk.contains("panicked"), "{}", said.talk);
}

#[test]
fn no_file_is_written_over_that_of_another_frame() {
    let folder = TempDir::new().unwrap();
    clip(&folder, "a.mp4", &[]);
    clip(&folder, "other/a.mp4", &[]);
    let two = ["run", FRAMES, "a.mp4", "other/a.mp4"];
    assert_told(&folder, &two, 2, "would both be written to");
    recipe(
        &folder,
        "[stages.save]\ninputs = [\"extract\"]\nname = \"{{ frame.index }}\"\n",
    );
    clip(&folder, "b.mp4", &[]);
    assert_told(
        &folder,
        &["run", "r.toml", "a.mp4", "b.mp4"],
        2,
        "would both be written to",
    );
    // Two a second have the same whole second.
    recipe(
        &folder,
        "fps = 2\n[stages.save]\ninputs = [\"extract\"]\nname = \"{{ frame.seconds | int }}\"\n",
    );
    let said = vpipe(folder.path(), &["run", "r.toml", "a.mp4"]);
    assert_eq!(said.code, 3, "{}", said.talk);
    assert!(
        said.talk.contains("two frames would be written to"),
        "{}",
        said.talk
    );
}

#[test]
fn videos_cannot_choose_the_folder_by_their_names() {
    let folder = TempDir::new().unwrap();
    clip(&folder, "in/...mp4", &[]);
    recipe(
        &folder,
        "[stages.save]\ninputs = [\"extract\"]\nname = \"{{ video.stem }}/{{ frame.index }}\"\n",
    );
    let said = vpipe(folder.path(), &["run", "r.toml", "in/...mp4"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    assert_eq!(
        files(&folder.path().join("output")),
        ["__/000000.jpg", "__/000001.jpg"]
    );
}

#[test]
fn a_folder_that_cannot_be_written_is_told_before_anything_is_read() {
    let folder = TempDir::new().unwrap();
    clip(&folder, "a.mp4", &[]);
    fs::write(folder.path().join("taken"), "").unwrap();
    let words = ["run", FRAMES, "a.mp4", "--output-dir", "taken"];
    assert_told(&folder, &words, 3, "cannot write to taken");
}

#[test]
fn a_folder_that_a_run_refuses_is_told_by_check() {
    let folder = TempDir::new().unwrap();
    let recipe = "version = 1\n[stages.extract]\n[stages.save]\ninputs = [\"extract\"]\n\
                  output_dir = \"DIR\"\n";
    for (named, expected) in [
        (
            "../frames/{{ video.stem }}",
            "a run does not write to ../frames/: it is outside of",
        ),
        ("frames/{{ video.stem }}", ""),
    ] {
        fs::write(folder.path().join("r.toml"), recipe.replace("DIR", named)).unwrap();
        let said = vpipe(folder.path(), &["check", "r.toml"]);
        assert_eq!(said.code, 0, "{}", said.talk);
        assert!(said.talk.contains(expected), "{}", said.talk);
        assert_eq!(
            said.talk.contains("r.toml:5"),
            !expected.is_empty(),
            "{}",
            said.talk
        );
        // Who names it may have it.
        let given = ["check", "r.toml", "--set", "save.output_dir=../frames"];
        let said = vpipe(folder.path(), &given);
        assert!(!said.talk.contains("does not write"), "{}", said.talk);
    }
}

#[test]
fn a_run_that_is_refused_makes_no_folders() {
    let folder = TempDir::new().unwrap();
    recipe(
        &folder,
        "[stages.yolo]\ninputs = [\"extract\"]\nmodel = \"none.onnx\"\n\
         [stages.save]\ninputs = [\"yolo.frames\"]\n",
    );
    let said = vpipe(folder.path(), &["run", "r.toml", CLIP]);
    assert_ne!(said.code, 0, "{}", said.talk);
    assert!(said.talk.contains("none.onnx"), "{}", said.talk);
    assert!(!folder.path().join("output").exists(), "{}", said.talk);
}

// A disk that is full, as far as a test can have one: no file may be longer than 1 MiB.
#[cfg(unix)]
#[test]
fn a_full_disk_ends_the_run_with_one_message() {
    let folder = TempDir::new().unwrap();
    // Of noise, each frame of which takes more than the journal may.
    clip(
        &folder,
        "a.mp4",
        &["-vf", "scale=1280:720,noise=alls=100:allf=t"],
    );
    let script = "trap '' XFSZ; ulimit -f 2048; exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    program::quiet_environment(&mut command);
    let output = command
        .current_dir(folder.path())
        .args([
            "-c",
            script,
            env!("CARGO_BIN_EXE_vpipe"),
            "run",
            FRAMES,
            "a.mp4",
            "--fps",
            "10",
        ])
        .args([
            "--set",
            "save.format=\"png\"",
            "--set",
            "extract.max_side=1280",
        ])
        .output()
        .unwrap();
    let talk = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{talk}");
    assert_eq!(talk.matches("cannot write to ").count(), 1, "{talk}");
    assert_eq!(
        files(&folder.path().join("output")),
        Vec::<String>::new(),
        "{talk}"
    );
}

#[cfg(unix)]
#[test]
fn what_asks_the_program_to_end_keeps_the_files_that_are_whole() {
    for signal in ["INT", "TERM", "HUP"] {
        let folder = TempDir::new().unwrap();
        let (code, rest) = signalled(signal, "exec \"$@\"", folder.path());
        assert_eq!(code, Some(130), "{signal}: {rest:#?}");
        assert!(
            rest.iter().any(|line| line.ends_with("clip.mp4 (partial)")),
            "{signal}: {rest:#?}"
        );
        let frames = folder.path().join("output/clip_frames");
        let kept = files(&frames);
        assert!((3..120).contains(&kept.len()), "{signal}: {}", kept.len());
        for name in kept {
            let whole = fs::read(frames.join(&name)).unwrap();
            assert!(whole.ends_with(b"IEND\xaeB`\x82"), "{signal}: {name}");
        }
    }
}

// What `nohup` does is known on Linux alone.
#[cfg(target_os = "linux")]
#[test]
fn a_run_that_is_to_outlive_its_terminal_does() {
    let folder = TempDir::new().unwrap();
    let (code, rest) = signalled("HUP", "trap '' HUP; exec \"$@\"", folder.path());
    assert_eq!(code, Some(0), "{rest:#?}");
    assert_eq!(files(&folder.path().join("output/clip_frames")).len(), 120);
}

// Has a shell run the program as `script` says, which saves every frame of the clip, and sends it a
// signal after the third. Its exit code, and what it said since it began.
#[cfg(unix)]
fn signalled(signal: &str, script: &str, folder: &Path) -> (Option<i32>, Vec<String>) {
    use std::io::BufRead;
    use std::io::BufReader;
    use std::process::Stdio;

    let program = env!("CARGO_BIN_EXE_vpipe");
    let every = [
        "--fps",
        "30",
        "--set",
        "save.format=\"png\"",
        "--set",
        "extract.end=4",
    ];
    let mut command = Command::new("sh");
    program::quiet_environment(&mut command);
    let mut child = command
        .current_dir(folder)
        .args(["-c", script, "sh", program, "run", FRAMES, CLIP])
        .args(every)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut talk = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(
        talk.by_ref()
            .any(|line| line.unwrap().ends_with(": started"))
    );
    program::signal_after(signal, 3, &folder.join("output/clip_frames"), &mut child);
    let rest: Vec<String> = talk.map(Result::unwrap).collect();
    (child.wait().unwrap().code(), rest)
}

#[test]
fn a_file_is_that_of_the_video_that_was_last_saved_under_its_name() {
    let folder = TempDir::new().unwrap();
    recipe(
        &folder,
        "[stages.save]\ninputs = [\"extract\"]\nformat = \"png\"\n",
    );
    // Of one colour each, so that their files are of one size.
    let videos = ["0x202020", "0x404040"].map(|colour| {
        let source = format!("color={colour}:size=64x64:rate=1:duration=1");
        let path = folder.path().join(format!("{colour}.avi"));
        let made = Command::new("ffmpeg")
            .args(["-v", "error", "-f", "lavfi", "-i", &source])
            .args(["-c:v", "mpeg4"])
            .arg(&path)
            .status();
        assert!(made.unwrap().success());
        path
    });
    let saved = |video: &Path| {
        fs::copy(video, folder.path().join("a.avi")).unwrap();
        let said = vpipe(folder.path(), &["run", "r.toml", "a.avi"]);
        assert_eq!(said.code, 0, "{}", said.talk);
        let files = files(&folder.path().join("output"));
        assert_eq!(files.len(), 1, "{files:?}");
        fs::read(folder.path().join("output").join(&files[0])).unwrap()
    };
    let [one, other, again] = [0, 1, 0].map(|number| saved(&videos[number]));
    assert_eq!(one.len(), other.len());
    assert!(one != other);
    assert!(again == one, "it is that of the other");
}
