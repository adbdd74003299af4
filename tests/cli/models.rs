//! `vpipe run` with a detector that a test writes: the size that frames are fitted to.

use crate::support::onnx::bytes;
use crate::support::onnx::number;
use crate::support::program::vpipe;
use serde_json::Value;
use serde_json::json;
use std::fs;
use std::process::Command;
use tempfile::TempDir;

fn value(name: &str, dims: [Option<u64>; 4]) -> Vec<u8> {
    let dims = dims.into_iter().flatten().map(|dim| match dim {
        0 => bytes(1, bytes(2, b"any")),
        dim => bytes(1, number(1, dim)),
    });
    let shape: Vec<u8> = dims.flatten().collect();
    let tensor = [number(1, 1), bytes(2, &shape)].concat();
    [bytes(1, name.as_bytes()), bytes(2, bytes(1, &tensor))].concat()
}

/// A detector that takes frames of `side`, any where that is 0, and finds one box whatever it sees:
/// 320 by 320 pixels of what it is given, in the upper left. `imgsz` is what it was exported for.
fn detector(side: u64, imgsz: Option<u64>) -> Vec<u8> {
    // x, y, width, height and confidence of eight boxes, as in ONNX's TensorProto of floats.
    let mut boxes = [0_f32; 40];
    for (row, number) in [160.0, 160.0, 320.0, 320.0, 0.9].into_iter().enumerate() {
        boxes[8 * row] = number;
    }
    let boxes: Vec<u8> = boxes.into_iter().flat_map(f32::to_le_bytes).collect();
    let tensor = [
        [number(1, 1), number(1, 5), number(1, 8), number(2, 1)].concat(),
        bytes(8, b"boxes"),
        bytes(9, &boxes),
    ];
    let node = [
        bytes(1, b"boxes"),
        bytes(2, b"output0"),
        bytes(4, b"Identity"),
    ];
    let images = [Some(1), Some(3), Some(side), Some(side)];
    let graph = [
        bytes(1, node.concat()),
        bytes(2, b"boxes"),
        bytes(5, tensor.concat()),
        bytes(11, value("images", images)),
        bytes(12, value("output0", [Some(1), Some(5), Some(8), None])),
    ];
    let entry = |key: &str, value: &str| {
        let entry = [bytes(1, key.as_bytes()), bytes(2, value.as_bytes())].concat();
        bytes(14, &entry)
    };
    let size = imgsz.map(|side| entry("imgsz", &format!("[{side}, {side}]")));
    [
        number(1, 8),
        bytes(7, graph.concat()),
        bytes(8, number(2, 13)),
        entry("names", "{0: 'thing'}"),
        size.unwrap_or_default(),
    ]
    .concat()
}

#[test]
fn models_of_the_working_directory_are_listed_as_recipes_name_them() {
    let folder = TempDir::new().unwrap();
    for name in ["here.onnx", "models/there.onnx", "models/deeper/far.onnx"] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, detector(320, None)).unwrap();
    }
    fs::write(folder.path().join("notes.txt"), "no model").unwrap();
    let said = vpipe(folder.path(), &["models"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    let listed: Vec<&str> = said
        .out
        .lines()
        .filter(|line| line.contains("(thing)"))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let there = format!("models{}there.onnx", std::path::MAIN_SEPARATOR);
    assert_eq!(listed, ["here.onnx", &there]);
}

#[test]
fn a_model_sees_frames_at_the_size_it_was_exported_for_unless_told_otherwise() {
    let folder = TempDir::new().unwrap();
    let made = Command::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            "color=s=320x320:r=1:d=1",
        ])
        .arg(folder.path().join("clip.mp4"))
        .status();
    assert!(made.unwrap().success());
    // Frames have 320 pixels: at a size of 1280 the box is a quarter of that.
    for (side, imgsz, set, seen, message) in [
        (0, Some(320), None, 320, None),
        (0, None, None, 1280, None),
        (
            0,
            Some(320),
            Some(1280),
            1280,
            Some("model.onnx was exported for 320 px, and imgsz = 1280"),
        ),
        (320, None, None, 320, None),
        (
            320,
            None,
            Some(1280),
            320,
            Some("model.onnx was exported for 320x320 and keeps that size: imgsz = 1280"),
        ),
    ] {
        fs::write(folder.path().join("model.onnx"), detector(side, imgsz)).unwrap();
        let set = set.map(|set| format!("yolo.imgsz={set}"));
        let mut words = vec![
            "run",
            "default",
            "clip.mp4",
            "--set",
            "yolo.model=model.onnx",
        ];
        words.extend(set.iter().flat_map(|set| ["--set", set.as_str()]));
        let said = vpipe(folder.path(), &words);
        assert_eq!(said.code, 0, "{}", said.talk);
        let results = fs::read(folder.path().join("output/clip_results.json")).unwrap();
        let results: Value = serde_json::from_slice(&results).unwrap();
        assert_eq!(results["config"]["yolo_imgsz"], seen);
        let edge = f64::from(320 * 320 / seen);
        let found = &results["detections"][0]["detections"][0]["bbox"];
        assert_eq!(found, &json!([0.0, 0.0, edge, edge]), "{side} {imgsz:?}");
        let told = said
            .talk
            .lines()
            .filter(|line| line.contains("imgsz"))
            .count();
        assert_eq!(told, usize::from(message.is_some()), "{}", said.talk);
        assert!(
            said.talk.contains(message.unwrap_or_default()),
            "{}",
            said.talk
        );
    }
}
