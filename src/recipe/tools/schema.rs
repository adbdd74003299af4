//! The JSON Schema of a recipe, for editors: made of the types that recipes are read into, with
//! the words that stand beside each key here.
//!
//! It is what editors of TOML read, Draft 7. It knows keys, types, ranges, built-in values and words
//! to choose from; what depends on several keys, `check` says.

use crate::diag::Span;
use crate::recipe::backends::http::HttpSpec;
use crate::recipe::backends::local::LocalSpec;
use crate::recipe::backends::openai::OpenaiSpec;
use crate::recipe::backends::runpod::RunpodPolicy;
use crate::recipe::backends::runpod::RunpodSpec;
use crate::recipe::backends::server::ServerSpec;
use crate::recipe::http::answer::AnswerSpec;
use crate::recipe::http::answer::TranscriptSpec;
use crate::recipe::kind::BackendKind;
use crate::recipe::kind::SpecVisitor;
use crate::recipe::kind::StageKind;
use crate::recipe::load::read::read;
use crate::recipe::load::tree;
use crate::recipe::load::tree::Entry;
use crate::recipe::load::tree::Node;
use crate::recipe::load::tree::Table;
use crate::recipe::stages::parameters::ENABLED;
use crate::recipe::stages::sound::SoundSpec;
use crate::recipe::stages::take::TakeSpec;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// The schema, as JSON.
pub fn schema() -> Value {
    let stages = StageKind::ALL.map(|kind| (kind.word(), stage(kind)));
    let backends = BackendKind::ALL.map(|kind| (kind.word(), backend(kind)));
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "vpipe recipe",
        "type": "object",
        "additionalProperties": false,
        "required": ["version"],
        "properties": {
            "version": {
                "description": "The version of recipes that it is written for.",
                "const": 1,
            },
            "description": {
                "description": "What it is for, in one sentence.",
                "type": "string",
            },
            "extends": {
                "description": "A preset or the path of a recipe that this one changes.",
                "type": "string",
            },
            "vars": {
                "description": "Variables: `{{ vars.NAME }}` in strings; `--var NAME=VALUE` changes one.",
                "type": "object",
                "additionalProperties": { "type": ["string", "number", "boolean"] },
            },
            "stages": {
                "description": "The stages. The name of a stage is its kind unless `kind` says otherwise.",
                "type": "object",
                "properties": by_name(&stages),
                "additionalProperties": { "anyOf": all(&stages) },
            },
            "backends": {
                "description": "The backends, by the names that stages use in `backend`.",
                "type": "object",
                "additionalProperties": { "anyOf": all(&backends) },
            },
        },
    })
}

// The keys of stages of a kind: those of the engine, of what is taken, and of the kind itself.
fn stage(kind: StageKind) -> Value {
    let mut schema = kind.visit(Keys);
    let mut own = Map::new();
    if kind.facts().takes_sound {
        own.extend(properties(keys::<SoundSpec>()));
    }
    if kind.facts().is_mapped {
        own.insert("request".to_owned(), templates("What the server is sent"));
        own.insert("answer".to_owned(), answer());
    }
    let inputs = json!({
        "description": "The stages that it takes from.",
        "type": "array",
        "items": { "type": "string" },
    });
    let enabled = json!({
        "description": "Whether the recipe has the stage. What takes from one that is left out goes without it.",
        "type": "boolean",
        "default": true,
    });
    let mut take = properties(keys::<TakeSpec>());
    take.retain(|key, _| kind.facts().take_keys.contains(&key.as_str()));
    let engine = [
        ("kind".to_owned(), kind_key(kind.word())),
        ("inputs".to_owned(), inputs),
        (ENABLED.to_owned(), enabled),
    ];
    put(&mut schema, engine.into_iter().chain(own).chain(take));
    schema
}

