//! Templates: strings of a recipe with values in them, rendered by minijinja.
//!
//! Undefined is an error, and nothing but the given values is in reach. Knows nothing of
//! recipes, and not where its values come from.

use crate::diag::did_you_mean;
use minijinja::Environment;
use minijinja::Error;
use minijinja::ErrorKind;
use minijinja::Output;
use minijinja::State;
use minijinja::UndefinedBehavior;
use minijinja::escape_formatter;
use minijinja::value::Enumerator;
use minijinja::value::Object;
use minijinja::value::Serde;
use minijinja::value::ValueKind;
use serde::Serialize;
use serde::Serializer;
use serde_json::Map;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

// More names than this in one namespace (the environment, say) are not listed in a message.
const LISTED: usize = 12;

// Steps of rendering one string; a step pays for 64 bytes as well.
const FUEL: u64 = 100_000;

// Calls and expressions within each other; no honest string comes near.
const DEPTH: usize = 50;

// Bytes of one string that is a template.
const LONGEST: usize = 64 << 10;

const SYNTAX: &str =
    "a value is written `{{ vars.NAME }}`; the braces themselves are written `{{ '{{' }}`";

/// What a template may name: `NAMESPACE.NAME`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scope(BTreeMap<String, Arc<Map<String, Value>>>);

impl Scope {
    /// This scope and `values` as `namespace`.
    pub fn with(mut self, namespace: &str, values: Map<String, Value>) -> Self {
        self.0.insert(namespace.to_owned(), Arc::new(values));
        self
    }

    /// Puts one more value into `namespace`.
    pub fn insert(&mut self, namespace: &str, name: String, value: Value) {
        let space = self.0.entry(namespace.to_owned()).or_default();
        Arc::make_mut(space).insert(name, value);
    }

    /// The values of `namespace`.
    pub fn get(&self, namespace: &str) -> Arc<Map<String, Value>> {
        self.0.get(namespace).cloned().unwrap_or_default()
    }

    // All of it as JSON.
    pub(super) fn json(&self) -> Map<String, Value> {
        let spaces = self.0.iter();
        spaces
            .map(|(name, values)| (name.clone(), Value::Object(values.as_ref().clone())))
            .collect()
    }

    // Each namespace as one value.
    pub(super) fn values(&self) -> impl Iterator<Item = (&str, minijinja::Value)> {
        let spaces = self.0.iter();
        spaces.map(|(name, values)| (name.as_str(), space(values)))
    }

    // What was probably meant by `name`, which is not here.
    fn meant(&self, name: &str) -> Option<String> {
        let (space, key) = name.split_once('.').unwrap_or(("", name));
        if let Some(values) = self.0.get(space) {
            let meant = did_you_mean(key, values.keys().map(String::as_str))?;
            return Some(format!("{space}.{meant}"));
        }
        let mut spaces = self.0.iter();
        spaces
            .find(|(_, values)| values.contains_key(key))
            .map(|(space, _)| format!("{space}.{key}"))
    }

    fn summary(&self) -> String {
        let spaces: Vec<String> = self
            .0
            .iter()
            .filter(|(_, values)| !values.is_empty())
            .flat_map(|(space, values)| match values.len() {
                0..=LISTED => values
                    .keys()
                    .map(|key| format!("`{space}.{key}`"))
                    .collect(),
                _ => vec![format!("`{space}.NAME`")],
            })
            .collect();
        if spaces.is_empty() {
            "nothing is in scope here; variables are declared under `[vars]`".to_owned()
        } else {
            format!("in scope here: {}", spaces.join(", "))
        }
    }
}

/// A string to be rendered, and what is already known of its values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Template {
    text: String,
    known: Scope,
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl Template {
    /// A template over `known`; it is not looked at before it is rendered.
    pub fn new(text: impl Into<String>, known: Scope) -> Self {
        Self {
            text: text.into(),
            known,
        }
    }

    /// The string as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The string with its values; `values` are in reach as `namespace`.
    pub fn render_with(
        &self,
        namespace: &str,
        values: Map<String, Value>,
    ) -> Result<String, Fault> {
        self.render_in(Scope::default().with(namespace, values))
    }

    /// The string with its values; those of `scope` are in reach as well.
    pub fn render_in(&self, scope: Scope) -> Result<String, Fault> {
        let mut all = self.known.clone();
        all.0.extend(scope.0);
        render(&self.text, &all)
    }
}

/// Why a string cannot be rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Where, in bytes of the string.
    pub range: Option<Range<usize>>,
    /// The name that is not defined, where that is what is wrong.
    pub undefined: Option<String>,
}

/// `text` with the values of `scope` in it. How long it may be and go on is bounded: it may be a
/// stranger's.
pub fn render(text: &str, scope: &Scope) -> Result<String, Fault> {
    render_values(text, scope, Vec::new())
}

// With `values` besides those of `scope`.
pub(super) fn render_values(
    text: &str,
    scope: &Scope,
    values: Vec<(&str, minijinja::Value)>,
) -> Result<String, Fault> {
    // Most strings of a recipe are plain.
    if !["{{", "{%", "{#"].iter().any(|mark| text.contains(mark)) {
        return Ok(text.to_owned());
    }
    if text.len() > LONGEST {
        return Err(Fault {
            message: format!("a template of {} bytes is too long", text.len()),
            help: Some(format!("at most {LONGEST} bytes are rendered")),
            range: None,
            undefined: None,
        });
    }
    let values = scope.values().chain(values);
    environment()
        .render_str(text, minijinja::Value::from_pairs(values))
        .map_err(|error| fault(text, scope, &error))
}

