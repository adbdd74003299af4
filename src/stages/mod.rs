//! Stages: what each kind does, as sources, maps, calls and folds for the engine.
//!
//! Does not know screens or processes, nor who else is in the plan.

mod asked;
mod assemble;
mod batch;
mod crops;
mod dedup;
mod detect;
mod extract;
mod merge;
mod pick;
mod request;
mod save;
mod speech;
mod trial;

pub use assemble::Supplies;
pub use assemble::assemble;
pub use batch::batch;
pub use batch::halves;
pub use crops::cut;
pub use crops::gather;
pub use detect::params;
pub use extract::Videos;
pub use extract::wanted;
pub use merge::merge;
pub use pick::pick;
pub use request::Request;
pub use request::request;
pub use speech::Ask;
pub use speech::Hearing;
pub use speech::Listener;
pub use speech::ask;
pub use speech::listening;
pub use speech::transcribing;
pub use trial::Rendered;
pub use trial::Trial;
