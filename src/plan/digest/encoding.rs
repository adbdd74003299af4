//! One spelling of the terms that decide an answer, and its digest.
//!
//! Kept answers are found by it: whatever changes it asks everything anew.

use crate::answer::StageDigest;
use serde_json::Value;

/// What every spelling begins with; counts up where the meaning of terms changes.
const VERSION: &str = "vpipe answers 1\n";

/// The digest of `terms`: BLAKE3 of [`VERSION`] and of them as JSON without spaces, the keys of
/// each table in order.
pub(super) fn digest(terms: &Value) -> StageDigest {
    let mut text = VERSION.to_owned();
    spell(terms, &mut text);
    StageDigest(*blake3::hash(text.as_bytes()).as_bytes())
}

fn spell(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| *key);
            text.push('{');
            for (number, (key, value)) in fields.into_iter().enumerate() {
                if number > 0 {
                    text.push(',');
                }
                *text += &Value::from(key.as_str()).to_string();
                text.push(':');
                spell(value, text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (number, item) in items.iter().enumerate() {
                if number > 0 {
                    text.push(',');
                }
                spell(item, text);
            }
            text.push(']');
        }
        leaf => *text += &leaf.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::digest;
    use super::spell;
    use serde_json::json;

    #[test]
    fn terms_have_one_spelling() {
        let mut text = String::new();
        spell(
            &json!({"b": [1, 0.5, null], "a": {"y": "\"", "x": true}}),
            &mut text,
        );
        assert_eq!(text, r#"{"a":{"x":true,"y":"\""},"b":[1,0.5,null]}"#);
    }

    // By `printf 'vpipe answers 1\n{"a":1}' | b3sum`.
    #[test]
    fn a_digest_is_that_of_the_spelling_behind_its_version() {
        let expected = "57f73c85949b2ccc69afca8aa077935a014f7772edb64bb7ca70b5927a3c5765";
        assert_eq!(digest(&json!({"a": 1})).to_string(), expected);
    }
}
