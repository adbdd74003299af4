//! Records: the fields of two, one by one.
//!
//! Numbers are the same within the tolerance of confidences, texts within that of words, and all
//! else where it is equal.

use crate::output::compare::comparison::WhatChanged;
use crate::output::compare::tolerance::Tolerance;
use crate::output::compare::words::text_error_rate;
use serde_json::Map;
use serde_json::Value;
use std::collections::BTreeSet;

/// A field of two records that differs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ChangedField {
    field: String,
    old: Option<Value>,
    new: Option<Value>,
}

impl ChangedField {
    /// As a change, of a record that is of such a crop.
    pub(super) fn changed(self, crop: Option<u32>) -> WhatChanged {
        WhatChanged::FieldChanged {
            crop,
            field: self.field,
            old: self.old,
            new: self.new,
        }
    }
}

/// The fields that differ.
pub(super) fn compare(
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    tolerance: &Tolerance,
) -> Vec<ChangedField> {
    let mut changed = Vec::new();
    fields("", old, new, tolerance, &mut changed);
    changed
}

fn fields(
    path: &str,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    tolerance: &Tolerance,
    changed: &mut Vec<ChangedField>,
) {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        let path = match path {
            "" => name.clone(),
            path => format!("{path}.{name}"),
        };
        value(path, (old.get(name), new.get(name)), tolerance, changed);
    }
}

fn value(
    path: String,
    values: (Option<&Value>, Option<&Value>),
    tolerance: &Tolerance,
    changed: &mut Vec<ChangedField>,
) {
    let is_same = match values {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            return fields(&path, old, new, tolerance, changed);
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) if old.len() == new.len() => {
            for (at, sides) in old.iter().zip(new).enumerate() {
                let sides = (Some(sides.0), Some(sides.1));
                value(format!("{path}[{at}]"), sides, tolerance, changed);
            }
            return;
        }
        (Some(Value::String(old)), Some(Value::String(new))) => is_one_text(old, new, tolerance),
        (Some(old), Some(new)) => {
            let numbers = old.as_f64().zip(new.as_f64());
            let is_near = |(old, new)| tolerance.is_one_number(old, new);
            old == new || numbers.is_some_and(is_near)
        }
        (old, new) => old == new,
    };
    if !is_same {
        changed.push(ChangedField {
            field: path,
            old: values.0.cloned(),
            new: values.1.cloned(),
        });
    }
}

// Without a tolerance every letter counts: a text may be a code or a plate.
fn is_one_text(old: &str, new: &str, tolerance: &Tolerance) -> bool {
    let is_near = || tolerance.is_one_text(text_error_rate(old, new));
    old == new || (tolerance.words > 0.0 && is_near())
}

#[cfg(test)]
mod tests {
    use super::compare;
    use crate::output::compare::tolerance::Tolerance;
    use serde_json::Value;
    use serde_json::json;

    fn changed(old: &Value, new: &Value, words: f64) -> Vec<String> {
        let tolerance = Tolerance {
            words,
            ..Tolerance::default()
        };
        let (old, new) = (old.as_object().unwrap(), new.as_object().unwrap());
        let changed = compare(old, new, &tolerance);
        changed.into_iter().map(|it| it.field).collect()
    }

    #[test]
    fn fields_are_compared_one_by_one() {
        let old = json!({"a": 1, "b": {"c": [1, 2], "d": "x"}, "e": null, "f": true});
        assert_eq!(changed(&old, &old, 0.0), [""; 0]);
        let new = json!({"f": true, "b": {"d": "X", "c": [1, 3]}, "a": 1.04});
        assert_eq!(changed(&old, &new, 0.0), ["b.c[1]", "b.d", "e"]);
        let new = json!({"a": "1", "b": {"c": [1], "d": "x"}, "e": 0, "f": false});
        assert_eq!(changed(&old, &new, 0.0), ["a", "b.c", "e", "f"]);
        assert_eq!(changed(&json!({}), &json!({"a": null}), 0.0), ["a"]);
    }

    #[test]
    fn texts_may_differ_by_so_many_words() {
        let old = json!({"says": "a red circle moves to the left"});
        let new = json!({"says": "A red circle moves to the right."});
        assert_eq!(changed(&old, &new, 0.0), ["says"]);
        assert_eq!(changed(&old, &new, 0.14), ["says"]);
        assert_eq!(changed(&old, &new, 0.15), [""; 0]);
        let unsaid = json!({"says": "\u{1f600}"});
        assert_eq!(changed(&unsaid, &json!({"says": "!"}), 0.1), [""; 0]);
    }
}
