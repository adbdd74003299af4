//! The one match from what a step is to what does it.

use crate::backends::models::whisper::Transcriber;
use crate::backends::models::yolo::Detector;
use crate::engine::Call;
use crate::engine::Work;
use crate::name::StageId;
use crate::plan::Plan;
use crate::plan::Step;
use crate::plan::StepKind;
use crate::stages::batch::batch;
use crate::stages::extract::extract;
use crate::stages::extract::extract::Videos;
use crate::stages::merge::merge;
use crate::stages::save::Taken;
use crate::stages::save::save;
use crate::stages::speech;
use crate::stages::vision::crops::cut;
use crate::stages::vision::crops::gather;
use crate::stages::vision::detect::detect;
use crate::stages::vision::pick::pick;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What steps need that is not in the plan: opened before the run, so that what is missing is
/// known before anything is spent.
#[derive(Default)]
pub struct Supplies {
    /// The inputs.
    pub videos: Arc<Videos>,
    /// Only so much of each video.
    pub first: Option<Duration>,
    /// The models of stages that look here.
    pub detectors: BTreeMap<StageId, Detector>,
    /// The models of stages that listen here.
    pub transcribers: BTreeMap<StageId, Transcriber>,
    /// The servers of stages that infer elsewhere.
    pub callers: BTreeMap<StageId, Arc<dyn Call>>,
}

/// What each step of `plan` does, in its order; or the stage that a supply is missing for.
pub fn assemble(plan: &Plan, supplies: &Supplies) -> Result<Vec<Work>, StageId> {
    let taken = Arc::default();
    plan.steps()
        .map(|(_, step)| work(step, supplies, &taken).ok_or_else(|| step.stage.clone()))
        .collect()
}

fn work(step: &Step, supplies: &Supplies, taken: &Arc<Taken>) -> Option<Work> {
    Some(match &step.kind {
        StepKind::Frames { spec, format } => Work::Source(extract::frames(
            spec,
            *format,
            &supplies.videos,
            supplies.first,
        )),
        StepKind::Encode { quality } => Work::Map(extract::encode(*quality)),
        StepKind::Pick { picking } => Work::Fold(pick(&step.stage, picking)),
        StepKind::Cut { of, picking, take } => Work::Fold(cut(&step.stage, of, picking, take)),
        StepKind::Gather => Work::Fold(gather(&step.stage)),
        StepKind::Batch { spec, max_bytes } => Work::Fold(batch(spec, *max_bytes)),
        StepKind::Detect { spec, .. } => Work::Map(detect(
            &step.stage,
            spec,
            supplies.detectors.get(&step.stage)?,
        )),
        StepKind::Request { .. } => Work::Call(Arc::clone(supplies.callers.get(&step.stage)?)),
        StepKind::Save { spec } => Work::Map(save(&step.stage, spec, &supplies.videos, taken)),
        StepKind::Sound { track, without } => {
            Work::Source(speech::read(*track, without, &supplies.videos))
        }
        StepKind::CutSound {
            length,
            drop_silence,
        } => Work::Fold(speech::cut(*length, *drop_silence, &supplies.videos)),
        StepKind::Code { codec } => Work::Map(speech::code(*codec)),
        StepKind::Transcribe { spec, .. } => Work::Map(speech::transcribe(
            &step.stage,
            spec,
            supplies.transcribers.get(&step.stage)?,
        )),
        StepKind::Ask { .. } => Work::Call(Arc::clone(supplies.callers.get(&step.stage)?)),
        StepKind::Compose { without } => {
            Work::Fold(speech::compose(&step.stage, without, &supplies.videos))
        }
        StepKind::Merge { detecting, .. } => Work::Fold(merge(detecting)),
    })
}
