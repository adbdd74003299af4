//! A test of a recipe, `NAME.test.toml`: which recipe over which inputs, and how far apart from what
//! was accepted its results may be.
//!
//! Paths are as they are written. Knows nothing of files, and not what a test does.

use crate::diag::Diagnostic;
use crate::diag::Report;
use crate::diag::SourceMap;
use crate::diag::Span;
use crate::recipe::load::parse;
use crate::recipe::load::read::read;
use crate::recipe::load::tree::Entry;
use crate::recipe::load::tree::Table;
use crate::recipe::load::tree::Value;
use crate::recipe::load::value;
use crate::recipe::stages::moment;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// The tables of a test file, which are read by themselves.
const TABLES: &[&str] = &["tolerance", "vars"];

/// A test of a recipe.
#[derive(Clone, Debug, Default)]
pub struct TestSpec {
    /// A preset's name or a path.
    pub recipe: String,
    /// Paths of videos, pictures and folders of pictures.
    pub inputs: Vec<String>,
    /// `STAGE.KEY=VALUE`, as on the command line.
    pub set: Vec<String>,
    /// `NAME=VALUE`, as on the command line.
    pub vars: Vec<String>,
    /// Only so much from the beginning of each video.
    pub first: Option<Duration>,
    /// The path of the cassette; there is a built-in one.
    pub cassette: Option<String>,
    /// How far apart things may be and still be the same.
    pub tolerance: ToleranceSpec,
    /// The text that it was read from.
    pub sources: SourceMap,
    /// Where the value of each key stands in it.
    pub keys: BTreeMap<String, Span>,
}

/// How far apart things may be and still be the same; what is `None` has its default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ToleranceSpec {
    /// The least overlap of two boxes, as intersection over union, from 0 to 1.
    #[serde(deserialize_with = "value::exact_share")]
    pub iou: Option<f64>,
    /// The most that two confidences, or two numbers of a record, differ by, from 0 to 1.
    #[serde(deserialize_with = "value::exact_share")]
    pub confidence: Option<f64>,
    /// The most that two times differ by, in seconds.
    #[serde(deserialize_with = "value::from_zero")]
    pub seconds: Option<f64>,
    /// The most words that differ, as a share of the old ones.
    #[serde(deserialize_with = "value::from_zero")]
    pub words: Option<f64>,
}

// The keys that are no tables.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Keys {
    #[serde(deserialize_with = "value::text")]
    recipe: String,
    inputs: Option<Vec<String>>,
    set: Vec<String>,
    #[serde(deserialize_with = "moment::optional")]
    first: Option<Duration>,
    #[serde(deserialize_with = "value::optional")]
    cassette: Option<String>,
}

impl TestSpec {
    /// Reads `text`, which the user knows as `name`.
    ///
    /// # Errors
    ///
    /// All that is wrong with it.
    pub fn read(name: &str, text: &str) -> Result<Self, Report> {
        let mut sources = SourceMap::default();
        let base = sources.add(name, text);
        let mut wrong = Vec::new();
        let spec = match parse::document(text, base) {
            Ok(table) => Self::of(table, &mut wrong),
            Err(syntax) => {
                wrong.push(syntax);
                Self::default()
            }
        };
        if wrong.is_empty() {
            return Ok(Self { sources, ..spec });
        }
        wrong.sort_by_key(Diagnostic::span);
        Err(Report {
            sources,
            diagnostics: wrong,
        })
    }

    fn of(mut table: Table, wrong: &mut Vec<Diagnostic>) -> Self {
        let keys = table.places();
        for (key, example) in [("recipe", "\"default\""), ("inputs", "[\"clip.mp4\"]")] {
            if !keys.contains_key(key) {
                let message = format!("a test needs `{key}`");
                let lacks = Diagnostic::error(Span::default(), message);
                wrong.push(lacks.help(format!("write `{key} = {example}`")));
            }
        }
        let tolerance = table.take("tolerance");
        let tolerance = tolerance.and_then(|entry| inner(entry, wrong));
        let vars = table.take("vars").and_then(|entry| inner(entry, wrong));
        let vars = vars.map_or_else(Vec::new, |vars| assignments(vars, wrong));
        let read: Keys = read(table, TABLES, wrong);
        let inputs = read.inputs.as_ref().zip(keys.get("inputs"));
        wrong.extend(inputs.and_then(|(inputs, span)| check_inputs(inputs, *span)));
        Self {
            recipe: read.recipe,
            inputs: read.inputs.unwrap_or_default(),
            set: read.set,
            vars,
            first: read.first,
            cassette: read.cassette,
            tolerance: tolerance
                .map(|it| self::read(it, &[], wrong))
                .unwrap_or_default(),
            sources: SourceMap::default(),
            keys,
        }
    }

