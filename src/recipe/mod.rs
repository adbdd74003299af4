//! Recipes: from TOML to typed stages whose every value has a place.
//!
//! | folder | what it is |
//! |---|---|
//! | `recipe` | the typed recipe |
//! | `stages` | the parameters of each kind of stage |
//! | `backends` | the parameters of each kind of backend |
//! | `http` | what a model server is sent, and where in its answer is what it found |
//! | `load` | from TOML to a recipe: layers, merged, changed by `--set`, rendered, read |
//! | `tools` | what helps to write one: schema, origins, differences |
//!
//! Every mistake is found in one go. Knows nothing of files and the environment beyond what
//! a [`World`] gives, and not that stages exist as code.

mod backends;
mod http;
mod load;
#[expect(clippy::module_inception, reason = "the file is named by its subject")]
mod recipe;
mod stages;
mod tools;

pub use backends::http::BodyForm;
pub use backends::http::HttpMethod;
pub use backends::http::HttpSpec;
pub use backends::openai::OpenaiSpec;
pub use backends::runpod::RunpodDialect;
pub use backends::runpod::RunpodMode;
pub use backends::runpod::RunpodPolicy;
pub use backends::runpod::RunpodSpec;
pub use http::answer::Answer;
pub use http::answer::AnswerSpec;
pub use http::answer::BoxFormat;
pub use http::answer::BoxOf;
pub use http::answer::BoxUnit;
pub use http::answer::RecordSpec;
pub use http::answer::TranscriptSpec;
pub use http::mapping::MappingSpec;
pub use http::mapping::Subject;
pub use load::load::load;
pub use load::presets::PRESETS;
pub use load::presets::Preset;
pub use load::presets::STARTER;
pub use load::presets::preset;
pub use load::world::LoadError;
pub use load::world::Request;
pub use load::world::World;
pub use recipe::AUTO;
pub use recipe::Backend;
pub use recipe::BackendSpec;
pub use recipe::BatchSpec;
pub use recipe::CaptionFormat;
pub use recipe::HTTP;
pub use recipe::Input;
pub use recipe::LOCAL;
pub use recipe::LocalEngine;
pub use recipe::LocalSpec;
pub use recipe::MergeSpec;
pub use recipe::OPENAI;
pub use recipe::Port;
pub use recipe::RUNPOD;
pub use recipe::Recipe;
pub use recipe::Stage;
pub use recipe::StageSpec;
pub use recipe::WhisperSpec;
pub use recipe::WhisperTask;
pub use recipe::WhisperWorker;
pub use recipe::YoloSpec;
pub use stages::extract::ExtractMode;
pub use stages::extract::ExtractSpec;
pub use stages::http::Each;
pub use stages::http::HttpStageSpec;
pub use stages::save::SaveFormat;
pub use stages::save::SaveSpec;
pub use stages::take::TakeSpec;
pub use stages::take::values_for_requests;
pub use stages::take::values_of_box;
pub use stages::take::values_of_facts;
pub use tools::differ::Difference;
pub use tools::differ::differences;
pub use tools::schema::schema;
pub use tools::show::Showing;
pub use tools::show::show;
