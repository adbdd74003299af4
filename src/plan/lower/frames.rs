//! Stages that read, collect and write frames: `extract`, `batch` and `save`.

use crate::diag::Diagnostic;
use crate::item::ItemKind;
use crate::item::PixelFormat;
use crate::plan::lower::compile::Lowering;
use crate::plan::lower::compile::StageOutputs;
use crate::plan::lower::feed::FrameForm;
use crate::plan::lower::memory;
use crate::plan::step::Execution;
use crate::plan::step::StageFate;
use crate::plan::step::StepKind;
use crate::recipe::BatchSpec;
use crate::recipe::ExtractSpec;
use crate::recipe::SaveFormat;
use crate::recipe::SaveSpec;
use crate::recipe::Stage;

impl Lowering<'_> {
    pub(super) fn extract(&mut self, stage: &Stage, spec: &ExtractSpec) -> StageFate {
        if !self.demand.frames && self.demand.sound {
            return StageFate::Bypassed("only sound is taken, by those who listen".to_owned());
        }
        if !self.demand.frames {
            return StageFate::Skipped("no stage that runs takes frames".to_owned());
        }
        let format = if self.demand.pixels {
            PixelFormat::Rgb24
        } else {
            PixelFormat::I420
        };
        let kind = StepKind::ReadFrames {
            spec: spec.clone(),
            format,
        };
        let mut outputs = StageOutputs::default();
        let mut step = self.step(
            stage,
            "frames",
            kind,
            Execution::Source,
            memory::OPEN_VIDEOS,
        );
        step.last = !self.demand.jpeg;
        let mut names = vec![step.id.clone()];
        let frames = self.graph.add_node(step);
        self.source = Some((frames, spec.quality));
        outputs.pixels = Some(frames);
        if self.demand.jpeg {
            let kind = StepKind::Encode {
                quality: spec.quality,
            };
            let mut step = self.step(
                stage,
                "encode",
                kind,
                Execution::Threads,
                self.facts.cores.max(1),
            );
            step.ordered = true;
            names.push(step.id.clone());
            let encode = self.graph.add_node(step);
            self.graph.add_edge(frames, encode, ItemKind::Frame);
            outputs.jpeg = Some(encode);
            self.encoded = Some(encode);
        }
        self.outputs.insert(stage.id.clone(), outputs);
        StageFate::Runs(names)
    }

    pub(super) fn batch(
        &mut self,
        stage: &Stage,
        spec: &BatchSpec,
        mut outputs: StageOutputs,
    ) -> StageFate {
        let wanted = match outputs.found {
            Some(_) => None,
            None => self.demand.batches.get(&stage.id).copied(),
        };
        let fate = match outputs.jpeg.zip(wanted) {
            Some((encode, max_bytes)) => {
                let step = self.step(
                    stage,
                    "collect",
                    StepKind::Batch {
                        spec: spec.clone(),
                        max_bytes,
                    },
                    Execution::Fold,
                    1,
                );
                let name = step.id.clone();
                let node = self.graph.add_node(step);
                self.graph.add_edge(encode, node, ItemKind::Frame);
                outputs.jpeg = Some(node);
                StageFate::Runs(vec![name])
            }
            _ if self.demand.own.contains(&stage.id) => {
                StageFate::Bypassed("each stage collects what it takes".to_owned())
            }
            _ => StageFate::Bypassed("frames go one by one on this machine".to_owned()),
        };
        outputs.batch = Some(spec.clone());
        self.outputs.insert(stage.id.clone(), outputs);
        fate
    }

    pub(super) fn save(
        &mut self,
        stage: &Stage,
        spec: &SaveSpec,
        from: &StageOutputs,
    ) -> Result<StageFate, Vec<Diagnostic>> {
        // What is drawn on is made a JPEG when it is written.
        let form = match (spec.format, spec.quality, &spec.draw) {
            (SaveFormat::Jpeg, None, None) => FrameForm::Jpeg {
                max_bytes: usize::MAX,
            },
            (SaveFormat::Jpeg, ..) | (SaveFormat::Png, ..) => FrameForm::Pixels,
        };
        let usual = self.source.map(|(_, quality)| quality);
        let spec = SaveSpec {
            quality: spec.quality.or(usual.filter(|_| spec.draw.is_some())),
            ..spec.clone()
        };
        let Some(mut feed) = self.feed(stage, from, form)? else {
            let why = "what it takes from does not run".to_owned();
            return Ok(StageFate::Skipped(why));
        };
        let kind = StepKind::Save { spec };
        let step = self.step(
            stage,
            "write",
            kind,
            Execution::Threads,
            self.facts.cores.max(1),
        );
        feed.steps.push(step.id.clone());
        let node = self.graph.add_node(step);
        self.graph.add_edge(feed.source, node, feed.kind);
        let outputs = StageOutputs {
            saved: Some(node),
            ..StageOutputs::default()
        };
        self.outputs.insert(stage.id.clone(), outputs);
        Ok(StageFate::Runs(feed.steps))
    }
}
