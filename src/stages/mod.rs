//! Stages: what each kind does, as sources, maps, calls and folds for the engine.
//!
//! Does not know screens or processes, nor who else is in the plan.

mod batch;
mod merge;

pub use batch::batch;
pub use batch::halves;
pub use merge::merge;
