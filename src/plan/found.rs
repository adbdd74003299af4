//! What was found in a frame and goes on to another stage: cut out of it, or the whole frame.

use crate::item::ItemKind;
use crate::name::StageId;
use crate::recipe::Port;
use crate::recipe::TakeSpec;

/// What a stage takes of frames in which another found something.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundTaken {
    /// The stage that found it.
    pub of: StageId,
    /// Whether that is cut out.
    pub form: FoundForm,
    /// Which boxes count, and how wide they are cut out.
    pub take: TakeSpec,
    /// Whether the boxes that count are drawn on it.
    pub draws: bool,
}

/// What a stage takes of the frames in which another found something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundForm {
    /// What was found, cut out.
    Crops,
    /// The whole frame.
    Frames,
}

impl FoundForm {
    /// What flows on an edge from this port; `None` where that is not because of what was found.
    pub(in crate::plan) fn of(port: Port) -> Option<Self> {
        match port {
            Port::Crops => Some(Self::Crops),
            Port::Frames => Some(Self::Frames),
            Port::Main | Port::Boxes | Port::Sound => None,
        }
    }

    /// The kind of items that it comes as.
    pub(in crate::plan) fn kind(self) -> ItemKind {
        match self {
            Self::Crops => ItemKind::Crop,
            Self::Frames => ItemKind::Frame,
        }
    }
}
