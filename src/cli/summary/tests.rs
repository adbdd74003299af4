//! The closing words of made-up runs.

use crate::app::RunReport;
use crate::app::StageSummary;
use crate::app::VideoReport;
use crate::cli::summary::json;
use crate::cli::summary::summary;
use crate::engine::StopReason;
use crate::engine::cassette::Misses;
use crate::name::VideoId;
use crate::output::LineCount;
use crate::output::Summary;
use std::collections::BTreeMap;
use std::time::Duration;

fn gate() -> LineCount {
    LineCount {
        forward: [("circle".into(), 2), ("star".into(), 1)].into(),
        backward: BTreeMap::new(),
    }
}

fn outcome() -> RunReport {
    let counts = [
        ("circle", 20),
        ("star", 12),
        ("ring", 9),
        ("cross", 9),
        ("square", 1),
    ];
    let seen = VideoReport {
        id: VideoId(0),
        path: "a.mp4".into(),
        results: Some("output/a_results.json".into()),
        partial: false,
        kept: Vec::new(),
        summary: Summary {
            records: 0,
            frames: 24,
            failed: 1,
            skipped: 2,
            repeated: 0,
            objects: 51,
            classes: counts.map(|(class, count)| (class.into(), count)).into(),
            tracks: [("circle".into(), 3), ("star".into(), 1)].into(),
            crossed: [("gate".into(), gate())].into(),
            entered: [
                ("door".into(), [("circle".into(), 2)].into()),
                ("yard".into(), BTreeMap::new()),
            ]
            .into(),
            segments: 12,
            gaps: 1,
        },
        failures: 0,
        unanswered: 0,
        requests_spared: 0,
        saved: Vec::new(),
        is_unwritten: false,
        error: None,
    };
    let unread = VideoReport {
        id: VideoId(1),
        path: "b.txt".into(),
        results: None,
        partial: false,
        kept: Vec::new(),
        summary: Summary::default(),
        failures: 0,
        unanswered: 0,
        requests_spared: 0,
        saved: Vec::new(),
        is_unwritten: false,
        error: Some("`b.txt` is not a video".to_owned()),
    };
    RunReport {
        videos: vec![seen, unread],
        elapsed: Duration::from_millis(12_345),
        stopped: None,
        stages: vec![StageSummary {
            id: "yolo".into(),
            frames: 24,
            known: 16,
            busy: Duration::from_millis(20_500),
            retries: 0,
            splits: 0,
            requests: None,
        }],
        demo: true,
        recorded: None,
        misses: Misses::default(),
    }
}

// Of five, a frame and a gap are in the counts of the video.
#[test]
fn what_stages_that_are_not_at_the_top_lack_is_told() {
    let mut outcome = outcome();
    outcome.videos[0].failures = 5;
    let text = summary(&outcome);
    let told = "  3 items of other stages without an answer: see `failures` in the results";
    assert!(text.lines().any(|line| line == told), "{text}");
}

