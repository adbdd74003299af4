//! The reserve of a budget: what is not yet asked of the videos of a run, so that no money goes to a
//! video while it would lack for an earlier one, or for the rest of the same.
//!
//! It counts what there is at least, so that nothing is refused that would fit. Knows no prices.

use crate::name::StageId;
use crate::name::VideoId;
use crate::plan::Estimate;
use std::collections::BTreeMap;

/// What is not yet asked of the videos that are not done.
#[derive(Debug, Default)]
pub(in crate::app) struct Reserve {
    // Frames, or seconds of sound.
    left: BTreeMap<VideoId, BTreeMap<StageId, f64>>,
    // The first video of which anything is asked: it gets what there is.
    first: Option<VideoId>,
    // From this video on nothing is asked any more.
    closed_from: Option<VideoId>,
}

impl Reserve {
    /// The reserve for videos of which so much is to be asked.
    pub(in crate::app) fn new(open: BTreeMap<VideoId, BTreeMap<StageId, Estimate<f64>>>) -> Self {
        let first = open.iter().find(|(_, stages)| !stages.is_empty());
        let first = first.map(|(video, _)| *video);
        let least = |stages: BTreeMap<StageId, Estimate<f64>>| {
            let least = stages
                .into_iter()
                .map(|(stage, amount)| (stage, amount.low));
            least.collect()
        };
        let left = open.into_iter().map(|(id, stages)| (id, least(stages)));
        Self {
            left: left.collect(),
            first,
            closed_from: None,
        }
    }

    /// What `stage` has left to ask until `video` is done: nothing where that is the first one, as
    /// nobody knows yet what it takes.
    pub(super) fn until(&self, video: VideoId, stage: &StageId) -> f64 {
        if self.first == Some(video) {
            return 0.0;
        }
        let videos = self.left.range(..=video);
        videos.filter_map(|(_, stages)| stages.get(stage)).sum()
    }

    /// So much of `video` is asked.
    pub(super) fn take(&mut self, video: VideoId, stage: &StageId, amount: f64) {
        self.change(video, stage, -amount);
    }

    /// So much was asked, and has no answer.
    pub(super) fn give_back(&mut self, video: VideoId, stage: &StageId, amount: f64) {
        self.change(video, stage, amount);
    }

    fn change(&mut self, video: VideoId, stage: &StageId, by: f64) {
        let stages = self.left.get_mut(&video);
        if let Some(left) = stages.and_then(|stages| stages.get_mut(stage)) {
            *left = (*left + by).max(0.0);
        }
    }

    /// Nothing more is asked of `video` and of those after it, while earlier ones are not done;
    /// `false` where all of them are.
    pub(super) fn close_from(&mut self, video: VideoId) -> bool {
        let from = self.closed_from.map_or(video, |from| from.min(video));
        let goes_on = self.has_before(from);
        if goes_on {
            self.closed_from = Some(from);
        }
        goes_on
    }

    /// Whether nothing is asked of `video` any more.
    pub(super) fn is_closed(&self, video: VideoId) -> bool {
        self.closed_from.is_some_and(|from| from <= video)
    }

    /// Nothing more will be asked of `video`. Gives whether that was the last of which anything
    /// may.
    pub(super) fn done(&mut self, video: VideoId) -> bool {
        self.left.remove(&video);
        self.closed_from.is_some_and(|from| !self.has_before(from))
    }

    fn has_before(&self, video: VideoId) -> bool {
        self.left.range(..video).next().is_some()
    }
}
