//! Terms as they may be written down and shown: enough to say which of them differ.
//!
//! What a recipe sends to a server, and how it reads the answer, may hold what is nobody's to read,
//! such as the value of a variable: of such texts there is a digest, which tells that they differ
//! and not how. So it is with long lists.

use crate::answer::StageDigest;
use crate::plan::digest::encoding::digest;
use serde_json::Map;
use serde_json::Value;

/// What a recipe writes in words of its own.
const OWN_WORDS: [&str; 4] = ["server", "mapping", "videos", "filter"];

/// The most values of a list that is shown.
const LONGEST_LIST: usize = 8;

/// Letters of a digest that stands for what is not shown.
const LETTERS: usize = 12;

/// `terms` without the texts of the recipe's own.
pub(super) fn tellable(terms: &Value) -> Value {
    shown(terms, false)
}

fn shown(value: &Value, is_own: bool) -> Value {
    match value {
        Value::String(text) if is_own || is_place(text) => short(digest(value)),
        Value::Array(items) if is_own || items.len() > LONGEST_LIST => match items.is_empty() {
            true => value.clone(),
            false => short(digest(value)),
        },
        Value::Array(items) => items.iter().map(|item| shown(item, false)).collect(),
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| {
                let is_own = is_own || OWN_WORDS.contains(&name.as_str());
                (name.clone(), shown(value, is_own))
            };
            Value::Object(fields.iter().map(field).collect::<Map<_, _>>())
        }
        _ => value.clone(),
    }
}

// Whether a text says where something is, and not what it is called.
fn is_place(text: &str) -> bool {
    let is_path = text.starts_with(['/', '~', '.']) || text.matches('/').count() > 1;
    is_path || text.contains('\\') || text.contains("://")
}

fn short(digest: StageDigest) -> Value {
    let text = digest.to_string();
    Value::String(format!("#{}", text.get(..LETTERS).unwrap_or(&text)))
}

#[cfg(test)]
mod tests {
    use super::tellable;
    use serde_json::json;

    #[test]
    fn words_of_the_recipe_are_told_apart_and_not_shown() {
        let terms = |word: &str| {
            json!({
                "asked": {
                    "params": { "conf": "0.15", "classes": null },
                    "model": { "remote": "m", "handler": "/models/m" },
                    "server": { "path": "/a", "headers": { "x-a": word }, "ok": null },
                    "mapping": { "vars": { "a": [word, 1], "n": 2, "none": [] } },
                },
            })
        };
        let (one, other) = (tellable(&terms("s3cret")), tellable(&terms("0ther")));
        assert_ne!(one, other);
        let text = one.to_string();
        assert!(!text.contains("s3cret") && !text.contains("/a"), "{text}");
        assert_eq!(
            one["asked"]["params"],
            json!({ "conf": "0.15", "classes": null })
        );
        assert_eq!(one["asked"]["model"]["remote"], "m");
        assert!(!text.contains("/models"), "{text}");
        assert_eq!(one["asked"]["mapping"]["vars"]["n"], 2);
        assert_eq!(one["asked"]["mapping"]["vars"]["none"], json!([]));
    }

    #[test]
    fn long_lists_are_told_apart_and_not_shown() {
        let classes = |last: u32| json!({ "classes": (0..8).chain([last]).collect::<Vec<_>>() });
        let (one, other) = (tellable(&classes(8)), tellable(&classes(9)));
        assert_ne!(one, other);
        assert!(one["classes"].is_string());
    }
}
