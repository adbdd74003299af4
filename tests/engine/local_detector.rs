//! Detection models on this machine: the built-in one on drawn frames, and files that are no
//! detectors.

use crate::support::onnx;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use tempfile::TempDir;
use vpipe::backends::engine::EngineKind;
use vpipe::backends::models::ModelSource;
use vpipe::backends::models::find_models;
use vpipe::backends::models::yolo::DetectParams;
use vpipe::backends::models::yolo::Detector;
use vpipe::backends::models::yolo::LoadOptions;
use vpipe::failure::Class;
use vpipe::failure::Failure;
use vpipe::item::Content;
use vpipe::item::Detection;
use vpipe::item::Frame;
use vpipe::item::Moment;
use vpipe::item::PixelFormat;
use vpipe::item::Pixels;
use vpipe::item::Size;
use vpipe::name::VideoId;
use vpipe::time::Pts;

pub(crate) const SHAPES: &[u8] = include_bytes!("../../src/backends/models/demo/shapes.onnx");

pub(crate) const PARAMS: DetectParams = DetectParams {
    conf: 0.25,
    class_conf: BTreeMap::new(),
    iou: 0.5,
    imgsz: Some(320),
    half: false,
    classes: None,
    max_det: 300,
};

fn frame(size: Size, source: Size, content: Result<Content, Failure>) -> Frame {
    Frame {
        moment: Moment {
            video: VideoId(0),
            index: 0,
            frame_number: 0,
            pts: Pts(0),
            seconds: 0.0,
            samples: 1,
            part: None,
        },
        source,
        size,
        content,
    }
}

/// A red disc and a blue square on grey, 640x360, made of a source twice as large.
pub(crate) fn scene() -> Frame {
    let size = Size {
        width: 640,
        height: 360,
    };
    let mut data = Vec::new();
    for y in 0..size.height as i32 {
        for x in 0..size.width as i32 {
            let disc = (x - 160).pow(2) + (y - 180).pow(2) <= 70 * 70;
            let square = (x - 460).abs() <= 60 && (y - 170).abs() <= 60;
            data.extend(match (disc, square) {
                (true, _) => [210, 40, 45],
                (_, true) => [40, 80, 200],
                _ => [150, 150, 145],
            });
        }
    }
    let pixels = Pixels {
        format: PixelFormat::Rgb24,
        data: data.into(),
        stride: 3 * size.width as usize,
    };
    let source = Size {
        width: 1280,
        height: 720,
    };
    let content = Content {
        pixels: Some(pixels),
        jpeg: None,
    };
    frame(size, source, Ok(content))
}

fn demo() -> Detector {
    Detector::load(&ModelSource::Demo, None, &LoadOptions::default()).unwrap()
}

fn overlap(a: &[f32; 4], b: &[f32; 4]) -> f32 {
    let area = |r: &[f32; 4]| (r[2] - r[0]) * (r[3] - r[1]);
    let both = [
        a[0].max(b[0]),
        a[1].max(b[1]),
        a[2].min(b[2]).max(a[0].max(b[0])),
        a[3].min(b[3]).max(a[1].max(b[1])),
    ];
    area(&both) / (area(a) + area(b) - area(&both))
}

fn best<'a>(found: &'a [Detection], class: &str) -> &'a Detection {
    found
        .iter()
        .find(|object| &*object.class_name == class)
        .unwrap_or_else(|| panic!("no {class} in {found:?}"))
}

#[test]
fn the_built_in_model_finds_shapes_where_they_are_in_the_source() {
    let found = demo().session().unwrap().detect(&scene(), &PARAMS).unwrap();
    for (class, truth) in [
        ("circle", [180.0, 220.0, 460.0, 500.0]),
        ("square", [800.0, 220.0, 1040.0, 460.0]),
    ] {
        let object = best(&found, class);
        assert!(overlap(&object.bbox, &truth) > 0.8, "{object:?}");
        assert!(object.confidence > PARAMS.conf);
    }
    assert!(found.is_sorted_by(|a, b| a.confidence >= b.confidence));
}

