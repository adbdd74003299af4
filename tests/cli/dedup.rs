//! `extract.dedup` on drawn frames: what counts as new, and that a repeat has the answer of the
//! frame that it repeats, wherever and however that was found.

use crate::support::fleet::Fault;
use crate::support::fleet::Fleet;
use crate::support::program;
use crate::support::program::Said;
use crate::support::program::vpipe;
use crate::support::program::vpipe_beside;
use crate::support::repository::CLIP;
use serde_json::Value;
use std::fs;
use std::path::Path;
use tempfile::TempDir;
use vpipe::failure::Class;
use vpipe::failure::Failure;
use vpipe::item::Detections;
use vpipe::item::Found;
use vpipe::item::Item;
use vpipe::item::Moment;
use vpipe::item::Repeat;
use vpipe::name::VideoId;
use vpipe::time::Pts;

const WIDTH: usize = 640;
const HEIGHT: usize = 360;

const LOOK: &str = "[stages.yolo]\ninputs = [\"extract\"]\n[stages.merge]\ninputs = [\"yolo\"]\n";

/// A slide in shades of grey.
#[derive(Clone)]
struct Slide(Vec<u8>);

impl Slide {
    /// A white slide with words on it, each of five letters.
    fn saying(words: &[&str]) -> Self {
        let mut slide = Self(vec![235; WIDTH * HEIGHT]);
        for (number, word) in words.iter().enumerate() {
            let (column, line) = (number % 6, number / 6);
            for (place, letter) in word.bytes().enumerate() {
                slide.letter(letter, 20 + column * 100 + place * 14, 20 + line * 30);
            }
        }
        slide
    }

    // Five by seven dots of two pixels, drawn by the bits of a number that the letter gives.
    fn letter(&mut self, letter: u8, left: usize, top: usize) {
        let dots = u64::from(letter).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for dot in (0..35).filter(|dot| dots >> (dot + 20) & 1 == 1) {
            let (x, y) = (left + dot % 5 * 2, top + dot / 5 * 2);
            for row in [y, y + 1] {
                self.0[row * WIDTH + x..][..2].fill(20);
            }
        }
    }

    /// As a camera sees it: every pixel off by up to `most` levels, otherwise for each `seed`.
    fn noisy(mut self, most: i32, seed: u64) -> Self {
        let mut state = seed * 2 + 1;
        for level in &mut self.0 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let off = (state >> 40) as i32 % (2 * most + 1) - most;
            *level = (i32::from(*level) + off).clamp(0, 255) as u8;
        }
        self
    }

    fn darker(mut self, levels: u8) -> Self {
        self.0
            .iter_mut()
            .for_each(|level| *level = level.saturating_sub(levels));
        self
    }

    fn write(&self, path: &Path) {
        let file = fs::File::create(path).unwrap();
        let mut encoder = png::Encoder::new(file, WIDTH as u32, HEIGHT as u32);
        encoder.set_color(png::ColorType::Grayscale);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&self.0).unwrap();
    }
}

fn talk() -> Slide {
    Slide::saying(&["these", "words", "stand", "still", "until", "moved"])
}

/// A folder with the slides in `talk`, and a recipe over them in `r.toml`.
fn prepared(slides: &[Slide], extract: &str, rest: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let frames = folder.path().join("talk");
    fs::create_dir(&frames).unwrap();
    for (number, slide) in slides.iter().enumerate() {
        slide.write(&frames.join(format!("{number:03}.png")));
    }
    let recipe = format!("version = 1\n[stages.extract]\ndedup = true\n{extract}\n{rest}");
    fs::write(folder.path().join("r.toml"), recipe).unwrap();
    folder
}

