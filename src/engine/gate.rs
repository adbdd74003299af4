//! The gate: what is asked before a request is sent, so that a run ends before it costs too much.
//!
//! Asked with the permit in hand, so the answer holds for the request that is sent next. Knows
//! nothing of prices.

use crate::engine::stop::StopReason;
use crate::exchange::Exchange;
use crate::name::StageId;
use crate::name::VideoId;

/// Decides whether one more request may be sent. Must not block.
pub trait Gate: Send + Sync {
    /// Counts a request of `stage` for `frames` of `video` as on its way.
    ///
    /// # Errors
    ///
    /// Where it may not be sent; it is not counted then.
    fn admit(&self, stage: &StageId, video: VideoId, frames: u64) -> Result<(), Denial>;

    /// Takes back that a request is on its way, once for each that was admitted, and learns what
    /// it took.
    fn settle(&self, stage: &StageId, exchange: &Exchange);
}

/// Why a request may not be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    /// No more may be sent by anyone.
    Run(StopReason),
    /// What is left is for earlier videos: no more may be sent about this one and later ones.
    Video(StopReason),
}

/// The gate of a run that may cost what it costs.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenGate;

impl Gate for OpenGate {
    fn admit(&self, _: &StageId, _: VideoId, _frames: u64) -> Result<(), Denial> {
        Ok(())
    }

    fn settle(&self, _stage: &StageId, _exchange: &Exchange) {}
}
