//! `extract.dedup`: which frames of a video show nothing new and need not be looked at.
//!
//! Each is compared with the last one that was kept, not with the one before it, so that what
//! changes slowly is seen as soon as enough of it has changed. Does not know how likeness is
//! measured.

use crate::item::Frame;
use crate::item::Item;
use crate::item::Repeat;
use crate::media::LumaGrid;

/// The frames of one video, looked through in order.
pub(in crate::stages) struct Dedup {
    // `None` keeps all.
    threshold: Option<f32>,
    kept: Option<(u64, LumaGrid)>,
}

impl Dedup {
    /// Takes for a repeat what differs by no more than `threshold`, and nothing where it is `None`.
    pub(in crate::stages) fn new(threshold: Option<f32>) -> Self {
        Self {
            threshold,
            kept: None,
        }
    }

    /// The frame, or a repeat in its place. A frame that could not be read is no repeat and is
    /// repeated by none.
    pub(in crate::stages) fn pass(&mut self, frame: Frame) -> Item {
        let Some((threshold, grid)) = self.threshold.zip(grid(&frame)) else {
            return Item::Frame(frame);
        };
        match &self.kept {
            Some((number, kept)) if grid.shows_what(kept, threshold) => Item::Repeat(Repeat {
                moment: frame.moment,
                same_as: *number,
            }),
            _ => {
                self.kept = Some((frame.moment.frame_number, grid));
                Item::Frame(frame)
            }
        }
    }
}

fn grid(frame: &Frame) -> Option<LumaGrid> {
    let content = frame.content.as_ref().ok()?;
    LumaGrid::of(content.pixels.as_ref()?, frame.size)
}