fn results(folder: &TempDir) -> Value {
    let path = folder.path().join("output/talk_results.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn same_as(results: &Value) -> Vec<Option<u64>> {
    let entries = results["detections"].as_array().unwrap();
    let of = |entry: &Value| entry.get("same_as").map(|number| number.as_u64().unwrap());
    entries.iter().map(of).collect()
}

/// What each of the slides repeats.
fn repeated(slides: &[Slide], extract: &str) -> Vec<Option<u64>> {
    let folder = prepared(slides, extract, LOOK);
    let said = vpipe(folder.path(), &["run", "r.toml", "talk"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    same_as(&results(&folder))
}

#[test]
fn slides_are_looked_at_once_each_time_they_are_shown() {
    let other = || Slide::saying(&["other"]);
    let slides = [talk(), talk(), talk(), other(), other(), talk()];
    let repeats = [None, Some(0), Some(0), None, Some(3), None];
    assert_eq!(repeated(&slides, ""), repeats);
}

#[test]
fn one_word_is_news() {
    let changed = Slide::saying(&["these", "words", "stand", "quiet", "until", "moved"]);
    let letter = Slide::saying(&["these", "words", "stand", "quilt", "until", "moved"]);
    assert_eq!(repeated(&[talk(), changed, letter], ""), [None; 3]);
}

#[test]
fn the_noise_of_a_camera_is_not() {
    let slides = [1, 2, 3, 4].map(|seed| talk().noisy(15, seed));
    assert_eq!(repeated(&slides, ""), [None, Some(0), Some(0), Some(0)]);
    assert_eq!(repeated(&slides, "dedup_threshold = 0"), [None; 4]);
}

#[test]
fn what_changes_slowly_is_seen_once_enough_has_changed() {
    let blank = || Slide::saying(&[]);
    let slides: Vec<Slide> = (0..8).map(|levels| blank().darker(levels)).collect();
    let repeats = [
        None,
        Some(0),
        Some(0),
        Some(0),
        None,
        Some(4),
        Some(4),
        Some(4),
    ];
    assert_eq!(repeated(&slides, ""), repeats);
}

#[test]
fn frames_are_all_looked_at_unless_it_is_asked_for() {
    let folder = prepared(&[talk(), talk()], "", LOOK);
    let words = ["run", "r.toml", "talk", "--set", "extract.dedup=false"];
    assert_eq!(vpipe(folder.path(), &words).code, 0);
    let results = results(&folder);
    assert_eq!(same_as(&results), [None, None]);
    assert_eq!(results["summary"].get("repeated"), None);
}

#[test]
fn every_detector_has_its_own_answer_repeated_and_files_are_written_once() {
    let rest = "[stages.all]\nkind = \"yolo\"\ninputs = [\"extract\"]\nconf = 0.01\n\
                [stages.sure]\nkind = \"yolo\"\ninputs = [\"extract\"]\nconf = 0.9\n\
                [stages.save]\ninputs = [\"extract\"]\n\
                [stages.merge]\ninputs = [\"all\", \"sure\", \"save\"]\n";
    let folder = prepared(&[talk(), talk(), talk()], "", rest);
    let said = vpipe(folder.path(), &["run", "r.toml", "talk", "--json"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    let results = results(&folder);
    for stage in ["all", "sure"] {
        let output = &results["stages"][stage];
        assert_eq!(same_as(output), [None, Some(0), Some(0)]);
        assert_eq!(output["summary"]["repeated"], 2);
        let entries = output["detections"].as_array().unwrap();
        assert_eq!(entries[2]["detections"], entries[0]["detections"]);
        assert_eq!(entries[2]["saved"], entries[0]["saved"]);
        assert!(entries[2]["saved"].is_string());
    }
    let outcome: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(outcome["videos"][0]["saved"][0]["files"], 1);
    assert_eq!(outcome["videos"][0]["requests_spared"], 4);
    assert!(
        said.talk
            .contains("2 frames show nothing new and spared 4 requests"),
        "{}",
        said.talk
    );
}

async fn on(fleet: &Fleet, folder: &TempDir) -> Said {
    let words = ["run", "r.toml", "talk", "--json"];
    vpipe_beside(folder.path(), &words, &fleet.variables()).await
}

// Eight slides of which four are new, in requests of two.
fn for_a_fleet() -> TempDir {
    let slides = [
        "first", "first", "first", "other", "third", "third", "third", "fifth",
    ];
    let slides = slides.map(|word| Slide::saying(&[word]));
    let rest = "[stages.batch]\ninputs = [\"extract\"]\nsize = 2\n\
                [stages.yolo]\ninputs = [\"batch\"]\n[stages.merge]\ninputs = [\"yolo\"]\n";
    prepared(&slides, "", rest)
}

const REPEATS: [Option<u64>; 8] = [None, Some(0), Some(0), None, None, Some(4), Some(4), None];

#[tokio::test(flavor = "multi_thread")]
async fn repeats_are_not_sent() {
    let fleet = Fleet::start(&[], 0, 1).await;
    let folder = for_a_fleet();
    let said = on(&fleet, &folder).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    assert_eq!(fleet.sizes(), [2, 2]);
    let results = results(&folder);
    assert_eq!(same_as(&results), REPEATS);
    let entries = results["detections"].as_array().unwrap();
    assert!(
        entries.iter().all(|entry| entry["count"] == 1),
        "{entries:#?}"
    );
    assert_eq!(results["summary"]["repeated"], 4);
    let outcome: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(outcome["videos"][0]["requests_spared"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_repeats_a_failure_fails_alike() {
    // The first batch is answered, the second one is not.
    let fleet = Fleet::start(&[Fault::FewerAnswers], 100, 1).await;
    let folder = for_a_fleet();
    let said = on(&fleet, &folder).await;
    assert_eq!(said.code, 1, "{}", said.talk);
    let results = results(&folder);
    assert_eq!(same_as(&results), REPEATS);
    let entries = results["detections"].as_array().unwrap();
    let (answered, failed) = entries.split_at(4);
    assert!(
        answered.iter().all(|entry| entry["count"] == 1),
        "{entries:#?}"
    );
    assert!(
        failed.iter().all(|entry| entry["error"] == "bad-answer"),
        "{entries:#?}"
    );
    assert_eq!(results["summary"]["failed"], 4);
    assert_eq!(results["failures"].as_array().unwrap().len(), 4);
}

fn moment(index: u64) -> Moment {
    Moment {
        video: VideoId(0),
        index,
        frame_number: index * 10,
        pts: Pts(0),
        seconds: index as f64,
        samples: 1,
        part: None,
    }
}

fn repeat(index: u64, same_as: u64) -> Item {
    let repeat = Repeat {
        moment: moment(index),
        same_as,
    };
    Item::Detections(Detections::of_repeat(&"yolo".into(), &repeat))
}

fn seen(index: u64, found: Found) -> Item {
    Item::Detections(Detections {
        stage: "yolo".into(),
        moment: moment(index),
        found,
        same_as: None,
    })
}

#[test]
fn repeats_meet_their_frame_in_any_order_and_whatever_became_of_it() {
    let nothing = || Found::Objects(Vec::new());
    let stopped = || Found::Skipped("interrupted".to_owned());
    let gap = || Found::Error(Failure::new(Class::Media, "damaged"));
    let mut joining = vpipe::stages::merge(&["yolo".into()], None).open(VideoId(0));
    // Number 2 is a gap between a frame and its repeat; that of number 6 never came.
    for item in [
        repeat(3, 0),
        seen(2, gap()),
        repeat(1, 0),
        seen(4, stopped()),
        repeat(6, 90),
        repeat(5, 40),
        seen(0, nothing()),
    ] {
        assert!(joining.push(item).is_empty());
    }
    let Some(Item::Record(record)) = joining.finish().pop() else {
        panic!("there is no record");
    };
    let found: Vec<Found> = record.detections[&"yolo".into()]
        .iter()
        .map(|detections| detections.found.clone())
        .collect();
    let lost = Found::Skipped("it repeats frame 90, which is not there".to_owned());
    let expected = [
        nothing(),
        nothing(),
        gap(),
        nothing(),
        stopped(),
        stopped(),
        lost,
    ];
    assert_eq!(found, expected);
}

#[cfg(unix)]
#[test]
fn a_run_that_is_stopped_keeps_repeats_with_their_frames() {
    use std::process::Command;
    use std::process::Stdio;

    let folder = TempDir::new().unwrap();
    let rest = format!("{LOOK}[stages.save]\ninputs = [\"extract\"]\n");
    let recipe = format!(
        "version = 1\n[stages.extract]\nfps = 30\ndedup = true\n\
                          dedup_threshold = 60\n{rest}"
    );
    fs::write(folder.path().join("r.toml"), recipe).unwrap();
    fs::copy(CLIP, folder.path().join("talk.mp4")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_vpipe"));
    program::quiet_environment(&mut command);
    let mut child = command
        .current_dir(folder.path())
        .args(["run", "r.toml", "talk.mp4", "-q"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let frames = folder.path().join("output/talk_frames");
    program::interrupt_after(5, &frames, &mut child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let path = folder.path().join("output/talk_results.partial.json");
    let results: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let entries = results["detections"].as_array().unwrap();
    let mut repeats = 0;
    for entry in entries {
        let Some(number) = entry.get("same_as") else {
            continue;
        };
        let original = entries
            .iter()
            .find(|entry| entry["frame_number"] == *number);
        let original = original.unwrap();
        for key in ["detections", "error", "skipped"] {
            assert_eq!(entry.get(key), original.get(key), "{entry:#}");
        }
        repeats += 1;
    }
    assert!(repeats > 0, "nothing was repeated");
}
