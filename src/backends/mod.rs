//! Backends: where inference happens.
//!
//! | folder | what it is |
//! |---|---|
//! | [`transport`] | bytes to a server and back, bounded in time and size |
//! | [`remote`] | what is asked of servers, and what their answers mean |
//! | [`engine`] | a network from the bytes of an ONNX file, run on this machine |
//! | [`models`] | detection and speech models that run on an engine, and the built-in ones |
//!
//! A local backend is a session that is called; a remote one is submitted to, waited for and
//! cancelled. Does not know stages or videos.

pub mod engine;
pub mod models;
pub mod remote;
pub mod transport;

pub use remote::protocol::Remote;
pub use remote::submission::Submission;
