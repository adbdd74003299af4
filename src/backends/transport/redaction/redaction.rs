//! The keys of a run and the values that it sends, and what is told and kept without them.
//!
//! Texts that belong together are looked through as one: a key may begin in one word and end in the
//! next.

use super::spelling::Spellings;
use crate::backends::transport::excerpt::excerpt;
use crate::backends::transport::secret::Secret;
use crate::failure::Failure;
use serde_json::Value;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

// What stands where a key was.
const IN_PLACE: &str = "(the key)";

/// Bytes of a text that are looked at for an excerpt.
const MOST_BYTES: usize = 16 << 10;

/// Takes the keys of a run, and the values that it sends, out of what is told and kept. Clones share
/// them.
#[derive(Clone, Default)]
pub struct Redaction {
    keys: Arc<[Arc<Hidden>]>,
}

// A key or a value, and what is shown in its place.
struct Hidden {
    spellings: Spellings,
    shown: String,
}

// Where one stands.
struct Place<'a> {
    range: Range<usize>,
    shown: &'a str,
}

impl fmt::Debug for Redaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redaction(..)")
    }
}

impl Redaction {
    /// Takes these keys out, those that are too short aside.
    pub fn of<'a>(keys: impl IntoIterator<Item = &'a Secret>) -> Self {
        let long = |key: &&Secret| !key.is_short();
        let keys = keys.into_iter().filter(long);
        Self {
            keys: keys.map(|key| hidden(key, IN_PLACE.to_owned())).collect(),
        }
    }

    /// Takes the values of these variables out too, those aside that are words.
    #[must_use]
    pub fn and_values<'a>(
        &self,
        variables: impl IntoIterator<Item = (&'a str, &'a Secret)>,
    ) -> Self {
        let secret = variables.into_iter().filter(|(_, value)| !value.is_wordy());
        let values = secret.map(|(name, value)| hidden(value, format!("(the value of {name})")));
        Self {
            keys: self.keys.iter().cloned().chain(values).collect(),
        }
    }

    /// Takes one more key out.
    pub(in crate::backends) fn and(&self, key: Option<&Secret>) -> Self {
        let keys = self.keys.iter().cloned();
        Self {
            keys: keys.chain(Self::of(key).keys.iter().cloned()).collect(),
        }
    }

    /// Whether there is nothing to be taken out of anything.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether a key stands in `text`.
    pub fn is_in(&self, text: &str) -> bool {
        !self.places(text).is_empty()
    }

    /// `text` without keys.
    pub fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        self.texts([&mut text]);
        text
    }

    /// Takes keys out of texts of which each may go on where the one before it ends.
    pub fn texts<'a>(&self, texts: impl IntoIterator<Item = &'a mut String>) {
        if self.is_empty() {
            return;
        }
        let texts: Vec<&mut String> = texts.into_iter().collect();
        // They may be words, which stand apart.
        let joined: Vec<&str> = texts.iter().map(|text| text.as_str()).collect();
        let places = self.places(&joined.join(" "));
        if places.is_empty() {
            return;
        }
        let mut start = 0;
        for text in texts {
            let end = start + text.len();
            *text = without(text, start, &places);
            start = end + 1;
        }
    }

    /// Takes keys out of the texts of a value. What holds one in another way, as the name of a field
    /// or as numbers, goes as a whole.
    pub fn value(&self, value: &mut Value) {
        if self.is_empty() {
            return;
        }
        let mut texts = Vec::new();
        collect(value, &mut texts);
        self.texts(texts);
        self.rest(value);
    }

    /// The same failure, told without keys.
    pub fn failure(&self, failure: Failure) -> Failure {
        Failure {
            message: self.text(&failure.message),
            help: failure.help.map(|help| self.text(&help)),
            ..failure
        }
    }

    /// Enough of what a server says to understand it by, without keys, on one line and with nothing
    /// that a terminal would obey.
    pub(in crate::backends) fn excerpt(&self, text: &str) -> String {
        let longest = self.keys.iter().map(|key| key.spellings.longest()).max();
        let longest = longest.unwrap_or_default();
        let looked_at = start(text, MOST_BYTES + longest);
        // A key that begins behind this may end where nobody looked.
        let told = match looked_at.len() < text.len() {
            true => start(looked_at, looked_at.len() - longest),
            false => looked_at,
        };
        excerpt(&without(told, 0, &self.places(looked_at)))
    }

    // Where keys stand in `text`, in order; none of them meets another.
    fn places(&self, text: &str) -> Vec<Place<'_>> {
        let mut found = Vec::new();
        for Hidden { spellings, shown } in self.keys.iter().map(Arc::as_ref) {
            let mut ranges = Vec::new();
            spellings.find(text, &mut ranges);
            found.extend(ranges.into_iter().map(|range| Place { range, shown }));
        }
        found.sort_by_key(|place| place.range.start);
        let mut places: Vec<Place<'_>> = Vec::new();
        for place in found {
            match places.last_mut() {
                Some(Place { range, .. }) if place.range.start <= range.end => {
                    range.end = range.end.max(place.range.end);
                }
                _ => places.push(place),
            }
        }
        places
    }

    // The smallest parts of a value that hold a key although no text does.
    fn rest(&self, value: &mut Value) {
        if !self.is_in(&value.to_string()) {
            return;
        }
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.rest(item)),
            Value::Object(fields) => fields.values_mut().for_each(|field| self.rest(field)),
            _ => {}
        }
        let shown = self.places(&value.to_string()).first().map(|it| it.shown);
        if let Some(shown) = shown {
            *value = Value::from(shown);
        }
    }
}

fn hidden(Secret(text): &Secret, shown: String) -> Arc<Hidden> {
    let spellings = Spellings::new(text.trim());
    Arc::new(Hidden { spellings, shown })
}

/// The first `most` bytes of a text, or a few fewer.
pub(in crate::backends) fn start(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most))
        .unwrap_or_default()
}

fn collect<'a>(value: &'a mut Value, texts: &mut Vec<&'a mut String>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(items) => items.iter_mut().for_each(|item| collect(item, texts)),
        Value::Object(fields) => fields.values_mut().for_each(|field| collect(field, texts)),
        _ => {}
    }
}

// A text that begins at `start` of the one in which `places` are. What begins in an earlier one is
// said there.
fn without(text: &str, start: usize, places: &[Place<'_>]) -> String {
    let end = start + text.len();
    let mut kept = String::with_capacity(text.len());
    let mut at = start;
    let first = places.partition_point(|place| place.range.end <= start);
    for Place {
        range: place,
        shown,
    } in places.get(first..).unwrap_or_default()
    {
        if place.start >= end {
            break;
        }
        kept += text
            .get(at - start..place.start.max(at) - start)
            .unwrap_or_default();
        if place.start >= start {
            kept += shown;
        }
        at = place.end.min(end);
    }
    kept + text.get(at - start..).unwrap_or_default()
}

#[cfg(test)]
mod tests;