// The keys of backends of a kind.
fn backend(kind: BackendKind) -> Value {
    let server = || properties(keys::<ServerSpec>());
    let asked = [("request", request()), ("answer", keys::<AnswerSpec>())];
    let (mut schema, server, own) = match kind {
        BackendKind::Local => (keys::<LocalSpec>(), Map::new(), Vec::new()),
        BackendKind::Openai => (keys::<OpenaiSpec>(), server(), Vec::new()),
        BackendKind::Runpod => {
            let own = [("policy", keys::<RunpodPolicy>())];
            let own = own.into_iter().chain(asked).collect();
            (keys::<RunpodSpec>(), server(), own)
        }
        BackendKind::Http => {
            let query = templates("What follows the `?` of every request's address");
            let own = [
                ("headers", templates("Headers of every request")),
                ("query", query),
            ];
            let own = asked.into_iter().chain(own).collect();
            (keys::<HttpSpec>(), server(), own)
        }
    };
    let own = own
        .into_iter()
        .map(|(key, schema)| (key.to_owned(), schema));
    let kind = ("kind".to_owned(), kind_key(kind.word()));
    put(&mut schema, server.into_iter().chain([kind]).chain(own));
    schema
}

fn kind_key(word: &str) -> Value {
    json!({ "description": "What it is.", "const": word })
}

fn properties(mut schema: Value) -> Map<String, Value> {
    match schema.get_mut("properties").map(Value::take) {
        Some(Value::Object(properties)) => properties,
        _ => Map::new(),
    }
}

fn put(schema: &mut Value, keys: impl Iterator<Item = (String, Value)>) {
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.extend(keys);
    }
}

// The kind and the schema of its tables.
type Section = (&'static str, Value);

fn by_name(sections: &[Section]) -> Map<String, Value> {
    let sections = sections.iter();
    let sections = sections.map(|(kind, keys)| ((*kind).to_owned(), keys.clone()));
    sections.collect()
}

fn all(sections: &[Section]) -> Vec<Value> {
    sections.iter().map(|(_, keys)| keys.clone()).collect()
}

fn request() -> Value {
    json!({
        "description": "The fields of a request; its strings are templates over `images`, `params` and `vars`.",
        "type": "object",
    })
}

fn templates(what: &str) -> Value {
    json!({
        "description": format!("{what}; its strings are templates over the frames or the sound of the request."),
        "type": "object",
    })
}

// Boxes, a transcript or a record: which of them the stage and its input say.
fn answer() -> Value {
    let mut answer = keys::<AnswerSpec>();
    let said = keys::<TranscriptSpec>();
    for key in ["segments", "start", "end", "text", "language"] {
        answer["properties"][key] = said["properties"][key].clone();
    }
    answer["properties"]["record"] = json!({
        "description": "The fields of a record, by names of your own: expressions over `output`.",
        "type": "object",
        "additionalProperties": { "type": "string" },
    });
    answer
}

// The keys of the parameters of a kind.
struct Keys;

impl SpecVisitor for Keys {
    type Output = Value;

    fn visit<T: JsonSchema + DeserializeOwned + Default>(self) -> Value {
        keys::<T>()
    }
}

// The keys of one table, each with its type, its words, its range and what is built in.
fn keys<T: JsonSchema + DeserializeOwned + Default>() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| {
        settings.meta_schema = None;
        settings.inline_subschemas = true;
    });
    let schema = settings.into_generator().into_root_schema_for::<T>();
    let mut schema = schema.to_value();
    if let Some(table) = schema.as_object_mut() {
        table.remove("title");
        if let Some(properties) = table.get_mut("properties").and_then(Value::as_object_mut) {
            for (name, key) in properties {
                as_toml(key);
                bound::<T>(name, key);
            }
        }
    }
    schema
}

// TOML has no null, and a template in a string may stand for a number or a flag. The formats are
// those of Rust's types.
fn as_toml(key: &mut Value) {
    let Some(schema) = key.as_object_mut() else {
        return;
    };
    for word in ["format", "minimum", "maximum"] {
        schema.remove(word);
    }
    if let Some(default) = schema
        .remove("default")
        .and_then(|value| as_written(&value))
    {
        schema.insert("default".to_owned(), default);
    }
    if let Some(items) = schema.get_mut("items") {
        as_toml(items);
    }
    if let Some(words) = schema.get_mut("oneOf").and_then(Value::as_array_mut) {
        words.push(json!({
            "description": "A template that comes out as one of these.",
            "type": "string",
            "pattern": "\\{[{%]",
        }));
    }
    if let Some(kinds) = schema.get_mut("type") {
        let words = match kinds.take() {
            Value::Array(words) => words,
            one => vec![one],
        };
        let mut words: Vec<Value> = words.into_iter().filter(|word| word != "null").collect();
        if words.iter().any(|word| {
            ["number", "integer", "boolean"]
                .iter()
                .any(|kind| word == kind)
        }) && !words.iter().any(|word| word == "string")
        {
            words.push("string".into());
        }
        *kinds = match <[Value; 1]>::try_from(words) {
            Ok([one]) => one,
            Err(words) => words.into(),
        };
    }
}

