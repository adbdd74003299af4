//! Recipes: from TOML to typed stages whose every value has a place.
//!
//! ```text
//! layers     the file and what it extends, each parsed to a tree
//!   merge    one tree: the later layer wins, key by key
//!   set      what the command line changes
//!   render   templates in strings
//!   stage    the engine's keys, then the kind's own struct
//! ```
//!
//! Every mistake is found in one go. Knows nothing of files and the environment beyond what
//! a [`World`] gives, and not that stages exist as code.

mod answer;
mod backend;
mod built_in;
mod differ;
mod extract;
mod http;
mod http_stage;
mod layers;
mod load;
mod mapping;
mod merge;
mod moment;
mod openai;
mod parse;
mod presets;
mod read;
mod render;
mod runpod;
mod save;
mod schema;
mod set;
mod show;
mod spec;
mod stage;
mod suggest;
mod take;
mod tree;
mod value;
mod world;

pub use answer::Answer;
pub use answer::AnswerSpec;
pub use answer::BoxFormat;
pub use answer::BoxOf;
pub use answer::BoxUnit;
pub use answer::RecordSpec;
pub use answer::TranscriptSpec;
pub use differ::Difference;
pub use differ::differences;
pub use extract::ExtractMode;
pub use extract::ExtractSpec;
pub use http::BodyForm;
pub use http::HttpMethod;
pub use http::HttpSpec;
pub use http_stage::Each;
pub use http_stage::HttpStageSpec;
pub use load::load;
pub use mapping::MappingSpec;
pub use mapping::Subject;
pub use openai::OpenaiSpec;
pub use presets::PRESETS;
pub use presets::Preset;
pub use presets::STARTER;
pub use presets::preset;
pub use runpod::RunpodDialect;
pub use runpod::RunpodMode;
pub use runpod::RunpodPolicy;
pub use runpod::RunpodSpec;
pub use save::SaveFormat;
pub use save::SaveSpec;
pub use schema::schema;
pub use show::Showing;
pub use show::show;
pub use spec::AUTO;
pub use spec::Backend;
pub use spec::BackendSpec;
pub use spec::BatchSpec;
pub use spec::CaptionFormat;
pub use spec::HTTP;
pub use spec::Input;
pub use spec::LOCAL;
pub use spec::LocalEngine;
pub use spec::LocalSpec;
pub use spec::MergeSpec;
pub use spec::OPENAI;
pub use spec::Port;
pub use spec::RUNPOD;
pub use spec::Recipe;
pub use spec::Stage;
pub use spec::StageSpec;
pub use spec::WhisperSpec;
pub use spec::WhisperTask;
pub use spec::WhisperWorker;
pub use spec::YoloSpec;
pub use take::TakeSpec;
pub use take::values_for_strangers;
pub use take::values_of_box;
pub use take::values_of_facts;
pub use world::LoadError;
pub use world::Request;
pub use world::World;
