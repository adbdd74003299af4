//! What is shown of recorded runs.

use crate::app::HostShare;
use crate::app::KnownStage;
use crate::app::RunHeader;
use crate::app::RunUpdate;
use crate::app::StageRow;
use crate::cli::bars::Bars;
use crate::cli::plan;
use crate::cli::progress::Progress;
use crate::cli::progress::Weight;
use crate::event::Event;
use crate::facts::VideoFacts;
use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Size;
use crate::name::StageId;
use crate::name::VideoId;
use crate::plan::Estimate;
use crate::plan::Forecast;
use crate::plan::StageForecast;
use crate::plan::Times;
use crate::plan::Workload;
use crate::recipe::Medium;
use crate::time::TimeRanges;
use std::time::Duration;

const VIDEO: VideoId = VideoId(0);

fn row(id: &str, place: &str, limit: usize, total: Option<u64>) -> StageRow {
    StageRow {
        id: id.into(),
        kind: "yolo",
        place: place.to_owned(),
        limit,
        total,
        skipped: None,
    }
}

fn header() -> RunHeader {
    let whisper = StageRow {
        skipped: Some("no backend for speech".to_owned()),
        ..row("whisper", "", 3, None)
    };
    RunHeader {
        recipe: "default".to_owned(),
        stages: vec![
            row("extract", "", 1, Some(24)),
            row("yolo", "local, rten, shapes", 2, Some(24)),
            whisper,
            row("stream", "", 1, None),
        ],
        videos: vec![VideoFacts {
            id: VIDEO,
            path: "clip.mp4".into(),
            size: Size {
                width: 1280,
                height: 720,
            },
            duration: Some(24.0),
            fps: None,
            codec: "h264".to_owned(),
            rotation: 0,
            has_sound: true,
            first_frame: None,
            expected_frames: Some(24),
            wanted: TimeRanges::default(),
        }],
        unreadable: 0,
        notices: vec!["`half` means nothing on a CPU".to_owned()],
        demo: vec![("yolo".into(), Medium::Frames)],
        hosts: vec![HostShare {
            host: "api.example.com".to_owned(),
            is_here: false,
            frames: true,
            sound: true,
            variables: ["VPIPE_SITE".to_owned()].into(),
            keys: ["MY_KEY".to_owned()].into(),
            proxy: Some("proxy.example.com:3128".to_owned()),
        }],
        forecast: Forecast::default(),
        local: Vec::new(),
        known: vec![KnownStage {
            stage: "yolo".into(),
            answers: 20,
            open_jobs: 1,
        }],
    }
}

fn retry(class: Class) -> Event {
    Event::Retrying {
        stage: "yolo".into(),
        attempt: 1,
        pause: Duration::from_secs(2),
        failure: Failure::new(class, "the server is busy"),
    }
}

fn failed(item: &str) -> Event {
    Event::ItemFailed {
        stage: "yolo".into(),
        video: VIDEO,
        item: item.to_owned(),
        failure: Failure::new(Class::Worker, "out of memory"),
    }
}

fn started() -> Event {
    Event::Started {
        stage: "yolo".into(),
        frames: 1,
    }
}

fn paused() -> Event {
    Event::Paused {
        stage: "yolo".into(),
        frames: 1,
    }
}

fn finished(stage: &str, frames: u64) -> Event {
    Event::Finished {
        stage: stage.into(),
        frames,
    }
}

// Everything that a screen shows of the events, each at its second.
fn shown(events: Vec<(f64, Event)>) -> String {
    let mut text = String::new();
    let mut progress = Progress::default();
    let now = events.last().map_or(0.0, |(seconds, _)| *seconds);
    let header = RunUpdate::Begins(header());
    let mut tell = |update, seconds| {
        for line in progress.update(&update, Duration::from_secs_f64(seconds)) {
            let weight = format!("{:?}", line.weight);
            text += &format!("{weight:7} {}\n", line.text);
        }
    };
    tell(header, 0.0);
    for (seconds, event) in events {
        tell(RunUpdate::Event(event), seconds);
    }
    let rows = progress.rows(Duration::from_secs_f64(now), 80);
    for row in Bars::new().drawn(&rows, 80) {
        text += &format!("{row}\n");
    }
    text
}