// A built-in value as a recipe would write it; `None` for what is nothing where it is not written.
fn as_written(value: &Value) -> Option<Value> {
    let part = |name: &str| value.get(name)?.as_f64();
    match value {
        Value::Null => None,
        // Durations and fractions.
        Value::Object(_) => match (part("secs"), part("num")) {
            (Some(seconds), _) => Some(json!(seconds + part("nanos")? / 1e9)),
            (None, Some(num)) => Some(json!(num / part("den")?)),
            (None, None) => None,
        },
        Value::Number(number) => match number.as_f64() {
            // One of single precision has the fewest digits that are it.
            Some(exact) if number.is_f64() && f64::from(exact as f32) == exact => (exact as f32)
                .to_string()
                .parse::<f64>()
                .ok()
                .map(Value::from),
            _ => Some(value.clone()),
        },
        _ => Some(value.clone()),
    }
}

// The range of a number is the one that holds when it is read: what is said of one beyond every
// range says which are allowed.
fn bound<T: DeserializeOwned + Default>(name: &str, key: &mut Value) {
    let is_number = |kinds: &Value| {
        ["number", "integer"].iter().any(|&kind| {
            *kinds == kind
                || kinds
                    .as_array()
                    .is_some_and(|kinds| kinds.iter().any(|it| it == kind))
        })
    };
    if !key.get("type").is_some_and(is_number) {
        return;
    }
    let beyond = Node {
        span: Span::default(),
        value: tree::Value::Float(1e300),
    };
    let entry = Entry {
        key: name.to_owned(),
        span: Span::default(),
        node: beyond,
    };
    let mut wrong = Vec::new();
    read::<T>(Table(vec![entry]), &[], &mut wrong);
    let help = wrong.first().and_then(|wrong| wrong.help.as_deref());
    let range = help
        .and_then(|help| help.split_once("allowed: "))
        .map(|(_, range)| range);
    let Some(range) = range else { return };
    let number = |text: &str| {
        let text = text.split([' ', ',', ';']).next()?;
        let whole = text.parse::<i64>().ok().map(Value::from);
        whole.or_else(|| text.parse::<f64>().ok().map(Value::from))
    };
    if let Some((low, high)) = range.split_once(" to ") {
        key["minimum"] = json!(number(low));
        key["maximum"] = json!(number(high));
    } else if let Some((low, high)) = range.split_once(", at most ") {
        key["exclusiveMinimum"] = json!(low.strip_prefix("more than ").and_then(number));
        key["maximum"] = json!(number(high));
    }
}

#[cfg(test)]
mod tests {
    use super::schema;
    use crate::recipe::kind::StageKind;
    use crate::recipe::tools::cures::HOMES;
    use serde_json::Value;

    #[test]
    fn cures_name_tables_that_have_the_key() {
        let schema = schema();
        let stages = &schema["properties"]["stages"]["properties"];
        let backends = schema["properties"]["backends"]["additionalProperties"]["anyOf"].as_array();
        for (home, keys) in HOMES {
            for (table, key) in home
                .split(" or ")
                .flat_map(|table| keys.iter().map(move |key| (table, key)))
            {
                let (table, kind) = table.split_once(" of kind ").unwrap_or((table, ""));
                let is_meant = |backend: &&Value| {
                    kind.is_empty() || backend["properties"]["kind"]["const"] == kind
                };
                let word = table.trim_start_matches("[stages.").trim_end_matches(']');
                let is_there = match StageKind::of(word) {
                    Some(_) => stages[word]["properties"].get(key).is_some(),
                    None => backends
                        .unwrap()
                        .iter()
                        .filter(is_meant)
                        .any(|it| it["properties"].get(key).is_some()),
                };
                assert!(is_there, "{table} has no {key}");
            }
        }
    }
}
