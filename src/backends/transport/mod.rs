//! Transport: bytes to a server and back, bounded in time and in size.
//!
//! Does not know what is asked or answered.

pub mod access;
pub(in crate::backends) mod excerpt;
pub mod form;
pub mod http;
pub(in crate::backends) mod json;
pub mod reply;
mod retry_after;
