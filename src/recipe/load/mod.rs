//! From TOML to a recipe, or to everything that is wrong with it.

pub(super) mod backend;
pub(super) mod enabled;
pub(super) mod environment;
pub(super) mod layers;
#[expect(clippy::module_inception, reason = "the file is named by its subject")]
pub(super) mod load;
pub(super) mod merge;
pub(super) mod parse;
pub(super) mod paths;
pub(super) mod presets;
pub(super) mod read;
pub(super) mod render;
pub(super) mod section;
pub(super) mod set;
pub(super) mod stage;
pub(super) mod tree;
pub(super) mod value;