#[test]
fn people_are_told_what_was_found_and_what_was_not() {
    insta::assert_snapshot!(summary(&outcome()), @r"
    a.mp4 -> output/a_results.json
      24 frames, 1 failed, 2 skipped, 51 objects: 20 circle, 12 star, 9 cross, 9 ring, 1 more class; 4 things; gate: 3 forward, 0 backward; door: 2 entered; yard: 0 entered; 12 segments of speech; 1 gap in the speech
    b.txt: no results
      `b.txt` is not a video
    0 of 2 done, 2 failed; 24 frames in 12.3 s, 1.9/s
    yolo: 16 of 24 known from before
    ");
}

#[test]
fn a_run_that_was_stopped_says_so() {
    let mut outcome = outcome();
    outcome.videos.truncate(1);
    outcome.videos[0].partial = true;
    outcome.stopped = Some(StopReason::Interrupted);
    outcome.demo = false;
    insta::assert_snapshot!(summary(&outcome), @r"
    a.mp4 -> output/a_results.json (partial)
      24 frames, 1 failed, 2 skipped, 51 objects: 20 circle, 12 star, 9 cross, 9 ring, 1 more class; 4 things; gate: 3 forward, 0 backward; door: 2 entered; yard: 0 entered; 12 segments of speech; 1 gap in the speech
    interrupted: 24 frames in 12.3 s, 1.9/s
    yolo: 16 of 24 known from before
    ");
}

// 200 videos, of which the first ones are not done.
fn many(not_done: impl Fn(usize, &mut VideoReport)) -> String {
    let mut outcome = outcome();
    let done = VideoReport {
        summary: Summary {
            failed: 0,
            gaps: 0,
            ..outcome.videos[0].summary.clone()
        },
        ..outcome.videos[0].clone()
    };
    let video = |number: usize| {
        let mut video = VideoReport {
            path: format!("clips/{number:03}.mp4").into(),
            ..done.clone()
        };
        not_done(number, &mut video);
        video
    };
    outcome.videos = (0..200).map(video).collect();
    outcome.demo = false;
    outcome.stages.clear();
    summary(&outcome)
}

#[test]
fn of_many_videos_those_are_told_that_are_not_done() {
    insta::assert_snapshot!(many(|_, _| {}), @"200 of 200 done; 4800 frames in 12.3 s, 388.8/s; results in output");
    let one = many(|number, video| {
        if number == 7 {
            video.error = Some("`007.mp4` is not a video".to_owned());
            video.results = None;
            video.summary = Summary::default();
        }
    });
    insta::assert_snapshot!(one, @r"
    clips/007.mp4: `007.mp4` is not a video
    199 of 200 done, 1 failed; 4776 frames in 12.3 s, 386.9/s; results in output
    ");
    let some = many(|number, video| match number {
        0..6 => video.summary.failed = 1 + number as u64,
        6..9 => video.summary.gaps = 2,
        9 => video.failures = 1,
        190.. => {
            video.results = None;
            video.summary = Summary::default();
        }
        189 => video.partial = true,
        _ => {}
    });
    insta::assert_snapshot!(some, @r"
    clips/000.mp4: 1 of 24 frames failed
    clips/001.mp4: 2 of 24 frames failed
    clips/002.mp4: 3 of 24 frames failed
    clips/003.mp4: 4 of 24 frames failed
    clips/004.mp4: 5 of 24 frames failed
    clips/005.mp4: 6 of 24 frames failed
    clips/006.mp4: 2 gaps in the speech
    clips/007.mp4: 2 gaps in the speech
    clips/008.mp4: 2 gaps in the speech
    and 12 more, all of which `--json` names
    179 of 200 done, 10 failed, 11 skipped; 4560 frames in 12.3 s, 369.4/s; results in output
    ");
    let lines = some.lines().count();
    assert_eq!(lines, 10 + 1, "at most ten, and how many");
}

#[test]
fn programs_are_told_the_same() {
    let text = serde_json::to_string_pretty(&json(&outcome())).unwrap();
    insta::assert_snapshot!(text, @r#"
    {
      "exit_code": 1,
      "stopped": null,
      "demo": true,
      "seconds": 12.345,
      "videos": [
        {
          "video": "a.mp4",
          "results": "output/a_results.json",
          "partial": false,
          "kept": [],
          "summary": {
            "frames": 24,
            "failed": 1,
            "skipped": 2,
            "objects": 51,
            "classes": {
              "circle": 20,
              "cross": 9,
              "ring": 9,
              "square": 1,
              "star": 12
            },
            "tracks": {
              "circle": 3,
              "star": 1
            },
            "crossed": {
              "gate": {
                "forward": {
                  "circle": 2,
                  "star": 1
                },
                "backward": {}
              }
            },
            "entered": {
              "door": {
                "circle": 2
              },
              "yard": {}
            },
            "segments": 12,
            "gaps": 1
          },
          "requests_spared": 0,
          "saved": [],
          "error": null
        },
        {
          "video": "b.txt",
          "results": null,
          "partial": false,
          "kept": [],
          "summary": {
            "frames": 0,
            "failed": 0,
            "skipped": 0,
            "objects": 0,
            "classes": {}
          },
          "requests_spared": 0,
          "saved": [],
          "error": "`b.txt` is not a video"
        }
      ],
      "stages": [
        {
          "id": "yolo",
          "frames": 24,
          "known": 16,
          "busy_seconds": 20.5,
          "retries": 0,
          "splits": 0,
          "requests": null
        }
      ],
      "recorded": null,
      "misses": []
    }
    "#);
}
