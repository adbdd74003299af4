//! What a results file says of a made-up run.

use crate::diag::SourceMap;
use crate::diag::Span;
use crate::facts::Facts;
use crate::facts::LocalFacts;
use crate::facts::ModelFacts;
use crate::facts::Placement;
use crate::facts::StreamFacts;
use crate::facts::VideoFacts;
use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Detection;
use crate::item::Detections;
use crate::item::Found;
use crate::item::Moment;
use crate::item::Record;
use crate::item::Size;
use crate::name::StageId;
use crate::name::VideoId;
use crate::output::OutputRoot;
use crate::output::Place;
use crate::output::Results;
use crate::output::StageOutput;
use crate::output::StageRun;
use crate::output::results::build::RunFacts;
use crate::output::results::build::results;
use crate::recipe::BatchSpec;
use crate::recipe::ExtractSpec;
use crate::recipe::MergeSpec;
use crate::recipe::Port;
use crate::recipe::Recipe;
use crate::recipe::Stage;
use crate::recipe::StageInput;
use crate::recipe::StageSpec;
use crate::recipe::TakeSpec;
use crate::recipe::WhisperSpec;
use crate::recipe::YoloSpec;
use crate::speech::Gap;
use crate::speech::Segment;
use crate::speech::StageTranscript;
use crate::speech::Transcript;
use crate::speech::Word;
use crate::time::Pts;
use crate::time::Ratio;
use crate::time::TimeRanges;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

mod early_sound;

fn stage(id: &str, inputs: &[&str], spec: StageSpec) -> Stage {
    Stage {
        id: id.into(),
        span: Span::default(),
        inputs: inputs
            .iter()
            .map(|&stage| StageInput {
                stage: stage.into(),
                port: Port::Main,
                span: Span::default(),
            })
            .collect(),
        take: TakeSpec::default(),
        spec,
        keys: BTreeMap::new(),
        settings: serde_json::Map::new(),
        paths: BTreeMap::new(),
        items: BTreeMap::new(),
    }
}

fn yolo(id: &str, concurrency: usize) -> Stage {
    let spec = YoloSpec {
        concurrency,
        ..YoloSpec::default()
    };
    stage(id, &["batch"], StageSpec::Yolo(spec))
}

fn recipe(detecting: Vec<Stage>, primary: Option<&str>) -> Recipe {
    let merge = MergeSpec {
        primary: primary.map(StageId::from),
        ..MergeSpec::default()
    };
    let batch = StageSpec::Batch(BatchSpec::default());
    let whisper = StageSpec::Whisper(WhisperSpec::default());
    let mut stages = vec![
        stage("extract", &[], StageSpec::Extract(ExtractSpec::default())),
        stage("batch", &["extract"], batch),
        stage("whisper", &["extract"], whisper),
        stage("merge", &["yolo", "whisper"], StageSpec::Merge(merge)),
    ];
    stages.extend(detecting);
    Recipe {
        name: "default".to_owned(),
        description: None,
        stages: stages.into(),
        backends: BTreeMap::new(),
        device: None,
        sources: SourceMap::default(),
        files: Vec::new(),
        command_line: usize::MAX,
    }
}

fn facts(demo: bool) -> Facts {
    let local = LocalFacts {
        why: String::new(),
        backend: "local".into(),
        engine: "rten".to_owned(),
        device: "cpu".to_owned(),
        threads: 1,
        concurrency: None,
        model: ModelFacts {
            name: "shapes".to_owned(),
            demo,
            classes: vec!["circle".into(), "star".into()],
            fixed_size: None,
            imgsz: None,
            digest: "abc".to_owned(),
        },
    };
    let nobody = Placement::Skipped {
        why: "no backend for speech".to_owned(),
    };
    Facts {
        placements: BTreeMap::from([
            ("yolo".into(), Placement::Local(local)),
            ("whisper".into(), nobody),
        ]),
        ..Facts::default()
    }
}

fn video() -> VideoFacts {
    VideoFacts {
        id: VideoId(0),
        path: "clips/a.mp4".into(),
        size: Size {
            width: 1280,
            height: 720,
        },
        duration: Some(3.000_000_4),
        fps: Ratio::new(30_000, 1001),
        codec: "h264".to_owned(),
        rotation: 0,
        has_sound: true,
        first_frame: None,
        expected_frames: Some(3),
        wanted: TimeRanges::default(),
    }
}

fn frame(stage: &str, index: u32, found: Found) -> Detections {
    Detections {
        stage: stage.into(),
        moment: Moment {
            video: VideoId(0),
            index: index.into(),
            frame_number: u64::from(index) * 30,
            pts: Pts(i64::from(index) * 30_030),
            seconds: f64::from(index) * 1.001 + 1e-9,
            samples: if index == 0 { 2 } else { 1 },
            part: None,
        },
        found,
        same_as: None,
    }
}

