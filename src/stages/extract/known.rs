//! Known frames: those that nobody needs to see, because all that look at them have said what is
//! in them.
//!
//! A stage that takes crops has said so where it has an answer for each of them, and they are cut
//! here out of what is kept of the stage that found them. Where that depends on the place of a
//! frame among the sampled ones, or on its size, what was noted of the frame when it was sampled
//! decides. Where somebody takes what is tracked, all frames before one decide: `tracked.rs`.

use crate::answer::Answer;
use crate::answer::Extent;
use crate::answer::ItemKey;
use crate::answer::Sample;
use crate::answer::SamplingEnd;
use crate::answer::StageDigest;
use crate::engine::Answers;
use crate::facts::VideoFacts;
use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Content;
use crate::item::Found;
use crate::item::Frame;
use crate::item::Moment;
use crate::item::SavedFile;
use crate::name::StageId;
use crate::name::VideoId;
use crate::plan::FileView;
use crate::plan::FoundTaken;
use crate::plan::FrameView;
use crate::plan::Plan;
use crate::plan::TrackView;
use crate::recipe::SaveSpec;
use crate::stages::vision::crops;
use crate::stages::vision::found;
use crate::time::Pts;
use std::collections::BTreeMap;
use std::fs;
use std::fs::Metadata;
use std::path::Path;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

/// What is known of the frames of a run.
#[derive(Clone)]
pub(in crate::stages) struct KnownViews {
    answers: Arc<dyn Answers>,
    sampling: StageDigest,
    // Each after the one whose finds it takes.
    frames: Vec<FrameView>,
    files: Vec<FileView>,
    // The stages that track what another finds, where somebody takes frames of theirs.
    pub(super) tracks: Vec<TrackView>,
    // What those give, by the index of the frame: while all frames of a video are gone through.
    pub(super) tracked: BTreeMap<StageId, BTreeMap<u64, Found>>,
    dedup: bool,
    // Whether what could not be decoded then is not decoded now.
    replays: bool,
}

impl KnownViews {
    /// What `answers` know of the frames that the stages of `plan` look at; `dedup` where some of
    /// them are repeats. In a run that `replays`, a frame that could not be decoded cannot be now.
    pub(in crate::stages) fn new(
        plan: &Plan,
        answers: &Arc<dyn Answers>,
        dedup: bool,
        replays: bool,
    ) -> Self {
        Self {
            answers: Arc::clone(answers),
            sampling: plan.sampling(),
            frames: plan.frame_views(),
            files: plan.file_views(),
            tracks: plan.track_views(),
            tracked: BTreeMap::new(),
            dedup,
            replays,
        }
    }

    /// What was noted of the frame at `pts` when it was sampled.
    pub(in crate::stages) fn sample(&self, video: VideoId, pts: Pts) -> Option<Sample> {
        let extent = Extent::Frame { pts, crop: None };
        match self.look_up(video, self.sampling, extent) {
            Ok(Some(Answer::Sample(sample))) => Some(sample),
            _ => None,
        }
    }

    /// How the sampling of a video ended, and all its frames, where nobody needs to see any.
    pub(in crate::stages) fn all(&self, facts: &VideoFacts) -> Option<(SamplingEnd, Vec<Sample>)> {
        let end = self.look_up(facts.id, self.sampling, Extent::Whole).ok()?;
        let Some(Answer::Sampled(end)) = end else {
            return None;
        };
        let samples = end.frames.iter().map(|&pts| self.sample(facts.id, pts));
        let samples: Vec<Sample> = samples.collect::<Option<_>>()?;
        let is_known = self.each(&samples, facts, |views, sample| {
            views.is_known_sample(sample, facts)
        });
        is_known.then_some((end, samples))
    }

    /// `frame` as it was `noted` when it was sampled first.
    pub(in crate::stages) fn as_noted(&self, mut frame: Frame, noted: Option<&Sample>) -> Frame {
        let stands = |it: &&Sample| it.failure.is_none() || self.replays;
        let Some(noted) = noted.filter(stands).filter(|_| frame.content.is_ok()) else {
            return frame;
        };
        (frame.source, frame.size) = (noted.source, noted.size);
        if let Some(failure) = &noted.failure {
            frame.content = Err(failure.clone());
        }
        frame
    }

