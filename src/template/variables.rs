//! Variables of the environment in templates: each is taken by its name, and only where the user
//! permits it.
//!
//! A template is read for the names that it takes before it is rendered, and rendered with the
//! values of these names alone: what is not found by reading is not there to be rendered.

use crate::template::render::Fault;
use crate::template::render::Scope;
use crate::template::render::render_values;
use minijinja::Value;
use minijinja::value::Object;
use minijinja::value::ObjectRepr;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

// The name of the environment in templates.
const NAME: &str = "env";

// Variables that are the program's own need no permission.
const OWN: &str = "VPIPE_";

/// The variables that templates may take.
#[derive(Clone, Default)]
pub struct Variables {
    values: BTreeMap<String, String>,
    permitted: BTreeSet<String>,
    are_optional: bool,
}

impl Variables {
    /// Of `values` those that are `permitted` by name or begin with `VPIPE_`; the others are not
    /// kept.
    pub fn new(
        values: BTreeMap<String, String>,
        permitted: impl IntoIterator<Item = String>,
    ) -> Self {
        let mut these = Self {
            values: BTreeMap::new(),
            permitted: permitted.into_iter().collect(),
            are_optional: false,
        };
        these.values = values
            .into_iter()
            .filter(|(name, _)| these.permits(name))
            .collect();
        these
    }

    /// The same, where one that is not set or not permitted is no mistake: a text that takes it has
    /// no value.
    #[must_use]
    pub fn optional(self) -> Self {
        Self {
            are_optional: true,
            ..self
        }
    }

    fn permits(&self, name: &str) -> bool {
        !needs_permission(name) || self.permitted.contains(name)
    }
}

/// Whether templates take this variable only where the user permits it by name.
pub fn needs_permission(name: &str) -> bool {
    !name.starts_with(OWN)
}

/// A rendered template, and the names of the variables in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedText {
    /// The string with its values; `None` where it takes one that is not there and need not be.
    pub text: Option<String>,
    /// The string with the name of each variable, in braces, in place of its value.
    pub named: String,
    /// The variables that it takes.
    pub variables: BTreeSet<String>,
}

/// `text` with the values of `scope` in it, and those of `variables` as `env.NAME`.
///
/// # Errors
///
/// As [`crate::template::render`]; and where the environment is asked for more than one value by
/// its name, or for a variable that is not permitted.
pub fn render_with_variables(
    text: &str,
    scope: &Scope,
    variables: &Variables,
) -> Result<RenderedText, Fault> {
    let taken = names_in(text)?;
    let is_forbidden = |(name, _): &&(&str, _)| !variables.are_optional && !variables.permits(name);
    if let Some((name, range)) = taken.iter().find(is_forbidden) {
        return Err(forbidden(name, range.clone()));
    }
    let names: BTreeSet<String> = taken.iter().map(|(name, _)| name.to_string()).collect();
    let values = variables.values.iter();
    let values = values.filter(|(name, _)| names.contains(*name));
    let values = values.map(|(name, value)| (name.clone(), value.clone()));
    let rendered = |values: BTreeMap<String, String>| {
        let environment = Value::from_object(Taken(values));
        render_values(text, scope, vec![(NAME, environment)])
    };
    let with_values = match rendered(values.collect()) {
        Ok(text) => Some(text),
        Err(fault) => match unset(&fault) {
            Some(_) if variables.are_optional => None,
            Some(name) => return Err(not_set(name, &fault)),
            None => return Err(fault),
        },
    };
    let in_braces = names
        .iter()
        .map(|name| (name.clone(), format!("{{{name}}}")));
    Ok(RenderedText {
        text: with_values,
        // What computes with a value cannot do so with a name.
        named: rendered(in_braces.collect()).unwrap_or_else(|_| text.to_owned()),
        variables: names,
    })
}

// The variable that lacks a value.
fn unset(fault: &Fault) -> Option<&str> {
    let name = fault.undefined.as_deref()?;
    name.strip_prefix(NAME)?.strip_prefix('.')
}

