//! What helps to write a recipe: its schema, its layers as one text, what it changes.

pub(super) mod built_in;
pub(super) mod cures;
pub(super) mod differ;
pub(super) mod schema;
pub(super) mod show;
pub(super) mod suggest;