    /// Why a video whose file is not there cannot be sampled.
    pub(in crate::stages) fn lack(&self, facts: &VideoFacts) -> Failure {
        let why = "not all of its frames are in the cassette: the video itself is needed";
        let end = self.look_up(facts.id, self.sampling, Extent::Whole);
        end.err()
            .unwrap_or_else(|| Failure::new(Class::NotRecorded, why))
    }

    /// Whether nobody needs to see the frame at `pts`.
    pub(in crate::stages) fn is_known(&self, pts: Pts, facts: &VideoFacts) -> bool {
        if let Some(sample) = self.sample(facts.id, pts) {
            return self.is_known_sample(&sample, facts);
        }
        // Of a frame that was not sampled before, only the time stamp is known.
        let is_whole = |view: &FrameView| {
            let every = view.selection.as_ref().map_or(1, |it| it.every);
            every <= 1 && view.found.is_none()
        };
        if self.dedup || !self.files.is_empty() || !self.frames.iter().all(is_whole) {
            return false;
        }
        let extent = Extent::Frame { pts, crop: None };
        self.frames.iter().all(|view| {
            let selection = view.selection.as_ref();
            let takes = selection.is_none_or(|it| !it.without.contains_key(&facts.id));
            !takes || self.has(facts.id, view.digest, extent)
        })
    }

    // What shows nothing new is not looked at.
    fn is_known_sample(&self, sample: &Sample, facts: &VideoFacts) -> bool {
        if sample.same_as.is_some() {
            return true;
        }
        if sample.failure.is_some() {
            return self.replays;
        }
        let frame = unseen(sample, facts.id);
        self.frames
            .iter()
            .all(|view| self.is_answered(view, &frame))
            && self.is_written(&frame, facts)
    }

    /// The stages that take the frame of `sample`, and whether each need not be asked about it.
    pub(in crate::stages) fn answered(
        &self,
        sample: &Sample,
        video: VideoId,
    ) -> Vec<(&FrameView, bool)> {
        let frame = unseen(sample, video);
        let takes = |view: &&FrameView| {
            let selection = view.selection.as_ref();
            selection.is_none_or(|it| it.skip_reason(&frame.moment).is_none())
        };
        let is_repeat = sample.same_as.is_some();
        let views = self.frames.iter().filter(takes);
        let answered = views.map(|view| (view, is_repeat || self.is_answered(view, &frame)));
        answered.collect()
    }

    /// Whether the frame of `sample` need not be written to any file.
    pub(in crate::stages) fn is_saved(&self, sample: &Sample, facts: &VideoFacts) -> bool {
        sample.same_as.is_some() || self.is_written(&unseen(sample, facts.id), facts)
    }

    // Whether all files of a frame are there.
    fn is_written(&self, frame: &Frame, facts: &VideoFacts) -> bool {
        self.files.iter().all(|view| {
            let is_there = |moment: &Moment| {
                kept_file(&*self.answers, view.digest, &view.spec, facts, moment).is_some()
            };
            match view.found.as_ref().map(|taken| self.taken(taken, frame)) {
                None => is_there(&frame.moment),
                Some(Ok(taken)) => taken.iter().all(|frame| is_there(&frame.moment)),
                Some(Err(Seen::Nothing)) => true,
                Some(Err(Seen::Unknown)) => false,
            }
        })
    }

    fn is_answered(&self, view: &FrameView, frame: &Frame) -> bool {
        match self.part(view, frame) {
            None => self.has_answer(view, &frame.moment),
            Some(Ok(crops)) => crops.iter().all(|crop| self.has_answer(view, &crop.moment)),
            Some(Err(Seen::Nothing)) => true,
            Some(Err(Seen::Unknown)) => false,
        }
    }

    // What `view` takes of a frame; `None` where that is the whole, whatever is in it.
    fn part(&self, view: &FrameView, frame: &Frame) -> Option<Result<Vec<Frame>, Seen>> {
        let selection = view.selection.as_ref();
        if selection.is_some_and(|it| it.skip_reason(&frame.moment).is_some()) {
            return Some(Err(Seen::Nothing));
        }
        let taken = view.found.as_ref()?;
        Some(self.taken(taken, frame))
    }

