//! From a [`Table`] to a typed struct, with every mistake at its place.
//!
//! A deserializer of our own because serde's errors are text, and here they are data: the
//! place, the key, and for an unknown key the known ones. Knows nothing of which structs are
//! read.

use crate::diag::Diagnostic;
use crate::diag::MOST_TOLD;
use crate::diag::Span;
use crate::recipe::load::tree::Entry;
use crate::recipe::load::tree::Node;
use crate::recipe::load::tree::Table;
use crate::recipe::load::tree::Value;
use crate::recipe::tools::cures::cure;
use crate::recipe::tools::suggest::suggest;
use serde::Deserializer;
use serde::de;
use serde::de::DeserializeOwned;
use serde::de::DeserializeSeed;
use serde::de::Expected;
use serde::de::IntoDeserializer;
use serde::de::Unexpected;
use serde::de::value::StrDeserializer;
use serde::de::value::StringDeserializer;
use serde::forward_to_deserialize_any;
use std::fmt;
use std::slice;

const TAKES_A_LIST: &str = "takes a list,";

/// Reads `table` as `T`. Each mistake is reported, its key struck out and the rest read again,
/// so that one mistake does not hide the next, as far as they are told; what was struck has its
/// default. `keys` are
/// allowed besides those of `T` and were taken out before.
pub(in crate::recipe) fn read<T: DeserializeOwned + Default>(
    mut table: Table,
    keys: &[&str],
    wrong: &mut Vec<Diagnostic>,
) -> T {
    for _ in 0..MOST_TOLD {
        match T::deserialize(&table) {
            Ok(read) => return read,
            Err(mistake) => match mistake.entry {
                Some(index) if index < table.0.len() => {
                    let entry = table.0.remove(index);
                    wrong.push(mistake.about(&entry, keys));
                }
                _ => return T::default(),
            },
        }
    }
    T::default()
}

/// Why a table is not what was asked for.
#[derive(Debug)]
pub(in crate::recipe) struct Mistake {
    /// The entry of the table that is wrong, by its place there.
    entry: Option<usize>,
    /// The innermost value that is wrong.
    span: Option<Span>,
    fault: Fault,
}

#[derive(Debug)]
enum Fault {
    UnknownKey(&'static [&'static str]),
    /// A sentence that begins with the key, and what to do about it.
    Value {
        says: String,
        help: Option<String>,
    },
}

impl Mistake {
    fn at(mut self, span: Span) -> Self {
        self.span = self.span.or(Some(span));
        self
    }

    fn in_entry(mut self, index: usize) -> Self {
        self.entry = Some(index);
        self
    }

    fn about(self, entry: &Entry, keys: &[&str]) -> Diagnostic {
        let key = &entry.key;
        match self.fault {
            Fault::UnknownKey(known) => {
                let known: Vec<&str> = keys.iter().chain(known).copied().collect();
                Diagnostic::error(entry.span, format!("there is no key `{key}` here"))
                    .help(cure(key, &known))
            }
            Fault::Value { says, help } => {
                let help = match &entry.node.value {
                    Value::Text(text) if says.starts_with(TAKES_A_LIST) => {
                        let items = text.split(',').map(str::trim);
                        let items: Vec<String> = items
                            .filter(|item| !item.is_empty())
                            .map(|item| format!("{item:?}"))
                            .collect();
                        let cure = format!("write `{key} = [{}]`", items.join(", "));
                        // What the key itself says to do knows more, but for what is a list already.
                        match items.len() {
                            1 => help.or(Some(cure)),
                            0 => help,
                            _ => Some(cure),
                        }
                    }
                    _ => help,
                };
                let span = self.span.unwrap_or(entry.node.span);
                let diagnostic = Diagnostic::error(span, format!("`{key}` {says}"));
                Diagnostic { help, ..diagnostic }
            }
        }
    }

