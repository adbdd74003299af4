//! Mapping: between what a stage asks and finds and the JSON that a server takes and gives.

mod boxes;
#[expect(clippy::module_inception, reason = "the file is named by its subject")]
mod mapping;
mod said;

pub use mapping::Mapping;
pub use mapping::Sizes;
