//! Stages: what each kind does, as sources, maps, calls and folds for the engine.
//!
//! Does not know screens or processes.

mod assemble;
mod batch;
mod extract;
mod known_work;
mod merge;
mod notice;
mod redacted;
mod replayed;
mod save;
mod speech;
mod takers;
mod track;
mod trial;
mod vision;

pub use assemble::Resources;
pub use assemble::assemble;
pub use batch::batch;
pub use batch::halves;
pub use extract::extract::Videos;
pub use extract::extract::wanted;
pub use known_work::known_work;
pub use merge::merge;
pub use redacted::Redacted;
pub use speech::SpeechCall;
pub use speech::SpeechMapping;
pub use speech::SpeechProtocol;
pub use speech::speech_call;
pub use speech::transcribe_params;
pub use speech::transcription_params;
pub use takers::Takers;
pub use track::Tracker;
pub use trial::RenderedRequest;
pub use trial::Trial;
pub use trial::TrialAnswer;
pub use vision::call::VisionCall;
pub use vision::call::vision_call;
pub use vision::crops::gather;
pub use vision::detect::detect_params;
pub use vision::found::take_found;
pub use vision::kept::KeptObjects;
pub use vision::pick::pick;
