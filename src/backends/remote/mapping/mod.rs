//! Mapping: between what a stage asks and finds and the JSON that a server takes and gives.

mod boxes;
mod guess;
#[expect(clippy::module_inception, reason = "the file is named by its subject")]
mod mapping;
mod said;
mod unread;
mod value;
mod wrapped;

pub use mapping::Mapping;
pub use unread::help;
pub use value::Sizes;
