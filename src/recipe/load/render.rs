//! Templates in the strings of a recipe, each with the values that are in reach of it.

use crate::diag::Diagnostic;
use crate::diag::SourceMap;
use crate::diag::Span;
use crate::recipe::load::tree::Node;
use crate::recipe::load::tree::Table;
use crate::recipe::load::tree::Value;
use crate::template;
use crate::template::Fault;
use crate::template::Scope;
use serde_json::Map;
use serde_json::Number;
use std::collections::BTreeMap;
use std::ops::Range;

/// The scope of all strings: `vars`. A variable may use those above it.
pub(in crate::recipe) fn scope_of(
    vars: Table,
    sources: &SourceMap,
    wrong: &mut Vec<Diagnostic>,
) -> Scope {
    let mut values = Map::new();
    for mut entry in vars.0 {
        let scope = Scope::default().with("vars", values.clone());
        let mistakes = render(&mut entry.node, &scope, sources);
        wrong.extend(mistakes.into_iter().map(|mistake| {
            let help = mistake.help.clone().unwrap_or_default();
            mistake.help(format!("{help}; a variable may use those above it"))
        }));
        match value(&entry.node) {
            Some(value) => {
                values.insert(entry.key, value);
            }
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
    Scope::default().with("vars", values)
}

/// `scope` and the environment as `env`, without what looks like a secret: a recipe of a
/// stranger could write it into an address.
pub(in crate::recipe) fn with_environment(
    scope: &Scope,
    variables: BTreeMap<String, String>,
) -> Scope {
    let variables = variables
        .into_iter()
        .filter(|(name, _)| !is_secret(name))
        .map(|(name, value)| (name, value.into()))
        .collect();
    scope.clone().with("env", variables)
}

fn is_secret(variable: &str) -> bool {
    let name = variable.to_uppercase();
    ["KEY", "TOKEN", "SECRET", "PASS", "CREDENTIAL"]
        .iter()
        .any(|part| name.contains(part))
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
    match &mut node.value {
        Value::Text(text) => match template::render(text, scope) {
            Ok(rendered) => {
                *text = rendered;
                Vec::new()
            }
            Err(fault) => vec![placed(fault, text, node.span, sources)],
        },
        Value::List(items) => items
            .iter_mut()
            .flat_map(|item| render(item, scope, sources))
            .collect(),
        Value::Table(table) => table
            .0
            .iter_mut()
            .flat_map(|entry| render(&mut entry.node, scope, sources))
            .collect(),
        Value::Integer(_) | Value::Float(_) | Value::Flag(_) | Value::Time => Vec::new(),
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
        Some(name) if name.strip_prefix("env.").is_some_and(is_secret) => Some(
            "secrets are not in reach of templates; name the variable with `api_key_env`"
                .to_owned(),
        ),
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
        let place = sources.place(span)?;
        let written = place.source.text.get(place.range)?;
        let start = span.start + written.find(text)?;
        let range = range?;
        text.get(range.clone())?;
        Some(Span::from(start + range.start..start + range.end))
    };
    exact().unwrap_or(span)
}
