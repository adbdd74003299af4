//! Ports in words: the kinds of items that a stage takes or gives.

use crate::item::ItemKind;

/// `frames`, `frames or batches`.
pub(in crate::plan) fn list(kinds: &[ItemKind]) -> String {
    kinds
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" or ")
}
