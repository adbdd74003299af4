//! Events: what the conductor of a run says, in the order in which it happened.
//!
//! Progress, the summary and tests all read these and nothing else. Knows nothing of screens.

use crate::exchange::Exchange;
use crate::facts::StreamFacts;
use crate::failure::Failure;
use crate::name::StageId;
use crate::name::VideoId;
use std::time::Duration;

/// One thing that happened in a run.
#[derive(Clone, Debug)]
pub enum Event {
    /// A source opened a video; where there are several, each says so.
    VideoOpened {
        /// The video.
        video: VideoId,
    },
    /// A source read a video to its end: all that is wanted of it is on its way.
    VideoRead {
        /// The video.
        video: VideoId,
        /// The stage that read it.
        stage: StageId,
    },
    /// What a source learnt of a stream, as far as it read it.
    StreamRead {
        /// The video.
        video: VideoId,
        /// What it learnt.
        stream: StreamFacts,
    },
    /// The last item of a video has left the plan.
    VideoDone {
        /// The video.
        video: VideoId,
    },
    /// A stage could not go on with a video; what it gave so far stands.
    VideoFailed {
        /// The video.
        video: VideoId,
        /// The stage.
        stage: StageId,
        /// Why.
        failure: Failure,
    },
    /// A step of a stage began to work on an item.
    Started {
        /// The stage.
        stage: StageId,
        /// The progress units of the item: frames, or seconds of sound.
        frames: u64,
    },
    /// A step of a stage gave its slot back: the item is done, or waits to be tried again.
    Paused {
        /// The stage.
        stage: StageId,
        /// The progress units of the item: frames, or seconds of sound.
        frames: u64,
    },
    /// A step of a stage had answers from before, and asks nothing about their frames.
    Recalled {
        /// The stage.
        stage: StageId,
        /// The progress units of what is known.
        frames: u64,
    },
    /// The last step of a stage is done with frames, for better or worse.
    Finished {
        /// The stage.
        stage: StageId,
        /// The progress units of the item.
        frames: u64,
    },
    /// An attempt at a request is over, whatever came of it.
    Exchanged {
        /// The stage.
        stage: StageId,
        /// What it took.
        exchange: Exchange,
    },
    /// A request will be sent again.
    Retrying {
        /// The stage.
        stage: StageId,
        /// The attempt that failed, from 1.
        attempt: u32,
        /// How long it waits; no slot is held meanwhile.
        pause: Duration,
        /// What went wrong.
        failure: Failure,
    },
    /// A backend stopped answering: its steps wait, and one request at a time finds out whether it
    /// answers again.
    OutageBegan {
        /// The stage that noticed.
        stage: StageId,
        /// What came in place of an answer.
        failure: Failure,
        /// How long it may last before the run is stopped.
        longest: Duration,
    },
    /// A backend answers again, or is not waited for any more.
    OutageEnded {
        /// The stage that noticed.
        stage: StageId,
        /// How long it was.
        lasted: Duration,
    },
    /// Work that a server accepted in an earlier run is waited for, before anything is asked.
    Collecting {
        /// How many jobs.
        jobs: usize,
    },
    /// What could be collected is.
    Collected {
        /// The jobs that were answered.
        jobs: usize,
        /// The jobs that will have no answer, and are asked anew.
        gone: usize,
    },
    /// A request was too large for its server, or its handler failed on it, and it goes on in two
    /// halves.
    Split {
        /// The stage.
        stage: StageId,
        /// The frames of the request.
        frames: u64,
    },
    /// An item was given up.
    ItemFailed {
        /// The stage.
        stage: StageId,
        /// The video.
        video: VideoId,
        /// What the item was, such as `frame 30`.
        item: String,
        /// Why.
        failure: Failure,
    },
    /// Something the user should know, once.
    Notice {
        /// One sentence.
        text: String,
    },
    /// No new work is begun from here on.
    Stopping {
        /// Why.
        why: String,
        /// What the user should know and change, in lines of its own.
        help: Option<String>,
    },
}
