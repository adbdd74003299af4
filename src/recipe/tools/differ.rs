//! What a recipe does otherwise than the preset `default`.
//!
//! Compares what is in effect, written or built in. Knows nothing of what the keys mean.

use crate::recipe::load::environment::Environment;
use crate::recipe::load::environment::LoadError;
use crate::recipe::load::environment::Request;
use crate::recipe::load::parse;
use crate::recipe::load::presets::PRESETS;
use crate::recipe::load::section::Section;
use crate::recipe::load::tree::Table;
use crate::recipe::load::tree::Value;
use crate::recipe::tools::built_in::BuiltIn;
use crate::recipe::tools::show::Laid;
use crate::recipe::tools::show::lay_out;
use serde::Serialize;

/// One thing that a recipe does otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// `STAGE.KEY`, or the name of a stage or backend that only one of the two has.
    pub key: String,
    /// Its value as TOML, or the kind of the stage or backend; `None` where it is not there.
    pub value: Option<String>,
    /// The same in `default`.
    pub default: Option<String>,
}

/// What the recipe of `request` does otherwise than `default`, in the order of the recipe.
///
/// # Errors
///
/// Where the recipe cannot be read or has mistakes.
pub fn differences(
    request: &Request,
    environment: &dyn Environment,
) -> Result<Vec<Difference>, LoadError> {
    let preset = PRESETS.first().map_or("", |preset| preset.name);
    let default = Request {
        recipe: preset.to_owned(),
        ..Request::default()
    };
    let (Some(ours), Some(default)) = (
        lay_out(request, environment)?,
        lay_out(&default, environment)?,
    ) else {
        return Ok(Vec::new());
    };
    let built_in = BuiltIn::new();
    let mut all = sections("", &ours.stages, &default.stages, |kind| {
        built_in.of_stage(kind)
    });
    let Laid { backends, .. } = &ours;
    all.extend(sections("backends.", backends, &default.backends, |kind| {
        built_in.of_backend(kind)
    }));
    Ok(all)
}

fn sections(
    group: &str,
    ours: &[Section],
    default: &[Section],
    built_in: impl Fn(&str) -> Table,
) -> Vec<Difference> {
    let mut all = Vec::new();
    for section in ours {
        let name = format!("{group}{}", section.name);
        let kind = section.kind().unwrap_or_default();
        match find(default, section) {
            Some(other) => all.extend(keys(&name, section, other, &built_in(kind))),
            None => all.push(Difference {
                key: name,
                value: Some(kind.to_owned()),
                default: None,
            }),
        }
    }
    let gone = default.iter().filter(|other| find(ours, other).is_none());
    all.extend(gone.map(|other| Difference {
        key: format!("{group}{}", other.name),
        value: None,
        default: other.kind().map(str::to_owned),
    }));
    all
}

fn find<'a>(sections: &'a [Section], like: &Section) -> Option<&'a Section> {
    let same = |other: &&Section| other.name == like.name && other.kind() == like.kind();
    sections.iter().find(same)
}

fn keys(name: &str, ours: &Section, default: &Section, built_in: &Table) -> Vec<Difference> {
    let value = |section: &Section, key: &str| {
        let entry = section.keys.get(key).or_else(|| built_in.get(key));
        entry.map(|entry| entry.node.value.clone())
    };
    let theirs = default.keys.keys();
    let theirs = theirs.filter(|key| ours.keys.get(key).is_none());
    let keys = ours.keys.keys().chain(theirs);
    let differing = keys.filter_map(|key| {
        let (value, default) = (value(ours, key), value(default, key));
        let same = match (&value, &default) {
            (Some(value), Some(default)) => is_same(value, default),
            (None, None) => true,
            _ => false,
        };
        (!same).then(|| Difference {
            key: format!("{name}.{key}"),
            value: value.as_ref().map(parse::printed),
            default: default.as_ref().map(parse::printed),
        })
    });
    differing.collect()
}

// Two spellings of one number are the same.
fn is_same(one: &Value, other: &Value) -> bool {
    match (number(one), number(other)) {
        (Some(one), Some(other)) => one == other,
        _ => parse::printed(one) == parse::printed(other),
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}
