//! What a stage is fed with: frames as they come, those of them that it takes or in which another
//! found something, or crops.
//!
//! A stage that does not take all has steps of its own between the source and its detector.

use crate::diag::Diagnostic;
use crate::facts::VideoFacts;
use crate::item::ItemKind;
use crate::name::StepId;
use crate::name::VideoId;
use crate::plan::found::FoundForm;
use crate::plan::found::FoundTaken;
use crate::plan::lower::compile::Lowering;
use crate::plan::lower::compile::StageOutputs;
use crate::plan::step::Execution;
use crate::plan::step::FrameSelection;
use crate::plan::step::Step;
use crate::plan::step::StepKind;
use crate::recipe::Stage;
use crate::recipe::StageSpec;
use crate::recipe::TakeSpec;
use crate::recipe::condition_values;
use petgraph::graph::NodeIndex;

/// The form in which a detector takes frames.
#[derive(Clone, Copy)]
pub(super) enum FrameForm {
    Pixels,
    /// At most so many bytes in one request.
    Jpeg {
        max_bytes: usize,
    },
}

/// What leads to a detector.
pub(super) struct FrameFeed {
    /// The step that gives the frames, and how they come.
    pub(super) source: NodeIndex,
    pub(super) kind: ItemKind,
    /// The steps that are the stage's own.
    pub(super) steps: Vec<StepId>,
    /// The one of them that tells of frames that are not taken.
    pub(super) skips: Option<NodeIndex>,
    /// Whether what is found in crops is still to be joined.
    pub(super) from_crops: bool,
}

impl Lowering<'_> {
    /// What `stage` takes of what `from` gives; `None` where that does not run.
    pub(super) fn feed(
        &mut self,
        stage: &Stage,
        from: &StageOutputs,
        form: FrameForm,
    ) -> Result<Option<FrameFeed>, Vec<Diagnostic>> {
        if from.found.is_none() && stage.take.is_all() {
            return Ok(self.shared(from, form));
        }
        let selection = selection(stage, &self.facts.videos)?;
        let Some((source, quality)) = self.source else {
            return Ok(None);
        };
        let Some((first, kind, found)) = self.first(stage, from, selection) else {
            return Ok(None);
        };
        // A JPEG that is made of every frame is there for whoever takes whole ones.
        let is_whole = matches!(from.found, Some((FoundForm::Frames, _)));
        let is_jpeg = matches!(form, FrameForm::Jpeg { .. });
        let encoded = self.encoded.filter(|_| is_whole && is_jpeg);
        let mut steps = Vec::new();
        let first = self.add_own_step(first, &mut steps);
        self.graph
            .add_edge(encoded.unwrap_or(source), first, ItemKind::Frame);
        for found in found {
            self.graph.add_edge(found, first, ItemKind::Detections);
        }
        let mut feed = FrameFeed {
            source: first,
            kind,
            steps,
            skips: Some(first),
            from_crops: kind == ItemKind::Crop,
        };
        if let FrameForm::Jpeg { max_bytes } = form {
            if encoded.is_none() {
                self.encode(stage, &mut feed, quality);
            }
            self.collect(stage, &mut feed, from, max_bytes);
        }
        Ok(Some(feed))
    }

    // The step that takes what a stage takes of all frames, what it gives, and what gives the boxes
    // that it goes by; `None` where those do not run.
    fn first(
        &self,
        stage: &Stage,
        from: &StageOutputs,
        selection: FrameSelection,
    ) -> Option<(Step, ItemKind, Vec<NodeIndex>)> {
        let Some((form, of)) = &from.found else {
            let kind = StepKind::SelectFrames { selection };
            let step = self.step(stage, "pick", kind, Execution::Fold, 1);
            return Some((step, ItemKind::Frame, Vec::new()));
        };
        let found = self.outputs.get(of).map(|from| from.detections.clone());
        let found = found.filter(|found| !found.is_empty())?;
        let taken = FoundTaken {
            of: of.clone(),
            form: *form,
            take: stage.take.clone(),
            draws: matches!(&stage.spec, StageSpec::Save(spec) if spec.draw.is_some()),
        };
        let name = match form {
            FoundForm::Crops => "cut",
            FoundForm::Frames => "find",
        };
        let kind = StepKind::TakeFound {
            taken,
            taker: stage.spec.kind(),
            selection,
        };
        let step = self.step(stage, name, kind, Execution::Fold, 1);
        Some((step, form.kind(), found))
    }

    fn shared(&self, from: &StageOutputs, form: FrameForm) -> Option<FrameFeed> {
        let source = match form {
            FrameForm::Pixels => from.pixels,
            FrameForm::Jpeg { .. } => from.jpeg,
        }?;
        let kind = match self.graph[source].kind {
            StepKind::Batch { .. } => ItemKind::Batch,
            _ => ItemKind::Frame,
        };
        Some(FrameFeed {
            source,
            kind,
            steps: Vec::new(),
            skips: None,
            from_crops: false,
        })
    }

    fn encode(&mut self, stage: &Stage, feed: &mut FrameFeed, quality: u8) {
        let kind = StepKind::Encode { quality };
        let cores = self.facts.cores.max(1);
        let mut step = self.step(stage, "encode", kind, Execution::Threads, cores);
        step.ordered = true;
        let node = self.add_own_step(step, &mut feed.steps);
        self.graph.add_edge(feed.source, node, feed.kind);
        feed.source = node;
    }

    fn collect(
        &mut self,
        stage: &Stage,
        feed: &mut FrameFeed,
        from: &StageOutputs,
        max_bytes: usize,
    ) {
        let Some(spec) = from.batch.clone() else {
            return;
        };
        let kind = StepKind::Batch { spec, max_bytes };
        let step = self.step(stage, "collect", kind, Execution::Fold, 1);
        let node = self.add_own_step(step, &mut feed.steps);
        self.graph.add_edge(feed.source, node, feed.kind);
        (feed.source, feed.kind) = (node, ItemKind::Batch);
    }

    // A step on the way to the one that does the stage's work.
    fn add_own_step(&mut self, mut step: Step, steps: &mut Vec<StepId>) -> NodeIndex {
        step.last = false;
        steps.push(step.id.clone());
        self.graph.add_node(step)
    }
}

/// What `when` comes to for each video is known before the run.
pub(super) fn selection(
    stage: &Stage,
    videos: &[VideoFacts],
) -> Result<FrameSelection, Vec<Diagnostic>> {
    let TakeSpec { when, every, .. } = &stage.take;
    let refused = |video: &VideoFacts| -> Option<Result<(VideoId, String), Diagnostic>> {
        let when = when.as_ref()?;
        match when.holds(&condition_values(video)) {
            Ok(true) => None,
            Ok(false) => {
                let why = format!("`when = {}` does not hold for this video", when.text());
                Some(Ok((video.id, why)))
            }
            Err(fault) => {
                let message = format!("{}: {}", video.path.display(), fault.message);
                let wrong = Diagnostic::error(stage.key("when"), message);
                Some(Err(Diagnostic {
                    help: fault.help,
                    ..wrong
                }))
            }
        }
    };
    let without: Result<_, _> = videos.iter().filter_map(refused).collect();
    Ok(FrameSelection {
        every: *every,
        without: without.map_err(|wrong| vec![wrong])?,
    })
}
