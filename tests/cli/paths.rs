//! Files that a recipe names: found from its folder wherever the program is started, and told of as
//! the recipe writes them.

use crate::support::program::Said;
use crate::support::program::vpipe;
use crate::support::program::vpipe_with;
use crate::support::repository::CLIP;
use crate::support::repository::ROOT;
use serde_json::Value;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const BASE: &str = r#"
version = 1
extends = "default"

[vars]
dir = "weights"

[stages.extract]
start = 8.0

[stages.yolo]
model = "weights/m.onnx"
names = "names.txt"
"#;

const NAMES: &str = "one\ntwo\nthree\nfour\nfive\nsix\n";

const MINE: &str = "version = 1\nextends = \"base/base.toml\"\n";

/// A recipe that extends one in a folder below, with the model and the names of its classes there.
fn project() -> TempDir {
    let folder = TempDir::new().unwrap();
    let put = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    put("recipes/base/base.toml", BASE);
    put("recipes/base/names.txt", NAMES);
    put("recipes/mine.toml", MINE);
    put("recipes/base/weights/readme.txt", "");
    put("elsewhere/readme.txt", "");
    let model = Path::new(ROOT).join("src/backends/models/demo/shapes.onnx");
    let there = folder.path().join("recipes/base/weights/m.onnx");
    fs::copy(model, there).unwrap();
    folder
}

/// What `recipe` gives where the program is started in `folder`, without what differs between two
/// runs.
fn results(folder: &Path, recipe: &str, more: &[&str]) -> Value {
    let words = [
        &["run", recipe, CLIP, "--fresh", "--without", "whisper"],
        more,
    ]
    .concat();
    let said = vpipe(folder, &words);
    assert_eq!(said.code, 0, "{}", said.talk);
    let file = folder.join("output/clip_results.json");
    let mut results: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let fields = results.as_object_mut().unwrap();
    for varying in ["processed_at", "processing_time", "run"] {
        fields.remove(varying).unwrap();
    }
    results
}

#[test]
fn a_model_is_found_from_the_folder_of_the_recipe_that_names_it() {
    let project = project();
    let root = project.path();
    let one = results(root, "recipes/mine.toml", &[]);
    assert_eq!(one["models"]["yolo"]["model"], "weights/m.onnx");
    let found = &one["detections"][1]["detections"][0];
    let class = found["class"].as_u64().unwrap() as usize;
    assert_eq!(found["class_name"], NAMES.lines().nth(class).unwrap());
    for (folder, recipe) in [
        ("recipes", "mine.toml"),
        ("recipes/base", "../mine.toml"),
        ("elsewhere", "../recipes/mine.toml"),
    ] {
        assert_eq!(results(&root.join(folder), recipe, &[]), one, "{folder}");
    }
    // Another layer that says the key names it from its own folder.
    let own = format!("{MINE}[stages.yolo]\nmodel = \"base/weights/m.onnx\"\n");
    fs::write(root.join("recipes/own.toml"), own).unwrap();
    let own = results(root, "recipes/own.toml", &[]);
    assert_eq!(own["models"]["yolo"]["model"], "base/weights/m.onnx");
    assert_eq!(own["detections"], one["detections"]);
}

#[test]
fn what_the_command_line_names_is_found_from_the_working_directory() {
    let project = project();
    let (root, base) = (project.path(), project.path().join("recipes/base"));
    fs::rename(base.join("weights/m.onnx"), root.join("other.onnx")).unwrap();
    let set = ["--set", "yolo.model=other.onnx"];
    let given = results(root, "recipes/mine.toml", &set);
    assert_eq!(given["models"]["yolo"]["model"], "other.onnx");
    // A value that is a variable and nothing else is where the variable was given.
    let text = BASE.replace("\"weights/m.onnx\"", "\"{{ vars.dir }}\"");
    fs::write(base.join("base.toml"), text).unwrap();
    let var = ["--var", "dir=other.onnx"];
    let varied = results(root, "recipes/mine.toml", &var);
    assert_eq!(varied["detections"], given["detections"]);
    // One that is more belongs to the recipe.
    let text = BASE.replace("\"weights/m.onnx\"", "\"{{ vars.dir }}/m.onnx\"");
    fs::write(base.join("base.toml"), text).unwrap();
    let said = check_run(root, &["--var", "dir=up"]);
    assert!(
        said.talk.contains("up/m.onnx does not exist"),
        "{}",
        said.talk
    );
}

/// A run of the recipe, which does not come to anything.
fn check_run(folder: &Path, more: &[&str]) -> Said {
    let said = vpipe(
        folder,
        &[&["run", "recipes/mine.toml", CLIP], more].concat(),
    );
    assert_ne!(said.code, 0, "{}", said.talk);
    Said {
        talk: said.talk.replace('\\', "/"),
        ..said
    }
}