fn not_set(name: &str, fault: &Fault) -> Fault {
    Fault {
        message: format!("the variable `{name}` is not set"),
        help: Some(format!("set {name} in the environment or in .env")),
        ..fault.clone()
    }
}

fn forbidden(name: &str, range: Range<usize>) -> Fault {
    Fault {
        message: format!("the recipe may not take the variable `{name}`"),
        help: Some(format!(
            "if its value may go where this recipe sends it, say `--allow-env {name}`; only \
             variables called `{OWN}...` need no permission"
        )),
        range: Some(range),
        undefined: None,
    }
}

fn whole(range: Range<usize>) -> Fault {
    Fault {
        message: "a template takes variables one by one, not the environment".to_owned(),
        help: Some("write the name of each, such as `{{ env.VPIPE_SERVER }}`".to_owned()),
        range: Some(range),
        undefined: None,
    }
}

/// The variables that one template takes, by name: nothing else can be done with it.
struct Taken(BTreeMap<String, String>);

impl fmt::Debug for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(the environment)")
    }
}

impl Object for Taken {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.get(key.as_str()?).map(Value::from)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

// The variables that `text` names, and where: `env.NAME` and `env["NAME"]`. Any other use of `env`
// is a mistake.
fn names_in(text: &str) -> Result<Vec<(&str, Range<usize>)>, Fault> {
    let mut names = Vec::new();
    for (start, end) in words(text) {
        if text.get(start..end) != Some(NAME) {
            continue;
        }
        match named(text, end) {
            Some((name, end)) => names.push((name, start..end)),
            None => return Err(whole(start..end)),
        }
    }
    Ok(names)
}

// The name that is looked up behind `at`, and where the look-up ends.
fn named(text: &str, at: usize) -> Option<(&str, usize)> {
    let rest = text.get(at..)?.trim_start();
    let inner = rest.get(1..)?.trim_start();
    let (name, after) = match rest.chars().next()? {
        '.' => inner.split_at(word_length(inner)),
        '[' => {
            let quote = inner.chars().next().filter(|it| "'\"".contains(*it))?;
            let (name, after) = inner.get(1..)?.split_once(quote)?;
            (name, after.trim_start().strip_prefix(']')?)
        }
        _ => return None,
    };
    // What is called is a method, and not a variable.
    let is_called = after.trim_start().starts_with('(');
    let is_name = !name.is_empty() && word_length(name) == name.len();
    (is_name && !is_called).then(|| (name, text.len() - after.len()))
}

fn is_in_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn word_length(text: &str) -> usize {
    text.find(|letter| !is_in_word(letter))
        .unwrap_or(text.len())
}

// The words within the braces of a template that are no text and no attribute of another.
fn words(text: &str) -> Vec<(usize, usize)> {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some((open, end)) = opening(text, at) {
        at = match end {
            "#}" => text.get(open..).and_then(|rest| rest.find(end)),
            _ => None,
        }
        .map_or_else(|| code(text, open, &mut words), |length| open + length + 2);
    }
    words
}

// Where the code of the next braces begins, and what ends it.
fn opening(text: &str, at: usize) -> Option<(usize, &'static str)> {
    let marks = [("{{", "}}"), ("{%", "%}"), ("{#", "#}")];
    let rest = text.get(at..)?;
    let found = marks
        .iter()
        .filter_map(|(mark, end)| Some((at + rest.find(mark)? + mark.len(), *end)));
    found.min()
}

// Notes the words of the code that begins at `at`; gives where it ends. A brace within it belongs
// to it, and so does more than that where it is not well formed: what is read too much is refused.
fn code(text: &str, mut at: usize, words: &mut Vec<(usize, usize)>) -> usize {
    let (mut depth, mut before) = (0_usize, ' ');
    while let Some(letter) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = text.get(at..).unwrap_or_default();
        if depth == 0 && (rest.starts_with("}}") || rest.starts_with("%}")) {
            return at + 2;
        }
        let length = match letter {
            '\'' | '"' => quoted_length(rest, letter),
            _ if is_in_word(letter) => {
                let length = word_length(rest);
                if before != '.' {
                    words.push((at, at + length));
                }
                length
            }
            _ => letter.len_utf8(),
        };
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if !letter.is_whitespace() {
            before = letter;
        }
        at += length;
    }
    at
}

