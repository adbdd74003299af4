//! Templates in the strings of a recipe, each with the values that are in reach of it.

use crate::diag::Diagnostic;
use crate::diag::MOST_TOLD;
use crate::diag::SourceMap;
use crate::diag::Span;
use crate::recipe::load::tree::Entry;
use crate::recipe::load::tree::Node;
use crate::recipe::load::tree::Table;
use crate::recipe::load::tree::Value;
use crate::template;
use crate::template::Fault;
use crate::template::Scope;
use crate::template::Variables;
use serde_json::Map;
use serde_json::Number;
use std::collections::BTreeSet;
use std::ops::Range;

// More than anybody declares: each stage knows all of them.
const MOST_VARIABLES: usize = 256;

/// The scope of all strings: `vars`. A variable may use those above it.
pub(in crate::recipe) fn scope_of(
    vars: Table,
    sources: &SourceMap,
    wrong: &mut Vec<Diagnostic>,
) -> Scope {
    let mut scope = Scope::default().with("vars", Map::new());
    for (number, mut entry) in vars.0.into_iter().enumerate() {
        if number == MOST_VARIABLES {
            let message = format!("this is the variable number {}", MOST_VARIABLES + 1);
            let help = format!("a recipe has at most {MOST_VARIABLES}");
            wrong.push(Diagnostic::error(entry.span, message).help(help));
            break;
        }
        let mistakes = render(&mut entry.node, &scope, sources);
        wrong.extend(mistakes.into_iter().map(|mistake| {
            let help = mistake.help.clone().unwrap_or_default();
            mistake.help(format!("{help}; a variable may use those above it"))
        }));
        match value(&entry.node) {
            Some(value) => scope.insert("vars", entry.key, value),
            None => wrong.push(
                Diagnostic::error(
                    entry.node.span,
                    format!(
                        "the variable `{}` cannot be {}",
                        entry.key,
                        entry.node.what()
                    ),
                )
                .help("a variable is text, a number, `true` or `false`"),
            ),
        }
    }
    scope
}

/// A string of a backend that takes variables of the environment, whose values are not shown.
#[derive(Clone, Debug)]
pub(in crate::recipe) struct VariableUse {
    /// The key of the table that it stands under.
    pub(in crate::recipe) key: String,
    pub(in crate::recipe) span: Span,
    /// As it was written.
    pub(in crate::recipe) text: String,
    /// With the names of the variables in place of their values.
    pub(in crate::recipe) named: String,
    /// The names of the variables.
    pub(in crate::recipe) names: BTreeSet<String>,
    /// Whether it has a value.
    pub(in crate::recipe) is_there: bool,
}

/// `node` as JSON; a date, which nothing takes, is `null`.
pub(in crate::recipe) fn json(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::List(items) => items.iter().map(json).collect(),
        Value::Table(table) => {
            let fields = table.0.iter();
            fields
                .map(|entry| (entry.key.clone(), json(&entry.node)))
                .collect()
        }
        _ => value(node).unwrap_or_default(),
    }
}

fn value(node: &Node) -> Option<serde_json::Value> {
    match &node.value {
        Value::Text(text) => Some(text.as_str().into()),
        Value::Integer(number) => Some((*number).into()),
        Value::Float(number) => Number::from_f64(*number).map(Into::into),
        Value::Flag(flag) => Some((*flag).into()),
        Value::Time | Value::List(_) | Value::Table(_) => None,
    }
}

/// Renders the strings of `node`; gives what is wrong with them.
pub(in crate::recipe) fn render(
    node: &mut Node,
    scope: &Scope,
    sources: &SourceMap,
) -> Vec<Diagnostic> {
    let mut wrong = Vec::new();
    each_text(
        node,
        &mut |text, span| match template::render(text, scope) {
            Ok(rendered) => *text = rendered,
            Err(_) if wrong.len() >= MOST_TOLD => {}
            Err(fault) => wrong.push(placed(fault, text, span, sources)),
        },
    );
    wrong
}

/// Renders the strings of what a backend has under a key, with `variables` of the environment;
/// gives what is wrong with them, and notes which strings take variables.
pub(in crate::recipe) fn render_with_variables(
    entry: &mut Entry,
    scope: &Scope,
    variables: &Variables,
    sources: &SourceMap,
    uses: &mut Vec<VariableUse>,
) -> Vec<Diagnostic> {
    let mut wrong = Vec::new();
    let key = entry.key.clone();
    each_text(
        &mut entry.node,
        &mut |text, span| match template::render_with_variables(text, scope, variables) {
            Ok(rendered) => {
                if !rendered.variables.is_empty() {
                    uses.push(VariableUse {
                        key: key.clone(),
                        span,
                        text: text.clone(),
                        named: rendered.named,
                        names: rendered.variables,
                        is_there: rendered.text.is_some(),
                    });
                }
                *text = rendered.text.unwrap_or_default();
            }
            Err(fault) => wrong.push(placed(fault, text, span, sources)),
        },
    );
    wrong
}

fn each_text(node: &mut Node, act: &mut dyn FnMut(&mut String, Span)) {
    match &mut node.value {
        Value::Text(text) => act(text, node.span),
        Value::List(items) => items.iter_mut().for_each(|item| each_text(item, act)),
        Value::Table(table) => {
            let entries = table.0.iter_mut();
            entries.for_each(|entry| each_text(&mut entry.node, act));
        }
        Value::Integer(_) | Value::Float(_) | Value::Flag(_) | Value::Time => {}
    }
}

/// The mistake of a template that is written as `text` at `span`: within the string where
/// nothing in it is escaped, else the whole string.
pub(in crate::recipe) fn placed(
    fault: Fault,
    text: &str,
    span: Span,
    sources: &SourceMap,
) -> Diagnostic {
    let exact = within(fault.range.clone(), text, span, sources);
    let help = match fault.undefined.as_deref() {
        Some("env") => Some("`env` is in reach of `[backends.NAME]` only".to_owned()),
        Some("video") => Some(
            "`video` is in reach of `output_dir`, and of the `name` of `save`, only".to_owned(),
        ),
        Some("frame") => Some("`frame` is in reach of the `name` of `save` only".to_owned()),
        _ => fault.help.clone(),
    };
    let diagnostic = Diagnostic::error(exact, fault.message);
    Diagnostic { help, ..diagnostic }
}

/// Where `range` of the string `text` at `span` stands; all of the string where something in it
/// is escaped.
pub(in crate::recipe) fn within(
    range: Option<Range<usize>>,
    text: &str,
    span: Span,
    sources: &SourceMap,
) -> Span {
    let exact = || {
        let written = sources.text(span)?;
        let start = span.start + written.find(text)?;
        let range = range?;
        text.get(range.clone())?;
        Some(Span::from(start + range.start..start + range.end))
    };
    exact().unwrap_or(span)
}
