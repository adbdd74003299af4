//! The tree of a TOML text: values that know their places, whatever text they came from.
//!
//! Knows nothing of what the keys mean.

use crate::diag::Span;
use std::collections::BTreeMap;

/// A value and its place.
#[derive(Clone, Debug)]
pub(in crate::recipe) struct Node {
    pub(in crate::recipe) span: Span,
    pub(in crate::recipe) value: Value,
}

/// What a value can be.
#[derive(Clone, Debug)]
pub(in crate::recipe) enum Value {
    Text(String),
    Integer(i64),
    Float(f64),
    Flag(bool),
    /// Dates and times; no key takes one.
    Time,
    List(Vec<Node>),
    Table(Table),
}

/// One line of a table.
#[derive(Clone, Debug)]
pub(in crate::recipe) struct Entry {
    pub(in crate::recipe) key: String,
    /// Where the key stands.
    pub(in crate::recipe) span: Span,
    pub(in crate::recipe) node: Node,
}

/// Entries in the order of the text, each key once.
#[derive(Clone, Debug, Default)]
pub(in crate::recipe) struct Table(pub(in crate::recipe) Vec<Entry>);

impl Node {
    /// What it is, as a sentence would say it.
    pub(in crate::recipe) fn what(&self) -> String {
        match &self.value {
            Value::Text(text) => format!("the text {text:?}"),
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Flag(flag) => format!("`{flag}`"),
            Value::Time => "a date or time".to_owned(),
            Value::List(_) => "a list".to_owned(),
            Value::Table(_) => "a table".to_owned(),
        }
    }
}

impl Table {
    pub(in crate::recipe) fn get(&self, key: &str) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.key == key)
    }

    /// The text under `key`, where it is one.
    pub(in crate::recipe) fn text(&self, key: &str) -> Option<&str> {
        match &self.get(key)?.node.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(in crate::recipe) fn get_mut(&mut self, key: &str) -> Option<&mut Entry> {
        self.0.iter_mut().find(|entry| entry.key == key)
    }

    pub(in crate::recipe) fn take(&mut self, key: &str) -> Option<Entry> {
        let index = self.0.iter().position(|entry| entry.key == key)?;
        Some(self.0.remove(index))
    }

    /// Takes out the entries of `keys`, in their order.
    pub(in crate::recipe) fn take_all(&mut self, keys: &[&str]) -> Self {
        Self(keys.iter().filter_map(|key| self.take(key)).collect())
    }

    /// Where each value stands.
    pub(in crate::recipe) fn places(&self) -> BTreeMap<String, Span> {
        let entries = self.0.iter();
        entries
            .map(|entry| (entry.key.clone(), entry.node.span))
            .collect()
    }

    /// Puts `entry` where one of its key stands, or at the end.
    pub(in crate::recipe) fn put(&mut self, entry: Entry) {
        match self.get_mut(&entry.key) {
            Some(old) => *old = entry,
            None => self.0.push(entry),
        }
    }

    /// Puts each of `entries`, as [`Self::put`] does.
    pub(in crate::recipe) fn put_all(&mut self, entries: Vec<Entry>) {
        let keys = self.0.iter().enumerate();
        let mut places: BTreeMap<String, usize> =
            keys.map(|(at, entry)| (entry.key.clone(), at)).collect();
        for entry in entries {
            match places.get(&entry.key) {
                Some(at) => self.0[*at] = entry,
                None => {
                    places.insert(entry.key.clone(), self.0.len());
                    self.0.push(entry);
                }
            }
        }
    }

    pub(in crate::recipe) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|entry| entry.key.as_str())
    }
}
