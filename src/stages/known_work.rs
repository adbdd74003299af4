//! Known work: how much of what a run would ask is answered already.
//!
//! Counted by the frames that were sampled and the sound that was heard before; no video is read.

use crate::answer::Extent;
use crate::answer::ItemKey;
use crate::answer::OpenTicket;
use crate::answer::Sample;
use crate::answer::StageDigest;
use crate::engine::Answers;
use crate::facts::KnownVideo;
use crate::facts::KnownWork;
use crate::facts::VideoFacts;
use crate::failure::Failure;
use crate::name::VideoId;
use crate::plan::FrameView;
use crate::plan::Plan;
use crate::plan::Step;
use crate::plan::StepKind;
use crate::speech::seconds;
use crate::stages::extract::known::KnownViews;
use crate::stages::speech::KeptTranscript;
use crate::time::Pts;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What `answers` know of `videos` for the stages of `plan`, where `open` is what servers still
/// have.
///
/// # Errors
///
/// Where the answers cannot be read.
pub fn known_work(
    plan: &Plan,
    answers: &Arc<dyn Answers>,
    videos: &[VideoFacts],
    open: &[OpenTicket],
) -> Result<BTreeMap<VideoId, KnownVideo>, Failure> {
    let counting = Counting {
        plan,
        answers,
        open,
        views: views(plan, answers),
    };
    let known = videos.iter().map(|facts| {
        let mut known = counting.frames(facts)?;
        for (_, step) in plan.steps() {
            if let Some(work) = counting.sound(facts, step)? {
                known.stages.insert(step.stage.clone(), work);
            }
        }
        Ok((facts.id, known))
    });
    known.collect()
}

struct Counting<'a> {
    plan: &'a Plan,
    answers: &'a Arc<dyn Answers>,
    open: &'a [OpenTicket],
    views: Option<KnownViews>,
}

// `None` where no frame is read.
fn views(plan: &Plan, answers: &Arc<dyn Answers>) -> Option<KnownViews> {
    let dedup = plan.steps().find_map(|(_, step)| match &step.kind {
        StepKind::ReadFrames { spec, .. } => Some(spec.dedup),
        _ => None,
    });
    Some(KnownViews::new(plan, answers, dedup?, false))
}

impl Counting<'_> {
    fn frames(&self, facts: &VideoFacts) -> Result<KnownVideo, Failure> {
        let (mut known, video) = (KnownVideo::default(), facts.id);
        let Some(views) = &self.views else {
            return Ok(known);
        };
        let extents = self.answers.extents(video, self.plan.sampling())?;
        let is_complete = extents.contains(&Extent::Whole);
        let sampled: BTreeSet<Pts> = extents.iter().filter_map(frame_of).collect();
        let samples = sampled.iter().filter_map(|&pts| views.sample(video, pts));
        let samples: Vec<Sample> = samples.collect();
        views.each(&samples, facts, |views, sample| {
            let answered = views.answered(sample, video);
            let is_saved = views.is_saved(sample, facts);
            let is_unneeded = answered.iter().all(|(_, known)| *known);
            known.saved += u64::from(is_saved);
            known.unneeded += u64::from(is_saved && is_unneeded);
            for (view, _) in answered.into_iter().filter(|(_, known)| *known) {
                known.stages.entry(view.stage.clone()).or_default().least += 1.0;
            }
            true
        });
        for view in self.plan.frame_views() {
            let elsewhere = match is_complete {
                true => 0,
                false => self.outside(&sampled, video, &view)?,
            };
            let open = self.open_frames(video, &view)?;
            let work = known.stages.entry(view.stage).or_default();
            work.most = work.least + (open + elsewhere) as f64;
        }
        Ok(known)
    }

    // Frames with an answer that were not sampled as they are now, and may come to be.
    fn outside(
        &self,
        sampled: &BTreeSet<Pts>,
        video: VideoId,
        view: &FrameView,
    ) -> Result<usize, Failure> {
        let extents = self.answers.extents(video, view.digest)?;
        let frames: BTreeSet<Pts> = extents.iter().filter_map(frame_of).collect();
        Ok(frames.difference(sampled).count())
    }

    // Frames that a server was asked about and has not answered.
    fn open_frames(&self, video: VideoId, view: &FrameView) -> Result<usize, Failure> {
        let mut frames = BTreeSet::new();
        for extent in self.open_extents(video, view.digest)? {
            frames.extend(frame_of(&extent));
        }
        Ok(frames.len())
    }

    fn open_extents(&self, video: VideoId, stage: StageDigest) -> Result<Vec<Extent>, Failure> {
        let of_stage = |open: &&OpenTicket| open.video == video && open.stage == stage;
        let tickets = self.open.iter().filter(of_stage);
        let mut extents = Vec::new();
        for extent in tickets.flat_map(|open| open.question.extents()) {
            let key = ItemKey {
                video,
                stage,
                extent,
            };
            if !self.answers.has(&key)? {
                extents.push(extent);
            }
        }
        Ok(extents)
    }

    // `None` for a step that does not transcribe.
    fn sound(&self, facts: &VideoFacts, step: &Step) -> Result<Option<KnownWork>, Failure> {
        let transcribes = matches!(
            step.kind,
            StepKind::Transcribe { .. } | StepKind::SpeechRequest { .. }
        );
        let Some(digest) = step.digest.filter(|_| transcribes) else {
            return Ok(None);
        };
        let kept = KeptTranscript::new(self.plan, &step.stage, self.answers);
        if kept.end(facts.id).is_some() {
            let all = f64::INFINITY;
            return Ok(Some(KnownWork {
                least: all,
                most: all,
            }));
        }
        let mut heard = self.answers.extents(facts.id, digest)?;
        heard.extend(self.open_extents(facts.id, digest)?);
        // Where it is cut now depends on its pauses, so none of it is known for sure.
        let heard = covered(&heard);
        Ok(Some(KnownWork {
            least: 0.0,
            most: heard,
        }))
    }
}

fn frame_of(extent: &Extent) -> Option<Pts> {
    match extent {
        Extent::Frame { pts, .. } => Some(*pts),
        Extent::Whole | Extent::Sound { .. } => None,
    }
}

// Seconds of sound of which there is something, what overlaps counted once.
fn covered(extents: &[Extent]) -> f64 {
    let sound = extents.iter().filter_map(|extent| match extent {
        Extent::Sound { start, end } => Some((*start, *end)),
        Extent::Whole | Extent::Frame { .. } => None,
    });
    let mut sound: Vec<(u64, u64)> = sound.collect();
    sound.sort_unstable();
    let (mut samples, mut to) = (0, 0);
    for (start, end) in sound {
        samples += end.saturating_sub(start.max(to));
        to = to.max(end);
    }
    seconds(samples)
}

#[cfg(test)]
mod tests {
    use super::covered;
    use crate::answer::Extent;
    use crate::speech::RATE;

    #[test]
    fn sound_that_overlaps_is_counted_once() {
        let rate = u64::from(RATE);
        let of = |start: u64, end: u64| Extent::Sound {
            start: start * rate,
            end: end * rate,
        };
        let heard = [of(20, 30), of(0, 10), of(8, 12), of(9, 11), Extent::Whole];
        assert!((covered(&heard) - 22.0).abs() < 1e-9);
        assert!(covered(&[]) < 1e-9);
    }
}
