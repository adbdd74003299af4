//! Recipes: from TOML to typed stages whose every value has a place.
//!
//! | folder | what it is |
//! |---|---|
//! | `recipe` | the typed recipe |
//! | `kind` | the kinds of stages and of backends, all of them |
//! | `inference` | each stage that has a model with the backend that it names |
//! | `input` | the edges |
//! | `values` | what templates may name of videos and boxes |
//! | `context` | what a table is read with |
//! | `stages` | the parameters of each kind of stage |
//! | `backends` | the parameters of each kind of backend |
//! | `http` | what a model server is sent, and where in its answer is what it found |
//! | `load` | from TOML to a recipe: layers, merged, changed by `--set`, rendered, read |
//! | `test` | a test of a recipe, as its file says it |
//! | `tools` | what helps to write one: schema, origins, differences |
//!
//! Every mistake is found in one go. Knows nothing of files and the environment beyond what
//! an [`Environment`] gives, and not that stages exist as code.

mod backends;
mod context;
mod http;
mod inference;
mod input;
mod kind;
mod load;
#[expect(clippy::module_inception, reason = "the file is named by its subject")]
mod recipe;
mod stages;
mod test;
mod tools;
mod values;

pub use backends::device::Device;
pub use backends::device::LocalDevice;
pub use backends::device::NoDevice;
pub use backends::facts::AUTO;
pub use backends::facts::BackendFacts;
pub use backends::http::BodyForm;
pub use backends::http::HttpMethod;
pub use backends::http::HttpSpec;
pub use backends::local::LocalEngine;
pub use backends::local::LocalSpec;
pub use backends::openai::OpenaiSpec;
pub use backends::runpod::RunpodDialect;
pub use backends::runpod::RunpodMode;
pub use backends::runpod::RunpodPolicy;
pub use backends::runpod::RunpodSpec;
pub use backends::server::ServerSpec;
pub use http::answer::AnswerShape;
pub use http::answer::AnswerSpec;
pub use http::answer::BoxFormat;
pub use http::answer::BoxOf;
pub use http::answer::BoxUnit;
pub use http::answer::RecordSpec;
pub use http::answer::TranscriptSpec;
pub use http::mapping::MappingSpec;
pub use http::mapping::Subject;
pub use inference::Inference;
pub use inference::WhisperBackend;
pub use inference::YoloBackend;
pub use input::Port;
pub use input::StageInput;
pub use kind::BackendKind;
pub use kind::BackendSpec;
pub use kind::StageKind;
pub use kind::StageSpec;
pub use load::environment::Environment;
pub use load::environment::LoadError;
pub use load::environment::Request;
pub use load::load::load;
pub use load::presets::PRESETS;
pub use load::presets::Preset;
pub use load::presets::STARTER;
pub use load::presets::preset;
pub use recipe::Backend;
pub use recipe::BackendVariables;
pub use recipe::Recipe;
pub use recipe::Stage;
pub use recipe::Stages;
pub use stages::batch::BatchSpec;
pub use stages::classes::ClassRef;
pub use stages::classes::Confidence;
pub use stages::extract::ExtractMode;
pub use stages::extract::ExtractSpec;
pub use stages::http::Each;
pub use stages::http::HttpStageSpec;
pub use stages::merge::MergeSpec;
pub use stages::merge::OutputFormat;
pub use stages::moment::clock;
pub use stages::parameters::InputCount;
pub use stages::parameters::Medium;
pub use stages::parameters::Ports;
pub use stages::parameters::StageFacts;
pub use stages::parameters::StageParameters;
pub use stages::save::SaveFormat;
pub use stages::save::SaveSpec;
pub use stages::sound::SoundSpec;
pub use stages::take::TakeSpec;
pub use stages::track::TrackMethod;
pub use stages::track::TrackPoint;
pub use stages::track::TrackSpec;
pub use stages::whisper::WhisperSpec;
pub use stages::whisper::WhisperTask;
pub use stages::whisper::WhisperWorker;
pub use stages::yolo::COCO;
pub use stages::yolo::USUAL_IMGSZ;
pub use stages::yolo::YoloSpec;
pub use test::TestSpec;
pub use test::ToleranceSpec;
pub use tools::differ::Difference;
pub use tools::differ::differences;
pub use tools::schema::schema;
pub use tools::show::Showing;
pub use tools::show::show;
pub use values::SIGHT_NAMES;
pub use values::box_values;
pub use values::condition_values;
pub use values::filter_values;
pub use values::request_values;
