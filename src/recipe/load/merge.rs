//! The layers laid over each other: stage by stage and key by key, the later one wins.

use crate::diag::Diagnostic;
use crate::diag::Span;
use crate::recipe::kind::StageKind;
use crate::recipe::load::layers::Layer;
use crate::recipe::load::section::Section;
use crate::recipe::load::tree::Entry;
use crate::recipe::load::tree::Table;
use crate::recipe::load::tree::Value;
use crate::recipe::tools::suggest::suggest;
use std::collections::BTreeMap;

/// The keys at the top of a recipe.
pub(in crate::recipe) const KEYS: [&str; 6] = [
    "version",
    "description",
    "extends",
    "vars",
    "stages",
    "backends",
];

const VERSION: i64 = 1;

/// All layers as one.
#[derive(Default)]
pub(in crate::recipe) struct Merged {
    pub(in crate::recipe) description: Option<String>,
    pub(in crate::recipe) vars: Table,
    pub(in crate::recipe) stages: Vec<Section>,
    pub(in crate::recipe) backends: Vec<Section>,
}

/// Lays `layers`, the lowest first, over each other. What does not have the shape of a recipe
/// is reported and left out.
pub(in crate::recipe) fn merge(layers: Vec<Layer>, wrong: &mut Vec<Diagnostic>) -> Merged {
    let mut merged = Merged::default();
    for Layer {
        start, mut table, ..
    } in layers
    {
        check_version(table.take("version"), start, wrong);
        // It was followed when the layers were collected.
        table.take("extends");
        if let Some(entry) = table.take("description") {
            match entry.node.value {
                Value::Text(text) => merged.description = Some(text),
                _ => wrong.push(mistyped(&entry, "a string").help("put text in quotes")),
            }
        }
        if let Some(vars) = opened(table.take("vars"), wrong) {
            let vars = named(vars, is_variable, "letters, digits and `_`", wrong);
            merged.vars.put_all(vars);
        }
        if let Some(stages) = opened(table.take("stages"), wrong) {
            lay(&mut merged.stages, stages, "stages", wrong);
        }
        if let Some(backends) = opened(table.take("backends"), wrong) {
            lay(&mut merged.backends, backends, "backends", wrong);
        }
        wrong.extend(table.0.iter().map(unknown));
    }
    merged
}

fn check_version(entry: Option<Entry>, start: usize, wrong: &mut Vec<Diagnostic>) {
    let Some(entry) = entry else {
        let span = Span::from(start..start);
        wrong.push(
            Diagnostic::error(
                span,
                "the recipe does not say which version it is written for",
            )
            .help(format!("add `version = {VERSION}` at the top")),
        );
        return;
    };
    match entry.node.value {
        Value::Integer(VERSION) => {}
        Value::Integer(other) => wrong.push(
            Diagnostic::error(
                entry.node.span,
                format!(
                    "version {other} is not known to this program, which reads version {VERSION}"
                ),
            )
            .help("update the program, or write the recipe for the version it reads"),
        ),
        _ => wrong
            .push(mistyped(&entry, "a whole number").help(format!("write `version = {VERSION}`"))),
    }
}

fn mistyped(entry: &Entry, takes: &str) -> Diagnostic {
    let what = entry.node.what();
    Diagnostic::error(
        entry.node.span,
        format!("`{}` takes {takes}, not {what}", entry.key),
    )
}

fn unknown(entry: &Entry) -> Diagnostic {
    let key = entry.key.as_str();
    let diagnostic = Diagnostic::error(entry.span, format!("there is no key `{key}` here"));
    if StageKind::of(key).is_some() {
        diagnostic.help(format!("a stage is written `[stages.{key}]`"))
    } else {
        diagnostic.help(suggest(key, KEYS, "allowed keys"))
    }
}

fn opened(entry: Option<Entry>, wrong: &mut Vec<Diagnostic>) -> Option<Table> {
    let entry = entry?;
    match entry.node.value {
        Value::Table(table) => Some(table),
        _ => {
            wrong.push(mistyped(&entry, "a table").help(match entry.key.as_str() {
                "vars" => "open it with `[vars]`".to_owned(),
                group => format!("open one with `[{group}.NAME]`"),
            }));
            None
        }
    }
}

// The tables of `above` over the sections of `below`.
fn lay(below: &mut Vec<Section>, above: Table, group: &str, wrong: &mut Vec<Diagnostic>) {
    let names = below.iter().enumerate();
    // No name is twice in one table.
    let places: BTreeMap<String, usize> = names
        .map(|(at, section)| (section.name.clone(), at))
        .collect();
    for entry in named(above, is_name, "letters, digits, `-` and `_`", wrong) {
        let Value::Table(keys) = entry.node.value else {
            let help = format!("open it with `[{group}.{}]`", entry.key);
            wrong.push(mistyped(&entry, "a table").help(help));
            continue;
        };
        match places.get(&entry.key).and_then(|at| below.get_mut(*at)) {
            Some(section) => {
                // A name is shown where the user wrote it last.
                section.span = entry.span;
                section.keys.put_all(keys.0);
            }
            None => below.push(Section {
                name: entry.key,
                span: entry.span,
                keys,
            }),
        }
    }
}

fn named(
    table: Table,
    allowed: fn(&str) -> bool,
    letters: &str,
    wrong: &mut Vec<Diagnostic>,
) -> Vec<Entry> {
    let (good, bad): (Vec<Entry>, Vec<Entry>) =
        table.0.into_iter().partition(|entry| allowed(&entry.key));
    wrong.extend(bad.iter().map(|entry| {
        Diagnostic::error(entry.span, format!("{:?} cannot be a name", entry.key))
            .help(format!("names are made of {letters}"))
    }));
    good
}

// Ids stand before a dot in `--set` and in the names of steps.
fn is_name(key: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !key.is_empty() && key.chars().all(is_letter)
}

// Templates read `a-b` as a difference.
fn is_variable(key: &str) -> bool {
    is_name(key) && !key.contains('-') && !key.starts_with(|c: char| c.is_ascii_digit())
}
