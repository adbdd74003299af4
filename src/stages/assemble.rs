//! The one match from what a step is to what does it.

use crate::backends::models::whisper::Transcriber;
use crate::backends::models::yolo::Detector;
use crate::engine::Answers;
use crate::engine::Call;
use crate::engine::Operator;
use crate::engine::Unkept;
use crate::name::StageId;
use crate::name::VideoId;
use crate::output::OutputRoot;
use crate::plan::Plan;
use crate::plan::Step;
use crate::plan::StepIndex;
use crate::plan::StepKind;
use crate::recipe::OutputFormat;
use crate::stages::batch::batch;
use crate::stages::extract::extract;
use crate::stages::extract::extract::Videos;
use crate::stages::extract::known::KnownViews;
use crate::stages::merge::merge;
use crate::stages::replayed::replayed;
use crate::stages::save::Taken;
use crate::stages::save::save;
use crate::stages::speech;
use crate::stages::speech::KeptTranscript;
use crate::stages::takers::Takers;
use crate::stages::track::track;
use crate::stages::vision::crops::gather;
use crate::stages::vision::detect::detect;
use crate::stages::vision::found::take_found;
use crate::stages::vision::pick::pick;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The videos, models and calls that steps need besides the plan: opened before the run, so that a
/// missing one is reported before anything is spent.
pub struct Resources {
    /// The inputs.
    pub videos: Arc<Videos>,
    /// Where each stage that saves may write the frames of each video.
    pub save_roots: Arc<BTreeMap<(StageId, VideoId), OutputRoot>>,
    /// Only so much of each video.
    pub first: Option<Duration>,
    /// The answers that are kept.
    pub answers: Arc<dyn Answers>,
    /// The models of vision stages on this machine.
    pub detectors: BTreeMap<StageId, Detector>,
    /// The models of speech stages on this machine.
    pub transcribers: BTreeMap<StageId, Transcriber>,
    /// The calls of stages on a remote backend.
    pub calls: BTreeMap<StageId, Arc<dyn Call>>,
    /// Whether nobody is asked, and all answers are those that are kept.
    pub replays: bool,
}

impl Default for Resources {
    /// Nothing, and no answers.
    fn default() -> Self {
        Self {
            videos: Arc::default(),
            save_roots: Arc::default(),
            first: None,
            answers: Arc::new(Unkept),
            detectors: BTreeMap::new(),
            transcribers: BTreeMap::new(),
            calls: BTreeMap::new(),
            replays: false,
        }
    }
}

/// What each step of `plan` does, in its order; or the stage that has nothing to run on.
pub fn assemble(plan: &Plan, resources: &Resources) -> Result<Vec<Operator>, StageId> {
    let taken = Arc::default();
    plan.steps()
        .map(|(index, step)| {
            let operator = work(plan, index, step, resources, &taken);
            operator.ok_or_else(|| step.stage.clone())
        })
        .collect()
}

fn work(
    plan: &Plan,
    index: StepIndex,
    step: &Step,
    resources: &Resources,
    taken: &Arc<Taken>,
) -> Option<Operator> {
    let answers = &resources.answers;
    let takers = || Takers::new(plan.takers(index), answers);
    if resources.replays && step.kind.asks() {
        return Some(Operator::Call(replayed(&step.stage)));
    }
    Some(match &step.kind {
        StepKind::ReadFrames { spec, format } => Operator::Source(extract::frames(
            spec,
            *format,
            &resources.videos,
            resources.first,
            KnownViews::new(plan, answers, spec.dedup, resources.replays),
        )),
        StepKind::Encode { quality } => Operator::Map(extract::encode(*quality)),
        StepKind::SelectFrames { selection } => Operator::Fold(pick(&step.stage, selection)),
        StepKind::TakeFound {
            taken,
            taker,
            selection,
        } => Operator::Fold(take_found(&step.stage, *taker, selection, taken)),
        StepKind::GatherCrops => Operator::Fold(gather(&step.stage)),
        StepKind::Track { spec, .. } => Operator::Fold(track(&step.stage, spec, &resources.videos)),
        StepKind::Batch { spec, max_bytes } => Operator::Fold(batch(spec, *max_bytes, takers())),
        StepKind::Detect { spec, .. } => Operator::Map(detect(
            &step.stage,
            spec,
            resources.detectors.get(&step.stage)?,
        )),
        StepKind::VisionRequest { .. } => {
            Operator::Call(Arc::clone(resources.calls.get(&step.stage)?))
        }
        StepKind::Save { spec } => {
            Operator::Map(save(&step.stage, step.digest, spec, resources, taken))
        }
        StepKind::ReadSound { .. }
        | StepKind::ChunkSound { .. }
        | StepKind::EncodeSound { .. }
        | StepKind::Transcribe { .. }
        | StepKind::SpeechRequest { .. }
        | StepKind::ComposeTranscript { .. } => sound_work(plan, index, step, resources)?,
        StepKind::Merge {
            spec,
            detecting,
            saving,
        } => {
            let grows = spec.formats.contains(&OutputFormat::Jsonl);
            Operator::Fold(merge(detecting, grows.then_some(detecting.len() + saving)))
        }
    })
}

// Of the steps of a speech stage.
fn sound_work(
    plan: &Plan,
    index: StepIndex,
    step: &Step,
    resources: &Resources,
) -> Option<Operator> {
    let (stage, videos) = (&step.stage, &resources.videos);
    let kept = || KeptTranscript::new(plan, stage, &resources.answers);
    let takers = || Takers::new(plan.takers(index), &resources.answers);
    Some(match &step.kind {
        StepKind::ReadSound { track, without } => {
            let mut steps = plan.steps();
            let reads_frames =
                steps.any(|(_, step)| matches!(step.kind, StepKind::ReadFrames { .. }));
            Operator::Source(speech::read(!reads_frames, *track, without, videos, kept()))
        }
        StepKind::ChunkSound {
            length,
            drop_silence,
        } => Operator::Fold(speech::cut(*length, *drop_silence, videos)),
        StepKind::EncodeSound { codec } => Operator::Map(speech::code(*codec, takers())),
        StepKind::Transcribe { spec, .. } => {
            let transcriber = resources.transcribers.get(stage)?;
            Operator::Map(speech::transcribe(stage, spec, transcriber))
        }
        StepKind::SpeechRequest { .. } => Operator::Call(Arc::clone(resources.calls.get(stage)?)),
        StepKind::ComposeTranscript { without } => {
            Operator::Fold(speech::compose(stage, without, videos, kept()))
        }
        StepKind::ReadFrames { .. }
        | StepKind::Encode { .. }
        | StepKind::SelectFrames { .. }
        | StepKind::TakeFound { .. }
        | StepKind::GatherCrops
        | StepKind::Track { .. }
        | StepKind::Batch { .. }
        | StepKind::Detect { .. }
        | StepKind::VisionRequest { .. }
        | StepKind::Save { .. }
        | StepKind::Merge { .. } => return None,
    })
}
