//! `annotate`: what ffprobe and ffmpeg, which know nothing of it, say of the videos that it writes.
//!
//! Results are those of a run over a black clip, with boxes put in that are known.

use crate::support::program::Said;
use crate::support::program::vpipe;
use crate::support::repository::CLIP;
use serde_json::Value;
use serde_json::json;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

const RECIPE: &str = r#"
version = 1
[stages.extract]
fps = 10
[stages.yolo]
inputs = ["extract"]
[stages.merge]
inputs = ["yolo"]
"#;

/// Black frames with a tone.
const BLACK: &str = "-f lavfi -i color=black:s=320x240:r=10:d=2 -f lavfi -i sine=d=2:r=44100";

const RESULTS: &str = "output/clip_results.json";

const WRITTEN: &str = "output/clip_annotated.mp4";

fn ffmpeg(folder: &Path, words: &str) {
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-y"])
        .args(words.split_whitespace())
        .current_dir(folder)
        .status();
    assert!(made.unwrap().success(), "ffmpeg {words}");
}

// Whether this FFmpeg has an encoder; says so where it does not.
pub(crate) fn can_encode(name: &str) -> bool {
    let mut listing = Command::new("ffmpeg");
    let listed = listing.args(["-v", "error", "-encoders"]).output().unwrap();
    let list = String::from_utf8_lossy(&listed.stdout).into_owned();
    list.split_whitespace().any(|word| word == name)
}

fn ffprobe(file: &Path, words: &str) -> Vec<String> {
    let said = Command::new("ffprobe")
        .args(["-v", "error", "-of", "csv=p=0"])
        .args(words.split_whitespace())
        .arg(file)
        .output();
    let text = String::from_utf8(said.unwrap().stdout).unwrap();
    let lines = text
        .lines()
        .map(|line| line.trim_end_matches(',').to_owned());
    lines.filter(|line| !line.is_empty()).collect()
}

// The results of a run over a clip that ffmpeg makes.
fn run_over(folder: &Path, clip: &str, made: &str) -> Value {
    ffmpeg(folder, &format!("{made} {clip}"));
    fs::write(folder.join("r.toml"), RECIPE).unwrap();
    let said = vpipe(folder, &["run", "r.toml", clip]);
    assert_eq!(said.code, 0, "{}", said.talk);
    serde_json::from_str(&fs::read_to_string(folder.join(RESULTS)).unwrap()).unwrap()
}

fn write(folder: &Path, results: &Value) {
    fs::write(folder.join(RESULTS), results.to_string()).unwrap();
}

fn annotate(folder: &Path, words: &[&str]) -> Said {
    vpipe(folder, &[&["annotate", RESULTS], words].concat())
}

const GREEN: [u8; 3] = [0, 200, 0];

// An object of the one class there is, which is shown in green.
fn object(bbox: [f64; 4], name: &str) -> Value {
    json!({ "bbox": bbox, "class": 0, "class_name": name, "confidence": 0.5 })
}

fn with_green(results: &mut Value, name: &str) {
    results["classes"] = json!([{ "class": 0, "class_name": name, "colour": "#00c800" }]);
}

fn put(entry: &mut Value, objects: &[Value]) {
    entry["detections"] = json!(objects);
    entry["count"] = json!(objects.len());
}

struct Picture {
    width: usize,
    pixels: Vec<u8>,
}

impl Picture {
    // All frames of a video, in the order of time.
    fn all(file: &Path) -> Vec<Self> {
        let size = ffprobe(file, "-select_streams v -show_entries stream=width,height");
        let sides: Vec<usize> = size[0]
            .split(',')
            .map(|side| side.parse().unwrap())
            .collect();
        let decoded = Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(file)
            .args([
                "-map", "0:v", "-vsync", "0", "-f", "rawvideo", "-pix_fmt", "rgb24", "-",
            ])
            .output()
            .unwrap();
        let frames = decoded.stdout.chunks(sides[0] * sides[1] * 3);
        let frame = |pixels: &[u8]| Self {
            width: sides[0],
            pixels: pixels.to_vec(),
        };
        frames.map(frame).collect()
    }

    // Where the green is: left, top, right, bottom. Codecs smear colours.
    fn green(&self) -> Option<[usize; 4]> {
        let is_green = |pixel: &[u8]| {
            let apart = pixel.iter().zip(GREEN).map(|(a, b)| a.abs_diff(b));
            apart.max() < Some(70)
        };
        let found = self.pixels.chunks(3).enumerate();
        let found = found.filter(|(_, pixel)| is_green(pixel));
        let places: Vec<(usize, usize)> = found
            .map(|(at, _)| (at % self.width, at / self.width))
            .collect();
        let (xs, ys) = (places.iter().map(|it| it.0), places.iter().map(|it| it.1));
        let ends = [
            xs.clone().min()?,
            ys.clone().min()?,
            xs.max()? + 1,
            ys.max()? + 1,
        ];
        Some(ends)
    }
}

