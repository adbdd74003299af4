//! cli
pub mod diagnostic;
