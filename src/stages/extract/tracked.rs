//! Known frames of which things are taken that are tracked: these are known where all frames before
//! are, so the frames of a video are gone through in their order.

use crate::answer::Sample;
use crate::engine::FoldState;
use crate::facts::VideoFacts;
use crate::item::Detections;
use crate::item::Found;
use crate::item::Item;
use crate::name::VideoId;
use crate::plan::TrackView;
use crate::stages::extract::known::KnownViews;
use crate::stages::extract::known::Seen;
use crate::stages::extract::known::unseen;
use crate::stages::track::Tracking;
use crate::stages::track::tracking;

impl KnownViews {
    /// Goes through `samples`, all of a video from its first on, while `see` says so; gives whether
    /// it did to the end. It is given each with what is known then, tracks included up to the first
    /// frame that nobody has looked at.
    pub(in crate::stages) fn each(
        &self,
        samples: &[Sample],
        facts: &VideoFacts,
        mut see: impl FnMut(&Self, &Sample) -> bool,
    ) -> bool {
        let mut views = self.clone();
        let states = self.tracks.iter();
        let states = states.map(|view| tracking(&view.stage, &view.spec, Some(facts)));
        let mut states: Vec<Tracking> = states.collect();
        let mut unseen = samples.iter().peekable();
        for sample in samples.iter().map(Some).chain([None]) {
            let tracks = self.tracks.iter().zip(&mut states);
            if !views.track(tracks, sample, facts.id) {
                break;
            }
            while let Some(next) = unseen.next_if(|it| views.has_tracked(it.index)) {
                if !see(&views, next) {
                    return false;
                }
                for frames in views.tracked.values_mut() {
                    frames.remove(&next.index);
                }
            }
        }
        unseen.all(|sample| see(self, sample))
    }

    // Tracks what was found in `sample`, or ends where there is none; whether that is known.
    fn track<'a>(
        &mut self,
        tracks: impl Iterator<Item = (&'a TrackView, &'a mut Tracking)>,
        sample: Option<&Sample>,
        video: VideoId,
    ) -> bool {
        for (view, state) in tracks {
            let items = match sample.map(|sample| self.told(view, sample, video)) {
                Some(Ok(told)) => state.push(Item::Detections(told)),
                Some(Err(_)) => return false,
                None => state.finish(),
            };
            let frames = self.tracked.entry(view.stage.clone()).or_default();
            for item in items {
                if let Item::Detections(found) = item {
                    frames.insert(found.moment.index, found.found);
                }
            }
        }
        true
    }

    fn has_tracked(&self, index: u64) -> bool {
        let mut frames = self.tracks.iter().map(|view| self.tracked.get(&view.stage));
        frames.all(|frames| frames.is_some_and(|it| it.contains_key(&index)))
    }

    // What the stage that finds things tells of a frame to the one that tracks them.
    fn told(&self, view: &TrackView, sample: &Sample, video: VideoId) -> Result<Detections, Seen> {
        let frame = unseen(sample, video);
        let found = match (&sample.failure, sample.same_as) {
            (Some(failure), _) => Found::Error(failure.clone()),
            (None, Some(_)) => Found::Skipped(String::new()),
            (None, None) => match self.found(&view.of, &frame) {
                Err(Seen::Nothing) => Found::Skipped(String::new()),
                found => found?,
            },
        };
        Ok(Detections {
            stage: view.of.clone(),
            moment: frame.moment,
            found,
            same_as: sample.same_as,
        })
    }
}
