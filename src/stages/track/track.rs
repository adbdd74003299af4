//! `track`: what a detector says of the frames of a video, in their order and with a track for
//! each box.
//!
//! What is said comes in any order. A frame waits for those before it, and only what was found in
//! it is held meanwhile. A frame without an answer, or that was not looked at, passes as it is and
//! ends no track. One that repeats another is given the answer of that one later, tracks included.

use crate::engine::Fold;
use crate::engine::FoldState;
use crate::facts::VideoFacts;
use crate::item::Detections;
use crate::item::Found;
use crate::item::Item;
use crate::item::Size;
use crate::name::StageId;
use crate::name::VideoId;
use crate::recipe::TrackSpec;
use crate::stages::extract::extract::Videos;
use crate::stages::notice::of_video;
use crate::stages::track::best::BestSights;
use crate::stages::track::oddity::Oddities;
use crate::stages::track::tracker::Tracker;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Tracks for `stage` what its input finds in `videos`.
pub(in crate::stages) fn track(
    stage: &StageId,
    spec: &TrackSpec,
    videos: &Arc<Videos>,
) -> Arc<dyn Fold> {
    Arc::new(Track {
        stage: stage.clone(),
        spec: spec.clone(),
        videos: Arc::clone(videos),
    })
}

struct Track {
    stage: StageId,
    spec: TrackSpec,
    videos: Arc<Videos>,
}

impl Fold for Track {
    fn open(&self, video: VideoId) -> Box<dyn FoldState> {
        let facts = self.videos.get(&video).map(|(_, facts)| facts);
        Box::new(tracking(&self.stage, &self.spec, facts))
    }
}

/// What tracks for `stage` in the video with these `facts`; where they are not known, its frames
/// have no width and no height to speak of.
pub(in crate::stages) fn tracking(
    stage: &StageId,
    spec: &TrackSpec,
    facts: Option<&VideoFacts>,
) -> Tracking {
    let size = Size {
        width: 1,
        height: 1,
    };
    let size = facts.map_or(size, |facts| facts.size);
    Tracking {
        stage: stage.clone(),
        facts: facts.cloned(),
        tracker: Tracker::new(spec, size),
        best: BestSights::of(spec.best_of),
        next: 0,
        waiting: BTreeMap::new(),
        answered: None,
        oddities: Oddities::default(),
        notices: Vec::new(),
    }
}

/// One video, frame by frame.
pub(in crate::stages) struct Tracking {
    stage: StageId,
    facts: Option<VideoFacts>,
    tracker: Tracker,
    best: BestSights,
    // The index of the frame whose turn it is.
    next: u64,
    // Frames that came before their turn.
    waiting: BTreeMap<u64, Detections>,
    // The number of the last frame that has an answer and repeats none.
    answered: Option<u64>,
    oddities: Oddities,
    // What is still to be told.
    notices: Vec<String>,
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
            tracked.extend(self.tracked(found));
        }
        tracked.into_iter().map(Item::Detections).collect()
    }

    // Where the run is being stopped, frames are missing in between.
    fn finish(&mut self) -> Vec<Item> {
        let left = std::mem::take(&mut self.waiting).into_values();
        let mut tracked: Vec<Detections> = left.flat_map(|found| self.tracked(found)).collect();
        tracked.extend(self.best.finish());
        tracked.into_iter().map(Item::Detections).collect()
    }

    fn notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }
}

impl Tracking {
    fn tracked(&mut self, mut found: Detections) -> Vec<Detections> {
        let (index, seconds) = (found.moment.index, found.moment.seconds);
        let odd = self.oddities.look(&found).into_iter();
        let facts = self.facts.as_ref();
        let of_video = |text: String| facts.map_or(text.clone(), |facts| of_video(&text, facts));
        self.notices.extend(odd.map(of_video));
        if found.same_as.is_some() && found.same_as == self.answered {
            self.tracker.repeat(index, seconds);
        } else if let Found::Objects(objects) = &mut found.found {
            let sights = self.tracker.frame(index, seconds, objects);
            for (object, sight) in objects.iter_mut().zip(sights) {
                object.sight = sight.map(Box::new);
            }
            self.answered = Some(found.moment.frame_number);
        }
        found.stage = self.stage.clone();
        self.best.push(found)
    }
}
