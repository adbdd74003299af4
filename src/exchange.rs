//! Exchanges: what one attempt at a request took, as far as it is known.
//!
//! A backend notes what its protocol tells; the engine notes how long the client waited. Knows
//! nothing of protocols or of what a second costs.

use crate::name::VideoId;
use std::sync::Arc;
use std::time::Duration;

/// What one attempt at a request took. What is not known stays `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    /// The video that was asked about.
    pub video: Option<VideoId>,
    /// The progress units that were asked about: frames, or seconds of sound.
    pub frames: u64,
    /// Bytes of the body that was sent.
    pub sent: u64,
    /// How long the work lay in the server's queue.
    pub queued: Option<Duration>,
    /// How long a worker ran for it.
    pub executed: Option<Duration>,
    /// Which worker ran.
    pub worker: Option<Arc<str>>,
    /// How long the client waited, from the first byte to the answer or to giving up.
    pub waited: Duration,
    /// Whether an answer came of it.
    pub answered: bool,
}
