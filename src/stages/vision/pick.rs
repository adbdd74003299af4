//! `when` and `every`: the frames that a stage takes go on, the others are skipped.

use crate::engine::Fold;
use crate::engine::FoldState;
use crate::item::Detections;
use crate::item::Found;
use crate::item::Item;
use crate::name::StageId;
use crate::name::VideoId;
use crate::plan::FrameSelection;
use std::sync::Arc;

/// Passes on what `stage` takes.
pub fn pick(stage: &StageId, selection: &FrameSelection) -> Arc<dyn Fold> {
    Arc::new(Pick {
        stage: stage.clone(),
        selection: selection.clone(),
    })
}

#[derive(Clone)]
struct Pick {
    stage: StageId,
    selection: FrameSelection,
}

impl Fold for Pick {
    fn open(&self, _: VideoId) -> Box<dyn FoldState> {
        Box::new(self.clone())
    }
}

impl FoldState for Pick {
    fn push(&mut self, item: Item) -> Vec<Item> {
        let refused = match &item {
            Item::Frame(frame) => self
                .selection
                .skip_reason(&frame.moment)
                .map(|why| (frame.moment.clone(), why)),
            _ => None,
        };
        match refused {
            None => vec![item],
            Some((moment, why)) => vec![Item::Detections(Detections {
                stage: self.stage.clone(),
                moment,
                found: Found::Skipped(why),
                same_as: None,
            })],
        }
    }

    fn finish(&mut self) -> Vec<Item> {
        Vec::new()
    }
}
