//! What differs about things that are tracked, and how that is told.

use crate::output::compare::shown::counted;
use crate::output::compare::shown::shown;
use crate::template::Direction;
use serde::Serialize;
use std::fmt;
use std::sync::Arc;

/// What differs about things that are tracked.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum ThingsChanged {
    /// A thing is none any more.
    ThingLost {
        /// It.
        thing: ComparedThing,
    },
    /// A thing is there that was not.
    ThingGained {
        /// It.
        thing: ComparedThing,
    },
    /// A thing has sights that are of another one now.
    SightsChanged {
        /// It, as it was.
        thing: ComparedThing,
        /// How many.
        sights: u64,
    },
    /// A line is crossed more or less often.
    CrossingsChanged {
        /// The name of the line.
        line: Arc<str>,
        /// Which way.
        direction: Direction,
        /// By things of this class.
        class_name: Arc<str>,
        /// How often it was.
        old: u64,
        /// How often it is.
        new: u64,
    },
    /// A region is entered more or less often.
    EntriesChanged {
        /// The name of the region.
        region: Arc<str>,
        /// By things of this class.
        class_name: Arc<str>,
        /// How often it was.
        old: u64,
        /// How often it is.
        new: u64,
    },
}

/// A thing that is tracked, in the frames that both results have.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparedThing {
    /// Its number.
    pub track: u64,
    /// The name of its class.
    pub class_name: Arc<str>,
    /// When it was seen first, in seconds.
    pub first: f64,
    /// When it was seen last, in seconds.
    pub last: f64,
    /// The frames it was seen in.
    pub frames: u64,
}

impl fmt::Display for ThingsChanged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ThingLost { thing } => write!(f, "{thing}, lost"),
            Self::ThingGained { thing } => write!(f, "{thing}, gained"),
            Self::SightsChanged { thing, sights } => {
                write!(f, "{thing}: {sights} of these are of another one now")
            }
            Self::CrossingsChanged {
                line,
                direction,
                class_name,
                old,
                new,
            } => {
                let (line, class) = (shown(line), shown(class_name));
                write!(
                    f,
                    "{line} crossed {direction} by {new} {class}, before by {old}"
                )
            }
            Self::EntriesChanged {
                region,
                class_name,
                old,
                new,
            } => {
                let (region, class) = (shown(region), shown(class_name));
                write!(f, "{region} entered by {new} {class}, before by {old}")
            }
        }
    }
}

impl fmt::Display for ComparedThing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (class, frames) = (shown(&self.class_name), counted(self.frames, "frame"));
        let (number, first, last) = (self.track, self.first, self.last);
        write!(
            f,
            "{class} {number}, {first:.2} s to {last:.2} s in {frames}"
        )
    }
}
