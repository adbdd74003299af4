//! What a stage takes of what its inputs give: keys that several kinds of stages have.
//!
//! Knows nothing of how frames are picked or cut.

use crate::diag::Diagnostic;
use crate::item::Detection;
use crate::recipe::context::Context;
use crate::recipe::load::read::read;
use crate::recipe::load::tree::Table;
use crate::recipe::load::value;
use crate::recipe::stages::parameters::ENGINE_KEYS;
use crate::recipe::stages::places;
use crate::recipe::values::condition_values;
use crate::recipe::values::filter_values;
use crate::recipe::values::sample_facts;
use crate::template::Compared;
use crate::template::Condition;
use crate::template::Fault;
use crate::template::Region;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The keys of a stage that takes frames.
pub(in crate::recipe) const ALL_KEYS: &[&str] = &["when", "every", "filter", "padding", "regions"];

/// The keys of a stage that takes sound alone.
pub(in crate::recipe) const SOUND_KEYS: &[&str] = &["when"];

/// What a stage takes of what its inputs give.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct TakeSpec {
    /// Which videos the stage takes: an expression, such as `video.duration < 3600`.
    #[serde(deserialize_with = "value::condition")]
    #[schemars(with = "Option<String>")]
    pub when: Option<Condition>,
    /// The stage takes one frame in so many.
    #[serde(deserialize_with = "value::every")]
    pub every: u32,
    /// Which boxes count, and are cut out of frames: an expression, such as `confidence > 0.5`.
    #[serde(deserialize_with = "value::condition")]
    #[schemars(with = "Option<String>")]
    pub filter: Option<Condition>,
    /// The margin on each side of a box that is cut out, as a share of the box.
    #[serde(deserialize_with = "value::share")]
    pub padding: f32,
    /// Parts of a frame, by names of your own, for tests such as `centre in regions.gate`: the corners
    /// of a polygon, each `[x, y]` from 0 to 1, as shares of the frame's width and height.
    #[serde(deserialize_with = "places::regions")]
    #[schemars(with = "BTreeMap<String, Vec<[f64; 2]>>")]
    pub regions: Arc<BTreeMap<String, Region>>,
}

impl Default for TakeSpec {
    fn default() -> Self {
        Self {
            when: None,
            every: 1,
            filter: None,
            padding: 0.0,
            regions: Arc::default(),
        }
    }
}

// Comparisons of the number of a class with a name, and of its name with a number.
fn of_other_kind(condition: &Condition) -> Vec<Fault> {
    let kinds = [
        (
            "class",
            "a number",
            "class_name",
            Value::is_number as fn(&Value) -> bool,
        ),
        ("class_name", "text", "class", Value::is_string),
    ];
    let mut faults = Vec::new();
    for (name, kind, other, fits) in kinds {
        for Compared { with, range } in condition.compared(name) {
            let Some(first) = with.first().filter(|_| !with.iter().any(fits)) else {
                continue;
            };
            faults.push(Fault {
                message: format!("`{name}` is {kind} and never equals {first}"),
                help: Some(format!("write `{other} == {first}`")),
                range: Some(range),
                undefined: None,
            });
        }
    }
    faults
}

// A box of a thing: whether it is tracked is known once all stages are.
fn sample() -> Detection {
    Detection {
        sight: Some(Box::default()),
        ..Detection::default()
    }
}

impl TakeSpec {
    /// Whether everything is taken.
    pub fn is_all(&self) -> bool {
        self.when.is_none() && self.every == 1 && self.filter.is_none()
    }

    /// Reads `keys` out of the table of a stage. Conditions are tried, so that a mistake in one is
    /// told at once.
    pub(in crate::recipe) fn read(
        context: &Context<'_>,
        table: &mut Table,
        keys: &[&str],
        wrong: &mut Vec<Diagnostic>,
    ) -> Self {
        let own = table.take_all(keys);
        let places = own.places();
        let mut spec: Self = read(own, &ENGINE_KEYS, wrong);
        let (regions, size) = (Arc::clone(&spec.regions), sample_facts().size);
        let conditions = [
            ("when", &mut spec.when, condition_values(&sample_facts())),
            ("filter", &mut spec.filter, filter_values(&sample(), size)),
        ];
        for (key, condition, values) in conditions {
            let Some(written) = condition else { continue };
            *written = Condition::new(written.text(), context.scope.clone()).with_regions(&regions);
            let Some(&span) = places.get(key) else {
                continue;
            };
            // One mistake in a region is enough.
            if places.contains_key("regions") && regions.is_empty() {
                continue;
            }
            let faults = match written.holds(&values) {
                Err(fault) => vec![fault],
                Ok(_) => of_other_kind(written),
            };
            let faults = faults.into_iter();
            wrong.extend(faults.map(|fault| context.placed(fault, written.text(), span)));
        }
        spec
    }
}
