//! Recipes as data: what good ones come to, what is said about bad ones, and that any text is
//! one or the other. The recipes are in the folders beside this file.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod compile;
mod drawn;
mod fuzz;
mod identity;
mod load;
mod misplaced;
mod reference;
#[path = "../support/mod.rs"]
mod support;