// Chroma is halved, so an edge may lie a pixel or two beside.
fn is_near(found: [usize; 4], bbox: [f64; 4]) -> bool {
    let sides = found.iter().zip(bbox);
    { sides }.all(|(found, side)| (*found as f64 - side).abs() <= 2.0)
}

#[test]
fn boxes_are_found_where_they_were_drawn() {
    let folder = TempDir::new().unwrap();
    let mut results = run_over(folder.path(), "clip.mp4", BLACK);
    with_green(&mut results, "");
    let place = |at: usize| {
        let left = 10.0 + 5.0 * at as f64;
        [left, 60.0, left + 170.0, 200.0]
    };
    let entries = results["detections"].as_array_mut().unwrap();
    assert_eq!(entries.len(), 20);
    for (at, entry) in entries.iter_mut().enumerate() {
        put(entry, &[object(place(at), "")]);
    }
    write(folder.path(), &results);
    let said = annotate(folder.path(), &[]);
    assert_eq!(said.code, 0, "{}", said.talk);
    let frames = Picture::all(&folder.path().join(WRITTEN));
    assert_eq!(frames.len(), 20);
    // The label stands above: a line of 14 pixels.
    for (at, frame) in frames.iter().enumerate() {
        let [left, top, right, bottom] = place(at);
        let found = frame.green().unwrap();
        let wanted = [left, top - 14.0, right, bottom];
        assert!(is_near(found, wanted), "frame {at}: {found:?}, {wanted:?}");
    }
}

#[test]
fn a_tracked_thing_moves_between_its_sights_and_others_stay() {
    let folder = TempDir::new().unwrap();
    let mut results = run_over(folder.path(), "clip.mp4", BLACK);
    with_green(&mut results, "ball");
    let entries = results["detections"].as_array_mut().unwrap();
    entries.retain(|entry| entry["frame_number"].as_u64().unwrap() % 10 == 0);
    for (entry, left) in entries.iter_mut().zip([20.0, 120.0]) {
        let mut ball = object([left, 60.0, left + 100.0, 160.0], "ball");
        ball["track"] = json!(7);
        put(entry, &[ball]);
    }
    results["config"]["fps"] = json!(1.0);
    write(folder.path(), &results);
    let said = annotate(folder.path(), &["--json"]);
    assert_eq!(said.code, 0, "{}", said.out);
    let told: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&told["frames"], &told["boxes"]), (&json!(20), &json!(20)));
    let frames = Picture::all(&folder.path().join(WRITTEN));
    for (at, frame) in frames.iter().enumerate() {
        let left = 20.0 + 10.0 * at.min(10) as f64;
        let found = frame.green().unwrap();
        assert!(
            is_near(found, [left, 46.0, left + 100.0, 160.0]),
            "{at}: {found:?}"
        );
    }
}

// The times of all frames, in milliseconds since the first.
fn times(file: &Path) -> Vec<i64> {
    let said = ffprobe(file, "-select_streams v -show_entries packet=pts_time");
    let times = said
        .iter()
        .map(|time| time.split(',').next().unwrap().parse().unwrap());
    let mut times: Vec<f64> = times.collect();
    times.sort_by(f64::total_cmp);
    let since = |time: &f64| ((time - times[0]) * 1e3).round() as i64;
    times.iter().map(since).collect()
}

fn starts(file: &Path) -> Vec<f64> {
    ["v", "a"]
        .map(|kind| {
            let asked = format!("-select_streams {kind} -show_entries stream=start_time");
            ffprobe(file, &asked)
                .first()
                .map_or(0.0, |it| it.parse().unwrap())
        })
        .to_vec()
}

fn length(file: &Path) -> f64 {
    ffprobe(file, "-show_entries format=duration")[0]
        .parse()
        .unwrap()
}

