//! Engines: a network from the bytes of an ONNX file, run on this machine.
//!
//! | file | what it is |
//! |---|---|
//! | `choice` | which engine it is where the recipe leaves it open |
//! | `library` | where the library of ONNX Runtime is looked for |
//! | `halves` | numbers in half precision |
//! | `load` | a model with the engine of one's choice |
//! | `network` | tensor in, tensor out, whatever the engine |
//! | `rten` | the engine that needs nothing but crates |
//! | `ort` | ONNX Runtime, opened at run time |
//! | `ort_device` | what it computes on besides the CPU |
//! | `ort_heap` | what ONNX Runtime takes of the program's heap |
//! | `header` | what an ONNX file says of itself, read without an engine, and what is refused |
//! | `onnx` | the numbers of the fields of an ONNX file |
//! | `weights` | whether as many weights are there as their shapes say |
//! | `protobuf` | the fields of a protobuf message, read one by one |
//! | `watched` | loading and running within a time and a memory |
//! | `heap` | the program's heap, and an account for what models take of it |
//! | `wire` | protobuf's wire format, in which ONNX files are written |
//!
//! Does not know what the networks are for.

mod choice;
mod halves;
pub(in crate::backends) mod header;
mod heap;
mod library;
pub(in crate::backends) mod load;
pub(in crate::backends) mod network;
pub(in crate::backends) mod onnx;
mod ort;
mod ort_device;
mod ort_heap;
mod protobuf;
mod rten;
pub(in crate::backends) mod watched;
mod weights;
pub(in crate::backends) mod wire;

pub use choice::ChoiceError;
pub use choice::EngineChoice;
pub use choice::devices;
pub use library::ADVICE;
pub use library::OnnxRuntime;
pub use load::onnx_runtime;
pub use network::EngineError;
pub use network::EngineKind;
