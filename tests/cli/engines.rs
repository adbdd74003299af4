//! Which engine computes: ONNX Runtime where there is one, and what is said of it.

use crate::support::program::Said;
use crate::support::program::vpipe_with;
use crate::support::repository::CLIP;
use serde_json::Value;
use std::env::consts::DLL_PREFIX;
use std::env::consts::DLL_SUFFIX;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const AUTO: (&str, &str) = ("VPIPE_ENGINE", "auto");

/// A run over the first two seconds of the demo clip, and the results.
fn run(folder: &Path, recipe: &str, words: &[&str], variables: &[(&str, &str)]) -> (Said, Value) {
    let run = ["run", recipe, CLIP, "--first", "2s"];
    let said = vpipe_with(folder, &[&run, words].concat(), variables);
    let results = fs::read(folder.join("output/clip_results.json"));
    let results = results.map_or(Value::Null, |it| serde_json::from_slice(&it).unwrap());
    (said, results)
}

/// What computed the frames.
fn engine(results: &Value) -> &str {
    results["run"]["engines"]["yolo"]["name"]
        .as_str()
        .unwrap_or_default()
}

// `.ci/run` brings the library; without one, its tests pass without a look.
fn library() -> Option<String> {
    std::env::var("ORT_DYLIB_PATH").ok()
}

#[test]
fn a_library_that_cannot_be_opened_is_told_and_rten_is_taken() {
    let folder = TempDir::new().unwrap();
    let library = folder.path().join("broken");
    fs::write(&library, "no library").unwrap();
    let named = ("ORT_DYLIB_PATH", library.to_str().unwrap());
    let (said, results) = run(folder.path(), "default", &[], &[AUTO, named]);
    assert_eq!(said.code, 0, "{}", said.talk);
    assert_eq!(engine(&results), "rten");
    let told = "models on this machine run on rten: ONNX Runtime could not be opened";
    assert_eq!(said.talk.matches(told).count(), 1, "{}", said.talk);

    // Nobody asked for it.
    let (said, _) = run(
        folder.path(),
        "default",
        &["--fresh"],
        &[("VPIPE_ENGINE", "rten"), named],
    );
    assert_eq!(said.code, 0, "{}", said.talk);
    assert!(!said.talk.contains("ONNX Runtime"), "{}", said.talk);

    let (said, _) = run(
        folder.path(),
        "default",
        &[],
        &[("VPIPE_ENGINE", "ort"), named],
    );
    assert_eq!(said.code, 3, "{}", said.talk);
    assert!(said.talk.contains("could not be opened"), "{}", said.talk);
    assert!(said.talk.contains("set ORT_DYLIB_PATH"), "{}", said.talk);
}

#[test]
fn a_recipe_that_says_rten_gets_it() {
    let folder = TempDir::new().unwrap();
    let recipe = "version = 1\nextends = \"default\"\n[backends.cpu]\nkind = \"local\"\n\
                  engine = \"rten\"\n[stages.yolo]\nbackend = \"cpu\"\n[stages.whisper]\n\
                  enabled = false\n";
    fs::write(folder.path().join("r.toml"), recipe).unwrap();
    let (said, results) = run(folder.path(), "r.toml", &[], &[("VPIPE_ENGINE", "ort")]);
    assert_eq!(said.code, 0, "{}", said.talk);
    assert_eq!(engine(&results), "rten");
    assert!(!said.talk.contains("ONNX Runtime"), "{}", said.talk);
}

#[test]
fn no_library_is_taken_from_the_working_directory_or_from_beside_a_recipe() {
    let folder = TempDir::new().unwrap();
    let recipes = folder.path().join("recipes");
    fs::create_dir(&recipes).unwrap();
    fs::write(
        recipes.join("r.toml"),
        "version = 1\nextends = \"default\"\n",
    )
    .unwrap();
    for place in [folder.path(), &recipes] {
        for suffix in [DLL_SUFFIX.to_owned(), format!("{DLL_SUFFIX}.1.99.0")] {
            let library = place.join(format!("{DLL_PREFIX}onnxruntime{suffix}"));
            fs::write(library, "no library").unwrap();
        }
    }
    fs::write(
        folder.path().join(".env"),
        "ORT_DYLIB_PATH=recipes/libonnxruntime.so\n",
    )
    .unwrap();
    let words = ["check", "recipes/r.toml"];
    let nowhere = [
        AUTO,
        ("ORT_DYLIB_PATH", ""),
        ("VIRTUAL_ENV", "."),
        ("PATH", "."),
    ];
    let said = vpipe_with(folder.path(), &words, &nowhere);
    assert_eq!(said.code, 0, "{}", said.talk);
    for text in [&said.out, &said.talk] {
        assert!(!text.contains("could not be opened"), "{text}");
    }
    let said = vpipe_with(folder.path(), &["doctor"], &nowhere);
    assert!(!said.out.contains("could not be opened"), "{}", said.out);
}

