//! What of the objects that a server finds a stage keeps, where the server cannot be asked for it:
//! classes by their names, and a confidence for each class.
//!
//! Classes that are given by their numbers alone are the server's to keep, and so is one confidence
//! for all.

use crate::item::Detection;
use crate::item::Found;
use crate::recipe::ClassRef;
use crate::recipe::Confidence;
use crate::recipe::YoloSpec;
use std::sync::Arc;

/// What a `yolo` stage keeps of what a server finds.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptObjects {
    // Those of all classes where it is empty.
    classes: Vec<ClassRef>,
    // One for all where it is `None`.
    conf: Option<Confidence>,
    names: Vec<Arc<str>>,
}

impl KeptObjects {
    /// What `spec` keeps where the model calls its classes `names`, by their numbers, as far as that
    /// is known.
    pub fn new(spec: &YoloSpec, names: &[Arc<str>]) -> Self {
        let by_name = |class: &ClassRef| matches!(class, ClassRef::Name(_));
        let is_named = spec.classes.iter().any(by_name);
        Self {
            classes: spec.classes.iter().filter(|_| is_named).cloned().collect(),
            conf: (!spec.conf.classes.is_empty()).then(|| spec.conf.clone()),
            names: names.to_vec(),
        }
    }

    /// What is kept of what was found. An object whose class has a number in place of its name gets
    /// the name.
    pub(in crate::stages) fn of(&self, found: Found) -> Found {
        let Found::Objects(mut objects) = found else {
            return found;
        };
        for object in &mut objects {
            if let Some(name) = self.names.get(object.class as usize)
                && *object.class_name == *object.class.to_string()
            {
                object.class_name = Arc::clone(name);
            }
        }
        objects.retain(|object| self.keeps(object));
        Found::Objects(objects)
    }

    fn keeps(&self, object: &Detection) -> bool {
        let (number, name) = (object.class, object.class_name.as_ref());
        let is_wanted =
            self.classes.is_empty() || self.classes.iter().any(|class| class.is(number, name));
        let conf = self.conf.as_ref();
        is_wanted && conf.is_none_or(|conf| object.confidence >= conf.of(number, name))
    }
}

#[cfg(test)]
mod tests {
    use super::KeptObjects;
    use crate::item::Detection;
    use crate::item::Found;
    use crate::recipe::ClassRef;
    use crate::recipe::YoloSpec;
    use std::sync::Arc;

    fn kept(spec: &YoloSpec, names: &[&str]) -> String {
        let names: Vec<Arc<str>> = names.iter().map(|name| Arc::from(*name)).collect();
        let object = |class, name: &str, confidence| Detection {
            class,
            class_name: name.into(),
            confidence,
            ..Detection::default()
        };
        let found = vec![
            object(0, "person", 0.25),
            object(1, "1", 0.5),
            object(2, "car", 0.75),
        ];
        let Found::Objects(kept) = KeptObjects::new(spec, &names).of(Found::Objects(found)) else {
            panic!("they are objects no more");
        };
        let names: Vec<&str> = kept.iter().map(|kept| &*kept.class_name).collect();
        names.join(" ")
    }

    #[test]
    fn what_the_server_can_be_asked_for_is_left_to_it() {
        let mut spec = YoloSpec::default();
        assert_eq!(kept(&spec, &[]), "person 1 car");
        spec.classes = vec![ClassRef::Number(7)];
        spec.conf.default = 0.9;
        assert_eq!(kept(&spec, &[]), "person 1 car");
        // A name where there was a number.
        assert_eq!(kept(&spec, &["person", "bike"]), "person bike car");
    }

    #[test]
    fn classes_are_told_by_name_or_number() {
        let name = |name: &str| ClassRef::Name(name.into());
        let mut spec = YoloSpec {
            classes: vec![name("car"), ClassRef::Number(1)],
            ..YoloSpec::default()
        };
        assert_eq!(kept(&spec, &[]), "1 car");
        spec.classes = vec![name("bike")];
        assert_eq!(kept(&spec, &[]), "");
        assert_eq!(kept(&spec, &["person", "bike"]), "bike");
    }

    #[test]
    fn a_class_may_have_a_confidence_of_its_own() {
        let mut spec = YoloSpec::default();
        spec.conf
            .classes
            .insert(ClassRef::Name("person".into()), 0.5);
        spec.conf.classes.insert(ClassRef::Number(2), 0.8);
        assert_eq!(kept(&spec, &[]), "1");
        // What equals it is kept.
        spec.conf
            .classes
            .insert(ClassRef::Name("person".into()), 0.25);
        assert_eq!(kept(&spec, &[]), "person 1");
    }
}