#[test]
fn parameters_choose_among_what_was_found() {
    let mut session = demo().session().unwrap();
    let mut detect = |params: DetectParams| session.detect(&scene(), &params).unwrap();
    let all = detect(DetectParams {
        conf: 0.01,
        ..PARAMS
    });
    assert!(all.len() > 1, "fewer leave nothing to choose from");
    let one = detect(DetectParams {
        conf: 0.01,
        max_det: 1,
        ..PARAMS
    });
    assert_eq!(one, all[..1]);
    let squares = detect(DetectParams {
        conf: 0.01,
        classes: Some(vec![1]),
        ..PARAMS
    });
    assert!(!squares.is_empty());
    assert!(squares.iter().all(|found| &*found.class_name == "square"));
    // Of one class it takes more, of all others less.
    let unsure = detect(DetectParams {
        conf: 0.01,
        class_conf: BTreeMap::from([(1, 1.0)]),
        ..PARAMS
    });
    let others = all.iter().filter(|found| found.class != 1).cloned();
    assert_eq!(unsure, others.collect::<Vec<_>>());
    assert!(unsure.len() < all.len());
    let less = detect(DetectParams {
        conf: 1.0,
        class_conf: BTreeMap::from([(1, 0.01)]),
        ..PARAMS
    });
    assert_eq!(less, squares);
    // A threshold is not reached by what equals it.
    let strict = detect(DetectParams {
        conf: all[0].confidence,
        ..PARAMS
    });
    assert_eq!(strict, []);
}

#[test]
fn sessions_run_side_by_side_and_agree() {
    let detector = demo();
    let look = || {
        detector
            .session()
            .unwrap()
            .detect(&scene(), &PARAMS)
            .unwrap()
    };
    let found = std::thread::scope(|scope| {
        let lanes = [scope.spawn(look), scope.spawn(look)];
        lanes.map(|lane| lane.join().unwrap())
    });
    assert_eq!(found[0], found[1]);
}

#[test]
fn a_fixed_model_says_what_it_does_not_do() {
    let asked = DetectParams {
        imgsz: Some(1280),
        half: true,
        ..PARAMS
    };
    assert_eq!(
        demo().notices(&asked, |_| true),
        [
            "built-in shapes was exported for 320x320 and keeps that size: \
             imgsz = 1280 has no effect",
            "built-in shapes was exported in single precision and computes in it: half = true has no \
             effect",
        ]
    );
    assert_eq!(
        demo().notices(&asked, |_| false),
        [""; 0],
        "a preset says so"
    );
    assert_eq!(demo().notices(&PARAMS, |_| true), [""; 0]);
}

#[test]
fn a_frame_without_pixels_fails_alone() {
    let mut session = demo().session().unwrap();
    let size = scene().size;
    let gap = Failure::new(Class::Media, "broken frame");
    let unread = frame(size, size, Err(gap.clone()));
    assert_eq!(session.detect(&unread, &PARAMS), Err(gap));
    let empty = frame(size, size, Ok(Content::default()));
    let short = {
        let mut short = scene();
        short.size.height += 1;
        short
    };
    let nothing = {
        let mut nothing = scene();
        nothing.size.width = 0;
        nothing
    };
    for frame in [empty, short, nothing] {
        let failure = session.detect(&frame, &PARAMS).unwrap_err();
        assert_eq!(failure.class, Class::Media);
    }
}

/// A field of a protobuf message.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    assert!(length < 128);
    [&[number << 3 | 2, length], content].concat()
}

/// The built-in model with a metadata entry more; the last entry of a key counts.
fn with_metadata(key: &str, value: &str) -> Vec<u8> {
    let entry = [field(1, key.as_bytes()), field(2, value.as_bytes())].concat();
    [SHAPES, &field(14, &entry)].concat()
}

/// The built-in model with a node more: parts of a message that occur twice are one.
fn with_operator(operator: &str) -> Vec<u8> {
    let node = field(4, operator.as_bytes());
    [SHAPES, &field(7, &field(1, &node))].concat()
}

fn refusal(dir: &TempDir, file: &str) -> String {
    let path = dir.path().join(file);
    let error = Detector::load(&ModelSource::File(path), None, &LoadOptions::default())
        .err()
        .unwrap_or_else(|| panic!("{file} was taken"));
    error
        .to_string()
        .replace(&format!("{}/", dir.path().display()), "")
}