#[test]
fn a_run_is_announced() {
    insta::assert_snapshot!(shown(vec![]), @r"
    Step    running default over 1 input
    Notice  whisper is skipped: no backend for speech
    Notice  yolo: built-in demo models of six drawn shapes; for real ones `--set yolo.model=FILE.onnx`, see `vpipe models`
    Notice  frames and sound leave this machine for api.example.com through the proxy proxy.example.com:3128, with the key in MY_KEY and the value of VPIPE_SITE
    Notice  yolo: 20 answers are known already, 1 job of an earlier run is still at the server
    Notice  `half` means nothing on a CPU
    extract ────────────────────────── 0/24
       yolo ────────────────────────── 0/24
     stream                            0
    0 s
    ");
}

#[test]
fn rows_count_rates_and_slots() {
    let events = vec![
        (0.0, Event::VideoOpened { video: VIDEO }),
        (0.0, finished("extract", 1)),
        (0.0, started()),
        (0.1, started()),
        (1.0, finished("extract", 7)),
        (2.0, paused()),
        (2.0, finished("yolo", 4)),
        (2.0, finished("stream", 3)),
    ];
    insta::assert_snapshot!(shown(events), @r"
    Step    running default over 1 input
    Notice  whisper is skipped: no backend for speech
    Notice  yolo: built-in demo models of six drawn shapes; for real ones `--set yolo.model=FILE.onnx`, see `vpipe models`
    Notice  frames and sound leave this machine for api.example.com through the proxy proxy.example.com:3128, with the key in MY_KEY and the value of VPIPE_SITE
    Notice  yolo: 20 answers are known already, 1 job of an earlier run is still at the server
    Notice  `half` means nothing on a CPU
    Step    clip.mp4: started
    extract ━━━━━━━━────────────────── 8/24  7.0/s
       yolo ━━━━────────────────────── 4/24  2.0/s  1 of 2 at work
     stream                            3
    clip.mp4
    2 s  about 10 s left
    ");
}

#[test]
fn troubles_are_told_once_and_counted() {
    let events = vec![
        (1.0, retry(Class::Busy)),
        (1.0, retry(Class::Busy)),
        (1.0, retry(Class::Network)),
        (2.0, failed("frame 30")),
        (2.0, failed("frame 60")),
        (
            3.0,
            Event::Stopping {
                why: "interrupted".to_owned(),
                help: None,
            },
        ),
    ];
    insta::assert_snapshot!(shown(events), @r"
    Step    running default over 1 input
    Notice  whisper is skipped: no backend for speech
    Notice  yolo: built-in demo models of six drawn shapes; for real ones `--set yolo.model=FILE.onnx`, see `vpipe models`
    Notice  frames and sound leave this machine for api.example.com through the proxy proxy.example.com:3128, with the key in MY_KEY and the value of VPIPE_SITE
    Notice  yolo: 20 answers are known already, 1 job of an earlier run is still at the server
    Notice  `half` means nothing on a CPU
    Trouble yolo: the server is busy; trying again in 2 s (more of these are only counted)
    Trouble yolo: the server is busy; trying again in 2 s (more of these are only counted)
    Trouble yolo: frame 30 of clip.mp4 failed: out of memory (more of these are only counted)
    Trouble stopping: interrupted
    extract ────────────────────────── 0/24
       yolo ────────────────────────── 0/24  2 failed  3 retries
     stream                            0
    3 s  stopping
    ");
}

#[test]
fn what_is_known_or_not_answered_is_told() {
    let stage = || StageId::from("yolo");
    let refused = Failure::new(Class::Network, "api.example.com: connection refused");
    let events = vec![
        (0.0, Event::Collecting { jobs: 4 }),
        (0.5, Event::Collected { jobs: 1, gone: 3 }),
        (0.5, Event::Collecting { jobs: 1 }),
        (0.5, Event::Collected { jobs: 0, gone: 1 }),
        (0.5, Event::Collected { jobs: 2, gone: 0 }),
        (
            0.5,
            Event::Recalled {
                stage: stage(),
                frames: 8,
            },
        ),
        (0.5, finished("yolo", 8)),
        (1.0, started()),
        (2.5, paused()),
        (2.5, finished("yolo", 4)),
        (
            4.0,
            Event::OutageBegan {
                stage: stage(),
                failure: refused,
                longest: Duration::from_secs(300),
            },
        ),
        (
            9.0,
            Event::OutageEnded {
                stage: stage(),
                lasted: Duration::from_secs(5),
            },
        ),
    ];
    let during = shown(events[..11].to_vec());
    let row = during.lines().find(|line| line.contains("   yolo ━"));
    insta::assert_snapshot!(row.unwrap(), @"   yolo ━━━━━━━━━━━━━───────────── 12/24  no answer from 4 s on  2.0/s");
    insta::assert_snapshot!(shown(events), @r"
    Step    running default over 1 input
    Notice  whisper is skipped: no backend for speech
    Notice  yolo: built-in demo models of six drawn shapes; for real ones `--set yolo.model=FILE.onnx`, see `vpipe models`
    Notice  frames and sound leave this machine for api.example.com through the proxy proxy.example.com:3128, with the key in MY_KEY and the value of VPIPE_SITE
    Notice  yolo: 20 answers are known already, 1 job of an earlier run is still at the server
    Notice  `half` means nothing on a CPU
    Notice  waiting for 4 jobs of an earlier run
    Notice  3 jobs of an earlier run were gone: asked anew
    Notice  waiting for 1 job of an earlier run
    Notice  1 job of an earlier run was gone: asked anew
    Trouble yolo: its backend does not answer (api.example.com: connection refused); nothing more is sent until it does, for up to 5 min
    Notice  yolo: its backend is asked again, after 5 s
    extract ────────────────────────── 0/24
       yolo ━━━━━━━━━━━━━───────────── 12/24  2.0/s  0 of 2 at work  8 known
     stream                            0
    9 s  about 6 s left
    ");
}

#[test]
fn a_partial_file_is_called_so() {
    let saved = RunUpdate::Saved {
        video: VIDEO,
        path: "output/clip_results.partial.json".into(),
        partial: true,
    };
    let lines = Progress::default().update(&saved, Duration::ZERO);
    assert_eq!(
        lines[0].text,
        "partial results: output/clip_results.partial.json"
    );
    assert_eq!(lines[0].weight, Weight::Step);
}

#[test]
fn inputs_that_cannot_be_read_are_counted_from_the_first_line_on() {
    for (unreadable, wanted) in [
        (0, "1 input"),
        (1, "2 inputs, 1 of which cannot be read"),
        (2, "3 inputs, 2 of which cannot be read"),
    ] {
        let header = RunHeader {
            unreadable,
            ..header()
        };
        assert_eq!(plan::over(&header), wanted);
    }
}

// Two videos on a server that was forecast to need 20 s.
fn of_a_server() -> RunUpdate {
    let forecast = StageForecast {
        stage: "yolo".into(),
        host: "api.example.com".to_owned(),
        endpoint: "abc".to_owned(),
        work: Workload::Frames {
            count: Some(24),
            all: Some(24),
            exact: true,
        },
        requests: Estimate::default(),
        bytes: None,
        vram: None,
        workers: 3,
        times: Some(Times {
            one_by_one: 50.0,
            parallel: Estimate {
                low: 10.0,
                expected: 20.0,
                high: 80.0,
            },
            ideal: 8.0,
        }),
        cost: None,
        figures: Vec::new(),
    };
    let first = header();
    let second = VideoFacts {
        id: VideoId(1),
        path: "clips/second.mp4".into(),
        ..first.videos[0].clone()
    };
    RunUpdate::Begins(RunHeader {
        videos: [first.videos.clone(), vec![second]].concat(),
        forecast: Forecast {
            stages: vec![forecast],
            ..Forecast::default()
        },
        ..first
    })
}

// The last row at each second, after what is said then.
fn status(begins: &RunUpdate, updates: Vec<(f64, RunUpdate)>) -> String {
    let mut progress = Progress::default();
    progress.update(begins, Duration::ZERO);
    let told = updates.into_iter().map(|(seconds, update)| {
        let now = Duration::from_secs_f64(seconds);
        progress.update(&update, now);
        let rows = Bars::new().drawn(&progress.rows(now, 80), 80);
        format!("{} | {}", rows[rows.len() - 2], rows[rows.len() - 1])
    });
    told.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_forecast_is_what_is_left_until_each_slot_has_an_answer() {
    let event = |seconds, event| (seconds, RunUpdate::Event(event));
    let spent = |seconds, dollars| (seconds, RunUpdate::Spent { dollars });
    let updates = vec![
        event(0.0, Event::VideoOpened { video: VIDEO }),
        event(1.0, finished("extract", 24)),
        event(1.0, started()),
        event(5.0, started()),
        // The first two of two slots took 10 s with the start of their workers.
        event(10.0, finished("yolo", 4)),
        spent(11.0, 0.0042),
        event(12.0, finished("yolo", 4)),
        // Four in 4 s.
        event(16.0, finished("yolo", 4)),
        event(17.0, Event::VideoDone { video: VIDEO }),
        event(17.0, Event::VideoOpened { video: VideoId(1) }),
        spent(20.0, 0.12),
        event(
            21.0,
            Event::Stopping {
                why: "interrupted".to_owned(),
                help: None,
            },
        ),
    ];
    insta::assert_snapshot!(status(&of_a_server(), updates), @r"
    0 of 2 done, now clip.mp4 | 0 s  about 20 s left
    0 of 2 done, now clip.mp4 | 1 s  about 19 s left
    0 of 2 done, now clip.mp4 | 1 s  about 19 s left
    0 of 2 done, now clip.mp4 | 5 s  about 15 s left
    0 of 2 done, now clip.mp4 | 10 s  about 10 s left
    0 of 2 done, now clip.mp4 | 11 s  $0.0042 so far  about 9 s left
    0 of 2 done, now clip.mp4 | 12 s  $0.0042 so far  about 8 s left
    0 of 2 done, now clip.mp4 | 16 s  $0.0042 so far  about 12 s left
    1 of 2 done | 17 s  $0.0042 so far  about 12 s left
    1 of 2 done, now second.mp4 | 17 s  $0.0042 so far  about 12 s left
    1 of 2 done, now second.mp4 | 20 s  $0.12 so far  about 12 s left
    1 of 2 done, now second.mp4 | 21 s  $0.12 so far  stopping
    ");
}

#[test]
fn nobody_knows_how_long_a_model_takes_before_it_has_answered() {
    let event = |seconds, event| (seconds, RunUpdate::Event(event));
    let updates = vec![
        event(1.0, finished("extract", 8)),
        event(2.0, finished("extract", 8)),
        event(3.0, started()),
        event(3.0, finished("yolo", 1)),
        event(5.0, finished("yolo", 1)),
    ];
    insta::assert_snapshot!(status(&RunUpdate::Begins(header()), updates), @r"
    stream                            0 | 1 s
    stream                            0 | 2 s
    stream                            0 | 3 s
    stream                            0 | 3 s
    stream                            0 | 5 s  about 22 s left
    ");
}

#[test]
fn where_nothing_is_drawn_it_is_said_twice_a_minute_how_far_a_run_is() {
    let mut progress = Progress::default();
    let at = Duration::from_secs;
    assert_eq!(progress.bulletin(at(40)), None, "it has not begun");
    progress.update(&of_a_server(), at(40));
    let mut told = Vec::new();
    for second in 40..=130 {
        let event = match second {
            41 => Some(Event::VideoOpened { video: VIDEO }),
            50 => Some(finished("extract", 24)),
            90 => Some(finished("yolo", 20)),
            95 => Some(Event::VideoDone { video: VIDEO }),
            _ => None,
        };
        if let Some(event) = event {
            progress.update(&RunUpdate::Event(event), at(second));
        }
        told.extend(progress.bulletin(at(second)).map(|line| line.text));
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    after 40 s: 0 of 2 done; extract 0/24; yolo 0/24; stream 0; about 20 s left
    after 1 min 10 s: 0 of 2 done, now clip.mp4; extract 24/24; yolo 0/24; stream 0
    after 1 min 40 s: 1 of 2 done; extract 24/24; yolo 20/24; stream 0
    after 2 min 10 s: 1 of 2 done; extract 24/24; yolo 20/24; stream 0
    ");
}

#[test]
fn what_is_skipped_has_not_failed() {
    let skipped = |item: &str| Event::ItemFailed {
        stage: "yolo".into(),
        video: VIDEO,
        item: item.to_owned(),
        failure: Failure::new(Class::Stopped, "the budget is used up"),
    };
    insta::assert_snapshot!(shown(vec![
        (1.0, failed("frame 30")),
        (2.0, skipped("frame 60")),
        (2.0, skipped("frame 90")),
    ]), @r"
    Step    running default over 1 input
    Notice  whisper is skipped: no backend for speech
    Notice  yolo: built-in demo models of six drawn shapes; for real ones `--set yolo.model=FILE.onnx`, see `vpipe models`
    Notice  frames and sound leave this machine for api.example.com through the proxy proxy.example.com:3128, with the key in MY_KEY and the value of VPIPE_SITE
    Notice  yolo: 20 answers are known already, 1 job of an earlier run is still at the server
    Notice  `half` means nothing on a CPU
    Trouble yolo: frame 30 of clip.mp4 failed: out of memory (more of these are only counted)
    Trouble yolo: frame 60 of clip.mp4 is skipped: the budget is used up (more of these are only counted)
    extract ────────────────────────── 0/24
       yolo ────────────────────────── 0/24  1 failed  2 skipped
     stream                            0
    2 s
    ");
}
