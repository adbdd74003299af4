//! Failures: what went wrong with an item, and what may be done about it.
//!
//! A failure is data: it is made where the cause is known, travels with the item and is
//! judged by the engine through its [`Class`]. Knows nothing of protocols or models.

use crate::name::StageId;
use serde::Deserialize;
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// Why an item has no answer. The name of a class stands in the results and in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// The request did not reach the server, or its answer did not come back.
    Network,
    /// The server is there and takes no more for now: its rate limit is reached.
    Busy,
    /// The server answers with an error of its own: it is restarting, or its gateway does not
    /// reach it.
    ServerError,
    /// The work was accepted and then lost by the server.
    Lost,
    /// The request is larger than the server takes.
    TooLarge,
    /// The worker has not the memory for as much as the request asks at once.
    OutOfMemory,
    /// The worker ran and failed on this item.
    Worker,
    /// The answer is not what the protocol or the recipe says.
    BadAnswer,
    /// The request is wrong for every item: a key, an address, a model that is not there.
    Refused,
    /// The server takes work, and there is nobody to do it.
    Unavailable,
    /// A time limit of the recipe was reached.
    TimedOut,
    /// The frame or sound could not be read.
    Media,
    /// The model could not be loaded or run here.
    Model,
    /// A file could not be written: the disk is full, or the folder is not ours.
    Disk,
    /// The cassette of a replay has no answer for it.
    NotRecorded,
    /// The run was stopped before the item was looked at.
    Stopped,
    /// This program itself failed, which is a defect of it.
    Internal,
}

/// What may be done with an item after a failure of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Send the same request again after a pause.
    Retry,
    /// Halve the item and go on with both parts; where it cannot be halved, give it up.
    Split,
    /// Send the same request once more, then halve the item until what cannot be done is alone.
    Isolate,
    /// Give the item up; the others go on.
    GiveUp,
    /// Stop the run: every other item would fail in the same way.
    StopRun,
}

impl Class {
    /// What may be done after a failure of this class.
    pub fn verdict(self) -> Verdict {
        match self {
            Self::Network | Self::Busy | Self::ServerError | Self::Lost => Verdict::Retry,
            Self::TooLarge | Self::OutOfMemory => Verdict::Split,
            Self::Worker => Verdict::Isolate,
            Self::BadAnswer | Self::TimedOut | Self::Media | Self::NotRecorded | Self::Stopped => {
                Verdict::GiveUp
            }
            Self::Refused | Self::Unavailable | Self::Model | Self::Disk | Self::Internal => {
                Verdict::StopRun
            }
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Network => "network",
            Self::Busy => "busy",
            Self::ServerError => "server-error",
            Self::Lost => "lost",
            Self::TooLarge => "too-large",
            Self::OutOfMemory => "out-of-memory",
            Self::Worker => "worker",
            Self::BadAnswer => "bad-answer",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
            Self::TimedOut => "timed-out",
            Self::Media => "media",
            Self::Model => "model",
            Self::Disk => "disk",
            Self::NotRecorded => "not-recorded",
            Self::Stopped => "stopped",
            Self::Internal => "internal",
        })
    }
}

/// Why an item has no answer, in a class for the engine and in words for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{message}")]
pub struct Failure {
    /// What kind of failure it is.
    pub class: Class,
    /// One sentence for the user, without a full stop and without secrets.
    pub message: String,
    /// How long the server asked to be left alone.
    pub retry_after: Option<Duration>,
    /// What the user should know and change, in lines of its own; without secrets.
    pub help: Option<String>,
}

impl Failure {
    /// A failure of `class`, told in `message`.
    pub fn new(class: Class, message: impl Into<String>) -> Self {
        Self {
            class,
            message: message.into(),
            retry_after: None,
            help: None,
        }
    }

    /// The same failure, with what the user should know and change.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// The same failure; where it ends the run, with the stage that it comes from.
    pub fn of(self, stage: &StageId) -> Self {
        match self.class.verdict() {
            Verdict::StopRun => Self {
                message: format!("{stage}: {}", self.message),
                ..self
            },
            _ => self,
        }
    }

    /// The same failure, to be retried no earlier than after `pause`.
    pub fn retry_after(mut self, pause: Duration) -> Self {
        self.retry_after = Some(pause);
        self
    }
}
