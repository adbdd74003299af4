//! The engine: moves items along the edges of a plan, every step within its limit.
//!
//! ```text
//!   source ──> inbox ─ map ──> inbox ─ fold ──> inbox ─ map ──> inbox ─ fold ──┐
//!      │                │               │                │               │      │ records
//!      └────────────────┴───────────────┴── reports ─────┴───────────────┴──> conductor ──> caller
//! ```
//!
//! Every step of the plan is one task with one bounded inbox, so memory is bounded and no order
//! of arrival can block a join. What a step does comes from outside as [`Operator`]; the conductor
//! is the only one that speaks. Knows nothing of media, models, HTTP or TOML.

mod answers;
mod attempt;
pub mod cassette;
mod collect;
mod conductor;
mod first;
mod fold;
mod gate;
mod history;
pub mod journal;
mod map;
mod operator;
mod outage;
mod panics;
mod permits;
mod recall;
mod retry;
mod run;
mod source;
mod stop;
mod tasks;
mod threads;
mod waiting;
mod wire;

pub use answers::Answers;
pub use answers::NotedAnswer;
pub use answers::Unkept;
pub use conductor::Notification;
pub use gate::Denial;
pub use gate::Gate;
pub use gate::OpenGate;
pub use operator::BoxFuture;
pub use operator::Call;
pub use operator::Emitter;
pub use operator::Fold;
pub use operator::FoldState;
pub use operator::Heard;
pub use operator::Map;
pub use operator::MapState;
pub use operator::Operator;
pub use operator::Stopped;
pub use operator::Submitted;
pub use operator::VideoSource;
pub use run::run;
pub use stop::StopReason;
pub use stop::StopSignal;
