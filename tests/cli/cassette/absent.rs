//! Videos that are not there: what their cassette has of them stands for them, and the results are
//! those of a replay with the file.

use super::files;
use super::remove_output;
use super::results_of;
use crate::support::program::Said;
use crate::support::program::vpipe;
use crate::support::repository::CLIP;
use crate::support::repository::ROOT;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

const BOTH: &str = "version = 1\n[stages.extract]\ndedup = true\n[stages.yolo]\n\
                    inputs = [\"extract\"]\n[stages.whisper]\ninputs = [\"extract\"]\n\
                    [stages.merge]\ninputs = [\"yolo\", \"whisper\"]\nformats = [\"srt\", \"jsonl\"]\n";

fn run(folder: &Path, recipe: &str, words: &[&str]) -> Said {
    vpipe(folder, &[&["run", recipe], words].concat())
}

fn made(path: &Path, options: &str) {
    let made = Command::new("ffmpeg")
        .args(["-v", "error"])
        .args(options.split_whitespace())
        .arg(path)
        .status();
    assert!(made.unwrap().success());
}

fn digest_of(cassette: &Path) -> String {
    let head: serde_json::Value = serde_json::from_str(&files(cassette)["cassette.json"]).unwrap();
    head["videos"][0]["digest"].as_str().unwrap().to_owned()
}

// Replays `input` with its file and without it, under its name and by its digest.
fn assert_stands_for(folder: &Path, recipe: &str, words: &[&str], input: &str, code: i32) {
    let stem = Path::new(input).file_stem().unwrap().to_str().unwrap();
    let stem = match folder.join(input).is_dir() {
        true => input,
        false => stem,
    };
    let replay = |named: &[&str]| {
        remove_output(folder);
        let said = run(
            folder,
            recipe,
            &[named, words, &["--replay", "cas"]].concat(),
        );
        assert_eq!(said.code, code, "{recipe} over {input}: {}", said.talk);
        assert!(!folder.join("output/.vpipe").exists());
        let others = files(&folder.join("output"));
        let formats = others
            .into_iter()
            .filter(|(name, _)| !name.ends_with(".json"));
        (results_of(folder, stem), formats.collect::<Vec<_>>())
    };
    let said = run(
        folder,
        recipe,
        &[&[input], words, &["--record", "cas"]].concat(),
    );
    assert_eq!(said.code, code, "{recipe} over {input}: {}", said.talk);
    let recorded = results_of(folder, stem);
    let expected = replay(&[input]);
    assert_eq!(expected.0, recorded, "{recipe} over {input}");
    fs::rename(folder.join(input), folder.join("elsewhere")).unwrap();
    assert_eq!(replay(&[input]), expected, "{recipe} over {input}");
    let digest = format!(
        "blake3:{}",
        digest_of(&folder.join("cas")).get(..12).unwrap()
    );
    assert_eq!(replay(&[&digest]), expected, "{recipe} over {input}");
    assert_eq!(replay(&[]), expected, "{recipe} over {input}");
    fs::rename(folder.join("elsewhere"), folder.join(input)).unwrap();
    remove_output(folder);
}

#[test]
fn a_video_that_is_not_there_is_replayed_from_its_cassette_alone() {
    let folder = TempDir::new().unwrap();
    let at = folder.path();
    fs::copy(CLIP, at.join("clip.mp4")).unwrap();
    fs::write(at.join("both.toml"), BOTH).unwrap();
    let example = |name: &str| format!("{ROOT}/recipes/examples/{name}.toml");
    for recipe in [
        "default",
        "both.toml",
        &example("crops"),
        &example("two-detectors"),
    ] {
        assert_stands_for(at, recipe, &["--first", "3s"], "clip.mp4", 0);
    }
}

// Frames and sound that cannot be decoded, and a file that breaks off.
#[test]
fn what_could_not_be_read_then_is_told_again() {
    let folder = TempDir::new().unwrap();
    let at = folder.path();
    let (clip, source) = (
        at.join("clip.mov"),
        "-f lavfi -i testsrc2=s=64x48:r=5:d=4 -f lavfi",
    );
    made(&clip, &format!("{source} -i sine=d=4 -c:v png -c:a alac"));
    let mut bytes = fs::read(&clip).unwrap();
    let of_frames = bytes
        .windows(4)
        .enumerate()
        .filter(|(_, it)| *it == b"IDAT");
    let of_frames: Vec<usize> = of_frames.map(|(place, _)| place).collect();
    for frame in [3, 7, 12] {
        bytes[of_frames[frame]..][..40].fill(0x55);
    }
    fs::write(&clip, bytes).unwrap();
    fs::write(at.join("both.toml"), BOTH).unwrap();
    assert_stands_for(at, "default", &["--fps", "5"], "clip.mov", 1);
    assert_stands_for(at, "both.toml", &["--fps", "5"], "clip.mov", 1);
    let whole = fs::read(CLIP).unwrap();
    fs::write(at.join("cut.mp4"), whole.get(..400_000).unwrap()).unwrap();
    assert_stands_for(at, "default", &[], "cut.mp4", 1);
}

