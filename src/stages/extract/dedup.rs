//! `extract.dedup`: which frames of a video show nothing new and need not be looked at.
//!
//! Each is compared with the last one that was kept, not with the one before it, so that what
//! changes slowly is seen as soon as enough of it has changed. What was decided before stands, and
//! the comparison goes on from there. Does not know how likeness is measured.

use crate::answer::Sample;
use crate::item::Frame;
use crate::item::Item;
use crate::item::Repeat;
use crate::media::LumaGrid;
use crate::time::Pts;

/// The frames of one video, looked through in order.
pub(in crate::stages) struct Dedup {
    // `None` keeps all.
    threshold: Option<f32>,
    kept: Option<Kept>,
}

struct Kept {
    number: u64,
    pts: Pts,
    // `None` where nobody has seen it yet.
    grid: Option<LumaGrid>,
}

impl Dedup {
    /// Takes for a repeat what differs by no more than `threshold`, and nothing where it is `None`.
    pub(in crate::stages) fn new(threshold: Option<f32>) -> Self {
        Self {
            threshold,
            kept: None,
        }
    }

    /// The frame, or a repeat in its place: as `decided` says, where that was noted before. A
    /// frame that could not be read is no repeat and is repeated by none. `see` decodes a frame
    /// that has passed without content.
    pub(in crate::stages) fn pass(
        &mut self,
        frame: Frame,
        decided: Option<&Sample>,
        see: impl FnOnce(Pts) -> Option<Frame>,
    ) -> Item {
        let Some(threshold) = self.threshold else {
            return Item::Frame(frame);
        };
        let grid = grid(&frame);
        let same_as = match (decided, &grid) {
            (Some(decided), _) => decided.same_as,
            (None, None) => return Item::Frame(frame),
            (None, Some(grid)) => self.repeated(grid, threshold, see),
        };
        if let Some(same_as) = same_as {
            return Item::Repeat(Repeat {
                moment: frame.moment,
                same_as,
            });
        }
        self.kept = Some(Kept {
            number: frame.moment.frame_number,
            pts: frame.moment.pts,
            grid,
        });
        Item::Frame(frame)
    }

    // The `frame_number` of the frame that was kept last, where this one shows what that shows.
    fn repeated(
        &mut self,
        seen: &LumaGrid,
        threshold: f32,
        see: impl FnOnce(Pts) -> Option<Frame>,
    ) -> Option<u64> {
        let kept = self.kept.as_mut()?;
        if kept.grid.is_none() {
            kept.grid = see(kept.pts).as_ref().and_then(grid);
        }
        let shown = kept.grid.as_ref()?;
        seen.shows_what(shown, threshold).then_some(kept.number)
    }
}

fn grid(frame: &Frame) -> Option<LumaGrid> {
    let content = frame.content.as_ref().ok()?;
    LumaGrid::of(content.pixels.as_ref()?, frame.size)
}
