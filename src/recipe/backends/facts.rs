//! What every kind of backend says of itself, and the table that it is read from.
//!
//! A kind is at home in the file of its name beside this one; `recipe::kind` lists all of them.

use crate::diag::Span;
use crate::recipe::load::tree::Table;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// The backend of a stage that names none: found when the recipe is run.
pub const AUTO: &str = "auto";

/// What holds of every backend of a kind.
#[derive(Clone, Copy, Debug)]
pub struct BackendFacts {
    /// The word for the kind in a recipe.
    pub word: &'static str,
    /// The keys whose templates are rendered for each request or answer, and not when the recipe
    /// is read.
    pub rendered_later: &'static [&'static str],
}

/// A `[backends.NAME]` table.
pub(in crate::recipe) struct BackendTable<'a> {
    pub(in crate::recipe) name: &'a str,
    /// Where the name stands.
    pub(in crate::recipe) span: Span,
    /// Its keys, without `kind`.
    pub(in crate::recipe) keys: Table,
    /// The keys that were written, those that could not be filled in among them.
    pub(in crate::recipe) written: BTreeSet<String>,
    /// The strings that take variables of the environment, by key, with the names of these in place
    /// of their values.
    pub(in crate::recipe) named: BTreeMap<String, String>,
}
