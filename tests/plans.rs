//! Plans as data: what every recipe of this repository compiles to, here and at a server.
//!
//! The machine is one of four cores, whatever this one is.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod repository;

use insta::Settings;
use insta::assert_snapshot;
use repository::ROOT;
use repository::Repository;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use vpipe::facts::Facts;
use vpipe::facts::LocalFacts;
use vpipe::facts::ModelFacts;
use vpipe::facts::Placement;
use vpipe::facts::RemoteFacts;
use vpipe::name::StageId;
use vpipe::plan;
use vpipe::plan::Format;
use vpipe::plan::Plan;
use vpipe::plan::Tuning;
use vpipe::recipe;
use vpipe::recipe::Recipe;
use vpipe::recipe::Request;
use vpipe::recipe::StageSpec;

#[test]
fn every_preset_has_its_plan() {
    for path in files("recipes") {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        snapshot(&format!("plan@{name}"), &drawn(&load(&name)));
    }
}

#[test]
fn every_example_has_its_plan() {
    for path in files("recipes/examples") {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let recipe = load(&format!("recipes/examples/{name}.toml"));
        snapshot(&format!("plan@example-{name}"), &drawn(&recipe));
    }
}

#[test]
fn every_good_recipe_has_its_plan() {
    for path in files("tests/recipes/good") {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        // Its command line is tried in `tests/recipes.rs`.
        let recipe = load(&format!("tests/recipes/good/{name}.toml"));
        snapshot(&format!("plan@good-{name}"), &drawn(&recipe));
    }
}

#[test]
fn a_plan_can_be_drawn_for_pages_and_tools() {
    let recipe = load("default");
    let plan = compile(&recipe, &there).unwrap();
    snapshot("graph@mermaid", &plan.draw(Format::Mermaid));
    snapshot("graph@dot", &plan.draw(Format::Dot));
}

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(Path::new(ROOT).join(folder)).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "toml")
    });
    files.sort();
    files
}

fn load(name: &str) -> Recipe {
    let request = Request {
        recipe: name.to_owned(),
        ..Request::default()
    };
    recipe::load(&request, &Repository).unwrap()
}

fn drawn(recipe: &Recipe) -> String {
    let on = |place: &dyn Fn(&StageId) -> Placement| match compile(recipe, place) {
        Ok(plan) => plan.draw(Format::Text),
        Err(why) => format!("{why}\n"),
    };
    format!(
        "on this machine\n{}\nat a server\n{}",
        on(&here),
        on(&there)
    )
}

fn compile(recipe: &Recipe, place: &dyn Fn(&StageId) -> Placement) -> Result<Plan, String> {
    let placements = recipe.stages.iter().filter_map(|stage| match &stage.spec {
        // Always at a server, whatever the others do.
        StageSpec::Http(_) => Some((stage.id.clone(), there(&stage.id))),
        StageSpec::Yolo(_) | StageSpec::Whisper(_) => Some((stage.id.clone(), place(&stage.id))),
        _ => None,
    });
    let facts = Facts {
        cores: 4,
        placements: placements.collect(),
        ..Facts::default()
    };
    plan::compile(recipe, &facts, Tuning::default()).map_err(|wrong| {
        wrong
            .into_iter()
            .map(|wrong| wrong.message)
            .collect::<Vec<_>>()
            .join("; ")
    })
}

fn here(_: &StageId) -> Placement {
    Placement::Local(LocalFacts {
        backend: "local".into(),
        engine: "rten".to_owned(),
        threads: 1,
        concurrency: None,
        model: ModelFacts {
            name: "yolo11n.onnx".to_owned(),
            demo: false,
            classes: Vec::new(),
            fixed_size: None,
            digest: String::new(),
        },
    })
}

fn there(_: &StageId) -> Placement {
    Placement::Remote(RemoteFacts {
        backend: "runpod".into(),
        kind: "runpod",
        host: "api.runpod.ai".to_owned(),
        model: "abc123".to_owned(),
        concurrency: None,
        max_body: 10_000_000,
        attempts: 5,
        retry_time: Duration::from_secs(600),
        fleet: None,
    })
}

fn snapshot(name: &str, text: &str) {
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path(Path::new(ROOT).join("snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| assert_snapshot!(name, text));
}
