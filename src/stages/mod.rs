//! Stages: what each kind does, as sources, maps, calls and folds for the engine.
//!
//! Does not know screens or processes, nor who else is in the plan.

mod assemble;
mod batch;
mod extract;
mod merge;
mod save;
mod speech;
mod trial;
mod vision;

pub use assemble::Supplies;
pub use assemble::assemble;
pub use batch::batch;
pub use batch::halves;
pub use extract::extract::Videos;
pub use extract::extract::wanted;
pub use merge::merge;
pub use speech::Ask;
pub use speech::Hearing;
pub use speech::Listener;
pub use speech::ask;
pub use speech::listening;
pub use speech::transcribing;
pub use trial::Rendered;
pub use trial::Trial;
pub use vision::crops::cut;
pub use vision::crops::gather;
pub use vision::detect::params;
pub use vision::pick::pick;
pub use vision::request::Request;
pub use vision::request::request;
