//! Recipes: from TOML to typed stages whose every value has a place.
//!
//! Knows nothing of files on disk beyond the texts it is given, and not that stages exist as
//! code.

mod spec;

pub use spec::Backend;
pub use spec::BackendSpec;
pub use spec::BatchSpec;
pub use spec::ExtractSpec;
pub use spec::Input;
pub use spec::LocalEngine;
pub use spec::LocalSpec;
pub use spec::MergeSpec;
pub use spec::Recipe;
pub use spec::Stage;
pub use spec::StageSpec;
pub use spec::WhisperSpec;
pub use spec::YoloSpec;
