//! The JSON Schema of a recipe, for editors: made of the types that recipes are read into, with
//! the words that stand beside each key here.
//!
//! It is what editors of TOML read, Draft 7. It knows keys, types and words to choose from; what
//! depends on several keys, `check` says.

use crate::recipe::answer::AnswerSpec;
use crate::recipe::answer::TranscriptSpec;
use crate::recipe::extract::ExtractSpec;
use crate::recipe::http::HttpSpec;
use crate::recipe::http_stage::HttpStageSpec;
use crate::recipe::openai::OpenaiSpec;
use crate::recipe::runpod::RunpodPolicy;
use crate::recipe::runpod::RunpodSpec;
use crate::recipe::save::SaveSpec;
use crate::recipe::spec::BatchSpec;
use crate::recipe::spec::HTTP;
use crate::recipe::spec::LOCAL;
use crate::recipe::spec::LocalSpec;
use crate::recipe::spec::MergeSpec;
use crate::recipe::spec::OPENAI;
use crate::recipe::spec::RUNPOD;
use crate::recipe::spec::WhisperSpec;
use crate::recipe::spec::YoloSpec;
use crate::recipe::take::TakeSpec;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// The schema, as JSON.
pub fn schema() -> Value {
    let stages = [
        ("extract", keys::<ExtractSpec>()),
        ("batch", keys::<BatchSpec>()),
        ("yolo", keys::<YoloSpec>()),
        ("whisper", keys::<WhisperSpec>()),
        ("http", keys::<HttpStageSpec>()),
        ("save", keys::<SaveSpec>()),
        ("merge", keys::<MergeSpec>()),
    ];
    let inputs = json!({
        "description": "The stages that it takes from.",
        "type": "array",
        "items": { "type": "string" },
    });
    let take = keys::<TakeSpec>();
    let stages = stages.map(|(kind, keys)| {
        let (kind, mut keys) = section(kind, keys, [("inputs", inputs.clone())]);
        let taken: &[&str] = match kind {
            "yolo" | "http" => &["when", "every", "filter", "padding"],
            "whisper" => &["when"],
            _ => &[],
        };
        for &key in taken {
            keys["properties"][key] = take["properties"][key].clone();
        }
        if kind == "http" {
            keys["properties"]["request"] = templates("What the server is sent");
            keys["properties"]["answer"] = answer();
        }
        (kind, keys)
    });
    let backends = [
        section(LOCAL, keys::<LocalSpec>(), []),
        section(OPENAI, keys::<OpenaiSpec>(), []),
        section(
            RUNPOD,
            keys::<RunpodSpec>(),
            [
                ("policy", keys::<RunpodPolicy>()),
                ("request", request()),
                ("answer", keys::<AnswerSpec>()),
            ],
        ),
        section(
            HTTP,
            keys::<HttpSpec>(),
            [
                ("request", request()),
                ("answer", keys::<AnswerSpec>()),
                ("headers", templates("Headers of every request")),
                (
                    "query",
                    templates("What follows the `?` of every request's address"),
                ),
            ],
        ),
    ];
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
                "description": "What is done. The name of a stage is its kind unless `kind` says otherwise.",
                "type": "object",
                "properties": by_name(&stages),
                "additionalProperties": { "anyOf": all(&stages) },
            },
            "backends": {
                "description": "Where stages infer, by names for their key `backend`.",
                "type": "object",
                "additionalProperties": { "anyOf": all(&backends) },
            },
        },
    })
}

// The kind and the schema of its tables.
type Section = (&'static str, Value);

fn section<const N: usize>(
    kind: &'static str,
    mut keys: Value,
    own: [(&str, Value); N],
) -> Section {
    if let Some(properties) = keys.get_mut("properties").and_then(Value::as_object_mut) {
        let what = json!({ "description": "What it is.", "const": kind });
        properties.insert("kind".to_owned(), what);
        properties.extend(own.map(|(key, schema)| (key.to_owned(), schema)));
    }
    (kind, keys)
}

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
        "description": format!("{what}; its strings are templates over what is asked about."),
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

// The keys of one table, each with its type, its words and what is built in.
fn keys<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| {
        settings.meta_schema = None;
        settings.inline_subschemas = true;
    });
    let schema = settings.into_generator().into_root_schema_for::<T>();
    let mut schema = schema.to_value();
    if let Some(table) = schema.as_object_mut() {
        table.remove("title");
        if let Some(properties) = table.get_mut("properties").and_then(Value::as_object_mut) {
            properties.values_mut().for_each(as_toml);
        }
    }
    schema
}

// TOML has no null, and a template in a string may stand for a number or a flag. The formats are
// those of Rust's types; what a number may be is said by its words and held when it is read.
fn as_toml(key: &mut Value) {
    let Some(schema) = key.as_object_mut() else {
        return;
    };
    for word in ["format", "minimum", "maximum"] {
        schema.remove(word);
    }
    if schema
        .get("default")
        .is_some_and(|value| value.is_null() || value.is_object())
    {
        schema.remove("default");
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
        }) {
            words.push("string".into());
        }
        *kinds = match <[Value; 1]>::try_from(words) {
            Ok([one]) => one,
            Err(words) => words.into(),
        };
    }
}
