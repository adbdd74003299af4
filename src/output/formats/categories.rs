//! Classes as data sets number them: each number once, with a name.

use crate::output::results::results::Object;
use crate::output::results::results::Results;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The largest number up to which those that have no name are given one.
const LARGEST: u32 = 9_999;

/// The classes of a data set, by their numbers there.
pub(super) struct Categories {
    /// By number, from 0 on without a gap.
    pub(super) names: Vec<Arc<str>>,
    numbers: BTreeMap<(u32, Arc<str>), usize>,
}

impl Categories {
    /// The numbers are those of the model, and a number without a name is its own. Where a number has
    /// several names, or is very large, all classes are numbered anew in their order.
    pub(super) fn of(results: &Results) -> Self {
        let classes = results.classes.iter();
        let keys: Vec<_> = classes
            .map(|it| (it.class, it.class_name.clone()))
            .collect();
        let is_clear = keys.windows(2).all(|pair| match pair {
            [(one, _), (next, _)] => one < next,
            _ => true,
        });
        let largest = keys.last().map_or(0, |(class, _)| *class);
        if !is_clear || largest > LARGEST {
            return Self {
                names: keys.iter().map(|(_, name)| name.clone()).collect(),
                numbers: keys.into_iter().zip(0..).collect(),
            };
        }
        let count = keys.last().map_or(0, |_| largest + 1);
        let mut names: Vec<Arc<str>> = (0..count).map(|class| class.to_string().into()).collect();
        let mut numbers = BTreeMap::new();
        for (class, name) in keys {
            names[class as usize] = name.clone();
            numbers.insert((class, name), class as usize);
        }
        Self { names, numbers }
    }

    /// The number of the class of `object`, which is one of the results.
    pub(super) fn number(&self, object: &Object) -> usize {
        let key = (object.class, object.class_name.clone());
        self.numbers.get(&key).copied().unwrap_or_default()
    }
}
