//! The gate: what is asked before a request is sent, so that a run ends before it costs too much.
//!
//! Asked with the permit in hand, so the answer holds for the request that is sent next. Knows
//! nothing of prices.

use crate::engine::stop::StopReason;
use crate::exchange::Exchange;
use crate::name::StageId;

/// Decides whether one more request may be sent. Must not block.
pub trait Gate: Send + Sync {
    /// Counts a request of `stage` for `frames` as on its way.
    ///
    /// # Errors
    ///
    /// Why no more may be sent by anyone; it is not counted then.
    fn admit(&self, stage: &StageId, frames: u64) -> Result<(), StopReason>;

    /// Takes back that a request is on its way, once for each that was admitted, and learns what
    /// it took.
    fn settle(&self, stage: &StageId, exchange: &Exchange);
}

/// The gate of a run that may cost what it costs.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenGate;

impl Gate for OpenGate {
    fn admit(&self, _stage: &StageId, _frames: u64) -> Result<(), StopReason> {
        Ok(())
    }

    fn settle(&self, _stage: &StageId, _exchange: &Exchange) {}
}
