//! The keys of a job's input: values of their kinds and ranges, or a sentence about what is wrong.
//!
//! A value that is `null` counts as absent. Of a value that is wrong no more is shown than what kind it
//! is, or which number. Does not know what the keys mean.

use crate::serve::job::JobError;
use serde_json::Map;
use serde_json::Value;
use std::ops::RangeInclusive;

/// The input of a job.
#[derive(Clone, Copy)]
pub(super) struct Keys<'a>(&'a Map<String, Value>);

impl<'a> Keys<'a> {
    /// The keys of `input`.
    pub(super) fn of(input: &'a Value) -> Result<Self, JobError> {
        match input {
            Value::Object(keys) => Ok(Self(keys)),
            other => Err(JobError(format!(
                "the input has to be an object that has keys, and is {}",
                kind(other)
            ))),
        }
    }

    /// All of them, with their values.
    pub(super) fn all(self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Whether it has a value.
    pub(super) fn has(self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// Its value.
    pub(super) fn value(self, key: &str) -> Option<&'a Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    /// Yes or no.
    pub(super) fn flag(self, key: &str) -> Result<Option<bool>, JobError> {
        self.read(key, "true or false", Value::as_bool)
    }

    /// A text.
    pub(super) fn text(self, key: &str) -> Result<Option<&'a str>, JobError> {
        self.read(key, "a text", Value::as_str)
    }

    /// A number from 0 to 1.
    pub(super) fn share(self, key: &str) -> Result<Option<f32>, JobError> {
        let share = |value: &Value| value.as_f64().filter(|it| (0.0..=1.0).contains(it));
        let read = self.read(key, "a number from 0 to 1", share)?;
        Ok(read.map(|share| share as f32))
    }

    /// A whole number of `range`; `640.0` is one.
    pub(super) fn whole(
        self,
        key: &str,
        range: RangeInclusive<u32>,
    ) -> Result<Option<u32>, JobError> {
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        self.read(key, &wanted, |value| {
            whole(value).filter(|it| range.contains(it))
        })
    }

    fn read<T>(
        self,
        key: &str,
        wanted: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, JobError> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        let read = read(value).ok_or_else(|| wrong(key, wanted, value))?;
        Ok(Some(read))
    }
}

/// A number that is whole and not negative.
pub(super) fn whole(value: &Value) -> Option<u32> {
    let number = value.as_f64()?;
    let fits = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
    fits.then_some(number as u32)
}

/// That the value of `key` is not what is `wanted`.
pub(super) fn wrong(key: &str, wanted: &str, value: &Value) -> JobError {
    JobError(format!(
        "`{key}` has to be {wanted}, and is {}",
        kind(value)
    ))
}

/// What kind of value it is; a number or a flag as it is written.
pub(super) fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.is_empty() => "an empty text".to_owned(),
        Value::String(_) => "a text".to_owned(),
        Value::Array(list) if list.is_empty() => "an empty list".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
