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
    /// The output has the right boxes, in a shape of its own.
    OtherShape,
    /// The answer is larger than what the client reads.
    LargeAnswer,
    /// CUDA runs out of memory above two images.
    OutOfMemory,
    /// The body is over the limit above three images.
    Oversize,
    /// HTTP 429 that asks for a pause of 2^64 - 1 seconds.
    TooManyForEver,
    /// The status names another job, and has what that one found, each time.
    OtherId,
    /// The same, once.
    OtherIdOnce,
    /// The id of a job that somebody else has.
    SharedId,
    /// A ticket without an id.
    NoId,
    /// A ticket whose id would lead elsewhere.
    IdOfDots,
    /// A ticket that is cut in the middle.
    HalfTicket,
    /// `NaN` and `Infinity` as Python writes them, where nobody needs a number.
    NotANumber,
    /// `NaN` in a box.
    BoxNotANumber,
    /// Numbers in place of texts and texts in place of numbers.
    OddTypes,
    /// Times that no clock can count.
    HugeTimes,
    /// Each key twice, the second of them right.
    KeysTwice,
    /// A byte order mark, bytes that are no UTF-8 and half a surrogate pair.
    OddBytes,
    /// COMPLETED, cut in the middle, each time.
    HalfAnswer,
    /// COMPLETED, nested deeper than any stack.
    DeepAnswer,
    /// A number in place of the status.
    NumberStatus,
    /// The job is not known yet when it is asked for first.
    MissingOnce,
    /// The platform queues the job again after a worker had it.
    QueuedAgain,
    /// The output is a list of one.
    ListOfOne,
    /// The output is JSON in a text, in a list of one.
    JsonText,
    /// The handler fails on the image that is a multiple of 11, whoever it comes with.
    BadImage,
}

impl Fault {
    pub(crate) const ALL: [Self; 45] = [
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
        Self::OtherShape,
        Self::LargeAnswer,
        Self::OutOfMemory,
        Self::Oversize,
        Self::TooManyForEver,
        Self::OtherId,
        Self::OtherIdOnce,
        Self::SharedId,
        Self::NoId,
        Self::IdOfDots,
        Self::HalfTicket,
        Self::NotANumber,
        Self::BoxNotANumber,
        Self::OddTypes,
        Self::HugeTimes,
        Self::KeysTwice,
        Self::OddBytes,
        Self::HalfAnswer,
        Self::DeepAnswer,
        Self::NumberStatus,
        Self::MissingOnce,
        Self::QueuedAgain,
        Self::ListOfOne,
        Self::JsonText,
        Self::BadImage,
    ];

    /// Whether a frame ends without an answer because of it.
    pub(crate) fn costs_frames(self) -> bool {
        self.is_unreadable() || matches!(self, Self::Stuck | Self::TooManyForEver)
    }

    /// Whether a handler failed by chance: what is tried again, and in halves, is mostly made good.
    pub(crate) fn is_chance(self) -> bool {
        matches!(
            self,
            Self::FailedByHandler
                | Self::FailedWithObject
                | Self::CompletedWithError
                | Self::BadImage
        )
    }

    /// Whether work was done, and nobody can tell what it found. A run ends where that is the
    /// first answer.
    pub(crate) fn is_unreadable(self) -> bool {
        matches!(
            self,
            Self::FewerAnswers
                | Self::MoreAnswers
                | Self::OtherOutput
                | Self::OtherShape
                | Self::LargeAnswer
                | Self::OtherId
                | Self::SharedId
                | Self::NoId
                | Self::IdOfDots
                | Self::HalfTicket
                | Self::BoxNotANumber
                | Self::HalfAnswer
                | Self::DeepAnswer
                | Self::NumberStatus
        )
    }

    /// Whether the job of `images` is paid and nobody may pay for it again: its answer is there
    /// for whoever asks on, or will never be readable.
    pub(super) fn is_paid(self, images: usize) -> bool {
        match self {
            Self::ResetAnswer
            | Self::HtmlGateway
            | Self::NotJson
            | Self::Slow
            | Self::OtherIdOnce
            | Self::NotANumber
            | Self::OddTypes
            | Self::HugeTimes
            | Self::KeysTwice
            | Self::OddBytes
            | Self::MissingOnce
            | Self::QueuedAgain
            | Self::ListOfOne
            | Self::JsonText => true,
            Self::OutOfMemory => images <= 2,
            Self::Oversize => images <= 3,
            other => other.is_unreadable(),
        }
    }
}

/// Which request meets which fault: the same for the same seed, whatever the order in which
/// requests come. Unless all do, none meets a third one, so that what can be made good is.
#[derive(Clone, Debug)]
pub(super) struct Chance {
    pub(super) faults: Vec<Fault>,
    pub(super) percent: u64,
    pub(super) seed: u64,
}

impl Chance {
    pub(super) fn meets(&self, images: &[u64], earlier: usize) -> Option<Fault> {
        let is_through = earlier >= 2 && self.percent < 100;
        if is_through || self.faults.is_empty() {
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
