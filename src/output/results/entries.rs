//! The entries of results as they are read: a name of a class is kept once, whatever the number of
//! objects that have it.

use crate::output::results::results::Entry;
use crate::output::results::results::Seen;
use serde::Deserializer;
use serde::de::SeqAccess;
use serde::de::Visitor;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// Reads a list of entries.
pub(super) fn read<'de, D: Deserializer<'de>>(json: D) -> Result<Vec<Entry>, D::Error> {
    json.deserialize_seq(Entries)
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<Entry>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of frames")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let (mut entries, mut names) = (Vec::new(), BTreeSet::new());
        while let Some(mut entry) = list.next_element::<Entry>()? {
            share_names(&mut entry, &mut names);
            entries.push(entry);
        }
        Ok(entries)
    }
}

fn share_names(entry: &mut Entry, names: &mut BTreeSet<Arc<str>>) {
    let Seen::Objects { detections, .. } = &mut entry.seen else {
        return;
    };
    for object in detections {
        match names.get(&object.class_name) {
            Some(name) => object.class_name = Arc::clone(name),
            None => drop(names.insert(Arc::clone(&object.class_name))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Seen;
    use super::read;
    use serde_json::json;
    use std::sync::Arc;

    #[test]
    fn a_name_is_kept_once() {
        let object =
            |name| json!({"bbox": [0, 0, 1, 1], "class": 0, "class_name": name, "confidence": 1});
        let entry = |number| {
            let objects = [object("car"), object("dog")];
            json!({"timestamp": number, "frame_number": number, "count": 2, "detections": objects})
        };
        let entries = read(json!([entry(0), entry(1)])).unwrap();
        let names = entries.iter().map(|entry| match &entry.seen {
            Seen::Objects { detections, .. } => {
                detections.iter().map(|it| &it.class_name).collect()
            }
            _ => vec![],
        });
        let names: Vec<Vec<&Arc<str>>> = names.collect();
        assert_eq!(names[0], names[1]);
        assert!(
            names[0]
                .iter()
                .zip(&names[1])
                .all(|(a, b)| Arc::ptr_eq(a, b))
        );
        assert!(read(json!({})).is_err());
    }
}
