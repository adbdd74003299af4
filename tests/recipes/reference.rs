//! The key reference of `recipes/README.md` is what the schema says, in tables.
//!
//! `UPDATE_DOCS=1 cargo test --test recipes reference` writes it.

use crate::support::repository::ROOT;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::env;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use vpipe::recipe::schema;

const BEGIN: &str =
    "<!-- keys: written by `UPDATE_DOCS=1 cargo test --test recipes reference` -->\n";
const END: &str = "<!-- end of keys -->\n";

// What stands in every table is explained once.
const OF_ALL: [&str; 3] = ["kind", "inputs", "enabled"];

#[test]
fn the_key_reference_is_what_the_schema_says() {
    let path = Path::new(ROOT).join("recipes/README.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (written, after) = rest.split_once(END).unwrap();
    let reference = reference(&schema());
    if env::var("UPDATE_DOCS").is_ok_and(|value| value == "1") {
        fs::write(path, format!("{before}{BEGIN}{reference}{END}{after}")).unwrap();
        return;
    }
    assert!(
        written == reference,
        "recipes/README.md does not have the keys of the schema; `UPDATE_DOCS=1 cargo test --test \
         recipes reference` writes them"
    );
}

fn reference(schema: &Value) -> String {
    let mut pages = Reference::default();
    pages.section("Top level", schema);
    let stages = schema["properties"]["stages"]["properties"].as_object();
    for (kind, stage) in stages.unwrap() {
        pages.section(&format!("Stage `{kind}`"), stage);
    }
    let backends = schema["properties"]["backends"]["additionalProperties"]["anyOf"].as_array();
    for backend in backends.unwrap() {
        let kind = backend["properties"]["kind"]["const"].as_str().unwrap();
        pages.section(&format!("Backend `{kind}`"), backend);
    }
    pages.text
}

#[derive(Default)]
struct Reference {
    text: String,
    /// The keys of tables within tables, and under which title they stand.
    inner: Vec<(String, Map<String, Value>)>,
}

impl Reference {
    fn section(&mut self, title: &str, schema: &Value) {
        let head = "| key | value | built in | what it is |\n|---|---|---|---|";
        writeln!(self.text, "\n### {title}\n\n{head}").unwrap();
        for (key, schema) in schema["properties"].as_object().unwrap() {
            if OF_ALL.contains(&key.as_str()) {
                continue;
            }
            match schema["properties"].as_object().filter(|_| key != "stages") {
                Some(keys) => self.table(title, key, schema, keys),
                None => self.row(key, schema, ""),
            }
        }
    }

    // A table within a table; its keys stand once.
    fn table(&mut self, title: &str, key: &str, schema: &Value, keys: &Map<String, Value>) {
        let holds =
            |all: &Map<String, Value>| keys.iter().all(|(key, it)| all.get(key) == Some(it));
        if let Some((place, _)) = self.inner.iter().find(|(_, all)| holds(all)) {
            let place = format!(" Its keys are among those under {place}.");
            return self.row(key, schema, &place);
        }
        self.row(key, schema, "");
        for (inner, schema) in keys {
            self.row(&format!("{key}.{inner}"), schema, "");
        }
        self.inner.push((title.to_owned(), keys.clone()));
    }

    fn row(&mut self, key: &str, schema: &Value, besides: &str) {
        let what = description(schema) + besides;
        let cells = [value(schema), built_in(schema), what];
        let cells = cells.map(|cell| cell.replace('|', "\\|").replace('\n', " "));
        writeln!(self.text, "| `{key}` | {} |", cells.join(" | ")).unwrap();
    }
}

// The types, range or words of a key.
fn value(schema: &Value) -> String {
    if let Some(words) = schema["oneOf"].as_array() {
        let words = words.iter().filter_map(|word| word["const"].as_str());
        return words
            .map(|word| format!("`\"{word}\"`"))
            .collect::<Vec<_>>()
            .join(", ");
    }
    if let Some(only) = schema.get("const") {
        return format!("`{only}`");
    }
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.clone(),
        one => vec![one.clone()],
    };
    let has = |kind: &str| kinds.iter().any(|it| it == kind);
    let number = |name: &str| schema[name].as_f64();
    let bounds = match (
        number("minimum"),
        number("exclusiveMinimum"),
        number("maximum"),
    ) {
        (Some(low), _, Some(high)) => format!(", {low} to {high}"),
        (_, Some(low), Some(high)) => format!(", more than {low}, at most {high}"),
        _ => String::new(),
    };
    if has("integer") {
        format!("integer{bounds}")
    } else if has("number") && has("object") {
        format!("number{bounds}, or a table of them")
    } else if has("number") {
        format!("number{bounds}")
    } else if has("boolean") {
        "`true`, `false`".to_owned()
    } else if has("array") {
        // Numbers may be texts everywhere, for templates; in a list a text is a name.
        let is_named = |types: &Vec<Value>| types.contains(&json!("string"));
        match schema["items"]["type"].as_array().is_some_and(is_named) {
            true => "list: integer or text".to_owned(),
            false => format!("list: {}", value(&schema["items"])),
        }
    } else if has("object") {
        "table".to_owned()
    } else {
        "text".to_owned()
    }
}

fn built_in(schema: &Value) -> String {
    match schema.get("default") {
        None => String::new(),
        Some(Value::String(text)) if text.is_empty() => String::new(),
        Some(value) => format!("`{value}`"),
    }
}

// The words of the key, and behind them those of each value that it can have.
fn description(schema: &Value) -> String {
    let own = schema["description"].as_str().unwrap_or_default();
    let mut text = own.to_owned();
    let choices = schema["oneOf"].as_array().into_iter().flatten();
    for choice in choices {
        if let (Some(word), Some(meaning)) =
            (choice["const"].as_str(), choice["description"].as_str())
        {
            write!(text, " `{word}`: {}", first_small(meaning)).unwrap();
        }
    }
    text
}

// `RunPod` keeps its capital, `Any` does not.
fn first_small(text: &str) -> String {
    let word = text.split(' ').next().unwrap_or_default();
    let is_name = word
        .chars()
        .skip(1)
        .any(|letter| !letter.is_lowercase() && letter.is_alphabetic());
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if !is_name => first.to_lowercase().chain(letters).collect(),
        _ => text.to_owned(),
    }
}