#[test]
fn every_frame_keeps_its_time_and_the_sound_its_place() {
    const SHORT: &str = "-f lavfi -i testsrc2=s=160x120:r=20:d=1 -f lavfi -i sine=d=1:r=44100";
    const LATE: &str =
        "-f lavfi -i testsrc2=s=160x120:r=20:d=1 -itsoffset 0.4 -f lavfi -i sine=d=0.6";
    // What is made, its name, the size that is shown, and what becomes of the sound.
    let table = [
        (
            SHORT,
            "-c:v mpeg4 -bf 2 -c:a aac",
            "clip.mp4",
            (160, 120),
            "copied",
        ),
        (
            SHORT,
            "-vf setsar=4/3 -c:v mpeg4 -c:a mp2",
            "clip.mkv",
            (214, 120),
            "aac",
        ),
        (
            SHORT,
            "-c:v mjpeg -c:a pcm_s16le",
            "clip.avi",
            (160, 120),
            "aac",
        ),
        (
            SHORT,
            "-vf select='not(mod(n,3))+lt(n,6)' -vsync vfr -c:v mpeg4 -c:a libmp3lame",
            "clip.mkv",
            (160, 120),
            "copied",
        ),
        (
            SHORT,
            "-c:v libx265 -pix_fmt yuv420p10le -x265-params log-level=none -c:a aac",
            "clip.mp4",
            (160, 120),
            "copied",
        ),
        (
            SHORT,
            "-c:v ffv1 -pix_fmt yuv420p10le -c:a flac",
            "clip.mkv",
            (160, 120),
            "aac",
        ),
        (
            LATE,
            "-c:v mpeg4 -c:a aac",
            "clip.mp4",
            (160, 120),
            "copied",
        ),
        (
            SHORT,
            "-c:v mpeg2video -bf 2 -c:a mp2",
            "clip.ts",
            (160, 120),
            "aac",
        ),
        (
            "-f lavfi -i testsrc2=s=160x120:r=20:d=1",
            "-c:v mpeg4",
            "clip.mp4",
            (160, 120),
            "none",
        ),
    ];
    for (source, coded, name, (width, height), sound) in table {
        let encoders: Vec<&str> = coded.split_whitespace().collect();
        let mut encoders = encoders
            .windows(2)
            .filter(|pair| pair[0].starts_with("-c:"));
        if !encoders.all(|pair| can_encode(pair[1])) {
            continue;
        }
        let folder = TempDir::new().unwrap();
        ffmpeg(folder.path(), &format!("{source} {coded} {name}"));
        fs::write(folder.path().join("r.toml"), RECIPE).unwrap();
        let said = vpipe(folder.path(), &["run", "r.toml", name, "--fps", "1"]);
        assert_eq!(said.code, 0, "{}", said.talk);
        let said = annotate(folder.path(), &["--json"]);
        assert_eq!(said.code, 0, "{coded}: {}", said.out);
        let told: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(told["sound"], sound, "{coded}");
        let (old, new) = (folder.path().join(name), folder.path().join(WRITTEN));
        assert_eq!(times(&new), times(&old), "{coded}");
        let size = ffprobe(&new, "-select_streams v -show_entries stream=width,height");
        assert_eq!(size, [format!("{width},{height}")], "{coded}");
        let apart = |file: &Path| {
            let starts = starts(file);
            if sound == "none" {
                0.0
            } else {
                starts[1] - starts[0]
            }
        };
        // An encoder of sound puts up to two packets of its own before it.
        assert!(
            (apart(&new) - apart(&old)).abs() < 0.05,
            "{coded}: {} {}",
            apart(&new),
            apart(&old)
        );
        assert!(
            (length(&new) - length(&old)).abs() < 0.06,
            "{coded}: {} {}",
            length(&new),
            length(&old)
        );
    }
}

// Zeros over fifty bytes of every `nth` packet of the sound in an MPEG transport stream.
fn damage_sound(file: &Path, nth: usize) {
    const PACKET: usize = 188;
    const SOUND: [u8; 2] = [0x01, 0x01];
    let mut bytes = fs::read(file).unwrap();
    let packets = bytes.chunks_exact_mut(PACKET);
    let of_sound = packets.filter(|it| [it[1] & 0x1f, it[2]] == SOUND);
    for packet in of_sound.skip(nth / 2).step_by(nth) {
        packet[100..150].fill(0);
    }
    fs::write(file, bytes).unwrap();
}

