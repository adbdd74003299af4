//! JSON as servers write it: the standard, and what Python and handwritten servers add to it.
//!
//! A byte order mark, `NaN` and `Infinity`, raw line breaks in a string, half a surrogate pair and
//! bytes that are not UTF-8 do not make an answer unreadable. What is no number is null, so that
//! whoever needs a number misses it. Of a key that stands twice the last one counts, as in Python.
//! Pure.

use super::tree;
use serde_json::Value;

pub(crate) use super::tree::JsonError;

/// Where a string holds what is not a character.
const REPLACEMENT: &str = "\\ufffd";

/// The value that `body` holds.
///
/// # Errors
///
/// Where it is not JSON in any of these spellings, nested more than 128 deep, or has more values
/// than fit into memory.
pub(crate) fn parse(body: &[u8]) -> Result<Value, JsonError> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    tree::value(body).or_else(|error| {
        if matches!(error, JsonError::TooMany) {
            return Err(error);
        }
        // A text that happens to begin like a number is not meant to be JSON.
        if !body.trim_ascii_start().starts_with(b"{") && !body.trim_ascii_start().starts_with(b"[")
        {
            return Err(error);
        }
        let mended = mended(&String::from_utf8_lossy(body));
        tree::value(mended.as_bytes()).map_err(|mended| match mended {
            JsonError::TooMany => mended,
            JsonError::Syntax(_) => error,
        })
    })
}

/// What a list of one or JSON in a text stands for, as some handlers wrap what they give: the
/// value inside, with whatever wraps that one taken off too. `None` where nothing is wrapped.
pub(in crate::backends) fn unwrapped(value: &Value) -> Option<Value> {
    let inner = match value {
        Value::Array(list) => match list.as_slice() {
            [one] => one.clone(),
            _ => return None,
        },
        Value::String(text) => match parse(text.as_bytes()).ok()? {
            inner @ (Value::Object(_) | Value::Array(_)) => inner,
            _ => return None,
        },
        _ => return None,
    };
    // Nesting is bounded by the parser for lists; a text is shorter than the one that holds it.
    Some(inner)
}

// The same text with what only some parsers read put as every parser does.
fn mended(text: &str) -> String {
    let mut mended = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '"' => string(rest, &mut mended),
            '-' | '+' | '.' | '0'..='9' | 'a'..='z' | 'A'..='Z' => scalar(rest, &mut mended),
            other => {
                mended.push(other);
                other.len_utf8()
            }
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    mended
}

// A number or a word. `NaN`, `Infinity` and numbers beyond all bounds are null.
fn scalar(text: &str, mended: &mut String) -> usize {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || "+-.".contains(letter);
    let end = text.find(|letter| !is_part(letter)).unwrap_or(text.len());
    let word = text.get(..end).unwrap_or_default();
    let is_unknown = word.parse().is_ok_and(|number: f64| !number.is_finite());
    mended.push_str(if is_unknown { "null" } else { word });
    end
}

// A string with its quotes.
fn string(text: &str, mended: &mut String) -> usize {
    mended.push('"');
    let mut at = 1;
    while let Some(rest) = text.get(at..)
        && let Some(letter) = rest.chars().next()
    {
        at += match letter {
            '"' => {
                mended.push('"');
                return at + 1;
            }
            '\\' => escape(rest, mended),
            letter if letter.is_ascii_control() => {
                mended.push(' ');
                1
            }
            letter => {
                mended.push(letter);
                letter.len_utf8()
            }
        };
    }
    at
}

// An escape; half a surrogate pair is no character.
fn escape(text: &str, mended: &mut String) -> usize {
    let unit = |from: usize| {
        let hex = text.get(from..)?.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(hex, 16).ok()
    };
    let (length, is_whole) = match (unit(0), unit(6)) {
        (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (12, true),
        (Some(0xd800..=0xdfff), _) => (6, false),
        (Some(_), _) => (6, true),
        (None, _) => {
            let escaped = text.chars().nth(1).map_or(0, char::len_utf8);
            (1 + escaped, true)
        }
    };
    let whole = text.get(..length).unwrap_or(text);
    mended.push_str(if is_whole { whole } else { REPLACEMENT });
    whole.len()
}

#[cfg(test)]
mod tests {
    use super::JsonError;
    use super::parse;
    use super::unwrapped;
    use serde_json::Value;
    use serde_json::json;

    #[test]
    fn what_servers_add_to_the_standard_is_read() {
        for (body, expected) in [
            (&b"\xef\xbb\xbf{\"a\": 1}"[..], json!({ "a": 1 })),
            (
                b"[NaN, -Infinity, Infinity, 1e999, 2]",
                json!([null, null, null, null, 2]),
            ),
            (
                b"{\"NaN\": \"NaN\", \"b\":NaN}",
                json!({ "NaN": "NaN", "b": null }),
            ),
            (b"{\"a\": 1, \"a\": 2}", json!({ "a": 2 })),
            (b"[\"a\nb\", NaN]", json!(["a b", null])),
            (
                b"[\"\\ud83d\\ude00 \\ud83d x \\udc00\"]",
                json!(["\u{1f600} \u{fffd} x \u{fffd}"]),
            ),
            (b"[\"caf\xe9\"]", json!(["caf\u{fffd}"])),
            (
                b"[\"\\\"NaN\\\\\", NaN, true]",
                json!(["\"NaN\\", null, true]),
            ),
        ] {
            let text = String::from_utf8_lossy(body);
            assert_eq!(parse(body).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_json_is_refused() {
        let deep = "[".repeat(100_000);
        for body in [
            "", "<html>", "{\"a\": ", "nan", "nan nan", "{'a': 1}", "\"\\", "\"\\u12", &deep,
        ] {
            assert!(parse(body.as_bytes()).is_err(), "{body:.20}");
        }
    }

    // Neither spelling of it is read further than values fit.
    #[test]
    fn what_has_too_many_values_is_no_answer() {
        for begin in ["[", "[NaN,"] {
            let body = format!("{begin}{}0]", "{},".repeat(4 << 20));
            let error = parse(body.as_bytes()).unwrap_err();
            assert!(matches!(error, JsonError::TooMany), "{begin} {error}");
        }
    }

    #[test]
    fn a_list_of_one_and_json_in_a_text_are_unwrapped() {
        let inner = json!({ "detections": [] });
        assert_eq!(unwrapped(&json!([inner])), Some(inner.clone()));
        assert_eq!(unwrapped(&json!(inner.to_string())), Some(inner.clone()));
        for other in [
            inner,
            json!([1, 2]),
            json!([]),
            json!("words"),
            json!("7"),
            Value::Null,
        ] {
            assert_eq!(unwrapped(&other), None, "{other}");
        }
    }
}
