//! Classes as a recipe names them, by their number in the model or by their name, and how sure a
//! model must be of each.
//!
//! Knows no model: which names it has is given.

use crate::recipe::load::value;
use schemars::JsonSchema;
use schemars::Schema;
use schemars::SchemaGenerator;
use schemars::json_schema;
use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde::de::Error;
use serde::de::IntoDeserializer;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The key of the confidence of all classes that have none of their own.
const DEFAULT: &str = "default";

/// A class, as a recipe names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClassRef {
    /// By its number in the model.
    Number(u32),
    /// By its name.
    Name(Arc<str>),
}

impl ClassRef {
    /// The numbers of the classes that are meant where the model calls its classes `names`, by
    /// their numbers; none where it has no class of that name. A number stands for itself.
    pub fn numbers(&self, names: &[Arc<str>]) -> Vec<u32> {
        match self {
            Self::Number(number) => vec![*number],
            Self::Name(wanted) => {
                let names = (0..).zip(names);
                let meant = names.filter(|(_, name)| *name == wanted);
                meant.map(|(number, _)| number).collect()
            }
        }
    }

    /// Whether it means the class with this number and name.
    pub fn is(&self, number: u32, name: &str) -> bool {
        match self {
            Self::Number(wanted) => *wanted == number,
            Self::Name(wanted) => wanted.as_ref() == name,
        }
    }

    // A text of digits is a number, as everywhere in a recipe.
    fn of_text(text: &str) -> Self {
        match text.trim() {
            digits if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits
                    .parse()
                    .map_or_else(|_| Self::Name(digits.into()), Self::Number)
            }
            name => Self::Name(name.into()),
        }
    }
}

impl fmt::Display for ClassRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

impl Serialize for ClassRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => serializer.serialize_u32(*number),
            Self::Name(name) => serializer.serialize_str(name),
        }
    }
}

impl<'de> Deserialize<'de> for ClassRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Class;

        impl Visitor<'_> for Class {
            type Value = ClassRef;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name or the number of a class")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<ClassRef, E> {
                value::class(number.into_deserializer()).map(ClassRef::Number)
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<ClassRef, E> {
                value::class(number.into_deserializer()).map(ClassRef::Number)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<ClassRef, E> {
                match text.trim() {
                    "" => Err(E::custom(
                        "is empty\nwrite the name or the number of a class",
                    )),
                    text => Ok(ClassRef::of_text(text)),
                }
            }
        }

        deserializer.deserialize_any(Class)
    }
}

impl JsonSchema for ClassRef {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Class".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer"] })
    }
}

/// The classes in a list.
pub(in crate::recipe) fn classes<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<ClassRef>, D::Error> {
    struct Classes;

    impl<'de> Visitor<'de> for Classes {
        type Value = Vec<ClassRef>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(
                "a list\nwrite the names or numbers of classes, such as \
                 `classes = [\"person\", 2]`",
            )
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut classes = Vec::new();
            while let Some(class) = list.next_element()? {
                classes.push(class);
            }
            Ok(classes)
        }
    }

    deserializer.deserialize_any(Classes)
}

/// How sure a model must be of a box that is kept, from 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Confidence {
    /// Of all classes that have none of their own.
    pub default: f32,
    /// Of some classes.
    pub classes: BTreeMap<ClassRef, f32>,
}

impl Confidence {
    /// The same for all classes.
    pub fn of_all(default: f32) -> Self {
        Self {
            default,
            classes: BTreeMap::new(),
        }
    }

    /// The lowest of all: what a server is asked for.
    pub fn lowest(&self) -> f32 {
        self.classes.values().copied().fold(self.default, f32::min)
    }

    /// That of the class with this number and name.
    pub fn of(&self, number: u32, name: &str) -> f32 {
        // A name is more telling than a number, and comes last.
        let mut own = self.classes.iter().rev();
        let own = own.find(|(class, _)| class.is(number, name));
        own.map_or(self.default, |(_, share)| *share)
    }
}

impl<'de> Deserialize<'de> for Confidence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Share(#[serde(deserialize_with = "value::share")] f32);

        struct Shares;

        impl<'de> Visitor<'de> for Shares {
            type Value = Confidence;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a number from 0 to 1, or a table of them by class\nwrite `0.4`, or \
                     `{ person = 0.4, default = 0.15 }`",
                )
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Confidence, E> {
                value::share(number.into_deserializer()).map(Confidence::of_all)
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Confidence, E> {
                value::share(number.into_deserializer()).map(Confidence::of_all)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Confidence, E> {
                value::share(text.into_deserializer()).map(Confidence::of_all)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Confidence, A::Error> {
                let mut all = Confidence::default();
                while let Some((class, Share(share))) = map.next_entry::<String, _>()? {
                    if class == DEFAULT {
                        all.default = share;
                    } else {
                        all.classes.insert(ClassRef::of_text(&class), share);
                    }
                }
                Ok(all)
            }
        }

        deserializer.deserialize_any(Shares)
    }
}

impl Default for Confidence {
    fn default() -> Self {
        Self::of_all(0.15)
    }
}

impl Serialize for Confidence {
    /// As it is written in a recipe.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.classes.is_empty() {
            return serializer.serialize_f32(self.default);
        }
        let own = self.classes.iter();
        let own = own.map(|(class, share)| (class.to_string(), *share));
        let all = own.chain([(DEFAULT.to_owned(), self.default)]);
        serializer.collect_map(all)
    }
}

impl JsonSchema for Confidence {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Confidence".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["number", "object"],
            "minimum": 0,
            "maximum": 1,
            "additionalProperties": { "type": "number", "minimum": 0, "maximum": 1 },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::ClassRef;
    use super::Confidence;
    use std::sync::Arc;

    #[test]
    fn a_class_is_found_by_its_number_or_by_all_that_have_its_name() {
        let names: Vec<Arc<str>> = ["dog", "cat", "dog"].map(Arc::from).into();
        let numbers = |text| ClassRef::of_text(text).numbers(&names);
        assert_eq!(numbers("dog"), [0, 2]);
        assert_eq!(numbers(" 7 "), [7]);
        assert!(numbers("Dog").is_empty());
        assert_eq!(ClassRef::of_text("-1"), ClassRef::Name("-1".into()));
    }

    #[test]
    fn each_class_has_its_own_confidence_or_that_of_all() {
        let mut all = Confidence::of_all(0.15);
        all.classes.insert(ClassRef::of_text("person"), 0.4);
        all.classes.insert(ClassRef::of_text("3"), 0.05);
        assert_eq!(all.of(0, "person"), 0.4);
        assert_eq!(all.of(3, "bus"), 0.05);
        assert_eq!(all.of(1, "car"), 0.15);
        assert_eq!(all.lowest(), 0.05);
    }
}
