//! `track`: what a detector says of the frames of a video, in their order and with a track for
//! each box.
//!
//! What is said comes in any order. A frame waits for those before it, and only what was found in
//! it is held meanwhile. A frame without an answer, or that was not looked at, passes as it is and
//! ends no track. One that repeats another is given the answer of that one later, tracks included.

use crate::engine::Fold;
use crate::engine::FoldState;
use crate::item::Detections;
use crate::item::Found;
use crate::item::Item;
use crate::name::StageId;
use crate::name::VideoId;
use crate::recipe::TrackSpec;
use crate::stages::track::tracker::Tracker;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Tracks for `stage` what its input finds.
pub(in crate::stages) fn track(stage: &StageId, spec: &TrackSpec) -> Arc<dyn Fold> {
    Arc::new(Track {
        stage: stage.clone(),
        spec: spec.clone(),
    })
}

struct Track {
    stage: StageId,
    spec: TrackSpec,
}

impl Fold for Track {
    fn open(&self, video: VideoId) -> Box<dyn FoldState> {
        Box::new(Tracking {
            stage: self.stage.clone(),
            video,
            tracker: Tracker::new(&self.spec),
            next: 0,
            waiting: BTreeMap::new(),
            answered: None,
            unsized_boxes: false,
        })
    }
}

struct Tracking {
    stage: StageId,
    video: VideoId,
    tracker: Tracker,
    // The index of the frame whose turn it is.
    next: u64,
    // Frames that came before their turn.
    waiting: BTreeMap<u64, Detections>,
    // The number of the last frame that has an answer and repeats none.
    answered: Option<u64>,
    // Whether a box was met that has no size.
    unsized_boxes: bool,
}

impl FoldState for Tracking {
    fn push(&mut self, item: Item) -> Vec<Item> {
        let Item::Detections(found) = item else {
            return Vec::new();
        };
        self.waiting.insert(found.moment.index, found);
        let mut tracked = Vec::new();
        while let Some(found) = self.waiting.remove(&self.next) {
            self.next += 1;
            tracked.push(self.tracked(found));
        }
        tracked
    }

    // Where the run is being stopped, frames are missing in between.
    fn finish(&mut self) -> Vec<Item> {
        let left = std::mem::take(&mut self.waiting).into_values();
        left.map(|found| self.tracked(found)).collect()
    }
}

impl Tracking {
    fn tracked(&mut self, mut found: Detections) -> Item {
        let (index, seconds) = (found.moment.index, found.moment.seconds);
        if found.same_as.is_some() && found.same_as == self.answered {
            self.tracker.repeat(index, seconds);
        } else if let Found::Objects(objects) = &mut found.found {
            let ids = self.tracker.frame(index, seconds, objects);
            for (object, id) in objects.iter_mut().zip(ids) {
                object.track = id;
            }
            self.answered = Some(found.moment.frame_number);
            let is_unsized = |[x1, y1, x2, y2]: [f32; 4]| !(x2 > x1 && y2 > y1);
            if !self.unsized_boxes && objects.iter().any(|it| is_unsized(it.bbox)) {
                self.unsized_boxes = true;
                tracing::warn!(
                    stage = %self.stage,
                    video = self.video.0,
                    frame = found.moment.frame_number,
                    "boxes of no size are not tracked"
                );
            }
        }
        found.stage = self.stage.clone();
        Item::Detections(found)
    }
}
