//! Conditions: tests that a recipe writes as expressions, such as `confidence > 0.5`.
//!
//! What one may do is bounded, in steps as in bytes, so that no recipe goes on for ever.

use crate::diag::did_you_mean;
use crate::template::called::Called;
use crate::template::called::calls;
use crate::template::compared::Compared;
use crate::template::compared::comparisons;
use crate::template::passed::asked;
use crate::template::region::Region;
use crate::template::region::RegionValue;
use crate::template::render::Fault;
use crate::template::render::Scope;
use minijinja::Environment;
use minijinja::Error;
use minijinja::ErrorKind;
use minijinja::UndefinedBehavior;
use minijinja::value::Serde;
use minijinja::value::ValueKind;
use serde_json::Map;
use serde_json::Value;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

// Steps of one evaluation; a step pays for bytes as well.
const FUEL: u64 = 100_000;

// Expressions within expressions.
const DEPTH: usize = 50;

// Bytes of a test: the parser nests as deep as its text lets it.
const LONGEST: usize = 2_000;

// What the regions are a part of.
const REGIONS: &str = "regions";

// More names than this are not listed in a message.
const LISTED: usize = 18;

/// A test over named values, and what is already known of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Condition {
    text: String,
    known: Scope,
    regions: Arc<BTreeMap<String, Region>>,
}

impl Condition {
    /// The test that is written as `text`, over `known` and what is given later; it is not
    /// looked at before it is asked for.
    pub fn new(text: impl Into<String>, known: Scope) -> Self {
        Self {
            text: text.into(),
            known,
            regions: Arc::default(),
        }
    }

    /// The same test, in reach of which are `regions` by their names.
    pub fn with_regions(self, regions: &Arc<BTreeMap<String, Region>>) -> Self {
        Self {
            regions: Arc::clone(regions),
            ..self
        }
    }

    /// The regions in its reach.
    pub fn regions(&self) -> &BTreeMap<String, Region> {
        &self.regions
    }

    /// The test as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is already known of its values.
    pub fn known(&self) -> &Scope {
        &self.known
    }

    /// Whether it holds for `values`.
    ///
    /// # Errors
    ///
    /// Where it is no expression, names what is not there, cannot be computed, or comes to
    /// something else than true or false.
    pub fn holds(&self, values: &Map<String, Value>) -> Result<bool, Fault> {
        let mut answers = self.each(std::iter::once(values.clone()))?;
        Ok(answers.pop().unwrap_or(false))
    }

    /// Whether it holds for each of `many`.
    ///
    /// # Errors
    ///
    /// As [`Condition::holds`], for the first where it does.
    pub fn each(
        &self,
        many: impl IntoIterator<Item = Map<String, Value>>,
    ) -> Result<Vec<bool>, Fault> {
        if self.text.len() > LONGEST {
            let message = format!("the expression has more than {LONGEST} bytes");
            return Err(plain(message, "write a shorter test"));
        }
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_debug(true);
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(DEPTH);
        let program = environment
            .compile_expression(&self.text)
            .map_err(|error| self.fault(&error, &Map::new()))?;
        let holds = |own: Map<String, Value>| {
            let values = own.iter();
            let values = values.map(|(name, value)| {
                let plain = || Serde(value).into();
                (name.as_str(), asked(name, value).unwrap_or_else(plain))
            });
            let values = values.chain(self.places());
            let context = minijinja::Value::from_pairs(self.known.values().chain(values));
            let all = || {
                let mut all = self.known.json();
                let names = self.regions.keys();
                let regions = names.map(|name| (name.clone(), Value::Null)).collect();
                all.insert(REGIONS.to_owned(), Value::Object(regions));
                all.extend(own.clone());
                all
            };
            let value = program
                .eval(context)
                .map_err(|error| self.fault(&error, &all()))?;
            match value.kind() {
                ValueKind::Bool => Ok(value.is_true()),
                ValueKind::Undefined => Err(self.undefined(&self.text, &all())),
                ValueKind::Plain => Err(plain(
                    format!("`{}` does not say of what", self.text),
                    "name it, such as `crossed(\"gate\")` or `entered(\"door\")`",
                )),
                kind => Err(plain(
                    format!(
                        "`{}` comes to {}, not to true or false",
                        self.text,
                        with_article(kind)
                    ),
                    "compare it with something, such as `confidence > 0.5`",
                )),
            }
        };
        many.into_iter().map(holds).collect()
    }

    // All regions as one value, where there are any.
    fn places(&self) -> Option<(&str, minijinja::Value)> {
        let regions = self.regions.iter().map(|(name, region)| {
            let region = RegionValue(region.clone());
            (name.as_str(), minijinja::Value::from_object(region))
        });
        (!self.regions.is_empty()).then(|| (REGIONS, minijinja::Value::from_pairs(regions)))
    }

    /// What the value called `name` is compared with, as far as the test says it and `known` has it.
    pub fn compared(&self, name: &str) -> Vec<Compared> {
        comparisons(&self.text, name, &self.known)
    }

    /// What it calls, as far as the test says it and `known` has it.
    pub fn calls(&self) -> Vec<Called> {
        calls(&self.text, &self.known)
    }

    /// The names that it uses, such as `a` and `b.c`; none where it is no expression.
    pub fn names(&self) -> BTreeSet<String> {
        let program = Environment::new();
        let program = program.compile_expression(&self.text);
        let names = program.map(|it| it.undeclared_variables(true));
        names.unwrap_or_default().into_iter().collect()
    }