/// `values` as one value whose parts are made where a template names them.
pub(super) fn space(values: &Arc<Map<String, Value>>) -> minijinja::Value {
    minijinja::Value::from_object(Space(Arc::clone(values)))
}

#[derive(Debug)]
struct Space(Arc<Map<String, Value>>);

impl Object for Space {
    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        let value = self.0.get(key.as_str()?)?;
        Some(minijinja::Value::from(Serde(value)))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let names = self.0.keys().map(minijinja::Value::from);
        Enumerator::Values(names.collect())
    }
}

pub(super) fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // So that errors have their range.
    environment.set_debug(true);
    environment.set_formatter(write);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(DEPTH);
    environment
}

// Flags are written as a recipe writes them, and not as Python does.
fn write(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &minijinja::Value,
) -> Result<(), Error> {
    match value.kind() {
        ValueKind::Bool => out
            .write_str(if value.is_true() { "true" } else { "false" })
            .map_err(Error::from),
        _ => escape_formatter(out, state, value),
    }
}

fn fault(text: &str, scope: &Scope, error: &Error) -> Fault {
    let detail = error.detail().unwrap_or("it cannot be rendered");
    let undefined = detail.split('`').nth(1).filter(|name| text.contains(name));
    match (error.kind(), undefined) {
        (ErrorKind::UndefinedError, Some(name)) => Fault {
            message: format!("`{name}` is not defined"),
            help: Some(scope.meant(name).map_or_else(
                || scope.summary(),
                |meant| format!("did you mean `{meant}`?"),
            )),
            range: text.find(name).map(|start| start..start + name.len()),
            undefined: Some(name.to_owned()),
        },
        (ErrorKind::OutOfFuel, _) => Fault {
            message: "the template takes too long to render".to_owned(),
            help: Some("write what it comes to, without long lists or loops".to_owned()),
            range: None,
            undefined: None,
        },
        (kind, _) => Fault {
            message: format!("the template is wrong: {detail}"),
            help: (kind == ErrorKind::SyntaxError).then(|| SYNTAX.to_owned()),
            range: error.range(),
            undefined: None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::Scope;
    use super::Template;
    use super::render;
    use serde_json::Map;
    use serde_json::json;

    fn values(json: &serde_json::Value) -> Map<String, serde_json::Value> {
        json.as_object().unwrap().clone()
    }

    fn scope() -> Scope {
        Scope::default().with(
            "vars",
            values(&json!({"root": "out", "fps": 0.5, "half": true})),
        )
    }

    #[test]
    fn values_are_written_as_a_recipe_would_write_them() {
        let text = "{{ vars.root }}/{{ vars.fps }}/{{ vars.half }}";
        assert_eq!(render(text, &scope()).unwrap(), "out/0.5/true");
        assert_eq!(render("a { b }\n", &scope()).unwrap(), "a { b }\n");
    }

    #[test]
    fn what_is_not_defined_is_named_and_placed() {
        let fault = render("x/{{ vars.rooot }}", &scope()).unwrap_err();
        assert_eq!(fault.message, "`vars.rooot` is not defined");
        assert_eq!(fault.help.as_deref(), Some("did you mean `vars.root`?"));
        assert_eq!(fault.range, Some(5..15));
        let fault = render("{{ root }}", &scope()).unwrap_err();
        assert_eq!(fault.help.as_deref(), Some("did you mean `vars.root`?"));
        let fault = render("{{ env.HOME }}", &scope()).unwrap_err();
        assert_eq!(fault.undefined.as_deref(), Some("env"));
        assert_eq!(
            fault.help.as_deref(),
            Some("in scope here: `vars.root`, `vars.fps`, `vars.half`")
        );
    }

    #[test]
    fn no_template_goes_on_for_ever() {
        let nested = format!("{{{{ {}1{} }}}}", "[".repeat(2000), "]".repeat(2000));
        let long = format!("{{{{ 1 }}}}{}", "x".repeat(1 << 20));
        for text in [
            "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}",
            "{{ 'x' * 900000000 }}",
            "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
            "{{ range(99999999) | list | length }}",
            &nested,
            &long,
        ] {
            let wrong = render(text, &scope()).unwrap_err();
            assert!(wrong.message.contains("template"), "{}", wrong.message);
        }
    }

    #[test]
    fn no_template_reads_a_file_or_the_environment() {
        for text in [
            "{% include '/etc/passwd' %}",
            "{% import 'Cargo.toml' as cargo %}",
            "{% extends 'README.md' %}",
            "{{ read('/etc/passwd') }}",
            "{{ open('/etc/passwd') }}",
            "{{ env.HOME }}",
            "{{ getenv('HOME') }}",
            "{{ self.__class__ }}",
            "{{ vars.root.__class__.__mro__ }}",
        ] {
            assert!(render(text, &scope()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_template_keeps_what_it_knows_until_the_rest_is_there() {
        let template = Template::new("{{ vars.root }}/{{ video.stem | upper }}", scope());
        let video = values(&json!({"stem": "clip"}));
        assert_eq!(template.render_with("video", video).unwrap(), "out/CLIP");
        assert!(template.render_with("video", Map::new()).is_err());
    }
}