    /// What `message` says is wrong at the value of `key`, and `help` says how to mend.
    pub fn mistake(&self, key: &str, message: String, help: String) -> Report {
        let span = self.keys.get(key).copied().unwrap_or_default();
        Report {
            sources: self.sources.clone(),
            diagnostics: vec![Diagnostic::error(span, message).help(help)],
        }
    }

    /// The file that such a test is read from, without what has its default.
    pub fn text(&self) -> String {
        let list = |texts: &[String]| {
            let texts: Vec<String> = texts.iter().map(|it| parse::printed_text(it)).collect();
            format!("[{}]", texts.join(", "))
        };
        let mut text = format!("recipe = {}\n", parse::printed_text(&self.recipe));
        text += &format!("inputs = {}\n", list(&self.inputs));
        if !self.set.is_empty() {
            text += &format!("set = {}\n", list(&self.set));
        }
        if let Some(first) = self.first {
            text += &format!("first = {}\n", first.as_secs_f64());
        }
        if let Some(cassette) = &self.cassette {
            text += &format!("cassette = {}\n", parse::printed_text(cassette));
        }
        if !self.vars.is_empty() {
            text += "\n[vars]\n";
        }
        for var in &self.vars {
            let (name, value) = var.split_once('=').unwrap_or((var, ""));
            let (name, value) = (parse::printed_key(name), parse::printed_text(value));
            text += &format!("{name} = {value}\n");
        }
        text
    }
}

fn check_inputs(inputs: &[String], span: Span) -> Option<Diagnostic> {
    let (message, help) = match inputs {
        [] => ("`inputs` is empty", "name at least one video"),
        inputs if inputs.iter().any(|input| input.trim().is_empty()) => {
            ("`inputs` has an empty path", "write a path, or remove it")
        }
        _ => return None,
    };
    Some(Diagnostic::error(span, message).help(help))
}

// The table that `entry` holds.
fn inner(entry: Entry, wrong: &mut Vec<Diagnostic>) -> Option<Table> {
    match entry.node.value {
        Value::Table(table) => Some(table),
        _ => {
            let (key, what) = (&entry.key, entry.node.what());
            let message = format!("`{key}` takes a table, not {what}");
            let help = format!("open it with `[{key}]`, and write its keys below");
            wrong.push(Diagnostic::error(entry.node.span, message).help(help));
            None
        }
    }
}

// The variables of a table, as the command line writes them.
fn assignments(vars: Table, wrong: &mut Vec<Diagnostic>) -> Vec<String> {
    let mut all = Vec::new();
    for Entry { key, node, .. } in vars.0 {
        let value = match &node.value {
            Value::Text(text) => text.clone(),
            Value::Integer(_) | Value::Float(_) | Value::Flag(_) => parse::printed(&node.value),
            Value::Time | Value::List(_) | Value::Table(_) => {
                let what = node.what();
                let message = format!("`{key}` takes a text, a number or a flag, not {what}");
                wrong.push(Diagnostic::error(node.span, message));
                continue;
            }
        };
        all.push(format!("{key}={value}"));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::TestSpec;

    #[test]
    fn what_is_written_is_read_again() {
        let spec = TestSpec {
            recipe: "../a b.toml".to_owned(),
            inputs: vec!["clip \"1\".mp4".to_owned(), "b.mp4".to_owned()],
            set: vec!["yolo.conf=0.3".to_owned()],
            vars: vec!["place=gate=2".to_owned(), "a b=1".to_owned()],
            first: Some(std::time::Duration::from_millis(2500)),
            cassette: Some("c".to_owned()),
            ..TestSpec::default()
        };
        let text = spec.text();
        let again = TestSpec::read("a.test.toml", &text).unwrap();
        assert_eq!(again.text(), text);
        assert_eq!(
            (again.inputs, again.vars, again.first),
            (spec.inputs, spec.vars, spec.first)
        );
    }
}
