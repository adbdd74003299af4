//! The values of JSON, counted as they are made.
//!
//! A list of `{}` takes a hundred times the memory of its text. Nesting is bounded by the parser.

use serde::de::DeserializeSeed;
use serde::de::Error;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;
use serde_json::Deserializer;
use serde_json::Map;
use serde_json::Number;
use serde_json::Value;
use std::cell::Cell;
use std::fmt;

/// Bytes that the values of one answer take, about: a hundred thousand objects with their boxes.
const MOST_BYTES: usize = 128 << 20;

/// Bytes that a field takes besides its name and its value, and one without text.
const FIELD: usize = 64 + VALUE;
const VALUE: usize = size_of::<Value>();

/// Why a text has no value.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// It is not JSON, or nested more than 128 deep.
    #[error(transparent)]
    Syntax(#[from] serde_json::Error),
    /// It has more values than fit.
    #[error("it holds more values than {} MB of memory take", MOST_BYTES >> 20)]
    TooMany,
}

/// The value that `text` holds, as the standard has it.
pub(super) fn value(text: &[u8]) -> Result<Value, JsonError> {
    measured(MOST_BYTES, text).map(|(value, _)| value)
}

/// The same where it may take `most` bytes of memory, with how many it takes, about.
///
/// # Errors
///
/// Where it is not JSON as the standard has it, nested more than 128 deep, or larger.
pub fn measured(most: usize, text: &[u8]) -> Result<(Value, usize), JsonError> {
    let left = Cell::new(Some(most));
    let mut json = Deserializer::from_slice(text);
    let value = Counted(&left).deserialize(&mut json);
    let value = value.and_then(|value| json.end().map(|()| value));
    match left.get() {
        Some(left) => Ok((value?, most - left)),
        None => Err(JsonError::TooMany),
    }
}

// Makes a value while there are bytes left for it.
#[derive(Clone, Copy)]
struct Counted<'a>(&'a Cell<Option<usize>>);

impl Counted<'_> {
    fn take<E: Error>(self, bytes: usize) -> Result<(), E> {
        let left = self.0.get().and_then(|left| left.checked_sub(bytes));
        self.0.set(left);
        left.map(|_| ()).ok_or_else(|| E::custom("too many values"))
    }

    fn text<E: Error>(self, text: &str) -> Result<String, E> {
        self.take(text.len())?;
        Ok(text.to_owned())
    }

    fn plain<E: Error>(self, value: impl Into<Value>) -> Result<Value, E> {
        self.take(VALUE)?;
        Ok(value.into())
    }
}

impl<'de> DeserializeSeed<'de> for Counted<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Counted<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        self.plain(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        self.plain(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        self.plain(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        self.plain(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        self.plain(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        let text = self.text(value)?;
        self.plain(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        self.take(VALUE)?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        self.take(VALUE)?;
        let mut table = Map::new();
        while let Some(name) = fields.next_key_seed(Name(self))? {
            table.insert(name, fields.next_value_seed(self)?);
        }
        Ok(table.into())
    }
}

// The name of a field.
struct Name<'a>(Counted<'a>);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = String;

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<String, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<String, E> {
        self.0.take(FIELD)?;
        self.0.text(name)
    }
}

#[cfg(test)]
mod tests {
    use super::FIELD;
    use super::JsonError;
    use super::MOST_BYTES;
    use super::VALUE;
    use super::measured;
    use super::value;
    use serde_json::Value;

    #[test]
    fn what_is_read_is_what_serde_json_reads() {
        for text in [
            "null",
            " [true, false, -1, 18446744073709551615, 1.5, 1e300, -0.0, \"\\u0041\\n\"] ",
            "{\"a\": {\"b\": [{}, []]}, \"a\": 2, \"\": \"\u{1f600}\"}",
            "[1",
            "[1] 2",
            "{1: 2}",
            "1e999",
            "\"\\ud800\"",
            "",
        ] {
            let expected = serde_json::from_str::<Value>(text);
            match value(text.as_bytes()) {
                Ok(read) => assert_eq!(read, expected.unwrap(), "{text}"),
                Err(error) => {
                    let expected = expected.unwrap_err().to_string();
                    assert_eq!(error.to_string(), expected, "{text}");
                }
            }
        }
    }

    #[test]
    fn values_are_counted_as_they_are_made() {
        for (text, bytes) in [
            ("[]", VALUE),
            ("[1,2]", 3 * VALUE),
            ("\"abc\"", VALUE + 3),
            ("{\"ab\":null}", 2 * VALUE + FIELD + 2),
        ] {
            assert!(measured(bytes, text.as_bytes()).is_ok(), "{text}");
            let error = measured(bytes - 1, text.as_bytes()).unwrap_err();
            assert!(matches!(error, JsonError::TooMany), "{text}: {error}");
        }
    }

    // Each takes gigabytes, as values, of a body of 30 MB.
    #[test]
    fn a_text_that_grows_in_memory_is_read_no_further() {
        for part in ["[],", "{},", "0,", "{\"\":0},", "[[[[0]]]],", "\"\","] {
            let count = (30 << 20) / part.len();
            assert!(count * VALUE > MOST_BYTES, "{part}");
            let text = format!("[{}0]", part.repeat(count));
            let error = value(text.as_bytes()).unwrap_err();
            assert!(matches!(error, JsonError::TooMany), "{part}: {error}");
        }
    }
}