#[test]
fn a_folder_of_pictures_and_a_file_with_sound_alone_stand_likewise() {
    let folder = TempDir::new().unwrap();
    let at = folder.path();
    fs::create_dir(at.join("stills.new")).unwrap();
    let frames = format!("-i {CLIP} -t 1 -r 3");
    made(&at.join("stills.new/%d.png"), &frames);
    assert_stands_for(at, "default", &[], "stills.new", 0);
    made(&at.join("said.wav"), &format!("-i {CLIP} -t 4 -vn"));
    assert_stands_for(at, "default", &[], "said.wav", 0);
}

#[test]
fn all_videos_of_a_cassette_are_replayed_where_none_is_named() {
    let folder = TempDir::new().unwrap();
    let at = folder.path();
    fs::copy(CLIP, at.join("one.mp4")).unwrap();
    fs::copy(CLIP, at.join("two.mp4")).unwrap();
    made(&at.join("three.mp4"), &format!("-ss 5 -i {CLIP} -t 2"));
    let words = [
        "one.mp4",
        "three.mp4",
        "two.mp4",
        "--first",
        "2s",
        "--record",
        "cas",
    ];
    let said = run(at, "default", &words);
    assert_eq!(said.code, 0, "{}", said.talk);
    let names = ["one", "two", "three"];
    let expected = names.map(|name| results_of(at, name));
    for name in names {
        fs::remove_file(at.join(format!("{name}.mp4"))).unwrap();
    }
    remove_output(at);
    let said = run(at, "default", &["--first", "2s", "--replay", "cas"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    let told = "3 videos are not there: what the cassette has of them stands for them";
    assert!(said.talk.contains(told), "{}", said.talk);
    assert_eq!(names.map(|name| results_of(at, name)), expected);
    remove_output(at);
    // A digest is that of a content, whatever it was called.
    let digest = format!("blake3:{}", digest_of(&at.join("cas")));
    let said = run(
        at,
        "default",
        &[&digest, "--first", "2s", "--replay", "cas"],
    );
    assert_eq!(said.code, 0, "{}", said.talk);
    assert_eq!(results_of(at, "one"), expected[0]);
    assert_eq!(results_of(at, "two"), expected[1]);
    assert!(!at.join("output/three_results.json").exists());
}

#[test]
fn what_takes_the_video_itself_is_told() {
    let folder = TempDir::new().unwrap();
    let at = folder.path();
    fs::copy(CLIP, at.join("clip.mp4")).unwrap();
    let said = run(
        at,
        "default",
        &["clip.mp4", "--first", "2s", "--record", "cas"],
    );
    assert_eq!(said.code, 0, "{}", said.talk);
    fs::remove_file(at.join("clip.mp4")).unwrap();
    made(&at.join("other.mp4"), &format!("-i {CLIP} -t 2"));
    let frames = format!("{ROOT}/recipes/examples/frames.toml");
    let mut told = String::new();
    for (recipe, words) in [
        ("default", &["clip.mp4", "--set", "extract.fps=2"][..]),
        ("default", &["clip.mp4", "--set", "extract.dedup=true"]),
        ("default", &["clip.mp4", "--set", "extract.max_side=640"]),
        ("default", &["clip.mp4", "--first", "1s"]),
        ("default", &["clip.mp4", "--set", "whisper.chunk=5"]),
        ("default", &["clip.mp4", "--set", "whisper.language=\"de\""]),
        ("default", &["clip.mp4", "--set", "yolo.conf=0.3"]),
        (&frames, &["clip.mp4"]),
        ("default", &["none.mp4"]),
        ("default", &["blake3:abc"]),
        ("default", &["blake3:000000000000"]),
        ("default", &["blake3:not-a-digest"]),
        ("default", &["other.mp4"]),
    ] {
        let first = match words.contains(&"--first") {
            true => &[][..],
            false => &["--first", "2s"],
        };
        fs::remove_dir_all(at.join("output")).unwrap_or_default();
        let said = run(
            at,
            recipe,
            &[words, first, &["--quiet", "--replay", "cas"]].concat(),
        );
        let recipe = recipe.replace(ROOT, "..");
        writeln!(
            told,
            "{recipe} {}\n  ends with {}",
            words.join(" "),
            said.code
        )
        .unwrap();
        // Frames and sound are missed at the same time.
        let (mut failures, lines): (Vec<_>, Vec<_>) = said
            .talk
            .lines()
            .filter(|line| !line.is_empty())
            .partition(|line| line.starts_with("not in the cassette"));
        failures.sort_unstable();
        failures
            .into_iter()
            .chain(lines)
            .for_each(|line| writeln!(told, "  {line}").unwrap());
    }
    // One of the name, with other content.
    fs::rename(at.join("other.mp4"), at.join("clip.mp4")).unwrap();
    let said = run(at, "default", &["clip.mp4", "--quiet", "--replay", "cas"]);
    writeln!(
        told,
        "a clip.mp4 of other content\n  ends with {}",
        said.code
    )
    .unwrap();
    said.talk
        .lines()
        .for_each(|line| writeln!(told, "  {line}").unwrap());
    let digest = digest_of(&at.join("cas"));
    let told = told
        .replace(digest.get(..12).unwrap(), "DIGEST")
        .replace('\\', "/");
    crate::support::snapshots::settings().bind(|| insta::assert_snapshot!("cassette_absent", told));
}
