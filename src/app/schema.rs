//! `schema`: the JSON Schema of recipes, by which editors complete and check them.

use crate::recipe;

/// The JSON Schema of recipes.
pub fn schema() -> String {
    format!("{:#}\n", recipe::schema())
}