    fn says(says: String, help: Option<String>) -> Self {
        Self {
            entry: None,
            span: None,
            fault: Fault::Value { says, help },
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.fault {
            Fault::UnknownKey(_) => f.write_str("unknown key"),
            Fault::Value { says, .. } => f.write_str(says),
        }
    }
}

impl std::error::Error for Mistake {}

impl de::Error for Mistake {
    /// The first line of `text` is what is wrong; a second one is what to do about it.
    fn custom<T: fmt::Display>(text: T) -> Self {
        let text = text.to_string();
        match text.split_once('\n') {
            Some((says, help)) => Self::says(says.to_owned(), Some(help.to_owned())),
            None => Self::says(text, None),
        }
    }

    /// What is expected may have a second line as well.
    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match found {
            Unexpected::Str(text) => format!("the text {text:?}"),
            Unexpected::Signed(number) => number.to_string(),
            Unexpected::Float(number) => number.to_string(),
            Unexpected::Bool(flag) => format!("`{flag}`"),
            Unexpected::Seq => "a list".to_owned(),
            Unexpected::Map => "a table".to_owned(),
            other => other.to_string(),
        };
        let expected = match expected.to_string() {
            // As serde calls it.
            expected if expected == "a sequence" => "a list".to_owned(),
            expected => expected,
        };
        match expected.split_once('\n') {
            Some((expected, help)) => Self::says(
                format!("takes {expected}, not {found}"),
                Some(help.to_owned()),
            ),
            None => Self::says(format!("takes {expected}, not {found}"), None),
        }
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        let help = suggest(variant, known.iter().copied(), "allowed");
        Self::says(format!("cannot be {variant:?}"), Some(help))
    }

    fn unknown_field(_: &str, known: &'static [&'static str]) -> Self {
        Self {
            entry: None,
            span: None,
            fault: Fault::UnknownKey(known),
        }
    }
}

impl<'de> Deserializer<'de> for &'de Table {
    type Error = Mistake;

    fn deserialize_any<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_map(Entries {
            entries: self.0.iter(),
            value: None,
            index: 0,
        })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        option unit unit_struct newtype_struct seq tuple tuple_struct map struct enum
        identifier ignored_any
    }
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = Mistake;

    fn deserialize_any<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match &self.value {
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::Integer(number) => visitor.visit_i64(*number),
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Flag(flag) => visitor.visit_bool(*flag),
            Value::Time => Err(de::Error::invalid_type(
                Unexpected::Other("a date or time"),
                &visitor,
            )),
            Value::List(items) => visitor.visit_seq(Items(items.iter())),
            Value::Table(table) => table.deserialize_any(visitor),
        }
        .map_err(|mistake| mistake.at(self.span))
    }

    fn deserialize_option<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: de::Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: de::Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        match &self.value {
            Value::Text(text) => {
                let text: StrDeserializer<'_, Mistake> = text.as_str().into_deserializer();
                visitor.visit_enum(text)
            }
            _ => Err(Mistake::says(
                format!("takes a string, not {}", self.what()),
                None,
            )),
        }
        .map_err(|mistake| mistake.at(self.span))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct Items<'de>(slice::Iter<'de, Node>);

impl<'de> de::SeqAccess<'de> for Items<'de> {
    type Error = Mistake;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Mistake> {
        let read = |node: &'de Node| {
            seed.deserialize(node)
                .map_err(|mistake| mistake.at(node.span))
        };
        self.0.next().map(read).transpose()
    }
}

struct Entries<'de> {
    entries: slice::Iter<'de, Entry>,
    value: Option<&'de Node>,
    index: usize,
}

impl<'de> de::MapAccess<'de> for Entries<'de> {
    type Error = Mistake;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Mistake> {
        let Some(entry) = self.entries.next() else {
            return Ok(None);
        };
        self.value = Some(&entry.node);
        let key: StringDeserializer<Mistake> = entry.key.clone().into_deserializer();
        seed.deserialize(key)
            .map(Some)
            .map_err(|mistake| mistake.in_entry(self.index))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Mistake> {
        let index = self.index;
        self.index += 1;
        let Some(node) = self.value.take() else {
            return Err(Mistake::says("has no value".to_owned(), None));
        };
        seed.deserialize(node)
            .map_err(|mistake| mistake.at(node.span).in_entry(index))
    }
}
