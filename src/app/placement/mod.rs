//! Placement: where each stage infers, and why there.
//!
//! | file | subject |
//! |---|---|
//! | `resolve` | every stage of a recipe, in order |
//! | `vision`, `speech`, `http` | the stages of one kind: which backend, and why |
//! | `placements` | what is known of the placed stages: facts, models, calls |
//! | `models` | the models that run here, each loaded once |
//! | `context` | the environment and the hosts that the user allows |

pub(super) mod context;
pub(super) mod http;
pub(super) mod models;
pub(super) mod placements;
pub(super) mod recorded;
pub(super) mod resolve;
pub(super) mod speech;
pub(super) mod vision;
