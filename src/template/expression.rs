//! Expressions: values computed from data, and JSON whose strings are templates.
//!
//! What an expression may do is bounded, in steps as in bytes: neither a recipe nor an answer
//! can make it go on for ever.

use crate::template::render::Fault;
use crate::template::render::environment;
use crate::template::render::space;
use minijinja::Environment;
use minijinja::Error;
use minijinja::ErrorKind;
use minijinja::Value;
use minijinja::value::Object;
use minijinja::value::ObjectRepr;
use minijinja::value::Serde;
use minijinja::value::ValueKind;
use serde::Serialize;
use serde::Serializer;
use serde::ser::Error as _;
use serde_json::Map;
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

// Steps of one evaluation; a step pays for 64 bytes as well.
const FUEL: u64 = 1_000_000;

// Calls within calls; no honest expression comes near.
const DEPTH: usize = 50;

/// A value that expressions read and give.
#[derive(Clone, Debug, Default)]
pub struct Data(Value);

impl Data {
    /// `value` as data.
    pub fn new(value: &impl Serialize) -> Self {
        Self(Value::from(Serde(value)))
    }

    /// Named values, each of which is made where it is named.
    pub fn space(values: &Arc<Map<String, Json>>) -> Self {
        Self(space(values))
    }

    /// A list of texts.
    pub fn texts(texts: Vec<String>) -> Self {
        Self(texts.into_iter().map(Value::from).collect())
    }

    /// Its items; `None` where it is no list.
    pub fn items(&self) -> Option<Vec<Self>> {
        if !matches!(self.0.kind(), ValueKind::Seq | ValueKind::Iterable) {
            return None;
        }
        Some(self.0.try_iter().ok()?.map(Self).collect())
    }

    /// A finite number; `None` where it is none.
    pub fn number(&self) -> Option<f64> {
        if self.0.kind() != ValueKind::Number {
            return None;
        }
        let number = f64::try_from(self.0.clone()).ok()?;
        number.is_finite().then_some(number)
    }

    /// Text, or a number as it is written; `None` for all else.
    pub fn text(&self) -> Option<String> {
        matches!(self.0.kind(), ValueKind::String | ValueKind::Number).then(|| self.0.to_string())
    }

    /// Whether it is nothing on purpose.
    pub fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// The `number`th of the files that travel with a request: to be put somewhere, and nothing
    /// else.
    pub fn file(number: usize) -> Self {
        Self(Value::from_object(File(number)))
    }

    /// A list of data.
    pub fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self(items.into_iter().map(|Self(item)| item).collect())
    }

    /// Which file it is; `None` where it is none.
    pub fn as_file(&self) -> Option<usize> {
        self.0.downcast_object_ref::<File>().map(|file| file.0)
    }

    /// True or false; `None` where it is neither.
    pub fn truth(&self) -> Option<bool> {
        (self.0.kind() == ValueKind::Bool).then(|| self.0.is_true())
    }

    /// The same as JSON.
    ///
    /// # Errors
    ///
    /// Where it is none, such as a file.
    pub fn json(&self) -> Result<Json, Fault> {
        serde_json::to_value(self).map_err(|error| Fault {
            message: error.to_string(),
            help: None,
            range: None,
            undefined: None,
        })
    }
}

// A file by its number; no expression can make one.
#[derive(Debug)]
struct File(usize);

impl Object for File {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(file {})", self.0)
    }
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.as_file() {
            Some(_) => Err(S::Error::custom("a file is no JSON")),
            None => self.0.serialize(serializer),
        }
    }
}