#[test]
fn an_engine_that_there_is_not_is_a_mistake() {
    let folder = TempDir::new().unwrap();
    let (said, _) = run(folder.path(), "default", &[], &[("VPIPE_ENGINE", "tract")]);
    assert_eq!(said.code, 2, "{}", said.talk);
    assert!(
        said.talk.contains("VPIPE_ENGINE names no engine"),
        "{}",
        said.talk
    );
    assert!(
        said.talk.contains("`auto`, `rten` or `ort`"),
        "{}",
        said.talk
    );
}

#[test]
fn a_device_that_there_is_not_is_a_mistake() {
    let folder = TempDir::new().unwrap();
    let (said, _) = run(folder.path(), "default", &["--device", "gpu"], &[]);
    assert_eq!(said.code, 2, "{}", said.talk);
    assert!(said.talk.contains("cuda:0, tensorrt:0"), "{}", said.talk);

    // The tests say `rten`.
    let (said, _) = run(folder.path(), "default", &["--device", "cuda:1"], &[]);
    assert_eq!(said.code, 2, "{}", said.talk);
    let told = "rten computes on the CPU alone, not on cuda:1";
    assert!(said.talk.contains(told), "{}", said.talk);

    let (said, results) = run(folder.path(), "default", &["--device", "cpu"], &[]);
    assert_eq!(said.code, 0, "{}", said.talk);
    let engine = &results["run"]["engines"]["yolo"];
    assert_eq!(engine["device"], "cpu", "{engine}");
}

/// One message with what to install, and no run on the CPU in its place.
fn assert_is_not_had(said: &Said, device: &str, package: &str) {
    assert_eq!(said.code, 3, "{}", said.talk);
    let talk: Vec<&str> = said.talk.split_whitespace().collect();
    let talk = talk.join(" ");
    let told = format!("models cannot be computed on {device}: ");
    assert_eq!(talk.matches(&told).count(), 1, "{talk}");
    assert!(talk.contains(&format!("pip install {package}")), "{talk}");
    assert!(talk.contains("ORT_DYLIB_PATH"), "{talk}");
}

const PACKAGES: [(&str, &str); 4] = [
    ("cuda:0", "onnxruntime-gpu"),
    ("tensorrt:0", "onnxruntime-gpu tensorrt"),
    ("openvino", "onnxruntime-openvino"),
    ("directml", "onnxruntime-directml"),
];

#[test]
fn a_device_without_onnx_runtime_is_told_with_what_to_install() {
    let folder = TempDir::new().unwrap();
    let library = folder.path().join("broken");
    fs::write(&library, "no library").unwrap();
    let named = ("ORT_DYLIB_PATH", library.to_str().unwrap());
    for (device, package) in PACKAGES {
        for verb in ["run", "plan"] {
            let words = [verb, "default", CLIP, "--device", device];
            let said = vpipe_with(folder.path(), &words, &[AUTO, named]);
            assert_is_not_had(&said, device, package);
        }
    }
}

#[test]
fn a_device_that_onnx_runtime_was_not_built_for_is_told_with_what_to_install() {
    if library().is_none() {
        return;
    }
    let folder = TempDir::new().unwrap();
    // The library of `.ci/run` is built for the CPU.
    for (device, package) in PACKAGES {
        let (said, _) = run(folder.path(), "default", &["--device", device], &[AUTO]);
        assert_is_not_had(&said, device, package);
        assert!(said.talk.contains("built without it"), "{}", said.talk);
        assert!(!folder.path().join("output").exists());
    }
}

#[test]
fn onnx_runtime_is_taken_where_it_is_and_finds_the_same() {
    let Some(library) = library() else { return };
    let folder = TempDir::new().unwrap();
    let (ours, theirs) = (folder.path().join("rten"), folder.path().join("ort"));
    for folder in [&ours, &theirs] {
        fs::create_dir(folder).unwrap();
    }
    let (said, results) = run(&theirs, "default", &[], &[AUTO]);
    assert_eq!(said.code, 0, "{}", said.talk);
    assert_eq!(engine(&results), "ort");
    let told = said
        .talk
        .matches("models on this machine run on ONNX Runtime 1.");
    assert_eq!(told.count(), 1, "{}", said.talk);
    let talk: String = said.talk.split_whitespace().collect();
    let path: String = library.split_whitespace().collect();
    assert!(talk.contains(&path), "{}", said.talk);
    let (said, results) = run(&ours, "default", &[], &[]);
    assert_eq!(said.code, 0, "{}", said.talk);
    assert_eq!(engine(&results), "rten");

    let name = "output/clip_results.json";
    let files = [ours.join(name), theirs.join(name)];
    let files = files.each_ref().map(|file| file.to_str().unwrap());
    let words = ["compare", files[0], files[1]];
    let said = vpipe_with(folder.path(), &words, &[]);
    assert_eq!(said.code, 0, "{}", said.out);

    // What one has found the other need not look for again.
    let (said, results) = run(&theirs, "default", &["-v"], &[]);
    assert_eq!(said.code, 0, "{}", said.talk);
    assert_eq!(engine(&results), "rten");
    assert!(
        said.talk.contains("2 answers are known already"),
        "{}",
        said.talk
    );
}
