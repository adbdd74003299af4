//! `enabled = false`: stages that a recipe declares, or extends, and goes without.

use crate::diag::Diagnostic;
use crate::diag::Span;
use crate::recipe::kind::StageKind;
use crate::recipe::load::section::Section;
use crate::recipe::load::tree::Node;
use crate::recipe::load::tree::Value;
use crate::recipe::stages::parameters::ENABLED;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// Takes out of `stages` what is not enabled, and every mention of it in `inputs`.
///
/// What took from such a stage goes without; what took from a `batch` takes what the batch took. A
/// stage that is left with nothing to take, or with nobody to give to, goes as well.
pub(in crate::recipe) fn leave_out(stages: &mut Vec<Section>, wrong: &mut Vec<Diagnostic>) {
    let (mut left_out, mut places) = (BTreeMap::new(), Vec::new());
    for section in stages.iter() {
        if let Some(place) = disabled(section, wrong) {
            left_out.insert(section.name.clone(), passed_on(section));
            places.push(place);
        }
    }
    let wrote = stages.iter().any(writes);
    while !left_out.is_empty() {
        let before = mentioned(stages);
        stages.retain(|section| !left_out.contains_key(&section.name));
        let mut next = BTreeMap::new();
        for section in stages.iter_mut() {
            if !goes_without(section, &left_out) {
                next.insert(section.name.clone(), Vec::new());
            }
        }
        let mentions = mentioned(stages);
        let useless = stages.iter().map(|section| &section.name);
        let useless = useless.filter(|name| before.contains(*name) && !mentions.contains(*name));
        next.extend(useless.map(|name| (name.clone(), Vec::new())));
        left_out = next;
    }
    if let Some(place) = places
        .last()
        .filter(|_| wrote && !stages.iter().any(writes))
    {
        let message = "no stage is left that writes anything";
        wrong.push(
            Diagnostic::error(*place, message)
                .help("leave fewer stages out: one that has nothing left to take goes as well"),
        );
    }
}

fn writes(section: &Section) -> bool {
    let kind = section.kind().and_then(StageKind::of);
    kind.is_some_and(|kind| kind.facts().is_outcome)
}

// Where it is said that there is no such stage.
fn disabled(section: &Section, wrong: &mut Vec<Diagnostic>) -> Option<Span> {
    let entry = section.keys.get(ENABLED)?;
    if let Value::Flag(is_enabled) = entry.node.value {
        return (!is_enabled).then_some(entry.node.span);
    }
    let message = format!("`{ENABLED}` takes true or false, not {}", entry.node.what());
    wrong.push(
        Diagnostic::error(entry.node.span, message)
            .help("`false` leaves the stage out; no template stands here"),
    );
    None
}

// What takes the place of a stage in the `inputs` of others.
fn passed_on(section: &Section) -> Vec<Node> {
    let is_batch = section.kind() == Some(StageKind::Batch.word());
    let inputs = section.keys.get("inputs").filter(|_| is_batch);
    match inputs.map(|entry| &entry.node.value) {
        Some(Value::List(inputs)) => inputs.clone(),
        _ => Vec::new(),
    }
}

// Takes `left_out` out of the inputs; whether there are any left where there were some.
fn goes_without(section: &mut Section, left_out: &BTreeMap<String, Vec<Node>>) -> bool {
    let inputs = section.keys.get_mut("inputs");
    let Some(Value::List(inputs)) = inputs.map(|entry| &mut entry.node.value) else {
        return true;
    };
    if inputs.is_empty() {
        return true;
    }
    let mut rest: Vec<Node> = Vec::new();
    for input in std::mem::take(inputs) {
        let instead = stage_of(&input).and_then(|stage| left_out.get(stage));
        let kept = instead.cloned().unwrap_or_else(|| vec![input]);
        // Twice in what is written is told where inputs are read.
        let is_new = |input: &Node| {
            instead.is_none() || rest.iter().all(|other| stage_of(other) != stage_of(input))
        };
        let kept: Vec<Node> = kept.into_iter().filter(is_new).collect();
        rest.extend(kept);
    }
    *inputs = rest;
    !inputs.is_empty()
}

// The stages that some stage takes from.
fn mentioned(stages: &[Section]) -> BTreeSet<String> {
    let inputs = stages.iter().filter_map(|section| {
        match section.keys.get("inputs").map(|it| &it.node.value) {
            Some(Value::List(inputs)) => Some(inputs),
            _ => None,
        }
    });
    let named = inputs.flatten().filter_map(stage_of);
    named.map(str::to_owned).collect()
}

// Of `STAGE` or `STAGE.PORT`.
fn stage_of(input: &Node) -> Option<&str> {
    match &input.value {
        Value::Text(text) => text.split('.').next(),
        _ => None,
    }
}
