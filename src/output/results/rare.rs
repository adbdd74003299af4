//! What few objects have and many could: where it is not there it takes a pointer and no more.
//!
//! Pure.

use serde::Deserialize;
use serde::Serialize;
use std::iter::Flatten;
use std::option;

/// A collection that is empty nearly always.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rare<T>(Option<Box<T>>);

impl<T> Default for Rare<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Rare<T> {
    /// Whether it is not there.
    pub fn is_none(&self) -> bool {
        self.0.is_none()
    }
}

impl<T: Default + PartialEq> From<T> for Rare<T> {
    fn from(all: T) -> Self {
        Self((all != T::default()).then(|| Box::new(all)))
    }
}

impl<'a, T> IntoIterator for &'a Rare<T>
where
    &'a T: IntoIterator,
{
    type Item = <&'a T as IntoIterator>::Item;
    type IntoIter = Flatten<option::IntoIter<&'a T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.as_deref().into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::Rare;

    #[test]
    fn nothing_takes_a_pointer_and_all_of_it_is_told_as_it_is() {
        assert_eq!(size_of::<Rare<Vec<u8>>>(), size_of::<usize>());
        assert_eq!(Rare::from(Vec::<u8>::new()), Rare::default());
        let some = Rare::from(vec![3, 5]);
        assert!(!some.is_none());
        assert_eq!(some.into_iter().sum::<i32>(), 8);
        let text = serde_json::to_string(&some).unwrap();
        assert_eq!(text, "[3,5]");
        assert_eq!(serde_json::from_str::<Rare<Vec<i32>>>(&text).unwrap(), some);
    }
}
