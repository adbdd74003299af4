//! What was asked differently: the video, the range, models and settings.
//!
//! It explains what differs and decides nothing.

use crate::name::StageId;
use crate::output::compare::shown::quoted;
use crate::output::compare::shown::shown;
use crate::output::results::results::Model;
use crate::output::results::results::Results;
use crate::output::results::results::WantedRange;
use serde_json::Value;
use std::collections::BTreeSet;

/// The most lines; of more the number is told.
const MOST: usize = 10;

/// A line for each thing that was asked differently.
pub(super) fn asked(old: &Results, new: &Results) -> Vec<String> {
    let mut lines = Vec::new();
    if old.source.digest != new.source.digest {
        lines.push("two videos, whose frames are compared by their time".to_owned());
    }
    if old.range != new.range {
        let told = |range: Option<&WantedRange>| {
            range.map_or_else(|| "all of it".to_owned(), ToString::to_string)
        };
        let (old, new) = (told(old.range.as_ref()), told(new.range.as_ref()));
        lines.push(format!("range: {new}, before {old}"));
    }
    let stages: BTreeSet<&StageId> = old.models.keys().chain(new.models.keys()).collect();
    for id in stages {
        let (old, new) = (old.models.get(id), new.models.get(id));
        if model(old) != model(new) {
            let (old, new) = (named(old), named(new));
            lines.push(match old == new {
                true => format!("{}: another {new}", shown(id.as_str())),
                false => format!("{}: {new}, before {old}", shown(id.as_str())),
            });
        }
    }
    settings(old, new, &mut lines);
    if lines.len() > MOST {
        let more = lines.len() - (MOST - 1);
        lines.truncate(MOST - 1);
        lines.push(format!("and {more} more settings"));
    }
    lines
}

// What decides its answers; a host does not.
fn model(model: Option<&Model>) -> Option<&str> {
    match model? {
        Model::Local { digest, .. } => Some(digest),
        Model::Remote { model, .. } => Some(model.as_deref().unwrap_or_default()),
        Model::Skipped { .. } => None,
    }
}

fn named(model: Option<&Model>) -> String {
    match model {
        Some(
            Model::Local { model, .. }
            | Model::Remote {
                model: Some(model), ..
            },
        ) => format!("model {}", quoted(model)),
        Some(Model::Remote {
            backend,
            model: None,
        }) => format!("model of {}", quoted(backend)),
        Some(Model::Skipped { .. }) | None => "no model".to_owned(),
    }
}

fn settings(old: &Results, new: &Results, lines: &mut Vec<String>) {
    let (old, new) = (&old.recipe.settings, &new.recipe.settings);
    let stages: BTreeSet<&StageId> = old.keys().chain(new.keys()).collect();
    for id in stages {
        let (old, new) = (old.get(id), new.get(id));
        let keys = [old, new].into_iter().flatten().flat_map(|it| it.keys());
        for key in keys.collect::<BTreeSet<_>>() {
            let old = old.and_then(|it| it.get(key));
            let new = new.and_then(|it| it.get(key));
            if old != new {
                let value = |value: Option<&Value>| match value {
                    Some(value) => shown(&value.to_string()),
                    None => "not set".to_owned(),
                };
                let name = shown(&format!("{id}.{key}"));
                lines.push(format!("{name}: {}, before {}", value(new), value(old)));
            }
        }
    }
}
