//! Compiling: every stage of a checked recipe to its steps, joined to a plan.
//!
//! A stage becomes the steps that its placement needs: a detector on this machine reads pixels
//! one frame at a time; one at a server gets JPEGs in batches. Knows nothing of what the steps
//! do when they run.

use crate::answer::StageDigest;
use crate::diag::Diagnostic;
use crate::facts::Facts;
use crate::facts::LocalFacts;
use crate::facts::RemoteFacts;
use crate::item::ItemKind;
use crate::name::BackendName;
use crate::name::StageId;
use crate::plan::checked::CheckedRecipe;
use crate::plan::digest::stages::StageDigests;
use crate::plan::found::FoundForm;
use crate::plan::graph::classes;
use crate::plan::graph::stages::StageGraph;
use crate::plan::lower::demand::Demand;
use crate::plan::lower::memory;
use crate::plan::step::Execution;
use crate::plan::step::Limit;
use crate::plan::step::Plan;
use crate::plan::step::Retry;
use crate::plan::step::StageFate;
use crate::plan::step::StagePlan;
use crate::plan::step::Step;
use crate::plan::step::StepIndex;
use crate::plan::step::StepKind;
use crate::recipe::BatchSpec;
use crate::recipe::MergeSpec;
use crate::recipe::Recipe;
use crate::recipe::Stage;
use crate::recipe::StageInput;
use crate::recipe::StageSpec;
use petgraph::algo::toposort;
use petgraph::graph::DiGraph;
use petgraph::graph::NodeIndex;
use std::collections::BTreeMap;

/// How a recipe is compiled; no result depends on it.
#[derive(Clone, Copy, Debug)]
pub struct CompileOptions {
    /// Items that wait before each step.
    pub inbox: usize,
}

impl Default for CompileOptions {
    fn default() -> Self {
        // One that is taken next and one behind it: a step never waits for its channel.
        Self { inbox: 2 }
    }
}

/// Compiles a recipe.
///
/// # Errors
///
/// Where it cannot be run with these facts.
pub fn compile(
    recipe: &CheckedRecipe,
    facts: &Facts,
    options: CompileOptions,
) -> Result<Plan, Vec<Diagnostic>> {
    let graph = StageGraph::of(recipe);
    let mut lowering = Lowering {
        facts,
        options,
        demand: Demand::of(&graph, facts),
        digests: StageDigests::of(recipe, facts),
        source: None,
        encoded: None,
        graph: DiGraph::new(),
        fates: BTreeMap::new(),
        outputs: BTreeMap::new(),
        backends: BTreeMap::new(),
        wrong: classes::check(recipe, &graph, facts),
    };
    for &node in &graph.order {
        lowering.stage(graph.graph[node])?;
    }
    lowering.finish(recipe)
}

// The steps that give what a stage gives.
#[derive(Clone, Default)]
pub(super) struct StageOutputs {
    pub(super) pixels: Option<NodeIndex>,
    pub(super) jpeg: Option<NodeIndex>,
    pub(super) saved: Option<NodeIndex>,
    pub(super) detections: Vec<NodeIndex>,
    // Whether those are records, without boxes.
    pub(super) fields: bool,
    // The stage in whose finds a batch or a stage takes an interest; `None` for all frames.
    pub(super) found: Option<(FoundForm, StageId)>,
    pub(super) batch: Option<BatchSpec>,
    pub(super) transcript: Option<NodeIndex>,
}

impl StageOutputs {
    pub(super) fn found(&self) -> ItemKind {
        if self.fields {
            ItemKind::Fields
        } else {
            ItemKind::Detections
        }
    }
}

pub(super) struct Lowering<'a> {
    pub(super) facts: &'a Facts,
    pub(super) options: CompileOptions,
    pub(super) demand: Demand,
    pub(super) digests: StageDigests,
    // The step that reads frames, and the quality of JPEGs that are made of them; and the one that
    // makes JPEGs of all of them.
    pub(super) source: Option<(NodeIndex, u8)>,
    pub(super) encoded: Option<NodeIndex>,
    pub(super) graph: DiGraph<Step, ItemKind>,
    pub(super) fates: BTreeMap<StageId, StageFate>,
    pub(super) outputs: BTreeMap<StageId, StageOutputs>,
    pub(super) backends: BTreeMap<BackendName, usize>,
    pub(super) wrong: Vec<Diagnostic>,
}