#[test]
fn files_that_are_no_detectors_are_refused_in_one_sentence() {
    let dir = TempDir::new().unwrap();
    let write = |name: &str, content: &[u8]| fs::write(dir.path().join(name), content).unwrap();
    write("text.onnx", b"this is not a model\n");
    write("empty.onnx", b"");
    write("cut.onnx", &SHAPES[..SHAPES.len() / 2]);
    write("segment.onnx", &with_metadata("task", "segment"));
    write("names.onnx", &with_metadata("names", "{0: 'a', 1: 'b'}"));
    write("nms.onnx", &with_operator("NonMaxSuppression"));
    fs::create_dir(dir.path().join("folder.onnx")).unwrap();
    let advice = "`yolo export model=yolo11n.pt format=onnx` makes a detector";
    for (file, expected) in [
        (
            "text.onnx",
            format!("text.onnx is not a whole ONNX model; {advice}"),
        ),
        (
            "empty.onnx",
            format!("empty.onnx is not a whole ONNX model; {advice}"),
        ),
        (
            "cut.onnx",
            format!("cut.onnx is not a whole ONNX model; {advice}"),
        ),
        (
            "segment.onnx",
            format!("segment.onnx is a model for the task `segment`, not `detect`; {advice}"),
        ),
        (
            "names.onnx",
            "names.onnx knows 6 classes, and 2 names are given".to_owned(),
        ),
        (
            "nms.onnx",
            "nms.onnx cannot be loaded with engine = \"rten\": rten gets its operator \
             NonMaxSuppression wrong; export it without nms=True, since vpipe drops overlapping \
             boxes itself, or use engine = \"ort\""
                .to_owned(),
        ),
        (
            "folder.onnx",
            "folder.onnx cannot be read: it is not a plain file".to_owned(),
        ),
        ("none.onnx", "none.onnx does not exist".to_owned()),
    ] {
        assert_eq!(refusal(&dir, file), expected);
    }
}

#[test]
fn a_damaged_model_is_an_error_and_not_a_crash() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("damaged.onnx");
    // The nodes of the graph stand before the weights, so most of these hit an operator.
    for at in (40..20_000).step_by(613) {
        let mut bytes = SHAPES.to_vec();
        bytes[at] ^= 0x15;
        fs::write(&path, &bytes).unwrap();
        let source = ModelSource::File(path.clone());
        if let Ok(detector) = Detector::load(&source, None, &LoadOptions::default()) {
            match detector.session().unwrap().detect(&scene(), &PARAMS) {
                Ok(found) => assert!(found.len() <= PARAMS.max_det),
                Err(failure) => assert_eq!(failure.class, Class::Model),
            }
        }
    }
}

#[test]
fn class_names_can_come_from_a_file() {
    let dir = TempDir::new().unwrap();
    let load = |names: &str| {
        let path = dir.path().join("names.txt");
        fs::write(&path, names).unwrap();
        Detector::load(&ModelSource::Demo, Some(&path), &LoadOptions::default())
    };
    let detector = load("disc\nbox\n\nwedge\nstar\nplus \r\nhoop").unwrap();
    let found = detector
        .session()
        .unwrap()
        .detect(&scene(), &PARAMS)
        .unwrap();
    assert_eq!(best(&found, "disc").class, 0);
    assert_eq!(&*detector.facts().classes[4], "plus");
    assert_eq!(
        load("one\ntwo\n").err().unwrap().to_string(),
        "built-in shapes knows 6 classes, and 2 names are given"
    );
}

