//! A vision stage: on this machine, or on a remote backend.

use crate::diag::Diagnostic;
use crate::facts::Placement;
use crate::facts::RemoteFacts;
use crate::plan::lower::compile::Lowering;
use crate::plan::lower::compile::StageOutputs;
use crate::plan::lower::demand::jpeg_bytes;
use crate::plan::lower::feed::FrameForm;
use crate::plan::step::Execution;
use crate::plan::step::StageFate;
use crate::plan::step::Step;
use crate::plan::step::StepKind;
use crate::recipe::HttpStageSpec;
use crate::recipe::Stage;
use crate::recipe::Subject;
use crate::recipe::USUAL_IMGSZ;
use crate::recipe::YoloSpec;

impl Lowering<'_> {
    pub(in crate::plan) fn yolo(
        &mut self,
        stage: &Stage,
        spec: &YoloSpec,
        from: &StageOutputs,
    ) -> Result<StageFate, Vec<Diagnostic>> {
        let (step, form) = match self.facts.placements.get(&stage.id) {
            Some(Placement::Local(place)) => {
                let kind = StepKind::Detect {
                    spec: spec.clone(),
                    place: place.clone(),
                };
                let step = self.local_step(stage, "detect", kind, spec.concurrency, place);
                (step, FrameForm::Pixels)
            }
            Some(Placement::Remote(place)) => self.request(
                stage,
                spec.concurrency,
                Some(spec.imgsz.unwrap_or(USUAL_IMGSZ)),
                place,
            ),
            Some(Placement::Skipped { why }) => return Ok(StageFate::Skipped(why.clone())),
            None => return Ok(StageFate::Skipped("it has no backend".to_owned())),
        };
        self.vision_steps(stage, from, step, form, false)
    }

    pub(in crate::plan) fn http(
        &mut self,
        stage: &Stage,
        spec: &HttpStageSpec,
        from: &StageOutputs,
    ) -> Result<StageFate, Vec<Diagnostic>> {
        match self.facts.placements.get(&stage.id) {
            Some(Placement::Remote(place)) => {
                let most = spec.concurrency;
                match spec.mapping.about {
                    Subject::Sound => Ok(self.speech_on_server(stage, &spec.sound, most, place)),
                    Subject::Boxes => {
                        let (step, _) = self.request(stage, most, None, place);
                        Ok(self.boxes_step(stage, from, step))
                    }
                    Subject::Frame | Subject::Batch => {
                        let (step, form) = self.request(stage, most, None, place);
                        self.vision_steps(stage, from, step, form, spec.gives_records())
                    }
                }
            }
            Some(Placement::Skipped { why }) => Ok(StageFate::Skipped(why.clone())),
            // This machine is no server.
            Some(Placement::Local(_)) | None => {
                Ok(StageFate::Skipped("it has no backend".to_owned()))
            }
        }
    }

    fn request(
        &mut self,
        stage: &Stage,
        concurrency: usize,
        side: Option<u32>,
        place: &RemoteFacts,
    ) -> (Step, FrameForm) {
        let kind = StepKind::VisionRequest {
            place: place.clone(),
            side,
        };
        let step = self.request_step(stage, kind, concurrency, place);
        let max_bytes = jpeg_bytes(place);
        (step, FrameForm::Jpeg { max_bytes })
    }

    // The one step of a stage that is told what another found.
    fn boxes_step(&mut self, stage: &Stage, from: &StageOutputs, step: Step) -> StageFate {
        if from.detections.is_empty() {
            return StageFate::Skipped("what it takes from does not run".to_owned());
        }
        let name = step.id.clone();
        let node = self.graph.add_node(step);
        for &source in &from.detections {
            self.graph.add_edge(source, node, from.found());
        }
        let outputs = StageOutputs {
            detections: vec![node],
            fields: true,
            ..StageOutputs::default()
        };
        self.outputs.insert(stage.id.clone(), outputs);
        StageFate::Runs(vec![name])
    }

    // The steps around the one that does the work; `fields` where that gives no boxes.
    fn vision_steps(
        &mut self,
        stage: &Stage,
        from: &StageOutputs,
        mut step: Step,
        form: FrameForm,
        fields: bool,
    ) -> Result<StageFate, Vec<Diagnostic>> {
        let Some(mut feed) = self.feed(stage, from, form)? else {
            let why = "what it takes from does not run".to_owned();
            return Ok(StageFate::Skipped(why));
        };
        step.last = !feed.from_crops;
        feed.steps.push(step.id.clone());
        let node = self.graph.add_node(step);
        self.graph.add_edge(feed.source, node, feed.kind);
        let mut outputs = StageOutputs {
            detections: vec![node],
            fields,
            ..StageOutputs::default()
        };
        if feed.from_crops {
            let mut gather = self.step(stage, "gather", StepKind::GatherCrops, Execution::Fold, 1);
            gather.last = false;
            feed.steps.push(gather.id.clone());
            let gather = self.graph.add_node(gather);
            self.graph.add_edge(node, gather, outputs.found());
            outputs.detections = vec![gather];
        }
        outputs.detections.extend(feed.skips);
        self.outputs.insert(stage.id.clone(), outputs);
        Ok(StageFate::Runs(feed.steps))
    }
}
