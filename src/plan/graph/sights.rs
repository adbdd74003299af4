//! Tests of what is known of things that are tracked: whether they are, and whether the lines and
//! regions that a test names are there.
//!
//! Pure over the recipe.

use crate::diag::Diagnostic;
use crate::diag::did_you_mean;
use crate::plan::graph::stages::found_of;
use crate::recipe::Recipe;
use crate::recipe::SIGHT_NAMES;
use crate::recipe::Stage;
use crate::recipe::TrackSpec;
use crate::template::Called;
use crate::template::Condition;
use crate::template::Direction;
use serde_json::Value;

/// What is wrong with the `filter` of `stage` as far as it is about things that are tracked.
pub(in crate::plan) fn check(recipe: &Recipe, stage: &Stage) -> Vec<Diagnostic> {
    let finder = found_of(recipe, stage).and_then(|(_, id)| recipe.stage(id));
    let (Some(filter), Some(finder)) = (&stage.take.filter, finder) else {
        return Vec::new();
    };
    let mut tracks = recipe.tracks();
    match tracks.find(|(tracks, ..)| tracks.id == finder.id) {
        Some((.., spec)) => check_calls(stage, finder, filter, spec),
        None => untracked(stage, finder, filter).into_iter().collect(),
    }
}

// A test of things where nothing says which boxes are one.
fn untracked(stage: &Stage, finder: &Stage, filter: &Condition) -> Option<Diagnostic> {
    let names = filter.names();
    let name = SIGHT_NAMES.iter().find(|&&name| names.contains(name))?;
    let (id, from) = (&stage.id, &finder.id);
    let message = format!(
        "`{name}` is known of things that are tracked, and `{id}` takes what `{from}` finds"
    );
    Some(
        Diagnostic::error(stage.key("filter"), message).help(format!(
            "put a stage in between, `[stages.track]` with `inputs = [\"{from}\"]`, and let `{id}` \
         take `track.crops` or `track.frames`"
        )),
    )
}

// Lines and regions are those of the stage that tracks.
fn check_calls(
    stage: &Stage,
    finder: &Stage,
    filter: &Condition,
    spec: &TrackSpec,
) -> Vec<Diagnostic> {
    let mut wrong = Vec::new();
    for Called { name, given } in filter.calls() {
        let (places, what, most) = match name.as_str() {
            "crossed" => (spec.lines.keys().collect::<Vec<_>>(), "line", 2),
            "entered" => (spec.regions.keys().collect::<Vec<_>>(), "region", 1),
            _ => continue,
        };
        let mistake = match given.as_slice() {
            [] => Some((
                format!("`{name}` is not told which {what}"),
                format!("name one of `{}`: `{name}(\"...\")`", finder.id),
            )),
            given if given.len() > most => Some((
                format!(
                    "`{name}` takes a {what}, and {} values are given",
                    given.len()
                ),
                match most {
                    2 => {
                        "write the line, and the direction where that matters: `crossed(\"gate\", \
                          \"forward\")`"
                            .to_owned()
                    }
                    _ => "write the region alone: `entered(\"door\")`".to_owned(),
                },
            )),
            [place, way @ ..] => {
                let place = place.as_ref();
                let unknown =
                    place.filter(|place| !places.iter().any(|it| **place == *it.as_str()));
                match unknown {
                    Some(unknown) => Some(missing(finder, what, unknown, &places)),
                    None => way.iter().flatten().find_map(no_direction),
                }
            }
        };
        wrong.extend(
            mistake
                .map(|(message, help)| Diagnostic::error(stage.key("filter"), message).help(help)),
        );
    }
    wrong
}

fn missing(finder: &Stage, what: &str, unknown: &Value, places: &[&String]) -> (String, String) {
    let id = &finder.id;
    let message = format!("`{id}` has no {what} {unknown}");
    let name = unknown.as_str().unwrap_or_default();
    let meant = did_you_mean(name, places.iter().map(|name| name.as_str()));
    let help = match (meant, what, places) {
        (Some(meant), ..) => format!("did you mean \"{meant}\"?"),
        (None, "line", []) => format!(
            "draw it under `[stages.{id}.lines]`: `{name} = [[0.5, 0], [0.5, 1]]` is one from the \
             top to the bottom"
        ),
        (None, _, []) => format!(
            "draw it under `[stages.{id}.regions]`: `{name} = [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]` \
             is the left half"
        ),
        (None, _, places) => {
            let names: Vec<String> = places.iter().map(|name| format!("\"{name}\"")).collect();
            format!("its {what}s are {}", names.join(", "))
        }
    };
    (message, help)
}

fn no_direction(way: &Value) -> Option<(String, String)> {
    let is_one = Direction::ALL.iter().any(|it| *way == it.word());
    (!is_one).then(|| {
        (
            format!("a line is not crossed {way}"),
            "write \"forward\", from the left to the right of who looks along the line, or \
             \"backward\""
                .to_owned(),
        )
    })
}
