//! Local inference: detection and speech models on this machine.
//!
//! | file | what it is |
//! |---|---|
//! | `detector` | a checked model and its sessions: picture in, detections out |
//! | [`whisper`] | the same for speech: sound in, segments out |
//! | `source` | where models come from and why one cannot be used |
//! | `profile`, `layout` | what a model's file says it takes and gives |
//! | `letterbox`, `resize`, `nms` | before and after the model, as Ultralytics does it |
//! | `engine`, `rten`, `ort` | tensor in, tensor out |
//! | `header`, `literal` | ONNX files and Python literals, read without an engine |
//!
//! Does not know stages, videos or recipes.

mod detector;
mod engine;
mod header;
mod layout;
mod letterbox;
mod literal;
mod nms;
#[cfg(feature = "ort")]
mod ort;
mod profile;
mod resize;
mod rten;
mod source;
pub mod whisper;

pub use detector::DetectParams;
pub use detector::Detector;
pub use detector::DetectorSession;
pub use detector::LoadOptions;
pub use engine::EngineError;
pub use engine::EngineKind;
pub use engine::onnx_runtime;
pub use source::FoundModel;
pub use source::ModelError;
pub use source::ModelSource;
pub use source::find_models;
