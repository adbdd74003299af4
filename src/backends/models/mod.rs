//! Models that run on this machine: detection, speech, and the ones that are built in (`demo/`).
//!
//! Does not know stages, videos or recipes.

mod loading;
mod source;
pub mod whisper;
pub mod yolo;

pub use loading::Chosen;
pub use loading::Loading;
pub use source::FoundModel;
pub use source::ModelError;
pub use source::ModelSource;
pub use source::class_names;
pub use source::find_models;
pub use source::model_facts;