fn circle() -> Found {
    Found::Objects(vec![Detection {
        bbox: [-0.001, 10.126, 100.004, 719.996],
        class: 0,
        class_name: "circle".into(),
        confidence: 0.912_345,
        parent: None,
        sight: None,
    }])
}

fn record() -> Record {
    let failed = Failure::new(Class::Worker, "the worker ran out of memory");
    let frames = vec![
        frame("yolo", 0, circle()),
        frame("yolo", 1, Found::Objects(Vec::new())),
        frame("yolo", 2, Found::Error(failed)),
        frame("yolo", 3, Found::Skipped("the run was stopped".to_owned())),
    ];
    Record {
        video: VideoId(0),
        detections: BTreeMap::from([("yolo".into(), frames)]),
        transcripts: BTreeMap::new(),
        saved: BTreeMap::new(),
    }
}

fn run() -> RunFacts {
    RunFacts {
        processed_at: "2026-01-02 03:04:05".to_owned(),
        elapsed: Duration::from_micros(1_234_567),
        stopped: None,
        stages: BTreeMap::from([(
            "yolo".into(),
            StageRun {
                workers: 2,
                retries: 1,
                splits: 0,
                requests: None,
            },
        )]),
        cost: Some(0.012_345_67),
        unread: Vec::new(),
        stream: StreamFacts::default(),
        digest: "def".to_owned(),
        range: None,
    }
}

pub(in crate::output) fn plain() -> Results {
    let recipe = recipe(vec![yolo("yolo", 5)], None);
    results(&recipe, &facts(true), &video(), &record(), run())
}

fn place(folder: PathBuf) -> Place {
    let root = OutputRoot::new(folder.clone(), &Arc::default());
    Place::new(root, folder, "a")
}

#[test]
fn results_without_a_place_are_kept_elsewhere() {
    let place = place(PathBuf::from("output"));
    let path = place.write_elsewhere(&plain(), false).unwrap();
    assert!(path.ends_with("a_results.json"), "{}", path.display());
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(serde_json::from_str::<Results>(&text).unwrap(), plain());
    let folder = path.parent().unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = folder.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_file_is_as_users_know_it() {
    let folder = tempfile::tempdir().unwrap();
    let place = place(folder.path().join("new/output"));
    place.prepare().unwrap();
    let path = place.write(&plain(), false).unwrap().path;
    let text = std::fs::read_to_string(&path).unwrap();
    insta::with_settings!({snapshot_path => "../../../../snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("results_file", text.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
    });
    assert_eq!(serde_json::from_str::<Results>(&text).unwrap(), plain());
}

#[test]
fn a_complete_file_replaces_a_partial_one_and_not_the_other_way_round() {
    let folder = tempfile::tempdir().unwrap();
    let place = place(folder.path().to_owned());
    let partial = place.write(&plain(), true).unwrap().path;
    assert!(partial.ends_with("a_results.partial.json") && partial.exists());
    let complete = place.write(&plain(), false).unwrap().path;
    assert!(complete.exists() && !partial.exists());
    place.write(&plain(), true).unwrap();
    assert!(complete.exists() && partial.exists());
    let files = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files, 2, "nothing else is left there");
}

#[test]
fn a_folder_that_cannot_be_written_to_is_found_out_before_the_run() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let place = place(file.path().join("output"));
    let error = place.prepare().unwrap_err().to_string();
    assert!(error.starts_with("cannot write to "), "{error}");
    assert!(error.contains("output: "), "{error}");
}

#[test]
fn of_several_detecting_stages_the_primary_stands_on_top() {
    let mut record = record();
    record
        .detections
        .insert("second".into(), vec![frame("second", 0, circle())]);
    let stages = || vec![yolo("yolo", 5), yolo("second", 9)];
    let facts = facts(false);

    let first = results(&recipe(stages(), None), &facts, &video(), &record, run());
    assert_eq!(
        (first.detections.len(), first.config.max_workers),
        (4, Some(5))
    );
    assert_eq!(first.stages.len(), 2);
    assert!(!first.demo);

    let named = recipe(stages(), Some("second"));
    let named = results(&named, &facts, &video(), &record, run());
    assert_eq!(
        (named.detections.len(), named.config.max_workers),
        (1, Some(9))
    );
    let StageOutput::Detected(second) = &named.stages[&StageId::from("second")] else {
        panic!("it detects");
    };
    assert_eq!(named.summary, second.summary);
}