    fn taken(&self, taken: &FoundTaken, frame: &Frame) -> Result<Vec<Frame>, Seen> {
        let Found::Objects(objects) = self.found(&taken.of, frame)? else {
            return Err(Seen::Nothing);
        };
        found::taken_of(taken, frame, &objects).map_err(|_| Seen::Nothing)
    }

    // What a stage found in a frame.
    pub(super) fn found(&self, stage: &StageId, frame: &Frame) -> Result<Found, Seen> {
        if let Some(frames) = self.tracked.get(stage) {
            let found = frames.get(&frame.moment.index);
            return found.cloned().ok_or(Seen::Unknown);
        }
        let mut views = self.frames.iter();
        let view = views.find(|view| view.stage == *stage);
        let view = view.ok_or(Seen::Unknown)?;
        let Some(parts) = self.part(view, frame) else {
            return self.answer(view, &frame.moment);
        };
        let parts = parts?;
        if let [whole] = parts.as_slice()
            && whole.moment.part.is_none()
        {
            return self.answer(view, &whole.moment);
        }
        let found = parts.into_iter().map(|crop| {
            let found = self.answer(view, &crop.moment)?;
            Ok((crop.moment, found))
        });
        let found: Vec<_> = found.collect::<Result<_, Seen>>()?;
        Ok(crops::joined(found))
    }

    fn answer(&self, view: &FrameView, moment: &Moment) -> Result<Found, Seen> {
        let extent = Extent::of_moment(moment);
        match self.look_up(moment.video, view.digest, extent) {
            Ok(Some(Answer::Objects(objects))) => Ok(Found::Objects(objects)),
            Ok(Some(Answer::Fields(fields))) => Ok(Found::Fields(fields)),
            // In a replay nobody sees it again.
            Err(failure) if failure.class == Class::NotRecorded => Err(Seen::Nothing),
            _ => Err(Seen::Unknown),
        }
    }

    fn has_answer(&self, view: &FrameView, moment: &Moment) -> bool {
        self.has(moment.video, view.digest, Extent::of_moment(moment))
    }

    // What cannot be read is looked at again, and then told by the step that asks for it.
    fn has(&self, video: VideoId, stage: StageDigest, extent: Extent) -> bool {
        let key = ItemKey {
            video,
            stage,
            extent,
        };
        self.answers.has(&key).unwrap_or(false)
    }

    fn look_up(
        &self,
        video: VideoId,
        stage: StageDigest,
        extent: Extent,
    ) -> Result<Option<Answer>, Failure> {
        self.answers.look_up(&ItemKey {
            video,
            stage,
            extent,
        })
    }
}

// Why there is nothing to be asked about a frame.
pub(super) enum Seen {
    // It is not looked at, or there is nothing in it.
    Nothing,
    // Nobody knows yet.
    Unknown,
}

/// The frame of `sample`, which nobody needs to see.
pub(in crate::stages) fn unseen(sample: &Sample, video: VideoId) -> Frame {
    Frame {
        moment: sample.moment(video),
        source: sample.source,
        size: sample.size,
        content: match &sample.failure {
            Some(failure) => Err(failure.clone()),
            None => Ok(Content::default()),
        },
    }
}

/// The answer of a stage that writes files, where the one for a frame is there and is where it
/// would be written to now.
pub(in crate::stages) fn kept_file(
    answers: &dyn Answers,
    stage: StageDigest,
    spec: &SaveSpec,
    facts: &VideoFacts,
    moment: &Moment,
) -> Option<SavedFile> {
    let path = spec.path(&facts.path, moment).ok()?;
    let key = ItemKey {
        video: moment.video,
        stage: stage.of_file(&path),
        extent: Extent::of_moment(moment),
    };
    let Ok(Some(Answer::File(file))) = answers.look_up(&key) else {
        return None;
    };
    // Another video may have been saved under that name since.
    let is_dated = file.modified.is_some();
    (path == file.path && is_dated && on_disk(&path)? == file).then_some(file)
}

/// The plain file at `path` as it stands there.
pub(in crate::stages) fn on_disk(path: &Path) -> Option<SavedFile> {
    let about = fs::symlink_metadata(path).ok().filter(Metadata::is_file)?;
    let modified = about.modified().ok();
    let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Some(SavedFile {
        path: path.to_owned(),
        bytes: about.len(),
        modified: since.and_then(|since| i64::try_from(since.as_nanos()).ok()),
    })
}
