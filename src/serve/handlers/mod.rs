//! The handlers of jobs: pictures to boxes, sound to words, by models of this machine.
//!
//! | file | what it is |
//! |---|---|
//! | `options` | which models are served, and how they are run |
//!
//! Does not know who asks, or how jobs come.

mod options;

pub use options::ModelOptions;
pub use options::ServedModel;