/// The names that an expression may use.
#[derive(Clone, Debug, Default)]
pub struct Names(Vec<(&'static str, Data)>);

impl Names {
    /// These names and `data` as `name`.
    pub fn with(mut self, name: &'static str, data: Data) -> Self {
        self.0.push((name, data));
        self
    }

    fn context(&self) -> Value {
        Value::from_pairs(self.0.iter().map(|(name, data)| (*name, data.0.clone())))
    }
}

/// What compiles expressions.
#[derive(Debug)]
pub struct Expressions(Environment<'static>);

impl Default for Expressions {
    fn default() -> Self {
        let mut environment = environment();
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(DEPTH);
        Self(environment)
    }
}

impl Expressions {
    /// The expression that is written as `text`.
    ///
    /// # Errors
    ///
    /// Where it is none.
    pub fn compile<'a>(&'a self, text: &'a str) -> Result<Expression<'a>, Fault> {
        let program = self.0.compile_expression(text);
        let program = program.map_err(|error| fault(text, &error))?;
        Ok(Expression { text, program })
    }

    /// `json` with the values of `names` in its strings. A string that is one `{{ }}` and nothing
    /// else becomes the value itself, whatever it is; a key whose value comes out as `none` is
    /// left out.
    ///
    /// # Errors
    ///
    /// Where a string cannot be rendered.
    pub fn fill(&self, json: &Json, names: &Names) -> Result<Filled, Fault> {
        self.filled(json, &names.context())
    }

    fn filled(&self, json: &Json, context: &Value) -> Result<Filled, Fault> {
        Ok(match json {
            Json::String(text) => Filled::Data(Data(self.value(text, context)?)),
            Json::Array(items) => {
                let items = items.iter().map(|item| self.filled(item, context));
                Filled::List(items.collect::<Result<_, _>>()?)
            }
            Json::Object(fields) => {
                let mut table = Vec::with_capacity(fields.len());
                for (name, value) in fields {
                    let value = self.filled(value, context)?;
                    if !matches!(&value, Filled::Data(data) if data.is_none()) {
                        table.push((name.clone(), value));
                    }
                }
                Filled::Table(table)
            }
            plain => Filled::Data(Data::new(plain)),
        })
    }

    fn value(&self, text: &str, context: &Value) -> Result<Value, Fault> {
        match whole(text) {
            Some(inner) => Ok(self.compile(inner)?.value(context.clone())?.0),
            None if !text.contains("{{") && !text.contains("{%") => Ok(Value::from(text)),
            None => {
                let rendered = self.0.render_str(text, context);
                rendered
                    .map(Value::from)
                    .map_err(|error| fault(text, &error))
            }
        }
    }

    /// The first parts of all names that the strings of `json` use and do not make themselves.
    /// What is no template uses none.
    pub fn names_in_all(&self, json: &Json) -> BTreeSet<String> {
        let strings: Vec<&Json> = match json {
            Json::Array(items) => items.iter().collect(),
            Json::Object(fields) => fields.values().collect(),
            Json::String(text) => {
                let names = self.names_in(text).unwrap_or_default();
                let first = |name: String| name.split('.').next().unwrap_or_default().to_owned();
                return names.into_iter().map(first).collect();
            }
            _ => Vec::new(),
        };
        let names = strings.into_iter().flat_map(|json| self.names_in_all(json));
        names.collect()
    }

    /// The names that the strings of `text` use and do not make themselves, such as `a` and `b.c`.
    ///
    /// # Errors
    ///
    /// Where it is no template.
    pub fn names_in(&self, text: &str) -> Result<BTreeSet<String>, Fault> {
        match whole(text) {
            Some(inner) => Ok(self.compile(inner)?.names()),
            None => {
                let template = self.0.template_from_str(text);
                let template = template.map_err(|error| fault(text, &error))?;
                Ok(template.undeclared_variables(true).into_iter().collect())
            }
        }
    }
}

/// What is within the braces of a string that is one `{{ }}` and nothing else.
fn whole(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    (!inner.contains("{{") && !inner.contains("}}")).then_some(inner)
}

/// A compiled expression.
#[derive(Debug)]
pub struct Expression<'a> {
    text: &'a str,
    program: minijinja::Expression<'a, 'a>,
}

impl fmt::Display for Expression<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text.trim())
    }
}

impl Expression<'_> {
    /// Its value for `names`.
    ///
    /// # Errors
    ///
    /// Where it has none: what it names is not there, or cannot be computed with.
    pub fn eval(&self, names: &Names) -> Result<Data, Fault> {
        self.value(names.context())
    }

    /// The names that it uses, such as `a` and `b.c`.
    pub fn names(&self) -> BTreeSet<String> {
        self.program
            .undeclared_variables(true)
            .into_iter()
            .collect()
    }

    fn value(&self, context: Value) -> Result<Data, Fault> {
        let value = self.program.eval(context);
        let value = value.map_err(|error| fault(self.text, &error))?;
        if value.is_undefined() {
            return Err(undefined(self.text.trim()));
        }
        Ok(Data(value))
    }
}

/// JSON whose strings have been rendered.
#[derive(Clone, Debug)]
pub enum Filled {
    /// A value.
    Data(Data),
    /// A list.
    List(Vec<Filled>),
    /// Fields in their order.
    Table(Vec<(String, Filled)>),
}

impl Filled {
    /// Whether it has no fields.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Table(fields) => fields.is_empty(),
            Self::Data(_) | Self::List(_) => true,
        }
    }
}

impl Serialize for Filled {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Data(data) => data.serialize(serializer),
            Self::List(items) => serializer.collect_seq(items),
            Self::Table(fields) => {
                serializer.collect_map(fields.iter().map(|(name, value)| (name, value)))
            }
        }
    }
}

