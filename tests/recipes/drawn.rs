//! Drawings beside the recipes that they are of: an arrow for every input.

use crate::compile::compile;
use crate::compile::here;
use crate::compile::load;
use crate::compile::there;
use crate::support::repository::recipes;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use vpipe::name::StageId;
use vpipe::plan::DrawFormat;
use vpipe::plan::GraphOptions;
use vpipe::plan::Plan;
use vpipe::plan::StageFate;
use vpipe::recipe::Port;
use vpipe::recipe::Recipe;
use vpipe::recipe::Stage;
use vpipe::recipe::StageInput;
use vpipe::recipe::StageKind;

#[test]
fn every_edge_between_stages_is_drawn() {
    let drawn = GraphOptions {
        stages: true,
        ..GraphOptions::default()
    };
    let mut edges = 0;
    for folder in ["recipes", "recipes/examples", "tests/recipes/good"] {
        for path in recipes(folder) {
            let recipe = load(&path);
            for place in [here, there] {
                let Ok(plan) = compile(&recipe, &place) else {
                    continue;
                };
                let wanted = edges_of(&recipe, &plan);
                let page = plan.draw_with(DrawFormat::Mermaid, &drawn);
                assert_eq!(
                    past_batches(&edges_in(&page), &recipe),
                    wanted,
                    "{path}\n{page}"
                );
                edges += wanted.len();
            }
        }
    }
    assert!(edges > 100, "{edges}");
}

// What each stage that runs takes from: past those that are not needed, and past batches, which a
// stage that picks frames has of its own; and where it takes crops or frames in which something was
// found, also from the stage whose frames those are.
fn edges_of(recipe: &Recipe, plan: &Plan) -> BTreeSet<(String, String)> {
    fn givers(recipe: &Recipe, plan: &Plan, input: &StageInput) -> Vec<StageId> {
        let stage = recipe.stage(&input.stage).unwrap();
        let fate = plan.stages().iter().find(|it| it.id == stage.id);
        match &fate.unwrap().fate {
            StageFate::Skipped(_) => Vec::new(),
            StageFate::Runs(_) | StageFate::Bypassed(_)
                if !stage.inputs.is_empty() && is_passed(stage, plan) =>
            {
                let inputs = stage.inputs.iter();
                inputs
                    .flat_map(|input| givers(recipe, plan, input))
                    .collect()
            }
            StageFate::Runs(_) | StageFate::Bypassed(_) => {
                let mut stages = recipe.stages.iter();
                let extract = stages.find(|it| it.spec.kind() == StageKind::Extract);
                let takes_frames = matches!(input.port, Port::Crops | Port::Frames);
                let cut = extract.filter(|_| takes_frames);
                let cut = cut.map(|extract| extract.id.clone());
                [stage.id.clone()].into_iter().chain(cut).collect()
            }
        }
    }
    let running = plan.stages().iter();
    let running = running.filter(|stage| matches!(stage.fate, StageFate::Runs(_)));
    let running = running.filter(|stage| stage.kind != StageKind::Batch);
    let edges = running.flat_map(|stage| {
        let inputs = recipe.stage(&stage.id).unwrap().inputs.iter();
        let givers = inputs.flat_map(|input| givers(recipe, plan, input));
        givers.map(|giver| (giver.to_string(), stage.id.to_string()))
    });
    edges.collect()
}

fn is_passed(stage: &Stage, plan: &Plan) -> bool {
    let fate = plan.stages().iter().find(|it| it.id == stage.id);
    let bypassed = fate.is_some_and(|it| matches!(it.fate, StageFate::Bypassed(_)));
    bypassed || stage.spec.kind() == StageKind::Batch
}

// The same arrows, past the batches.
fn past_batches(edges: &BTreeSet<(String, String)>, recipe: &Recipe) -> BTreeSet<(String, String)> {
    let batches = recipe.stages.iter();
    let batches = batches.filter(|stage| stage.spec.kind() == StageKind::Batch);
    let batches: BTreeSet<&str> = batches.map(|stage| stage.id.as_str()).collect();
    let onward = edges
        .iter()
        .filter(|(_, to)| !batches.contains(to.as_str()));
    let past = onward.flat_map(|(from, to)| match batches.contains(from.as_str()) {
        false => vec![(from.clone(), to.clone())],
        true => {
            let into = edges.iter().filter(|(_, batch)| batch == from);
            into.map(|(giver, _)| (giver.clone(), to.clone())).collect()
        }
    });
    past.collect()
}

// The arrows of a Mermaid page, by the names of their boxes.
fn edges_in(page: &str) -> BTreeSet<(String, String)> {
    let boxes = page.lines().filter_map(|line| {
        let (number, text) = line.trim().split_once("[\"")?;
        let (name, _) = text.split_once("<br/>")?;
        Some((number, name.to_owned()))
    });
    let boxes: BTreeMap<&str, String> = boxes.collect();
    let edges = page.lines().filter_map(|line| {
        let (from, rest) = line.trim().split_once(" -->|")?;
        let (_, to) = rest.split_once("| ")?;
        Some((boxes[from].clone(), boxes[to].clone()))
    });
    edges.collect()
}
