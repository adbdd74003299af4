//! A stage that tracks: one step, which sees what another stage finds in the order of its frames.

use crate::item::ItemKind;
use crate::name::StageId;
use crate::plan::lower::compile::Lowering;
use crate::plan::lower::compile::StageOutputs;
use crate::plan::step::Execution;
use crate::plan::step::StageFate;
use crate::plan::step::StepKind;
use crate::recipe::Stage;
use crate::recipe::TrackSpec;

impl Lowering<'_> {
    pub(in crate::plan) fn track(
        &mut self,
        stage: &Stage,
        spec: &TrackSpec,
        inputs: &[(StageId, StageOutputs)],
    ) -> StageFate {
        let mut detecting = inputs.iter();
        let from = detecting.find(|(_, outputs)| !outputs.detections.is_empty());
        let Some((of, from)) = from else {
            return StageFate::Skipped("what it takes from does not run".to_owned());
        };
        self.keep_order(of);
        // Where nobody takes the best sight of each thing, no frame waits until it is known.
        let best_of = match self.demand.chosen.contains(&stage.id) {
            true => spec.best_of,
            false => 1,
        };
        let kind = StepKind::Track {
            of: of.clone(),
            spec: TrackSpec {
                best_of,
                ..spec.clone()
            },
        };
        let step = self.step(stage, "follow", kind, Execution::Fold, 1);
        let name = step.id.clone();
        let node = self.graph.add_node(step);
        for &source in &from.detections {
            self.graph.add_edge(source, node, ItemKind::Detections);
        }
        let outputs = StageOutputs {
            detections: vec![node],
            ..StageOutputs::default()
        };
        self.outputs.insert(stage.id.clone(), outputs);
        StageFate::Runs(vec![name])
    }

    // What `stage` finds leaves it in order, so that no more than its window waits for its turn,
    // with the frames that are cut by it.
    fn keep_order(&mut self, stage: &StageId) {
        for step in self.graph.node_weights_mut() {
            step.ordered |= step.stage == *stage && step.kind.asks();
        }
    }
}
