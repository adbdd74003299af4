//! Engines: a network from the bytes of an ONNX file, run on this machine.
//!
//! | file | what it is |
//! |---|---|
//! | `network` | tensor in, tensor out, whatever the engine |
//! | `rten` | the engine that needs nothing but crates |
//! | `ort` | ONNX Runtime, opened at run time |
//! | `header` | what an ONNX file says of itself, read without an engine |
//! | `wire` | protobuf's wire format, in which ONNX files are written |
//!
//! Does not know what the networks are for.

pub(in crate::backends) mod header;
pub(in crate::backends) mod network;
mod ort;
mod rten;
pub(in crate::backends) mod wire;

pub use network::EngineError;
pub use network::EngineKind;
pub use network::onnx_runtime;
