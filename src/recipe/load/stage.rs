//! One `[stages.ID]` table: the keys of the engine, then the parameters of its kind.

use crate::diag::Diagnostic;
use crate::diag::Span;
use crate::name::StageId;
use crate::recipe::context::Context;
use crate::recipe::input::read_inputs;
use crate::recipe::kind::StageKind;
use crate::recipe::load::render::json;
use crate::recipe::load::section::Section;
use crate::recipe::load::tree::Entry;
use crate::recipe::load::tree::Node;
use crate::recipe::load::tree::Table;
use crate::recipe::load::tree::Value;
use crate::recipe::recipe::Stage;
use crate::recipe::stages::parameters::ENABLED;
use crate::recipe::stages::parameters::StageTable;
use crate::recipe::stages::take::TakeSpec;
use crate::recipe::stages::yolo::COCO;
use serde_json::Map;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// The keys of a stage that are rendered for each video, frame or request.
pub(in crate::recipe) fn rendered_later(section: &Section) -> &'static [&'static str] {
    let kind = section.kind().and_then(StageKind::of);
    kind.map_or(&[], |kind| kind.facts().rendered_later)
}

/// Reads a stage; `None` where its kind is not known. `inputs` are not looked up yet.
pub(in crate::recipe) fn read_stage(
    context: &Context<'_>,
    mut section: Section,
    wrong: &mut Vec<Diagnostic>,
) -> Option<Stage> {
    let written = section.keys.places();
    let origins = context.folders.origins(&section.keys);
    let later = rendered_later(&section);
    context.render(&mut section.keys, later, wrong);
    let Some(kind) = section.kind().and_then(StageKind::of) else {
        wrong.push(section.no_kind("stage", StageKind::ALL.map(StageKind::word)));
        return None;
    };
    let settings = settings(&section.keys);
    let items = items(&section.keys);
    let path = |key: &&str| {
        let origin = *origins.get(*key)?;
        let path = match section.keys.text(key)? {
            // A word, and no path.
            COCO => COCO.into(),
            text => context.folders.path(text, origin),
        };
        Some(((*key).to_owned(), path))
    };
    let paths = kind.facts().paths.iter().filter_map(path).collect();
    let Section {
        name,
        span,
        mut keys,
    } = section;
    keys.take("kind");
    // It was heeded when the layers were one.
    keys.take(ENABLED);
    let inputs = keys.take("inputs");
    let inputs = inputs.map_or_else(Vec::new, |entry| read_inputs(&entry, wrong));
    let take = TakeSpec::read(context, &mut keys, kind.facts().take_keys, wrong);
    let table = StageTable {
        id: &name,
        span,
        inputs: &inputs,
        written: &written,
        keys,
    };
    let spec = kind.read(context, table, wrong);
    Some(Stage {
        id: StageId::from(name),
        span,
        inputs,
        take,
        spec,
        keys: written,
        items,
        settings,
        paths,
    })
}

fn items(keys: &Table) -> BTreeMap<String, Vec<(String, Span)>> {
    let of = |entry: &Entry| {
        let items = match &entry.node.value {
            Value::List(items) => items.iter().map(|it| (text(it), it.span)).collect(),
            Value::Table(table) => {
                let keys = table.0.iter();
                keys.map(|it| (it.key.clone(), it.span)).collect()
            }
            _ => return None,
        };
        Some((entry.key.clone(), items))
    };
    keys.0.iter().filter_map(of).collect()
}

fn text(node: &Node) -> String {
    match &node.value {
        Value::Text(text) => text.trim().to_owned(),
        _ => json(node).to_string(),
    }
}

// The keys that results do not tell: where files go on this machine, and what may hold a secret.
const UNTOLD: [&str; 3] = ["output_dir", "headers", "query"];

fn settings(keys: &Table) -> Map<String, Json> {
    let told = keys
        .0
        .iter()
        .filter(|it| !UNTOLD.contains(&it.key.as_str()));
    told.map(|entry| (entry.key.clone(), json(&entry.node)))
        .collect()
}
