//! Transcripts that are kept: where there is one of all that is wanted of a video, its sound is not
//! read.
//!
//! A transcript is as long as the sound that it was made of: what was made of a part of it, since a
//! run was stopped, is none.

use crate::answer::Answer;
use crate::answer::Extent;
use crate::answer::ItemKey;
use crate::answer::SamplingEnd;
use crate::answer::StageDigest;
use crate::engine::Answers;
use crate::failure::Class;
use crate::failure::Failure;
use crate::name::StageId;
use crate::name::VideoId;
use crate::plan::Plan;
use crate::speech::Transcript;
use crate::speech::seconds;
use std::sync::Arc;

/// What a stage has made of the sound of videos.
#[derive(Clone)]
pub(in crate::stages) struct KeptTranscript {
    // What the end of the sound is kept under, and what its transcript is.
    sound: Option<StageDigest>,
    transcript: Option<StageDigest>,
    answers: Arc<dyn Answers>,
}

impl KeptTranscript {
    /// What `stage` has made of it, as far as `answers` know.
    pub(in crate::stages) fn new(plan: &Plan, stage: &StageId, answers: &Arc<dyn Answers>) -> Self {
        Self {
            sound: plan.sound(stage),
            transcript: plan.transcript(stage),
            answers: Arc::clone(answers),
        }
    }

    /// How the sound of a video ended, where there is a transcript of all of it.
    pub(in crate::stages) fn end(&self, video: VideoId) -> Option<SamplingEnd> {
        let Answer::Sampled(end) = self.look_up(video, self.sound?)? else {
            return None;
        };
        let length = end.frames.last().map_or(0, |end| end.0.unsigned_abs());
        let transcript = self.transcript(video)?;
        (transcript.duration == seconds(length)).then_some(end)
    }

    /// Why the sound of a video whose file is not there cannot be heard.
    pub(super) fn lack(&self, video: VideoId) -> Failure {
        let why = "not all that was said is in the cassette: the video itself is needed";
        let heard = self.sound.and_then(|stage| {
            let key = ItemKey {
                video,
                stage,
                extent: Extent::Whole,
            };
            self.answers.look_up(&key).err()
        });
        heard.unwrap_or_else(|| Failure::new(Class::NotRecorded, why))
    }

    /// The transcript of a video.
    pub(super) fn transcript(&self, video: VideoId) -> Option<Transcript> {
        match self.look_up(video, self.transcript?)? {
            Answer::Transcript(transcript) => Some(transcript),
            _ => None,
        }
    }

    // What cannot be read is made anew.
    fn look_up(&self, video: VideoId, stage: StageDigest) -> Option<Answer> {
        let key = ItemKey {
            video,
            stage,
            extent: Extent::Whole,
        };
        self.answers.look_up(&key).ok().flatten()
    }
}
