//! Which classes a stage has: those that its model declares, and those of what was seen.
//!
//! Pure.

use crate::facts::Facts;
use crate::facts::Placement;
use crate::name::StageId;
use crate::output::results::classes::ClassEntry;
use crate::output::results::classes::Colour;
use crate::output::results::results::Entry;
use crate::output::results::results::Results;
use crate::output::results::results::Seen;
use crate::output::results::results::StageOutput;
use crate::recipe::Recipe;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the model of `stage` calls its classes, by their numbers, where that is known. What tracks
/// has the classes of what it takes from.
pub(super) fn declared<'a>(recipe: &Recipe, facts: &'a Facts, stage: &StageId) -> &'a [Arc<str>] {
    let of = recipe.tracks().find(|(track, _, _)| track.id == *stage);
    let stage = of.map_or(stage, |(_, of, _)| of);
    match facts.placements.get(stage) {
        Some(Placement::Local(local)) => &local.model.classes,
        Some(Placement::Remote(remote)) => &remote.class_names,
        Some(Placement::Skipped { .. }) | None => &[],
    }
}

/// The classes that a model declares, and those of what was seen.
pub(super) fn classes(declared: &[Arc<str>], entries: &[Entry]) -> Vec<ClassEntry> {
    let named = (0..).zip(declared).map(|(class, class_name)| ClassEntry {
        class,
        class_name: class_name.clone(),
        colour: Colour::of(class),
    });
    with_seen(named.collect(), entries)
}

/// Adds what is missing in results of an older version, or of somebody else.
pub(super) fn complete(results: &mut Results) {
    let known = std::mem::take(&mut results.classes);
    results.classes = with_seen(known, &results.detections);
    for output in results.stages.values_mut() {
        if let StageOutput::Detected(detected) = output {
            let known = std::mem::take(&mut detected.classes);
            detected.classes = with_seen(known, &detected.detections);
        }
    }
}

// In order of their numbers.
fn with_seen(known: Vec<ClassEntry>, entries: &[Entry]) -> Vec<ClassEntry> {
    let known = known.into_iter();
    let known = known.map(|it| ((it.class, it.class_name), it.colour));
    let mut classes: BTreeMap<(u32, Arc<str>), Colour> = known.collect();
    let mut last = None;
    for entry in entries {
        let Seen::Objects { detections, .. } = &entry.seen else {
            continue;
        };
        for object in detections {
            // Most objects are of the class of the one before.
            let key = (object.class, object.class_name.clone());
            if last.as_ref() != Some(&key) {
                let colour = classes.entry(key.clone());
                colour.or_insert_with(|| Colour::of(object.class));
                last = Some(key);
            }
        }
    }
    let classes = classes.into_iter();
    let classes = classes.map(|((class, class_name), colour)| ClassEntry {
        class,
        class_name,
        colour,
    });
    classes.collect()
}
