//! Models of a stranger: each ends the run in one message with the stage and the model named, in
//! little memory and at once.

use crate::support::onnx::branch;
use crate::support::onnx::bytes;
use crate::support::onnx::graph;
use crate::support::onnx::int;
use crate::support::onnx::model;
use crate::support::onnx::node;
use crate::support::onnx::number;
use crate::support::onnx::port;
use crate::support::onnx::tensor;
use crate::support::onnx::whole;
use crate::support::process::Watched;
use crate::support::process::watch;
use crate::support::program::quiet_environment;
use crate::support::repository::ROOT;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// The most memory, in MB, of a run with a small model: what it may ask for is less, and what it may
/// not is not there.
const MOST: u64 = 400;

const RECIPE: &str = "version = 1\n[backends.own]\nkind = \"local\"\nengine = \"ENGINE\"\n\
                      [stages.extract]\n[stages.yolo]\ninputs = [\"extract\"]\nbackend = \"own\"\n\
                      model = \"m.onnx\"\n[stages.merge]\ninputs = [\"yolo\"]\n";

fn run(folder: &Path) -> Watched {
    run_with("rten", folder)
}

fn run_with(engine: &str, folder: &Path) -> Watched {
    fs::write(folder.join("r.toml"), RECIPE.replace("ENGINE", engine)).unwrap();
    let clip = Path::new(ROOT).join("tests/demo/clip.mp4");
    let mut command = Command::new(env!("CARGO_BIN_EXE_vpipe"));
    quiet_environment(&mut command);
    command
        .current_dir(folder)
        .args(["run", "r.toml"])
        .arg(clip);
    command.args(["--first", "1s"]);
    watch(&mut command, Duration::from_secs(120))
}

/// What is wrong with how a run went.
fn harm(went: &Watched, told: &str) -> Vec<String> {
    let mut harm = Vec::new();
    let mut must = |holds: bool, what: String| {
        if !holds {
            harm.push(what);
        }
    };
    let words: Vec<&str> = went
        .talk
        .split_whitespace()
        .filter(|it| *it != "│")
        .collect();
    let talk = words.join(" ");
    must(
        went.status.code() == Some(3),
        format!("ended with {}", went.status),
    );
    must(talk.contains(told), format!("did not tell `{told}`"));
    // The stage and the model, once.
    let named = ["is", "has", "cannot", "could"].map(|verb| format!("yolo: m.onnx {verb} "));
    let told = named.iter().map(|named| talk.matches(named).count());
    must(
        told.sum::<usize>() == 1,
        "did not name the stage and the model once".to_owned(),
    );
    must(!talk.contains("panicked"), "panicked".to_owned());
    must(went.megabytes < MOST, format!("took {} MB", went.megabytes));
    if !harm.is_empty() {
        harm.push(went.talk.clone());
    }
    harm
}

/// Operators from a frame to more than there is room for.
fn growing() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let mut doubling = vec![node("Identity", &["images"], "x0", &[])];
    for turn in 0..30 {
        let (from, to) = (format!("x{turn}"), format!("x{}", turn + 1));
        doubling.push(node("Concat", &[&from, &from], &to, &[int("axis", 0)]));
    }
    doubling.push(node("Identity", &["x30"], "out", &[]));
    let scales = [1.0_f32, 1.0, 1000.0, 1000.0]
        .map(f32::to_le_bytes)
        .concat();
    vec![
        (
            "expand",
            vec![
                whole("shape", &[1_000_000, 3, 64, 64]),
                node("Expand", &["images", "shape"], "out", &[]),
            ],
        ),
        (
            "tile",
            vec![
                whole("repeats", &[1000, 1000, 1, 1]),
                node("Tile", &["images", "repeats"], "out", &[]),
            ],
        ),
        (
            "pad",
            vec![
                whole("pads", &[0, 0, 0, 0, 0, 0, 60_000, 60_000]),
                node("Pad", &["images", "pads"], "out", &[]),
            ],
        ),
        (
            "resize",
            vec![
                bytes(5, tensor("scales", &[4], 1, &scales)),
                node("Resize", &["images", "", "scales"], "out", &[]),
            ],
        ),
        (
            "outer product",
            vec![
                whole("column", &[12_288, 1]),
                whole("row", &[1, 12_288]),
                node("Reshape", &["images", "column"], "a", &[]),
                node("Reshape", &["images", "row"], "b", &[]),
                node("MatMul", &["a", "b"], "out", &[]),
            ],
        ),
        (
            "constant",
            vec![
                whole("shape", &[100_000, 125_000]),
                node("ConstantOfShape", &["shape"], "ones", &[]),
                node("Add", &["ones", "images"], "out", &[]),
            ],
        ),
        (
            "range",
            vec![
                bytes(5, tensor("start", &[], 7, &0_i64.to_le_bytes())),
                bytes(5, tensor("end", &[], 7, &2_000_000_000_i64.to_le_bytes())),
                bytes(5, tensor("step", &[], 7, &1_i64.to_le_bytes())),
                node("Range", &["start", "end", "step"], "many", &[]),
                node("Add", &["many", "images"], "out", &[]),
            ],
        ),
        ("doubling", doubling),
    ]
}

