//! Built-in values: what keys hold that a recipe does not write, as the schema tells them.
//!
//! Knows nothing of any recipe.

use crate::diag::Span;
use crate::recipe::kind::StageKind;
use crate::recipe::load::tree::Entry;
use crate::recipe::load::tree::Node;
use crate::recipe::load::tree::Table;
use crate::recipe::load::tree::Value;
use crate::recipe::tools::schema::schema;
use serde_json::Value as Json;

/// The built-in values of every kind of table.
pub(in crate::recipe) struct BuiltIn {
    schema: Json,
}

impl BuiltIn {
    /// Those of this program.
    pub(in crate::recipe) fn new() -> Self {
        Self { schema: schema() }
    }

    /// Those of stages of `kind`; of a key that is nothing where it is not written there is none.
    pub(in crate::recipe) fn of_stage(&self, kind: &str) -> Table {
        let mut table = table(&self.schema["properties"]["stages"]["properties"][kind]);
        let by_input = StageKind::of(kind).map_or(&[][..], |kind| kind.facts().keys_by_input);
        for key in by_input {
            table.take(key);
        }
        table
    }

    /// The same of backends.
    pub(in crate::recipe) fn of_backend(&self, kind: &str) -> Table {
        let kinds = &self.schema["properties"]["backends"]["additionalProperties"]["anyOf"];
        let mut kinds = kinds.as_array().into_iter().flatten();
        let known = kinds.find(|keys| keys["properties"]["kind"]["const"] == kind);
        known.map(table).unwrap_or_default()
    }
}

fn table(keys: &Json) -> Table {
    let keys = keys["properties"].as_object().into_iter().flatten();
    let entries = keys.filter_map(|(key, about)| {
        Some(Entry {
            key: key.clone(),
            span: Span::default(),
            node: node(about.get("default")?)?,
        })
    });
    Table(entries.collect())
}

fn node(json: &Json) -> Option<Node> {
    let value = match json {
        Json::String(text) => Value::Text(text.clone()),
        Json::Bool(flag) => Value::Flag(*flag),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Value::Integer(number),
            None => Value::Float(number.as_f64()?),
        },
        Json::Array(items) => Value::List(items.iter().map(node).collect::<Option<_>>()?),
        Json::Null | Json::Object(_) => return None,
    };
    Some(Node {
        span: Span::default(),
        value,
    })
}