// The length of the quoted text that `rest` begins with.
fn quoted_length(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, letter) in rest.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if letter == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::RenderedText;
    use super::Taken;
    use super::Variables;
    use super::render_with_variables;
    use crate::template::render::Fault;
    use crate::template::render::Scope;
    use crate::template::render::render_values;
    use minijinja::Value;
    use serde_json::json;

    fn render(text: &str) -> Result<RenderedText, Fault> {
        render_with(text, |variables| variables)
    }

    fn render_with(text: &str, change: fn(Variables) -> Variables) -> Result<RenderedText, Fault> {
        let values = [
            ("VPIPE_SERVER", "http://127.0.0.1"),
            ("REGION", "eu"),
            ("DATABASE_URL", "postgres://u:hunter2@db"),
        ];
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let variables = Variables::new(values.into(), ["REGION".to_owned(), "UNSET".to_owned()]);
        let vars = json!({ "name": "DATABASE_URL", "env": "staging" });
        let scope = Scope::default().with("vars", vars.as_object().unwrap().clone());
        render_with_variables(text, &scope, &change(variables))
    }

    #[test]
    fn a_variable_is_taken_by_its_name() {
        for (text, expected, names) in [
            ("{{ env.REGION }}-1", "eu-1", &["REGION"][..]),
            ("{{ env['REGION'] | upper }}", "EU", &["REGION"]),
            ("{{ env [ \"REGION\" ] }}", "eu", &["REGION"]),
            (
                "{{ env.VPIPE_SERVER }}/{{ env . REGION }}",
                "http://127.0.0.1/eu",
                &["REGION", "VPIPE_SERVER"],
            ),
            ("{{ env.UNSET | default('x') }}", "x", &["UNSET"]),
            ("{% if env.REGION == 'eu' %}a{% endif %}", "a", &["REGION"]),
            ("{% set e = env.REGION %}{{ e }}", "eu", &["REGION"]),
            (
                "http://env.example.org/{{ vars.env }}",
                "http://env.example.org/staging",
                &[],
            ),
            ("{# env #}{{ 'env' }}", "env", &[]),
            ("env", "env", &[]),
        ] {
            let rendered = render(text).unwrap();
            assert_eq!(rendered.text.as_deref(), Some(expected), "{text}");
            assert!(rendered.variables.iter().eq(names), "{text}");
        }
    }

    #[test]
    fn names_stand_for_values() {
        for (text, named) in [
            ("{{ env.REGION }}-1", "{REGION}-1"),
            ("{{ env['REGION'] | upper }}/a", "{REGION}/a"),
            ("{{ env.UNSET | default('x') }}", "{UNSET}"),
            (
                "{{ env.VPIPE_SERVER }}/{{ vars.env }}",
                "{VPIPE_SERVER}/staging",
            ),
            ("{{ env.REGION[0] }}", "{"),
            ("{{ 2 ** (env.REGION | length) }}", "256"),
        ] {
            assert_eq!(render(text).unwrap().named, named, "{text}");
        }
        // What is not there, where it need not be.
        for text in ["{{ env.UNSET }}/a", "{{ env.DATABASE_URL }}/a"] {
            let rendered = render_with(text, Variables::optional).unwrap();
            assert_eq!(rendered.text, None, "{text}");
            assert!(rendered.named.ends_with("}/a"), "{}", rendered.named);
        }
        let there = render_with("{{ env.REGION }}", Variables::optional).unwrap();
        assert_eq!(there.text.as_deref(), Some("eu"));
        assert!(render_with("{{ env }}", Variables::optional).is_err());
        assert!(render_with("{{ vars.none }}", Variables::optional).is_err());
    }

    #[test]
    fn the_environment_is_no_value() {
        for text in [
            "{{ env }}",
            "{{ env | items }}",
            "{{ env | tojson }}",
            "{{ env | list }}",
            "{{ env | string }}",
            "{{ env | length }}",
            "{{ env | dictsort }}",
            "{{ env | attr('DATABASE_URL') }}",
            "{{ env | pprint }}",
            "{{ env ~ '' }}",
            "{{ env == env }}",
            "{{ 'DATABASE_URL' in env }}",
            "{{ env.items() }}",
            "{{ env.values() }}",
            "{{ env() }}",
            "{{ env[vars.name] }}",
            "{{ env['DATABASE_' ~ 'URL'] }}",
            "{{ env[0] }}",
            "{{ env[:] }}",
            "{{ (env).REGION }}",
            "{{ [env] | map(attribute='DATABASE_URL') | first }}",
            "{{ {'a': env}.a.DATABASE_URL }}",
            "{{ {'}}': 1}['}}'] }}{{ env }}",
            "{{ 'a\\'' }}{{ env }}{{ '' }}",
            "{% for k in env %}{{ k }}{% endfor %}",
            "{% for k, v in env | items %}{{ v }}{% endfor %}",
            "{% set e = env %}{{ e.DATABASE_URL }}",
            "{% set env = env %}{{ env.DATABASE_URL }}",
            "{% with e = env %}{{ e }}{% endwith %}",
            "{% macro f(e) %}{{ e }}{% endmacro %}{{ f(env) }}",
            "{%- if env -%}a{%- endif -%}",
            "{{ dict(env) }}",
        ] {
            let fault = render(text).unwrap_err();
            let told = "a template takes variables one by one, not the environment";
            assert_eq!(fault.message, told, "{text}");
            let range = fault.range.unwrap();
            assert_eq!(text.get(range), Some("env"), "{text}");
        }
    }

    #[test]
    fn what_is_not_permitted_is_told_at_its_place() {
        for (text, name) in [
            ("{{ env.DATABASE_URL }}", "DATABASE_URL"),
            ("a{{ env['DATABASE_URL'] }}", "DATABASE_URL"),
            ("{{ env.DATABASE_URL | default('') }}", "DATABASE_URL"),
            ("{{ 1 if env.DATABASE_URL else 2 }}", "DATABASE_URL"),
            ("{% if false %}{{ env.HOME }}{% endif %}", "HOME"),
            ("{{ env.vpipe_server }}", "vpipe_server"),
            ("{{ env.__class__ }}", "__class__"),
        ] {
            let fault = render(text).unwrap_err();
            let told = format!("the recipe may not take the variable `{name}`");
            assert_eq!(fault.message, told, "{text}");
            assert!(
                fault
                    .help
                    .unwrap()
                    .contains(&format!("`--allow-env {name}`"))
            );
            assert!(
                text.get(fault.range.unwrap()).unwrap().contains(name),
                "{text}"
            );
        }
        let fault = render("{{ env.UNSET }}").unwrap_err();
        assert_eq!(fault.message, "the variable `UNSET` is not set");
    }

    #[test]
    fn what_reading_overlooks_is_not_there() {
        for text in [
            "{{ debug() }}",
            "{% set e = vars %}{{ debug() }}",
            "{{ self }}",
            "{{ context }}",
        ] {
            let shown = render(text).ok().and_then(|it| it.text).unwrap_or_default();
            assert!(
                !shown.contains("hunter2") && !shown.contains("127.0.0.1"),
                "{shown}"
            );
        }
        let taken = Value::from_object(Taken([("A".to_owned(), "hunter2".to_owned())].into()));
        for text in [
            "{{ e }}",
            "{{ [e] }}",
            "{{ e ~ '' }}",
            "{{ debug() }}",
            "{{ e | items }}",
            "{{ e | tojson }}",
        ] {
            let shown = render_values(text, &Scope::default(), vec![("e", taken.clone())]);
            assert!(!shown.unwrap_or_default().contains("hunter2"), "{text}");
        }
        for text in ["{% for a in e %}{% endfor %}", "{{ e | list }}"] {
            let shown = render_values(text, &Scope::default(), vec![("e", taken.clone())]);
            assert!(shown.is_err(), "{text}: {shown:?}");
        }
    }
}