/// A branch within a branch, so many times.
fn nested(depth: usize) -> Vec<u8> {
    let inner = |output: &str| {
        let out = port(12, output, &[]);
        [node("Identity", &["images"], output, &[]), out].concat()
    };
    let mut branches = inner("b");
    for _ in 0..depth {
        let then = branch("then_branch", &branches);
        let other = branch("else_branch", &inner("b"));
        let taken = node("If", &["is"], "b", &[then, other]);
        branches = [taken, port(12, "b", &[])].concat();
    }
    branches
}

/// Models that are refused by what they are made of.
fn refused() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let relu = node("Relu", &["images"], "out", &[]);
    let looped = |operator| {
        let body = branch("body", &graph(std::slice::from_ref(&relu)));
        let trips = whole("trips", &[i64::MAX]);
        let node = node(operator, &["trips", "", "images"], "out", &[body]);
        model(&graph(&[trips, node]), &[])
    };
    let weights = |weights: Vec<u8>| {
        let conv = node("Conv", &["images", "w"], "out", &[]);
        model(&graph(&[bytes(5, weights), conv]), &[])
    };
    let entry = |key: &str, value: &str| bytes(13, [bytes(1, key), bytes(2, value)].concat());
    let elsewhere = [
        number(1, 4),
        number(2, 1),
        bytes(8, "w"),
        entry("location", "/etc/passwd"),
        number(14, 1),
    ]
    .concat();
    let mut types = bytes(1, number(1, 1));
    for _ in 0..20 {
        types = bytes(4, bytes(1, types));
    }
    let typed = bytes(13, [bytes(1, "t"), bytes(2, types)].concat());
    let mut many = relu.repeat(50_000);
    many.extend(node("Relu", &["images"], "out", &[]));
    let plain = graph(std::slice::from_ref(&relu));
    let large = tensor("w", &[1_000_000, 3, 1000, 1000], 1, &[0; 4]);
    let beyond = tensor("w", &[u64::MAX, u64::MAX], 1, &[0; 4]);
    vec![
        (
            "loop",
            looped("Loop"),
            "has the operator Loop, which may never end",
        ),
        (
            "scan",
            looped("Scan"),
            "has the operator Scan, which may never end",
        ),
        (
            "nested",
            model(&graph(&[nested(1000)]), &[]),
            "has more than 8 graphs within each other",
        ),
        (
            "functions",
            model(&plain, &bytes(25, bytes(1, "f"))),
            "has functions of its own",
        ),
        (
            "sparse weights",
            model(&graph(&[bytes(15, []), relu]), &[]),
            "has sparse weights",
        ),
        (
            "weights that are not there",
            weights(large),
            "has weights `w` whose shape takes 12000000000000 bytes, of which 4 are there",
        ),
        (
            "a shape beyond counting",
            weights(beyond),
            "has weights `w` of a shape beyond counting",
        ),
        (
            "another file",
            weights(elsewhere),
            "its weights lie in another file, /etc/passwd, which is not read",
        ),
        (
            "types",
            model(&[plain.clone(), typed].concat(), &[]),
            "has more than 8 types within each other",
        ),
        (
            "many operators",
            model(&graph(&[many]), &[]),
            "has more than 50000 operators",
        ),
        (
            "not a model",
            b"\x00\x00".to_vec(),
            "is not a whole ONNX model",
        ),
    ]
}

