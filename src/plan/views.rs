//! Views: which stages look at the frames of a video, and at what of them.
//!
//! A frame is needed for the stages that have not said what they see in it. Pure over a plan.

use crate::answer::StageDigest;
use crate::item::ItemKind;
use crate::name::StageId;
use crate::plan::found::FoundTaken;
use crate::plan::step::FrameSelection;
use crate::plan::step::Plan;
use crate::plan::step::StepIndex;
use crate::plan::step::StepKind;
use crate::recipe::SaveSpec;
use crate::recipe::TrackSpec;
use petgraph::Direction;
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef;

/// A stage that looks at frames.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameView {
    /// The stage.
    pub stage: StageId,
    /// What its answers are kept under.
    pub digest: StageDigest,
    /// Which frames it takes; `None` for all.
    pub selection: Option<FrameSelection>,
    /// What of them, where that depends on what was found.
    pub found: Option<FoundTaken>,
}

/// A stage that writes frames to files.
#[derive(Clone, Debug)]
pub struct FileView {
    /// The stage.
    pub stage: StageId,
    /// What its files are kept under.
    pub digest: StageDigest,
    /// What they are.
    pub spec: SaveSpec,
    /// What is written of frames, where that depends on what was found.
    pub found: Option<FoundTaken>,
}

/// A stage that tracks what another finds, of which somebody takes crops or frames.
#[derive(Clone, Debug)]
pub struct TrackView {
    /// The stage.
    pub stage: StageId,
    /// The stage that finds it.
    pub of: StageId,
    /// How it is tracked.
    pub spec: TrackSpec,
}

impl Plan {
    /// The stages that track what others find, where somebody takes frames of theirs; each after the
    /// one whose finds it takes.
    pub fn track_views(&self) -> Vec<TrackView> {
        let taken = |stage: &StageId| {
            self.steps().any(|(_, step)| match &step.kind {
                StepKind::TakeFound { taken, .. } => taken.of == *stage,
                _ => false,
            })
        };
        let tracking = self.steps().filter_map(|(_, step)| match &step.kind {
            StepKind::Track { of, spec } => Some(TrackView {
                stage: step.stage.clone(),
                of: of.clone(),
                spec: spec.clone(),
            }),
            _ => None,
        });
        tracking.filter(|view| taken(&view.stage)).collect()
    }

    /// The stages that look at frames, each after the one whose finds it takes.
    pub fn frame_views(&self) -> Vec<FrameView> {
        let asking = self.steps().filter_map(|(index, step)| {
            let asks = matches!(
                step.kind,
                StepKind::Detect { .. } | StepKind::VisionRequest { .. }
            );
            let (selection, found) = asks.then(|| self.seen_from(index.0))??;
            Some(FrameView {
                stage: step.stage.clone(),
                digest: step.digest?,
                selection,
                found,
            })
        });
        asking.collect()
    }

    /// The stage that looks at the frames of which `stage` tells: itself, unless it tracks.
    pub fn looks<'a>(&'a self, stage: &'a StageId) -> &'a StageId {
        let tracks = self.steps_of(stage).find_map(|(_, step)| match &step.kind {
            StepKind::Track { of, .. } => Some(of),
            _ => None,
        });
        tracks.map_or(stage, |of| self.looks(of))
    }

    /// The stages that write frames to files.
    pub fn file_views(&self) -> Vec<FileView> {
        let saving = self.steps().filter_map(|(index, step)| match &step.kind {
            StepKind::Save { spec } => Some(FileView {
                stage: step.stage.clone(),
                digest: step.digest?,
                spec: spec.clone(),
                found: self.seen_from(index.0)?.1,
            }),
            _ => None,
        });
        saving.collect()
    }

    /// What the answers of the stages that take from `step` are kept under; none where there is a
    /// stage whose answers are not.
    pub fn takers(&self, step: StepIndex) -> Vec<StageDigest> {
        let edges = self.edges(step).into_iter();
        let digests = edges.map(|(_, to)| self.graph[to.0].digest);
        digests.collect::<Option<_>>().unwrap_or_default()
    }

    // What a step takes of frames; `None` where it takes something else.
    fn seen_from(&self, node: NodeIndex) -> Option<(Option<FrameSelection>, Option<FoundTaken>)> {
        let mut edges = self.graph.edges_directed(node, Direction::Incoming);
        let edge = edges.next()?;
        match edge.weight() {
            ItemKind::Frame | ItemKind::Crop | ItemKind::Batch => {}
            _ => return None,
        }
        match &self.graph[edge.source()].kind {
            StepKind::SelectFrames { selection } => Some((Some(selection.clone()), None)),
            StepKind::TakeFound {
                taken, selection, ..
            } => Some((Some(selection.clone()), Some(taken.clone()))),
            StepKind::Batch { .. } | StepKind::Encode { .. } => self.seen_from(edge.source()),
            _ => Some((None, None)),
        }
    }
}
