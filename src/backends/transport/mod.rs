//! Transport: bytes to a server and back, bounded in time and in size.
//!
//! Does not know what is asked or answered.

pub mod access;
mod body;
mod clients;
pub(in crate::backends) mod excerpt;
pub mod form;
pub mod http;
pub(crate) mod json;
pub mod redaction;
pub mod reply;
mod retry_after;
pub mod secret;
mod tree;

pub use tree::JsonError;
pub use tree::measured;
