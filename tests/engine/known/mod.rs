//! What is known is neither decoded nor asked for again, and comes out as if it had been.

mod bench;
mod tracks;

use crate::known::bench::Bench;
use crate::known::bench::Ran;
use crate::known::bench::clip;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use vpipe::answer::Answer;
use vpipe::answer::Extent;

const STAGES: &str = include_str!("stages.toml");

// Twelve seconds with a tone; keyframes every two.
const MOVING: &str = "-f lavfi -i testsrc2=s=64x48:r=10:d=12,format=yuv420p -f lavfi -i \
                      sine=f=440:d=12 -c:v libx264 -g 20 -sc_threshold 0 -bf 2 -c:a aac";

// Eight seconds that show something new every two.
const STEPS: &str = "-f lavfi -i nullsrc=s=64x48:r=10:d=8,format=yuv420p,\
                     geq=lum=50+40*floor(T/2):cb=128:cr=128 -c:v libx264 -g 30 -sc_threshold 0";

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn clip(&self, name: &str, arguments: &str) -> PathBuf {
        clip(&self.0.path().join(name), arguments)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

fn assert_same(one: &Ran, other: &Ran) {
    assert_eq!(one.records, other.records);
    assert_eq!(one.notices, other.notices);
    assert_eq!(one.failed, other.failed);
}

#[test]
fn a_run_on_all_its_answers_asks_nothing_and_does_not_open_the_file() {
    let folder = Folder::new();
    let video = folder.clip("a.mp4", MOVING);
    let bench = Bench::new(STAGES, &[&video]);
    let opened = bench.open();
    let ran = bench.run_on(&opened);
    let asked = [
        ("first", 12),
        ("second", 12),
        ("some", 4),
        ("parts", 12),
        ("inner", 24),
        ("told", 12),
        ("whisper", 3),
    ];
    for (stage, count) in asked {
        assert_eq!(ran.count(stage), count, "{stage}");
    }
    let seen = ran.count("seen");
    assert!(0 < seen && seen < 12, "{seen}");
    // What was looked at once is there no more.
    fs::remove_file(&video).unwrap();
    let again = bench.run_on(&opened);
    assert_same(&ran, &again);
    assert_eq!(again.stages_asked(), "");
}

#[test]
fn what_has_no_answer_is_asked_and_nothing_else() {
    let folder = Folder::new();
    let video = folder.clip("a.mp4", MOVING);
    let bench = Bench::new(STAGES, &[&video]);
    let opened = bench.open();
    let ran = bench.run_on(&opened);
    // Every seventh answer is lost, from another one on each time: of frames, of crops, of sound,
    // of samples, and of their end.
    for lost in 0..7 {
        let seen = |answers: &[Answer]| {
            let is_seen =
                |answer: &&Answer| matches!(answer, Answer::Objects(_) | Answer::Fields(_));
            answers.iter().filter(is_seen).count()
        };
        let before = seen(&bench.memory.all());
        bench.memory.keep(|number, _, _| number % 7 != lost);
        let missing = before - seen(&bench.memory.all());
        let again = bench.run_on(&opened);
        assert_same(&ran, &again);
        let asked: usize = again.asked.values().map(Vec::len).sum();
        assert_eq!(asked - again.count("whisper"), missing, "{lost}");
        assert_eq!(seen(&bench.memory.all()), before, "{lost}");
    }
}

#[test]
fn a_changed_stage_asks_anew_and_so_do_those_that_take_from_it() {
    let folder = Folder::new();
    let video = folder.clip("a.mp4", MOVING);
    let bench = Bench::new(STAGES, &[&video]);
    bench.run();
    for (set, asked) in [
        ("second.conf=0.3", "second"),
        ("first.conf=0.35", "first inner parts told"),
        ("parts.conf=0.35", "inner parts told"),
        ("inner.conf=0.4", "inner"),
        // What is seen in a whole frame does not depend on why it is looked at.
        ("seen.conf=0.4", "seen"),
        ("seen.filter=\"class == 1 and bbox[1] > 7\"", ""),
        ("parts.padding=0.3", "inner parts told"),
        ("batch.size=2", ""),
        ("first.concurrency=1", ""),
        ("whisper.language=\"de\"", "whisper"),
    ] {
        let changed = bench.with(set);
        let again = changed.run();
        assert_eq!(again.stages_asked(), asked, "{set}");
        assert_same(&changed.alone().run(), &again);
        assert_eq!(changed.run().stages_asked(), "", "{set}, once more");
    }
}

#[test]
fn twice_the_frames_ask_about_the_new_ones_alone() {
    let folder = Folder::new();
    let video = folder.clip("a.mp4", MOVING);
    let bench = Bench::new(STAGES, &[&video]);
    let ran = bench.run();
    let doubled = bench.with("extract.fps=2");
    let again = doubled.run();
    assert_same(&doubled.alone().run(), &again);
    for stage in ["first", "second", "parts", "told"] {
        assert_eq!(again.count(stage), 12, "{stage}");
        let new = |frame: &String| !ran.asked[stage].contains(frame);
        assert!(again.asked[stage].iter().all(new), "{stage}");
    }
    // Requests are as full as they can be.
    assert_eq!(again.sizes["first"], [4, 4, 4]);
    // One frame in three, of twice as many: every other one was looked at before.
    assert_eq!(again.count("some"), 4);
    assert_eq!(again.count("whisper"), 0);
    assert_eq!(bench.run().stages_asked(), "");
}

#[test]
fn what_is_known_of_the_beginning_is_known_of_the_whole() {
    let folder = Folder::new();
    let video = folder.clip("a.mp4", MOVING);
    let whole = Bench::new(STAGES, &[&video]);
    let beginning = Bench {
        first: Some(Duration::from_secs(5)),
        ..whole.clone()
    };
    let few = beginning.run();
    assert_eq!(few.count("first"), 5);
    let ran = whole.run();
    assert_eq!(ran.count("first"), 7);
    // The transcript of five seconds is not that of twelve.
    assert_same(&whole.alone().run(), &ran);
    let again = beginning.run();
    assert_eq!(again.stages_asked(), "");
    assert_same(&few, &again);
}

#[test]
fn frames_that_show_nothing_new_are_told_as_before() {
    let folder = Folder::new();
    let video = folder.clip("a.mp4", STEPS);
    let recipe = STAGES.replace("fps = 1\n", "fps = 2\ndedup = true\n");
    let bench = Bench::new(&recipe, &[&video]);
    let opened = bench.open();
    let ran = bench.run_on(&opened);
    assert_eq!(ran.count("first"), 4);
    let is_sample = |answer: &Answer| matches!(answer, Answer::Sample(_));
    assert_eq!(
        bench.memory.all().iter().filter(|it| is_sample(it)).count(),
        16
    );
    // Sampling broke off after so many frames.
    for known in 0..16 {
        let before = |extent: &Extent| match extent {
            Extent::Frame { pts, .. } => pts.0 < known * TICKS / 2,
            Extent::Whole | Extent::Sound { .. } => false,
        };
        bench.memory.keep(|_, extent, _| before(extent));
        let again = bench.run_on(&opened);
        assert_same(&ran, &again);
        let new = 4 - (known as usize).div_ceil(4);
        assert_eq!(again.count("first"), new, "{known}");
    }
    // What had been decided has holes.
    for lost in 0..5 {
        bench.memory.keep(|number, _, _| number % 5 != lost);
        assert_same(&ran, &bench.run_on(&opened));
    }
    fs::remove_file(&video).unwrap();
    let again = bench.run_on(&opened);
    assert_same(&ran, &again);
    assert_eq!(again.stages_asked(), "");
}

// Those of a second in a file of FFmpeg's with 10 frames a second.
const TICKS: i64 = 10_240;

#[test]
fn videos_are_known_by_what_is_in_them() {
    let folder = Folder::new();
    let one = folder.clip("one.mp4", MOVING);
    let other = folder.clip("other.mp4", &MOVING.replace("testsrc2", "testsrc"));
    let bench = Bench::new(STAGES, &[&one, &other]);
    let ran = bench.run();
    assert_ne!(ran.records[&0], ran.records[&1]);
    // Swapped.
    let swapped = Bench {
        videos: vec![other.clone(), one.clone()],
        ..bench.clone()
    };
    let again = swapped.run();
    assert_eq!(again.stages_asked(), "");
    assert_eq!(again.records[&0], ran.records[&1]);
    assert_eq!(again.records[&1], ran.records[&0]);
    // Renamed, and copied; the name of one is the other's now.
    let copy = folder.path("copy.mp4");
    fs::rename(&one, &copy).unwrap();
    fs::copy(&other, &one).unwrap();
    let renamed = Bench {
        videos: vec![copy, one],
        ..bench.clone()
    };
    let again = renamed.run();
    assert_eq!(again.stages_asked(), "");
    assert_same(&ran, &again);
}

#[test]
fn a_frame_is_not_written_again_where_its_file_is_there() {
    let folder = Folder::new();
    let video = folder.clip("a.mp4", MOVING);
    let output = folder.path("frames");
    let recipe = format!(
        "version = 1\n[stages.extract]\nfps = 1\n[stages.save]\ninputs = [\"extract\"]\n\
         output_dir = '{}'\nname = \"{{{{ frame.frame_number }}}}\"\n\
         [stages.merge]\ninputs = [\"save\"]\n",
        output.display()
    );
    let bench = Bench::new(&recipe, &[&video]);
    let opened = bench.open();
    let ran = bench.run_on(&opened);
    let files = || {
        let files = fs::read_dir(&output).unwrap().map(|it| it.unwrap().path());
        let mut files: Vec<PathBuf> = files.collect();
        files.sort_unstable();
        files
    };
    let written = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
    let all = files();
    assert_eq!(all.len(), 12);
    let times: Vec<_> = all.iter().map(|path| written(path)).collect();
    fs::remove_file(&all[3]).unwrap();
    fs::write(&all[7], "cut short").unwrap();
    let again = bench.run_on(&opened);
    assert_same(&ran, &again);
    assert_eq!(files(), all);
    for (number, (path, time)) in all.iter().zip(times).enumerate() {
        let is_new = written(path) != time;
        assert_eq!(is_new, number == 3 || number == 7, "{}", path.display());
    }
    assert!(fs::metadata(&all[7]).unwrap().len() > 100);
    fs::remove_file(&video).unwrap();
    assert_same(&ran, &bench.run_on(&opened));
}

#[test]
fn what_was_told_of_a_video_is_told_again_of_where_it_lies_now() {
    let folder = Folder::new();
    let video = folder.clip("a.mp4", MOVING);
    let bench = Bench::new(STAGES, &[&video]).with("extract.start=20");
    let ran = bench.run();
    let told = |path: &Path| {
        let path = path.display();
        vec![format!(
            "`{path}` ends before 20 s, where `start` of `extract` is"
        )]
    };
    let failed = |ran: &Ran| -> Vec<String> {
        let failed = ran.failed.iter();
        failed.map(|failure| failure.message.clone()).collect()
    };
    assert_eq!(failed(&ran), told(&video));
    let moved = folder.path("moved.mp4");
    fs::rename(&video, &moved).unwrap();
    let again = Bench {
        videos: vec![moved.clone()],
        ..bench
    };
    assert_eq!(failed(&again.run()), told(&moved));
}
