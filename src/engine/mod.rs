//! The engine: moves items along the edges of a plan, every step within its limit.
//!
//! ```text
//!   source ──> inbox ─ map ──> inbox ─ fold ──> inbox ─ map ──> inbox ─ fold ──┐
//!      │                │               │                │               │      │ records
//!      └────────────────┴───────────────┴── reports ─────┴───────────────┴──> conductor ──> caller
//! ```
//!
//! Every step of the plan is one task with one bounded inbox, so memory is bounded and no order
//! of arrival can block a join. What a step does comes from outside as [`Work`]; the conductor
//! is the only one that speaks. Knows nothing of media, models, HTTP or TOML.

mod attempt;
mod conductor;
mod first;
mod fold;
mod gate;
mod lanes;
mod map;
mod panics;
mod permits;
mod record;
mod retry;
mod run;
mod source;
mod stop;
mod tasks;
mod wire;
mod work;

pub use conductor::Said;
pub use gate::Gate;
pub use gate::Open;
pub use run::run;
pub use stop::Stop;
pub use stop::StopReason;
pub use work::BoxFuture;
pub use work::Call;
pub use work::Emitter;
pub use work::Fold;
pub use work::Folding;
pub use work::Lane;
pub use work::Map;
pub use work::Source;
pub use work::Stopped;
pub use work::Submitted;
pub use work::Work;
