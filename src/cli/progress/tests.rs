//! What is shown of recorded runs.

use crate::app::HostShare;
use crate::app::KnownStage;
use crate::app::RunHeader;
use crate::app::RunUpdate;
use crate::app::StageRow;
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
use crate::plan::Forecast;
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
            heard_from: 0.0,
            heard_until: None,
        }],
        unreadable: 0,
        notices: vec!["`half` means nothing on a CPU".to_owned()],
        demo: true,
        hosts: vec![HostShare {
            host: "api.example.com".to_owned(),
            frames: true,
            sound: true,
            variables: ["VPIPE_SITE".to_owned()].into(),
            keys: ["MY_KEY".to_owned()].into(),
            proxy: Some("proxy.example.com:3128".to_owned()),
        }],
        forecast: Forecast::default(),
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
    let mut progress = Progress::default();
    let mut lines = progress.update(&RunUpdate::Begins(header()), Duration::ZERO);
    for (seconds, event) in events {
        lines.extend(progress.update(&RunUpdate::Event(event), Duration::from_secs_f64(seconds)));
    }
    let mut text: Vec<String> = lines
        .into_iter()
        .map(|line| format!("{:7} {}", format!("{:?}", line.weight), line.text))
        .collect();
    text.extend(progress.rows().into_iter().map(|row| {
        let total = row.total.map_or("?".to_owned(), |total| total.to_string());
        format!("[{} of {total}] {} {}", row.done, row.name, row.text)
    }));
    text.push(format!("left: {:?}", progress.remaining()));
    text.join("\n")
}

#[test]
fn a_run_is_announced() {
    insta::assert_snapshot!(shown(vec![]), @r"
    Step    running default over 1 input
    Notice  yolo: local, rten, shapes, 2 at once
    Notice  whisper is skipped: no backend for speech
    Notice  frames and sound leave this machine for api.example.com through the proxy proxy.example.com:3128, with the key in MY_KEY and the value of VPIPE_SITE
    Notice  yolo: 20 answers are known already, 1 job of an earlier run is still at the server
    Notice  no model is given: the built-in demo models know six drawn shapes and 60 English words about them
    Notice  `half` means nothing on a CPU
    [0 of 24] extract 0/24
    [0 of 24] yolo 0/24
    [0 of ?] stream 0
    left: None
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
    Notice  yolo: local, rten, shapes, 2 at once
    Notice  whisper is skipped: no backend for speech
    Notice  frames and sound leave this machine for api.example.com through the proxy proxy.example.com:3128, with the key in MY_KEY and the value of VPIPE_SITE
    Notice  yolo: 20 answers are known already, 1 job of an earlier run is still at the server
    Notice  no model is given: the built-in demo models know six drawn shapes and 60 English words about them
    Notice  `half` means nothing on a CPU
    Step    clip.mp4: started
    [8 of 24] extract 8/24  8.0/s
    [4 of 24] yolo 4/24  2.0/s  1 of 2 at work
    [3 of ?] stream 3
    left: Some(10s)
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
    Notice  yolo: local, rten, shapes, 2 at once
    Notice  whisper is skipped: no backend for speech
    Notice  frames and sound leave this machine for api.example.com through the proxy proxy.example.com:3128, with the key in MY_KEY and the value of VPIPE_SITE
    Notice  yolo: 20 answers are known already, 1 job of an earlier run is still at the server
    Notice  no model is given: the built-in demo models know six drawn shapes and 60 English words about them
    Notice  `half` means nothing on a CPU
    Trouble yolo: the server is busy; trying again in 2 s (more of these are only counted)
    Trouble yolo: the server is busy; trying again in 2 s (more of these are only counted)
    Trouble yolo: frame 30 of clip.mp4 failed: out of memory (more of these are only counted)
    Trouble stopping: interrupted
    [0 of 24] extract 0/24
    [0 of 24] yolo 0/24  3 retries  2 failed
    [0 of ?] stream 0
    left: None
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
    let row = during.lines().find(|line| line.contains("] yolo"));
    assert_eq!(
        row,
        Some("[12 of 24] yolo 12/24  8 known  2.0/s  0 of 2 at work  no answer from 4 s on")
    );
    insta::assert_snapshot!(shown(events), @r"
    Step    running default over 1 input
    Notice  yolo: local, rten, shapes, 2 at once
    Notice  whisper is skipped: no backend for speech
    Notice  frames and sound leave this machine for api.example.com through the proxy proxy.example.com:3128, with the key in MY_KEY and the value of VPIPE_SITE
    Notice  yolo: 20 answers are known already, 1 job of an earlier run is still at the server
    Notice  no model is given: the built-in demo models know six drawn shapes and 60 English words about them
    Notice  `half` means nothing on a CPU
    Notice  waiting for 4 jobs of an earlier run
    Notice  3 jobs of an earlier run were gone: asked anew
    Notice  waiting for 1 job of an earlier run
    Notice  1 job of an earlier run was gone: asked anew
    Trouble yolo: its backend does not answer (api.example.com: connection refused); nothing more is sent until it does, for up to 5m 00s
    Notice  yolo: its backend is asked again, after 5 s
    [0 of 24] extract 0/24
    [12 of 24] yolo 12/24  8 known  2.0/s  0 of 2 at work
    [0 of ?] stream 0
    left: Some(6s)
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