#[test]
fn a_model_of_a_stranger_ends_in_one_message() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("m.onnx");
    let mut done = String::new();
    let mut tell = |name: &str, harm: Vec<String>| {
        if !harm.is_empty() {
            done += &format!("\n{name}:\n  {}\n", harm.join("\n  "));
        }
    };
    for (name, content, told) in refused() {
        fs::write(&path, content).unwrap();
        tell(name, harm(&run(folder.path()), told));
    }
    for (name, parts) in growing() {
        fs::write(&path, model(&graph(&parts), &[])).unwrap();
        tell(name, harm(&run(folder.path()), "MB of memory"));
    }
    assert!(done.is_empty(), "{done}");
}

/// The same models that grow. Memory is charged at the same place, but ONNX Runtime refuses some of
/// these by itself, in its own words.
#[test]
fn a_model_of_a_stranger_ends_in_one_message_with_onnx_runtime() {
    if std::env::var_os("ORT_DYLIB_PATH").is_none() {
        eprintln!("skipped: ORT_DYLIB_PATH is not set");
        return;
    }
    let folder = TempDir::new().unwrap();
    let mut done = String::new();
    for (name, parts) in growing() {
        fs::write(folder.path().join("m.onnx"), model(&graph(&parts), &[])).unwrap();
        let harm = harm(&run_with("ort", folder.path()), "");
        if !harm.is_empty() {
            done += &format!("\n{name}:\n  {}\n", harm.join("\n  "));
        }
    }
    assert!(done.is_empty(), "{done}");
}

#[test]
fn a_hole_is_not_read_as_a_model() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("m.onnx");
    let mut done = String::new();
    // Two thousand megabytes of nothing.
    for (name, begin) in [
        ("hole", Vec::new()),
        (
            "hole in a graph",
            [number(1, 8), vec![0x3a, 0xf0, 0xff, 0xff, 0xff, 0x07]].concat(),
        ),
    ] {
        fs::write(&path, begin).unwrap();
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_len((1 << 31) - 8).unwrap();
        let went = run(folder.path());
        let harm = harm(&went, "is not a whole ONNX model");
        if !harm.is_empty() {
            done += &format!("\n{name}:\n  {}\n", harm.join("\n  "));
        }
        assert!(went.megabytes < 150, "{name}: {} MB", went.megabytes);
    }
    assert!(done.is_empty(), "{done}");
}

/// As many operators as are taken, each on what the one before it gives: engines go through them by
/// recursion.
#[test]
fn a_long_chain_of_operators_is_run() {
    let mut chain = vec![node("Relu", &["images"], "x0", &[])];
    for turn in 0..49_000 {
        let (from, to) = (format!("x{turn}"), format!("x{}", turn + 1));
        chain.push(node("Relu", &[&from], &to, &[]));
    }
    chain.push(node("Relu", &["x49000"], "out", &[]));
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("m.onnx"), model(&graph(&chain), &[])).unwrap();
    let went = run(folder.path());
    // It is no detector, and nothing else is wrong with it.
    let harm = harm(&went, "could not be run: it");
    assert!(harm.is_empty(), "{harm:#?}");
}

/// However many stages name a model, and in whatever way, it is read and loaded once: each would take
/// 1.7 MB of detector, or 8 MB of speech model.
#[test]
fn a_model_of_many_stages_is_loaded_once() {
    let folder = TempDir::new().unwrap();
    let models = Path::new(ROOT).join("src/backends/models/demo");
    let models = models.display();
    let mut recipe = "version = 1\n[stages.extract]\n".to_owned();
    for number in 0..600 {
        let way = "/.".repeat(number % 3);
        let (kind, model) = match number % 4 {
            0 => ("whisper", "voice"),
            _ => ("yolo", "shapes.onnx"),
        };
        recipe += &format!(
            "[stages.s{number}]\nkind = \"{kind}\"\ninputs = [\"extract\"]\n\
             model = '{models}{way}/{model}'\n"
        );
    }
    let all: Vec<String> = (0..600).map(|number| format!("s{number}")).collect();
    recipe += &format!("[stages.merge]\ninputs = {all:?}\n");
    fs::write(folder.path().join("r.toml"), recipe).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_vpipe"));
    quiet_environment(&mut command);
    command.current_dir(folder.path()).args(["check", "r.toml"]);
    let went = watch(&mut command, Duration::from_secs(120));
    assert!(went.status.success(), "{}", went.talk);
    assert!(went.megabytes < 250, "{} MB", went.megabytes);
}