#[test]
fn damaged_packets_of_sound_are_left_out_and_the_others_stay() {
    let made = "-f lavfi -i color=black:s=64x48:r=10:d=6 -f lavfi -i anoisesrc=d=6:r=44100:seed=7 \
                -c:v mpeg4 -c:a aac -b:a 128k";
    let folder = TempDir::new().unwrap();
    ffmpeg(folder.path(), &format!("{made} clip.ts"));
    fs::write(folder.path().join("r.toml"), RECIPE).unwrap();
    let sound = |name: &str| {
        let words = "-select_streams a -show_entries packet=pts_time";
        ffprobe(&folder.path().join(name), words).len()
    };
    let whole = sound("clip.ts");
    damage_sound(&folder.path().join("clip.ts"), 9);
    let said = vpipe(folder.path(), &["run", "r.toml", "clip.ts"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    let said = annotate(folder.path(), &["--json"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.talk);
    let told: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(told["sound"], "copied");
    let lost = told["lost_sound_packets"].as_u64().unwrap();
    assert!(lost > 0, "{told}");
    let remark = format!("{lost} packets of sound are damaged and left out");
    assert_eq!(told["remarks"], json!([remark]));
    // Most of it is there, and in its place.
    let written = sound(WRITTEN);
    assert!(
        2 * written > whole && written < whole,
        "{written} of {whole}"
    );
    let apart = length(&folder.path().join(WRITTEN)) - 6.0;
    assert!(apart.abs() < 0.1, "{apart}");
}

#[test]
fn a_turned_video_is_written_upright_with_its_boxes() {
    let folder = TempDir::new().unwrap();
    let made = format!("{BLACK} -c:v mpeg4 -c:a aac");
    ffmpeg(folder.path(), &format!("{made} flat.mp4"));
    let mut results = run_over(
        folder.path(),
        "clip.mp4",
        "-i flat.mp4 -c copy -metadata:s:v rotate=90",
    );
    if results["source"]["rotation"] == 0 {
        // Since FFmpeg 6 the turn is an option of the input.
        results = run_over(
            folder.path(),
            "clip.mp4",
            "-display_rotation 90 -i flat.mp4 -c copy",
        );
    }
    assert_ne!(results["source"]["rotation"], 0);
    with_green(&mut results, "");
    for entry in results["detections"].as_array_mut().unwrap() {
        put(entry, &[object([30.0, 100.0, 210.0, 300.0], "")]);
    }
    write(folder.path(), &results);
    let said = annotate(folder.path(), &["-o", "new folder/a b.mp4"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    let frames = Picture::all(&folder.path().join("new folder/a b.mp4"));
    assert_eq!((frames.len(), frames[0].width), (20, 240));
    for frame in &frames {
        let found = frame.green().unwrap();
        assert!(is_near(found, [30.0, 86.0, 210.0, 300.0]), "{found:?}");
    }
}

#[test]
fn what_is_said_is_a_track_of_captions() {
    let folder = TempDir::new().unwrap();
    let mut results = run_over(folder.path(), "clip.mp4", BLACK);
    let segment = |id: u64, start: f64, end: f64, text: &str| json!({ "id": id, "start": start, "end": end, "text": text });
    results["transcription"] = json!({
        "language": "en",
        "language_probability": null,
        "duration": 2.0,
        "text": "",
        "segments": [segment(0, 0.0, 0.8, "A red circle \u{2013} <b>人</b>"), segment(1, 1.0, 2.0, "and a star.")],
    });
    // What the font lacks, and what a terminal would obey, stands on the labels.
    with_green(&mut results, "人\u{202e}\u{1b}[2J");
    for entry in results["detections"].as_array_mut().unwrap() {
        put(
            entry,
            &[object([0.0, 0.0, 320.0, 240.0], "人\u{202e}\u{1b}[2J")],
        );
    }
    write(folder.path(), &results);
    let said = annotate(folder.path(), &[]);
    assert_eq!(said.code, 0, "{}", said.talk);
    assert!(said.out.contains("captions: 2"), "{}", said.out);
    let read = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(folder.path().join(WRITTEN))
        .args(["-map", "0:s", "-f", "srt", "-"])
        .output()
        .unwrap();
    let captions = String::from_utf8(read.stdout).unwrap();
    let lines: Vec<&str> = captions.lines().map(str::trim_end).collect();
    assert_eq!(
        lines[0..3],
        [
            "1",
            "00:00:00,000 --> 00:00:00,800",
            "A red circle \u{2013} <b>人</b>"
        ]
    );
    assert_eq!(
        lines[4..7],
        ["2", "00:00:01,000 --> 00:00:02,000", "and a star."]
    );
}

#[test]
fn another_stage_with_boxes_is_told_where_there_are_none() {
    let folder = TempDir::new().unwrap();
    let mut results = run_over(folder.path(), "clip.mp4", BLACK);
    with_green(&mut results, "ball");
    for entry in results["detections"].as_array_mut().unwrap() {
        put(entry, &[]);
    }
    let mut other = results["detections"].clone();
    put(&mut other[0], &[object([0.0, 0.0, 9.0, 9.0], "ball")]);
    results["stages"]["crops"] = json!({ "summary": results["summary"], "detections": other });
    write(folder.path(), &results);
    let said = annotate(folder.path(), &[]);
    assert_eq!(said.code, 0, "{}", said.talk);
    let told = "there were no boxes to draw; those of crops are drawn with --stage crops";
    assert!(said.out.contains(told), "{}", said.out);
    let said = annotate(folder.path(), &["--stage", "crops"]);
    assert!(!said.out.contains("--stage"), "{}", said.out);
}

#[test]
fn what_cannot_be_annotated_is_told_and_nothing_is_written() {
    let folder = TempDir::new().unwrap();
    run_over(folder.path(), "clip.mp4", BLACK);
    let at = |name: &str| folder.path().join(name);
    fs::copy(CLIP, at("other.mp4")).unwrap();
    fs::write(at("text.mp4"), "no video").unwrap();
    let before = fs::read(at("clip.mp4")).unwrap();
    for (words, told) in [
        (
            vec![RESULTS, "--video", "other.mp4"],
            "other.mp4 is another video",
        ),
        (
            vec![RESULTS, "--video", "text.mp4"],
            "text.mp4 is another video",
        ),
        (
            vec![RESULTS, "--video", "none.mp4"],
            "there is no file none.mp4",
        ),
        (
            vec![RESULTS, "--video", "output"],
            "--video takes a file, and output is a folder",
        ),
        (
            vec![RESULTS, "-o", "clip.mp4"],
            "clip.mp4 is not written: it is a file that this run reads",
        ),
        (
            vec![RESULTS, "-o", "a.avi"],
            "a.avi is no name of an MP4 file",
        ),
        (
            vec![RESULTS, "-o", "r.toml/a.mp4"],
            "cannot write to r.toml: it is a file; name a folder",
        ),
        (
            vec![RESULTS, "-o", "other.mp4"],
            "other.mp4 is there already, and vpipe did not write it",
        ),
        (
            vec![RESULTS, "--stage", "track"],
            "no boxes of a stage `track`",
        ),
        (vec!["clip.mp4"], "is not JSON"),
        (vec!["none.json"], "cannot be read"),
    ] {
        let said = vpipe(folder.path(), &[&["annotate"], words.as_slice()].concat());
        assert!([2, 3].contains(&said.code), "{words:?}: {}", said.code);
        assert!(said.talk.contains(told), "{words:?}: {}", said.talk);
        let files = fs::read_dir(at("output"))
            .unwrap()
            .map(|it| it.unwrap().file_name());
        let mut files: Vec<_> = files.map(|it| it.into_string().unwrap()).collect();
        files.retain(|name| !name.starts_with(".vpipe") || name.ends_with(".tmp"));
        assert_eq!(files, ["clip_results.json"], "{words:?}");
    }
    assert_eq!(fs::read(at("clip.mp4")).unwrap(), before);
    // Moved away, it is told how to name it; beside the results it is found.
    fs::rename(at("clip.mp4"), at("moved.mp4")).unwrap();
    let said = annotate(folder.path(), &[]);
    assert_eq!(said.code, 2);
    assert!(said.talk.contains("--video FILE"), "{}", said.talk);
    fs::rename(at("moved.mp4"), at("output/clip.mp4")).unwrap();
    // One that it wrote itself is written again.
    for _ in 0..2 {
        let said = annotate(folder.path(), &[]);
        assert_eq!(said.code, 0, "{}", said.talk);
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_one_leaves_no_file() {
    let folder = TempDir::new().unwrap();
    let long = "-f lavfi -i testsrc2=s=640x360:r=30:d=30 -c:v mpeg4";
    ffmpeg(folder.path(), &format!("{long} clip.mp4"));
    let recipe = RECIPE.replace("fps = 10", "fps = 1\nend = 1");
    fs::write(folder.path().join("r.toml"), recipe).unwrap();
    let said = vpipe(folder.path(), &["run", "r.toml", "clip.mp4"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    let output = folder.path().join("output");
    let temporary = || {
        let names = fs::read_dir(&output).unwrap().map(|it| it.unwrap().path());
        let mut files = names.filter(|path| path.extension().is_some_and(|it| it == "tmp"));
        files.find(|path| fs::metadata(path).is_ok_and(|about| about.len() > 0))
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_vpipe"));
    crate::support::program::quiet_environment(&mut command);
    let mut child = command
        .current_dir(folder.path())
        .args(["annotate", RESULTS])
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while temporary().is_none() && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    let mut kill = Command::new("kill");
    let sent = kill.args(["-INT", &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(temporary().is_none());
    assert!(!folder.path().join(WRITTEN).exists());
}