    fn fault(&self, error: &Error, values: &Map<String, Value>) -> Fault {
        let detail = error.detail();
        let named = detail.and_then(|detail| detail.split('`').nth(1));
        match (error.kind(), named) {
            (ErrorKind::UndefinedError, Some(name)) => self.undefined(name, values),
            (ErrorKind::OutOfFuel, _) => plain(
                format!("`{}` takes too long to compute", self.text),
                "write a plain test, without long lists or loops",
            ),
            (kind, _) => {
                let why = detail.map_or_else(|| kind.to_string(), str::to_owned);
                Fault {
                    message: format!("the expression is wrong: {why}"),
                    help: (kind == ErrorKind::SyntaxError).then(|| self.cure(error).to_owned()),
                    range: error.range(),
                    undefined: None,
                }
            }
        }
    }

    // What to write instead of what other languages have.
    fn cure(&self, error: &Error) -> &'static str {
        let place = error.range().and_then(|range| self.text.get(range.start..));
        let place = place.unwrap_or_default();
        let has = |word| self.text.contains(word);
        match place.strip_prefix('=') {
            Some(rest) if !rest.starts_with('=') => "`==` compares two values, `=` does not",
            _ if has("&&") || has("||") => "write `and` for `&&`, and `or` for `||`",
            _ => "write a test as in Python, such as `a > 1 and b in [\"x\", \"y\"]`",
        }
    }

    fn undefined(&self, name: &str, values: &Map<String, Value>) -> Fault {
        let name = name.trim();
        let known = names(values);
        let help = match did_you_mean(name, known.iter().map(String::as_str)) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if known.len() > LISTED => "there is no such value here".to_owned(),
            None => {
                let known: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
                format!("in scope here: {}", known.join(", "))
            }
        };
        Fault {
            message: format!("`{name}` is not defined"),
            help: Some(help),
            range: self.text.find(name).map(|start| start..start + name.len()),
            undefined: Some(name.to_owned()),
        }
    }
}

fn plain(message: String, help: &str) -> Fault {
    Fault {
        message,
        help: Some(help.to_owned()),
        range: None,
        undefined: None,
    }
}

// `a`, and `b.c` where `b` has names of its own.
fn names(values: &Map<String, Value>) -> Vec<String> {
    let names = values.iter().flat_map(|(name, value)| match value {
        Value::Object(inner) => inner.keys().map(|key| format!("{name}.{key}")).collect(),
        _ => vec![name.clone()],
    });
    names.collect()
}

fn with_article(kind: ValueKind) -> String {
    match kind {
        ValueKind::None => "nothing".to_owned(),
        ValueKind::Iterable | ValueKind::Invalid => format!("an {kind}"),
        kind => format!("a {kind}"),
    }
}

#[cfg(test)]
mod tests {
    use super::Condition;
    use crate::template::render::Scope;
    use serde_json::Map;
    use serde_json::Value;
    use serde_json::json;

    fn object(json: &Value) -> Map<String, Value> {
        json.as_object().unwrap().clone()
    }

    fn holds(text: &str) -> Result<bool, String> {
        let known = Scope::default().with("vars", object(&json!({"least": 0.5})));
        let values = json!({"class_name": "person", "confidence": 0.75, "bbox": [1, 2, 3, 4]});
        let condition = Condition::new(text, known);
        condition
            .holds(&object(&values))
            .map_err(|fault| format!("{}; {}", fault.message, fault.help.unwrap_or_default()))
    }

    #[test]
    fn a_condition_reads_as_in_python() {
        for (text, expected) in [
            (
                "class_name in [\"person\", \"dog\"] and confidence > 0.5",
                true,
            ),
            ("class_name == 'cat' or confidence >= vars.least", true),
            ("not (confidence > 0.5)", false),
            ("(bbox[2] - bbox[0]) * (bbox[3] - bbox[1]) > 3", true),
            ("class_name is startingwith 'p'", true),
        ] {
            assert_eq!(holds(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_with_one_is_said() {
        for (text, message) in [
            (
                "class_nam == 'x'",
                "`class_nam` is not defined; did you mean `class_name`?",
            ),
            (
                "vars.most > 1",
                "`vars.most` is not defined; did you mean `vars.least`?",
            ),
            ("env.HOME == 'x'", "`env` is not defined; in scope here: "),
            (
                "confidence",
                "`confidence` comes to a number, not to true or false; compare",
            ),
            (
                "none",
                "`none` comes to nothing, not to true or false; compare",
            ),
            (
                "range(3)",
                "`range(3)` comes to an iterator, not to true or false; compare",
            ),
            ("confidence >", "the expression is wrong: "),
            ("class_name / 2 > 1", "the expression is wrong: "),
            ("", "the expression is wrong: "),
        ] {
            let wrong = holds(text).unwrap_err();
            assert!(wrong.starts_with(message), "{text}: {wrong}");
        }
    }

    #[test]
    fn none_goes_on_for_ever_or_reaches_out() {
        let deep = format!("{}1{} == 1", "(".repeat(900), ")".repeat(900));
        let minus = format!("{}1 == 1", "-".repeat(1_990));
        let sum = format!("1{} == 1", "+1".repeat(990));
        let long = format!("{} true", "not ".repeat(20_000));
        for text in [
            "'x' * 1000000000 == 'x'",
            "range(100000) | list | length > 1 and range(100000) | list | length > 1",
            "(range(90000) | map('string') | join('')) == 'x'",
            &deep,
            &long,
            "self == 1",
            "open('/etc/passwd') == 'x'",
            "confidence.__class__ == 1",
        ] {
            let short: String = text.chars().take(40).collect();
            assert!(holds(text).is_err(), "{short}");
        }
        assert_eq!(holds(&minus), Ok(true));
        assert_eq!(holds(&sum), Ok(false));
    }
}