#[test]
fn models_are_listed_with_what_they_are_or_why_they_are_of_no_use() {
    let dir = TempDir::new().unwrap();
    let models = dir.path().join("models");
    fs::create_dir(&models).unwrap();
    fs::write(models.join("b.ONNX"), SHAPES).unwrap();
    fs::write(dir.path().join("a.onnx"), "text").unwrap();
    fs::write(dir.path().join("notes.txt"), "text").unwrap();
    let nowhere = dir.path().join("nowhere");
    let found = find_models(&[models, nowhere, dir.path().to_owned()]);
    let name = |source: &ModelSource| match source {
        ModelSource::Demo => "demo".to_owned(),
        ModelSource::File(path) => file_name(path),
    };
    let listed: Vec<_> = found
        .iter()
        .map(|model| (name(&model.source), model.facts.is_ok()))
        .collect();
    let expected = [("demo", true), ("a.onnx", false), ("b.ONNX", true)];
    assert_eq!(listed, expected.map(|(name, fine)| (name.to_owned(), fine)));
    let demo = found[0].facts.as_ref().unwrap();
    let file = found[2].facts.as_ref().unwrap();
    assert!(demo.demo && !file.demo);
    assert_eq!(demo.digest, file.digest);
    assert_eq!(demo.classes.len(), 6);
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// The engines that there are; `.ci/run` brings the library of ONNX Runtime.
fn engines() -> Vec<EngineKind> {
    let has_ort = std::env::var_os("ORT_DYLIB_PATH").is_some();
    let ort = has_ort.then_some(EngineKind::Ort);
    [EngineKind::Rten].into_iter().chain(ort).collect()
}

fn look(source: &ModelSource, engine: EngineKind) -> Vec<Detection> {
    let options = LoadOptions {
        engine,
        ..LoadOptions::default()
    };
    let detector = Detector::load(source, None, &options);
    let detector = detector.unwrap_or_else(|error| panic!("{error}"));
    let mut session = detector.session().unwrap();
    session.detect(&scene(), &PARAMS).unwrap()
}

fn assert_same(ours: &[Detection], theirs: &[Detection], least: f32, apart: f32) {
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(theirs) {
        assert_eq!(ours.class, theirs.class);
        assert!(
            overlap(&ours.bbox, &theirs.bbox) > least,
            "{ours:?}, {theirs:?}"
        );
        assert!(
            (ours.confidence - theirs.confidence).abs() < apart,
            "{ours:?}, {theirs:?}"
        );
    }
}

#[test]
fn all_engines_find_the_same() {
    let rten = look(&ModelSource::Demo, EngineKind::Rten);
    for engine in engines() {
        assert_same(&look(&ModelSource::Demo, engine), &rten, 0.999, 1e-3);
    }
}

#[test]
fn a_model_in_half_precision_runs_on_all_engines() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("half.onnx");
    let halved = onnx::halved(SHAPES);
    assert!(halved.len() < SHAPES.len() * 6 / 10, "{}", halved.len());
    fs::write(&file, halved).unwrap();
    let half = ModelSource::File(file);
    let single = look(&ModelSource::Demo, EngineKind::Rten);
    for engine in engines() {
        // A half has 11 bits: at 320 pixels a step is a quarter of one.
        assert_same(&look(&half, engine), &single, 0.97, 0.01);
    }
    let detector = Detector::load(&half, None, &LoadOptions::default()).unwrap();
    let asked = DetectParams {
        half: true,
        ..PARAMS
    };
    let notices = detector.notices(&asked, |_| true);
    assert_eq!(notices, [""; 0], "it is what was asked for");
}

#[test]
fn a_model_without_names_says_so_and_takes_them_from_a_file() {
    let folder = TempDir::new().unwrap();
    // The built-in model with another key where its names are.
    let key = b"\x0a\x05names";
    let at = SHAPES.windows(key.len()).position(|it| it == key).unwrap();
    let mut content = SHAPES.to_vec();
    content[at..at + key.len()].copy_from_slice(b"\x0a\x05other");
    let model = folder.path().join("nameless.onnx");
    fs::write(&model, content).unwrap();
    let load = |names: Option<&str>| {
        let file = folder.path().join("names");
        if let Some(names) = names {
            fs::write(&file, names).unwrap();
        }
        let file = names.map(|_| file.as_path());
        let source = ModelSource::File(model.clone());
        Detector::load(&source, file, &LoadOptions::default()).map_err(|error| error.to_string())
    };
    let detector = load(None).unwrap();
    let notices = detector.notices(&PARAMS, |_| true);
    let told = notices
        .iter()
        .filter(|it| it.contains("does not name its classes"));
    assert_eq!(told.count(), 1, "{notices:?}");
    assert!(
        notices.iter().any(|it| it.contains("`names` of the stage")),
        "{notices:?}"
    );
    let six = "names:\n  0: a\n  1: b\n  2: c\n  3: d\n  4: e\n  5: f\n";
    for names in [
        "a\nb\nc\nd\ne\nf\n",
        "[\"a\", \"b\", \"c\", \"d\", \"e\", \"f\"]",
        six,
    ] {
        let detector = load(Some(names)).unwrap();
        assert_eq!(detector.facts().classes.join(""), "abcdef", "{names}");
        assert!(
            detector
                .notices(&PARAMS, |_| true)
                .iter()
                .all(|it| !it.contains("name its classes"))
        );
    }
    let error = load(Some("a\nb\n")).map(|_| ()).unwrap_err();
    assert!(
        error.ends_with("knows 6 classes, and 2 names are given"),
        "{error}"
    );
    let error = load(Some("{\"a\": 1}")).map(|_| ()).unwrap_err();
    assert!(error.ends_with("it lists no class names"), "{error}");
}
