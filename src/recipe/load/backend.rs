//! One `[backends.NAME]` table.

use crate::diag::Diagnostic;
use crate::name::BackendName;
use crate::recipe::backends::facts::AUTO;
use crate::recipe::backends::facts::BackendTable;
use crate::recipe::context::Context;
use crate::recipe::kind::BackendKind;
use crate::recipe::load::render;
use crate::recipe::load::render::VariableUse;
use crate::recipe::load::section::Section;
use crate::recipe::load::tree::Table;
use crate::recipe::recipe::Backend;
use crate::recipe::recipe::BackendVariables;
use crate::template::Variables;

// Keys that name a variable or a header, and are not taken from a variable themselves.
const LITERAL: [&str; 2] = ["api_key_env", "api_key_header"];

/// Reads a backend, whose templates may take `variables`; `None` where its name or kind cannot be.
pub(in crate::recipe) fn read_backend(
    context: &Context<'_>,
    variables: &Variables,
    mut section: Section,
    wrong: &mut Vec<Diagnostic>,
) -> Option<(BackendName, Backend)> {
    if section.name == AUTO {
        let message = format!("a backend cannot be called `{AUTO}`");
        wrong.push(Diagnostic::error(section.span, message).help(format!(
            "`backend = \"{AUTO}\"` lets the program choose; take another name"
        )));
        return None;
    }
    let written = section.keys.keys().map(str::to_owned).collect();
    let uses = render(context, variables, &mut section.keys, wrong);
    let mut mistakes = Vec::new();
    let Some(kind) = section.kind().and_then(BackendKind::of) else {
        mistakes.push(section.no_kind("backend", BackendKind::ALL.map(BackendKind::word)));
        hide(&mut mistakes, &uses);
        wrong.extend(mistakes);
        return None;
    };
    section.keys.take("kind");
    let named = uses.iter().map(|it| (it.key.clone(), it.named.clone()));
    let table = BackendTable {
        name: &section.name,
        span: section.span,
        keys: section.keys,
        written,
        named: named.collect(),
    };
    let spec = kind.read(context, table, &mut mistakes);
    hide(&mut mistakes, &uses);
    wrong.extend(mistakes);
    let backend = Backend {
        span: section.span,
        spec,
        variables: BackendVariables::new(uses.into_iter().map(|it| (it.key, it.text, it.names))),
    };
    Some((BackendName::from(section.name), backend))
}

// What cannot be rendered is struck out, and so is what takes a variable that is not there and need
// not be.
fn render(
    context: &Context<'_>,
    variables: &Variables,
    keys: &mut Table,
    wrong: &mut Vec<Diagnostic>,
) -> Vec<VariableUse> {
    // Its `kind` may be a template, so those of every kind wait.
    let later = BackendKind::ALL.map(|kind| kind.facts().rendered_later);
    let later = later.concat();
    let mut uses = Vec::new();
    keys.0.retain_mut(|entry| {
        let key = entry.key.clone();
        if later.contains(&key.as_str()) {
            return true;
        }
        let before = uses.len();
        let (scope, sources) = (context.scope, context.sources);
        let mut mistakes =
            render::render_with_variables(entry, scope, variables, sources, &mut uses);
        if LITERAL.contains(&key.as_str()) {
            mistakes.extend(uses.drain(before..).map(|it| {
                let message = format!("`{key}` takes no variable of the environment");
                Diagnostic::error(it.span, message).help("write the name itself")
            }));
        }
        let gone = uses.iter().skip(before).find(|it| !it.is_there);
        let is_there = gone.is_none();
        // Without it nothing else can be read.
        mistakes.extend(gone.filter(|_| key == "kind").map(|it| {
            Diagnostic::error(it.span, "`kind` takes a variable that is not set")
                .help("set it in the environment or in .env")
        }));
        let good = mistakes.is_empty();
        wrong.extend(mistakes);
        good && is_there
    });
    uses
}

// A mistake in a value that is from the environment is told without the value.
fn hide(mistakes: &mut [Diagnostic], uses: &[VariableUse]) {
    for mistake in mistakes {
        let of_mistake =
            |it: &&VariableUse| mistake.labels.iter().any(|(span, _)| *span == it.span);
        if let Some(it) = uses.iter().find(of_mistake) {
            mistake.message = format!("`{}` cannot be what `{}` comes to", it.key, it.text);
            mistake.help = mistake
                .help
                .take()
                .filter(|help| help.starts_with("allowed"));
            mistake.labels = vec![(it.span, String::new())];
        }
    }
}