#[test]
fn failures_are_listed_one_by_one_and_their_words_once() {
    let mut record = record();
    let again = Failure::new(Class::Worker, "the worker ran out of memory");
    let frames = record.detections.get_mut(&StageId::from("yolo")).unwrap();
    frames.push(frame("yolo", 4, Found::Error(again)));
    let mut run = run();
    let cut = Failure::new(Class::Media, "the file ends in the middle of a frame");
    run.unread.push(("extract".into(), cut));

    let recipe = recipe(vec![yolo("yolo", 5)], None);
    let results = results(&recipe, &facts(false), &video(), &record, run);
    let items: Vec<_> = results.failures.iter().map(|f| f.item.as_str()).collect();
    assert_eq!(items, ["video", "frame 60", "frame 120"]);
    let words: Vec<_> = results.run.errors.iter().map(|e| e.items).collect();
    assert_eq!(words, [1, 2]);
}

fn speech() -> Transcript {
    let word = |start, end, word: &str| Word {
        start,
        end,
        word: word.to_owned(),
        probability: Some(0.987_654),
    };
    let failed = Failure::new(Class::Worker, "boom");
    let stopped = Failure::new(Class::Stopped, "interrupted");
    let gap = |start, end, failure| Gap {
        start,
        end,
        item: format!("sound {start:.1}..{end:.1} s"),
        failure,
    };
    Transcript {
        language: Some("en".to_owned()),
        language_probability: Some(0.912_345),
        duration: 90.000_04,
        segments: vec![
            Segment {
                start: 0.5,
                end: 2.25,
                text: " Hello there.".to_owned(),
                avg_logprob: Some(-0.25),
                no_speech_prob: Some(0.01),
                words: vec![word(0.5, 0.9, " Hello"), word(1.0, 2.25, " there.")],
            },
            Segment {
                start: 2.5,
                end: 2.75,
                text: " Bye.".to_owned(),
                ..Segment::default()
            },
        ],
        gaps: vec![gap(30.0, 60.0, failed), gap(60.0, 90.0, stopped)],
        seams: vec![30.0],
    }
}

fn listened(said: Result<Transcript, String>) -> Record {
    let transcript = StageTranscript {
        stage: "whisper".into(),
        video: VideoId(0),
        said,
    };
    Record {
        transcripts: BTreeMap::from([("whisper".into(), transcript)]),
        ..record()
    }
}

fn whisper() -> Stage {
    Stage {
        id: "whisper".into(),
        spec: StageSpec::Whisper(WhisperSpec::default()),
        ..yolo("yolo", 5)
    }
}

#[test]
fn what_is_said_stands_beside_what_is_seen() {
    let recipe = recipe(vec![yolo("yolo", 5), whisper()], None);
    let found = results(
        &recipe,
        &facts(false),
        &video(),
        &listened(Ok(speech())),
        run(),
    );
    insta::with_settings!({snapshot_path => "../../../../snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_json_snapshot!("results_speech", (
            &found.transcription,
            &found.timeline,
            &found.summary,
            &found.failures,
        ));
    });
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Results>(&text).unwrap(), found);
}

#[test]
fn who_did_not_listen_says_why() {
    let recipe = recipe(vec![yolo("yolo", 5), whisper()], None);
    let told = |record: &Record, run: RunFacts| {
        let found = results(&recipe, &facts(false), &video(), record, run);
        serde_json::to_value(found.transcription).unwrap()
    };
    let silent = listened(Err("there is no sound track".to_owned()));
    assert_eq!(
        told(&silent, run()),
        serde_json::json!({"skipped": "there is no sound track"})
    );
    let nothing = listened(Ok(Transcript::default()));
    assert_eq!(told(&nothing, run())["segments"], serde_json::json!([]));
    let mut broken = run();
    let failure = Failure::new(Class::Media, "it has 2 sound tracks, and no number 3");
    broken.unread.push(("whisper".into(), failure));
    assert_eq!(
        told(&nothing, broken),
        serde_json::json!({"error": "media"})
    );
}

#[test]
fn a_file_of_sound_says_that_nobody_looked() {
    let recipe = recipe(vec![yolo("yolo", 5), whisper()], None);
    let mut sound = video();
    sound.size = crate::item::Size {
        width: 0,
        height: 0,
    };
    let record = Record {
        detections: BTreeMap::from([("yolo".into(), Vec::new())]),
        ..listened(Ok(speech()))
    };
    let found = results(&recipe, &facts(false), &sound, &record, run());
    assert_eq!(
        found.skipped[&StageId::from("yolo")],
        "there are no frames in it"
    );
    assert!(found.timeline.is_empty() && found.detections.is_empty());
}
