//! Recipes that are right in themselves, and wrong for the models that their stages are placed on:
//! what is told of them.

use crate::support::placements;
use crate::support::repository::Repository;
use crate::support::repository::recipes;
use crate::support::repository::stem;
use crate::support::snapshots::settings;
use insta::assert_snapshot;
use std::sync::Arc;
use vpipe::cli::diagnostic::Style;
use vpipe::cli::diagnostic::draw;
use vpipe::diag::Report;
use vpipe::facts::Facts;
use vpipe::facts::Placement;
use vpipe::facts::RemoteFacts;
use vpipe::name::BackendName;
use vpipe::plan;
use vpipe::plan::CompileOptions;
use vpipe::recipe;
use vpipe::recipe::Request;
use vpipe::recipe::Stage;

#[test]
fn what_the_models_do_not_know_is_told() {
    for path in recipes("tests/recipes/misplaced") {
        let request = Request {
            recipe: path.clone(),
            ..Request::default()
        };
        let recipe = plan::check(recipe::load(&request, &Repository).unwrap()).unwrap();
        let infers = |stage: &&Stage| stage.spec.medium().is_some();
        let stages = recipe.stages.iter().filter(infers);
        let facts = Facts {
            cores: 4,
            placements: stages
                .map(|stage| (stage.id.clone(), place(stage)))
                .collect(),
            ..Facts::default()
        };
        let wrong = plan::compile(&recipe, &facts, CompileOptions::default());
        let report = Report {
            sources: recipe.sources.clone(),
            diagnostics: wrong.err().unwrap_or_default(),
        };
        let told = draw(&report, Style::Plain);
        settings().bind(|| assert_snapshot!(format!("misplaced@{}", stem(&path)), told));
    }
}

fn place(stage: &Stage) -> Placement {
    let names = |names: &[&str]| names.iter().map(|name| Arc::from(*name)).collect();
    let local = |model: &str, classes: &[&str]| {
        let mut place = placements::local(model);
        place.model.classes = names(classes);
        Placement::Local(place)
    };
    match stage.spec.backend().map(BackendName::as_str) {
        Some("cpu") => local("animals.onnx", &["person", "car", "dog"]),
        Some("plain") => local("plain.onnx", &["0", "1"]),
        Some("named") => Placement::Remote(RemoteFacts {
            class_names: names(&["person", "bicycles"]),
            ..placements::runpod()
        }),
        _ => Placement::Remote(placements::runpod()),
    }
}
