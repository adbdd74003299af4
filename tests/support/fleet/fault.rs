//! Faults: everything that is known to go wrong with an endpoint, and which request meets which.

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// HTTP 500 in place of a job.
    ServerError,
    /// HTTP 429 that asks for no pause, in seconds.
    TooMany,
    /// HTTP 429 that asks for a pause until a date, which is past.
    TooManyUntil,
    /// The line breaks before there is a job, without a byte of an answer.
    ResetBefore,
    /// The line breaks likewise after there is a job, so that nobody knows its id.
    ResetTicket,
    /// The line breaks once while the answer of a job that ran is on its way.
    ResetAnswer,
    /// The edge's HTML page in place of a status.
    HtmlGateway,
    /// A status that is not JSON, with HTTP 200.
    NotJson,
    /// The platform gave the job up.
    FailedByPlatform,
    /// The handler raised: the error is JSON in a string.
    FailedByHandler,
    /// The handler returned an error: the error is an object.
    FailedWithObject,
    /// COMPLETED, and the output is an error.
    CompletedWithError,
    /// COMPLETED, and no output.
    NoOutput,
    /// The server's own time limit.
    TimedOut,
    /// The job is not known any more.
    Lost,
    /// Nobody ever takes the job.
    Stuck,
    /// The worker takes ten times as long as the others.
    Slow,
    /// One image fewer is answered.
    FewerAnswers,
    /// One image more is answered.
    MoreAnswers,
    /// The output is nothing that was agreed upon.
    OtherOutput,
    /// The answer is larger than what the client reads.
    LargeAnswer,
    /// CUDA runs out of memory above two images.
    OutOfMemory,
    /// The body is over the limit above three images.
    Oversize,
}

impl Fault {
    pub(crate) const ALL: [Self; 23] = [
        Self::ServerError,
        Self::TooMany,
        Self::TooManyUntil,
        Self::ResetBefore,
        Self::ResetTicket,
        Self::ResetAnswer,
        Self::HtmlGateway,
        Self::NotJson,
        Self::FailedByPlatform,
        Self::FailedByHandler,
        Self::FailedWithObject,
        Self::CompletedWithError,
        Self::NoOutput,
        Self::TimedOut,
        Self::Lost,
        Self::Stuck,
        Self::Slow,
        Self::FewerAnswers,
        Self::MoreAnswers,
        Self::OtherOutput,
        Self::LargeAnswer,
        Self::OutOfMemory,
        Self::Oversize,
    ];

    /// Whether a frame may end without an answer because of it.
    pub(crate) fn may_cost_frames(self) -> bool {
        matches!(
            self,
            Self::FailedByHandler
                | Self::FailedWithObject
                | Self::CompletedWithError
                | Self::Stuck
                | Self::FewerAnswers
                | Self::MoreAnswers
                | Self::OtherOutput
                | Self::LargeAnswer
        )
    }

    /// Whether the right answer for `images` images will be there for whoever asks on.
    pub(super) fn leaves_an_answer(self, images: usize) -> bool {
        match self {
            Self::ResetAnswer | Self::HtmlGateway | Self::NotJson | Self::Slow => true,
            Self::OutOfMemory => images <= 2,
            Self::Oversize => images <= 3,
            _ => false,
        }
    }
}

/// Which request meets which fault: the same for the same seed, whatever the order in which
/// requests come. None meets a third one, so that what can be made good is.
#[derive(Clone, Debug)]
pub(super) struct Chance {
    pub(super) faults: Vec<Fault>,
    pub(super) percent: u64,
    pub(super) seed: u64,
}

impl Chance {
    pub(super) fn meets(&self, images: &[u64], earlier: usize) -> Option<Fault> {
        if earlier >= 2 || self.faults.is_empty() {
            return None;
        }
        let first = images.first().copied().unwrap_or_default();
        let about = [first, images.len() as u64, earlier as u64];
        let random = about
            .iter()
            .fold(self.seed, |state, part| mixed(state ^ part));
        let which = mixed(random) as usize % self.faults.len();
        (random % 100 < self.percent).then(|| self.faults[which])
    }
}

// The finaliser of splitmix64.
fn mixed(state: u64) -> u64 {
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}
