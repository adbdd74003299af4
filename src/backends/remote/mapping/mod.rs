//! Mapping: between what a stage asks and finds and the JSON that a server takes and gives.
//!
//! | file | what it is |
//! |---|---|
//! | `mapping` | a request filled in and an answer read, as the recipe says |
//! | `boxes`, `transcript` | what an answer says of one frame, and of one chunk of sound |
//! | `value`, `wrapped` | the values of expressions; lists of one and JSON in a text |
//! | `unread`, `guess` | what a user is told of an answer that cannot be read |

mod boxes;
mod guess;
#[expect(clippy::module_inception, reason = "the file is named by its subject")]
mod mapping;
mod transcript;
mod unread;
mod value;
mod wrapped;

pub use mapping::Mapping;
pub(in crate::backends) use unread::came;
pub use unread::help;
pub use value::Sizes;

#[cfg(test)]
mod tests;