impl Lowering<'_> {
    fn stage(&mut self, stage: &Stage) -> Result<(), Vec<Diagnostic>> {
        let outputs = |input: &StageInput| {
            let mut outputs = self.outputs.get(&input.stage)?.clone();
            if let Some(form) = FoundForm::of(input.port) {
                outputs.found = Some((form, input.stage.clone()));
            }
            Some((input.stage.clone(), outputs))
        };
        let inputs: Vec<_> = stage.inputs.iter().filter_map(outputs).collect();
        let first = inputs
            .first()
            .map(|(_, outputs)| outputs.clone())
            .unwrap_or_default();
        let fate = match &stage.spec {
            StageSpec::Extract(spec) => self.extract(stage, spec),
            StageSpec::Batch(spec) => self.batch(stage, spec, first),
            StageSpec::Yolo(spec) => self.yolo(stage, spec, &first)?,
            StageSpec::Http(spec) => self.http(stage, spec, &first)?,
            StageSpec::Whisper(spec) => self.whisper(stage, spec),
            StageSpec::Track(spec) => self.track(stage, spec, &inputs),
            StageSpec::Save(spec) => self.save(stage, spec, &first)?,
            StageSpec::Merge(spec) => self.merge(stage, spec, &inputs),
        };
        self.fates.insert(stage.id.clone(), fate);
        Ok(())
    }

    fn merge(
        &mut self,
        stage: &Stage,
        spec: &MergeSpec,
        inputs: &[(StageId, StageOutputs)],
    ) -> StageFate {
        let detecting = inputs
            .iter()
            .filter(|(_, outputs)| !outputs.detections.is_empty());
        let stages = detecting.clone().map(|(id, _)| id.clone()).collect();
        let saved = inputs.iter().filter_map(|(_, outputs)| outputs.saved);
        let kind = StepKind::Merge {
            spec: spec.clone(),
            detecting: stages,
            saving: saved.clone().count(),
        };
        let step = self.step(stage, "join", kind, Execution::Fold, 1);
        let name = step.id.clone();
        let node = self.graph.add_node(step);
        for (_, outputs) in detecting {
            for &source in &outputs.detections {
                self.graph.add_edge(source, node, outputs.found());
            }
        }
        for source in saved {
            self.graph.add_edge(source, node, ItemKind::Saved);
        }
        for source in inputs.iter().filter_map(|(_, outputs)| outputs.transcript) {
            self.graph.add_edge(source, node, ItemKind::Transcript);
        }
        StageFate::Runs(vec![name])
    }

    pub(super) fn step(
        &self,
        stage: &Stage,
        does: &str,
        kind: StepKind,
        execution: Execution,
        limit: usize,
    ) -> Step {
        Step {
            id: format!("{}.{does}", stage.id).into(),
            stage: stage.id.clone(),
            digest: self.digest(&stage.id, &kind),
            kind,
            execution,
            limit: Limit::fixed(limit),
            backend: None,
            ordered: false,
            inbox: self.options.inbox,
            // As many again as are at work: those that wait to be retried or for their turn.
            window: 2 * limit,
            retry: Retry::default(),
            last: true,
        }
    }

    // What is kept of what a step gives is kept under this.
    fn digest(&self, stage: &StageId, kind: &StepKind) -> Option<StageDigest> {
        match kind {
            StepKind::ReadFrames { .. } => Some(self.digests.sampling()),
            StepKind::Detect { .. }
            | StepKind::VisionRequest { .. }
            | StepKind::Transcribe { .. }
            | StepKind::SpeechRequest { .. } => self.digests.asked(stage),
            StepKind::ReadSound { .. } => self.digests.sound(stage),
            StepKind::ComposeTranscript { .. } => self.digests.transcript(stage),
            StepKind::Save { .. } => self.digests.files(stage),
            StepKind::Encode { .. }
            | StepKind::SelectFrames { .. }
            | StepKind::TakeFound { .. }
            | StepKind::GatherCrops
            | StepKind::Track { .. }
            | StepKind::Batch { .. }
            | StepKind::ChunkSound { .. }
            | StepKind::EncodeSound { .. }
            | StepKind::Merge { .. } => None,
        }
    }

    // A step that infers on this machine, in as many lanes as there are cores for at most. A GPU is
    // busy with one.
    pub(super) fn local_step(
        &mut self,
        stage: &Stage,
        name: &str,
        kind: StepKind,
        most: usize,
        place: &LocalFacts,
    ) -> Step {
        let room = match place.is_on_cpu() {
            true => self.facts.cores / place.threads.max(1),
            false => place.concurrency.unwrap_or(1),
        };
        let lanes = room.clamp(1, most.max(1));
        let lanes = self.backend(&place.backend, place.concurrency, lanes);
        let mut step = self.step(stage, name, kind, Execution::Threads, lanes);
        // One more than is at work, so that a lane that is free has its next at hand.
        step.window = lanes + 1;
        step.backend = Some(place.backend.clone());
        step
    }

    // A step that asks a server, as its backend says.
    pub(super) fn request_step(
        &mut self,
        stage: &Stage,
        kind: StepKind,
        most: usize,
        place: &RemoteFacts,
    ) -> Step {
        let limit = self.backend(&place.backend, place.concurrency, most);
        let mut step = self.step(stage, "request", kind, Execution::Calls, limit);
        step.backend = Some(place.backend.clone());
        step.retry.attempts = place.attempts;
        step.retry.time = place.retry_time;
        step.retry.outage = place.outage_timeout;
        step
    }

    // Notes the limit that all users of a backend share; gives what of `own` fits into it.
    pub(super) fn backend(
        &mut self,
        name: &BackendName,
        shared: Option<usize>,
        own: usize,
    ) -> usize {
        let Some(shared) = shared else { return own };
        self.backends.insert(name.clone(), shared);
        own.min(shared)
    }

    fn finish(self, recipe: &Recipe) -> Result<Plan, Vec<Diagnostic>> {
        if !self.wrong.is_empty() {
            return Err(self.wrong);
        }
        let stages: Vec<_> = recipe
            .stages
            .iter()
            .filter_map(|stage| {
                let fate = self.fates.get(&stage.id)?.clone();
                Some(StagePlan {
                    id: stage.id.clone(),
                    kind: stage.spec.kind(),
                    fate,
                })
            })
            .collect();
        if self.graph.edge_count() == 0 {
            return Err(vec![nothing_runs(recipe, &stages)]);
        }
        let order = toposort(&self.graph, None).unwrap_or_default();
        let mut of_stages: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for &node in &order {
            let of_stage = of_stages.entry(self.graph[node].stage.clone());
            of_stage.or_default().push(StepIndex(node));
        }
        Ok(Plan {
            order: order.into_iter().map(StepIndex).collect(),
            of_stages,
            repeats: recipe.extract().is_some_and(|spec| spec.dedup),
            peak: memory::peak(&self.graph, self.facts),
            graph: self.graph,
            stages,
            backends: self.backends,
            digests: self.digests,
        })
    }
}

fn nothing_runs(recipe: &Recipe, stages: &[StagePlan]) -> Diagnostic {
    let mut diagnostic: Option<Diagnostic> = None;
    for (stage, plan) in recipe.stages.iter().zip(stages) {
        let infers = stage.spec.medium().is_some();
        let StageFate::Skipped(why) = &plan.fate else {
            continue;
        };
        if !infers {
            continue;
        }
        diagnostic = Some(match diagnostic {
            Some(first) => first.also(stage.span, why),
            None => Diagnostic::error(stage.span, "no stage of this recipe can run here")
                .label(why)
                .help("`vpipe models` lists models on this machine and says how to get more"),
        });
    }
    diagnostic.unwrap_or_else(|| {
        let place = recipe
            .stages
            .first()
            .map(|stage| stage.span)
            .unwrap_or_default();
        Diagnostic::error(place, "no stage of this recipe finds anything")
            .help("add a `yolo` stage and name it in the `inputs` of `merge`")
    })
}
