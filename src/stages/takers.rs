//! Takers: the stages that a step works for, and whether they need what it makes.

use crate::answer::Extent;
use crate::answer::ItemKey;
use crate::answer::StageDigest;
use crate::engine::Answers;
use crate::name::VideoId;
use std::sync::Arc;

/// The stages that take what a step makes, by what their answers are kept under.
#[derive(Clone)]
pub struct Takers {
    stages: Vec<StageDigest>,
    answers: Arc<dyn Answers>,
}

impl Takers {
    /// Those whose answers are kept under `stages` among `answers`; where there is none, what they
    /// need is not known.
    pub fn new(stages: Vec<StageDigest>, answers: &Arc<dyn Answers>) -> Self {
        Self {
            stages,
            answers: Arc::clone(answers),
        }
    }

    /// Whether all have their answers about this part of `video`.
    pub(in crate::stages) fn know(&self, video: VideoId, extent: Extent) -> bool {
        let knows = |stage: &StageDigest| {
            let key = ItemKey {
                video,
                stage: *stage,
                extent,
            };
            // What cannot be read is told by the step that asks for it.
            self.answers.has(&key).unwrap_or(false)
        };
        !self.stages.is_empty() && self.stages.iter().all(knows)
    }
}