#[test]
fn a_file_that_is_not_there_is_told_by_the_path_that_was_tried() {
    let project = project();
    let root = project.path();
    fs::remove_file(root.join("recipes/base/weights/m.onnx")).unwrap();
    let said = check_run(root, &[]);
    let tried = "recipes/base/weights/m.onnx does not exist";
    assert!(said.talk.contains(tried), "{}", said.talk);
    let said = check_run(root, &["--set", "yolo.model=gone.onnx"]);
    assert!(
        said.talk.contains(": gone.onnx does not exist"),
        "{}",
        said.talk
    );
    let said = check_run(
        root,
        &[
            "--set",
            "whisper.backend=local",
            "--set",
            "whisper.model=voice",
            "--without",
            "yolo",
        ],
    );
    assert!(
        said.talk.contains(": voice does not exist"),
        "{}",
        said.talk
    );
}

#[test]
fn a_tilde_is_the_home_folder() {
    let project = project();
    let (root, home) = (project.path(), TempDir::new().unwrap());
    fs::rename(
        root.join("recipes/base/weights/m.onnx"),
        home.path().join("m.onnx"),
    )
    .unwrap();
    let text = BASE.replace("weights/m.onnx", "~/m.onnx");
    fs::write(home.path().join("base.toml"), text).unwrap();
    fs::write(home.path().join("names.txt"), "a\nb\nc\nd\ne\nf\n").unwrap();
    let text = MINE.replace("base/base.toml", "~/base.toml");
    fs::write(root.join("recipes/mine.toml"), text).unwrap();
    let at_home = home.path().to_str().unwrap();
    // The one is Unix's word, the other that of Windows.
    let variables = [("HOME", at_home), ("USERPROFILE", at_home)];
    let words = [
        "run",
        "recipes/mine.toml",
        CLIP,
        "--without",
        "whisper",
        "--record",
        "cassette",
    ];
    let said = vpipe_with(root, &words, &variables);
    assert_eq!(said.code, 0, "{}", said.talk);
    let file = root.join("output/clip_results.json");
    let results: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    assert_eq!(results["models"]["yolo"]["model"], "~/m.onnx");
    let shown = vpipe_with(root, &["show", "recipes/mine.toml"], &variables);
    assert!(shown.out.contains("model = \"~/m.onnx\""), "{}", shown.out);
    // What is recorded holds no path of a machine, and its replay needs no model.
    for file in fs::read_dir(root.join("cassette")).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        for path in [at_home, root.to_str().unwrap()] {
            assert!(!text.contains(&path.replace('\\', "\\\\")), "{text}");
        }
    }
    fs::remove_file(home.path().join("m.onnx")).unwrap();
    let words = [&words[..5], &["--replay", "../cassette"]].concat();
    let words: Vec<&str> = words
        .into_iter()
        .map(|word| word.strip_prefix("recipes/").unwrap_or(word))
        .collect();
    let said = vpipe_with(&root.join("recipes"), &words, &variables);
    assert_eq!(said.code, 0, "{}", said.talk);
    let file = root.join("recipes/output/clip_results.json");
    let replayed: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    assert_eq!(replayed["detections"], results["detections"]);
    assert_eq!(replayed["models"], results["models"]);
}

#[test]
fn a_recipe_is_shown_with_paths_from_where_it_is_shown() {
    let project = project();
    let root = project.path();
    let said = vpipe(root, &["show", "recipes/mine.toml", "--origins"]);
    let shown = said.out.replace("\\\\", "/").replace('\\', "/");
    for line in [
        "model = \"recipes/base/weights/m.onnx\"",
        "# recipes/base/base.toml:12",
    ] {
        assert!(shown.contains(line), "{shown}");
    }
    // What is shown does the same, lying there.
    let said = vpipe(root, &["show", "recipes/mine.toml"]);
    fs::write(root.join("flat.toml"), said.out).unwrap();
    let one = results(root, "recipes/mine.toml", &[]);
    let flat = results(root, "flat.toml", &[]);
    assert_eq!(flat["detections"], one["detections"]);
    // What a server calls its model is no path.
    let servers = "[backends.pods]\nkind = \"runpod\"\n[stages.yolo]\nbackend = \"pods\"\n\
                   model = \"v8\"\n[stages.whisper]\nmodel = \"large-v3\"\n";
    fs::write(root.join("recipes/served.toml"), format!("{MINE}{servers}")).unwrap();
    let said = vpipe(root, &["show", "recipes/served.toml"]);
    for line in ["model = \"v8\"", "model = \"large-v3\""] {
        assert!(said.out.contains(line), "{}", said.out);
    }
}

#[test]
fn a_test_finds_models_from_its_own_folder() {
    let project = project();
    let root = project.path();
    fs::copy(CLIP, root.join("recipes/clip.mp4")).unwrap();
    let test = "recipe = \"mine.toml\"\ninputs = [\"clip.mp4\"]\nset = [\"whisper.enabled=false\", \
                \"yolo.model=base/weights/m.onnx\"]\n";
    fs::write(root.join("recipes/paths.test.toml"), test).unwrap();
    let said = vpipe(root, &["test", "recipes/paths.test.toml", "--record"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    for folder in ["", "recipes", "elsewhere"] {
        let from = root.join(folder);
        let path = match folder {
            "" => "recipes/paths.test.toml",
            "recipes" => "paths.test.toml",
            _ => "../recipes/paths.test.toml",
        };
        let said = vpipe(&from, &["test", path]);
        assert_eq!(said.code, 0, "{folder}: {}{}", said.out, said.talk);
    }
}