fn undefined(name: &str) -> Fault {
    Fault {
        message: format!("`{name}` is not there"),
        help: None,
        range: None,
        undefined: None,
    }
}

fn fault(text: &str, error: &Error) -> Fault {
    let detail = error.detail();
    if error.kind() == ErrorKind::UndefinedError {
        let name = detail.and_then(|detail| detail.split('`').nth(1));
        return undefined(name.unwrap_or(text.trim()));
    }
    Fault {
        message: format!(
            "`{}` cannot be computed: {}",
            text.trim(),
            match detail {
                Some(detail) => detail.to_owned(),
                None => error.kind().to_string(),
            }
        ),
        help: None,
        range: None,
        undefined: None,
    }
}

#[cfg(test)]
mod tests {
    use super::Data;
    use super::Expressions;
    use super::Names;
    use serde_json::Value;
    use serde_json::json;

    fn names() -> Names {
        let images = vec!["AAAA".to_owned(), "BBBB".to_owned()];
        let params = json!({ "conf": 0.15, "half": true, "classes": null });
        Names::default()
            .with("images", Data::texts(images))
            .with("params", Data::new(&params))
            .with(
                "output",
                Data::new(&json!({ "boxes": [[1, 2]], "none": null })),
            )
    }

    fn fill(json: &Value) -> Result<Value, String> {
        let filled = Expressions::default().fill(json, &names());
        filled
            .map(|filled| serde_json::to_value(&filled).unwrap())
            .map_err(|fault| fault.message)
    }

    #[test]
    fn a_string_that_is_one_value_keeps_its_type() {
        let request = json!({
            "frames": "{{ images }}",
            "url": "data:image/jpeg;base64,{{ images[0] }}",
            "options": { "conf": "{{ params.conf * 2 }}", "fp16": "{{ params.half }}", "n": 3 },
            "classes": "{{ params.classes }}",
            "list": ["plain", "{{ images | length }}"],
        });
        assert_eq!(
            fill(&request).unwrap(),
            json!({
                "frames": ["AAAA", "BBBB"],
                "url": "data:image/jpeg;base64,AAAA",
                "options": { "conf": 0.3, "fp16": true, "n": 3 },
                "list": ["plain", 2],
            })
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, message) in [
            ("{{ parms.conf }}", "`parms` is not there"),
            ("{{ params.config }}", "`params.config` is not there"),
            ("a {{ params.config }}", "`params.config` is not there"),
            ("{{ images + 1 }}", "`images + 1` cannot be computed: "),
            ("{{ images[ }}", "`images[` cannot be computed: "),
        ] {
            let wrong = fill(&json!(text)).unwrap_err();
            assert!(wrong.starts_with(message), "{text}: {wrong}");
        }
    }

    #[test]
    fn answers_are_data_and_never_code() {
        let expressions = Expressions::default();
        let answer = json!("{{ 1 + 1 }}");
        let names = Names::default().with("output", Data::new(&answer));
        let value = expressions.compile("output").unwrap().eval(&names).unwrap();
        assert_eq!(value.text().unwrap(), "{{ 1 + 1 }}");
    }

    #[test]
    fn nothing_goes_on_for_ever() {
        for text in [
            "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}",
            "{{ images[0] * 90000000 }}",
            "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        ] {
            assert!(fill(&json!(text)).is_err(), "{text}");
        }
        let deep = format!("{}1{}", "[".repeat(2000), "]".repeat(2000));
        assert!(Expressions::default().compile(&deep).is_err());
    }

    #[test]
    fn names_are_known_before_anything_is_computed() {
        let expressions = Expressions::default();
        let names = |text| Vec::from_iter(expressions.names_in(text).unwrap());
        assert_eq!(
            names("{{ params.conf + vars.x }}"),
            ["params.conf", "vars.x"]
        );
        assert_eq!(
            names("{% for i in images %}{{ i }}{% endfor %}"),
            ["images"]
        );
        assert_eq!(names("plain"), Vec::<String>::new());
    }

    #[test]
    fn data_is_read_as_what_it_is() {
        let expressions = Expressions::default();
        let data = |text| expressions.compile(text).unwrap().eval(&names()).unwrap();
        assert_eq!(data("output.boxes[0]").items().unwrap().len(), 2);
        assert_eq!(data("output.boxes[0][1]").number(), Some(2.0));
        assert!(data("output.none").is_none());
        assert!(data("'text'").items().is_none());
        assert!(data("true").number().is_none());
        assert_eq!(data("7").text().unwrap(), "7");
        assert_eq!(
            data("output.missing | default(output.boxes)")
                .items()
                .unwrap()
                .len(),
            1
        );
    }
}
