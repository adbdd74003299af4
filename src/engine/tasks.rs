//! Tasks: one a step, joined by channels as the plan says.

use crate::engine::answers::Answers;
use crate::engine::attempt::Attempts;
use crate::engine::attempt::Worker;
use crate::engine::collect::Collected;
use crate::engine::conductor::Reporter;
use crate::engine::first::FirstRequest;
use crate::engine::fold::FoldTask;
use crate::engine::gate::Gate;
use crate::engine::history::AnswerHistory;
use crate::engine::map::MapTask;
use crate::engine::operator::Operator;
use crate::engine::outage::Outage;
use crate::engine::panics::caught_in;
use crate::engine::permits::PermitPool;
use crate::engine::permits::Permits;
use crate::engine::source;
use crate::engine::source::SourceTask;
use crate::engine::stop::StopReason;
use crate::engine::stop::StopSignal;
use crate::engine::threads::MapThreads;
use crate::engine::wire::Inbox;
use crate::engine::wire::Message;
use crate::engine::wire::Outlets;
use crate::name::BackendName;
use crate::name::VideoId;
use crate::plan::Plan;
use crate::plan::Step;
use crate::plan::StepIndex;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What all steps of a run share.
pub(super) struct Shared {
    pub(super) reporter: Reporter,
    pub(super) stop: StopSignal,
    pub(super) gate: Arc<dyn Gate>,
    pub(super) answers: Arc<dyn Answers>,
    pub(super) collected: Collected,
    /// The videos that have left the plan.
    pub(super) done: watch::Receiver<BTreeSet<VideoId>>,
}

/// What runs.
pub(super) struct Started {
    pub(super) tasks: JoinSet<()>,
    /// The steps that ask, or work on threads.
    pub(super) steps: Vec<Arc<Attempts>>,
}

/// Starts the tasks of `plan` over `videos`. They alone hold senders and reporters, so that each
/// end is seen.
pub(super) fn start(
    plan: &Plan,
    operators: Vec<Operator>,
    videos: &[VideoId],
    shared: &Shared,
) -> io::Result<Started> {
    let (mut tasks, mut steps) = (JoinSet::new(), Vec::new());
    let mut outages = BTreeMap::new();
    let backends = permit_pools(plan);
    let reading = source::originals_first(videos, &*shared.answers);
    let mut wires = wires(plan);
    for ((index, step), operator) in plan.steps().zip(operators) {
        let outlets = outlets(plan, index, &wires, shared);
        let (step, inputs) = (step.clone(), plan.inputs(index));
        let inbox = wires.get_mut(&index).and_then(|(_, inbox)| inbox.take());
        let (reporter, stop) = (shared.reporter.clone(), shared.stop.clone());
        match (operator, inbox) {
            (Operator::Source(source), _) => {
                let task = SourceTask {
                    step,
                    source,
                    outlets,
                    reporter,
                    stop,
                    collected: shared.collected.clone(),
                    done: shared.done.clone(),
                };
                spawn(&mut tasks, &shared.stop, task.run(reading.clone()));
            }
            (Operator::Fold(fold), Some(inbox)) => {
                let task = FoldTask {
                    step,
                    fold,
                    inputs,
                    outlets,
                    reporter,
                    stop,
                };
                spawn(&mut tasks, &shared.stop, task.run(inbox));
            }
            (operator, Some(inbox)) => {
                let outage = outage(&operator, &mut outages);
                let attempts = match attempts(step, operator, &backends, outage, shared)? {
                    Some(attempts) => Arc::new(attempts),
                    None => continue,
                };
                steps.push(Arc::clone(&attempts));
                let task = MapTask {
                    attempts,
                    inputs,
                    outlets,
                };
                spawn(&mut tasks, &shared.stop, task.run(inbox));
            }
            (_, None) => {}
        }
    }
    Ok(Started { tasks, steps })
}

// The permits of each backend, which several steps share.
fn permit_pools(plan: &Plan) -> BTreeMap<BackendName, Arc<PermitPool>> {
    let limits = plan.backends().iter();
    limits
        .map(|(name, &limit)| (name.clone(), Arc::new(PermitPool::new(limit))))
        .collect()
}

// Steps that ask at one address are met by the same outages.
fn outage(operator: &Operator, outages: &mut BTreeMap<String, Arc<Outage>>) -> Arc<Outage> {
    match operator {
        Operator::Call(call) => Arc::clone(outages.entry(call.address()).or_default()),
        _ => Arc::default(),
    }
}

/// A task that breaks down ends the run: what it held is lost.
pub(super) fn spawn(
    tasks: &mut JoinSet<()>,
    stop: &StopSignal,
    task: impl Future<Output = ()> + Send + 'static,
) {
    let stop = stop.clone();
    tasks.spawn(async move {
        if let Err(panic) = caught_in(task).await {
            stop.finish(StopReason::Failed(panic));
        }
    });
}

fn attempts(
    step: Step,
    operator: Operator,
    backends: &BTreeMap<BackendName, Arc<PermitPool>>,
    outage: Arc<Outage>,
    shared: &Shared,
) -> io::Result<Option<Attempts>> {
    let (worker, goes_alone) = match operator {
        Operator::Map(map) => {
            let threads = MapThreads::start(&step.id, step.limit.max, &map)?;
            (Worker::Threads { threads, map }, false)
        }
        Operator::Call(call) => {
            let goes_alone = call.first_goes_alone();
            (Worker::Calls(call), goes_alone)
        }
        Operator::Source(_) | Operator::Fold(_) => return Ok(None),
    };
    let backend = step.backend.as_ref().and_then(|name| backends.get(name));
    Ok(Some(Attempts {
        permits: Permits::new(step.limit.start, backend.cloned()),
        step,
        worker,
        reporter: shared.reporter.clone(),
        stop: shared.stop.clone(),
        gate: Arc::clone(&shared.gate),
        answers: Arc::clone(&shared.answers),
        first: FirstRequest::new(goes_alone),
        history: AnswerHistory::default(),
        outage,
    }))
}

fn outlets(plan: &Plan, step: StepIndex, wires: &Wires, shared: &Shared) -> Outlets {
    let edges = plan.edges(step).into_iter();
    let edges = edges.filter_map(|(kind, to)| Some((kind, wires.get(&to)?.0.clone())));
    Outlets {
        edges: edges.collect(),
        reporter: shared.reporter.clone(),
    }
}

type Wires = BTreeMap<StepIndex, (mpsc::Sender<Message>, Option<Inbox>)>;

fn wires(plan: &Plan) -> Wires {
    plan.steps()
        .map(|(index, step)| {
            let (sender, inbox) = mpsc::channel(step.inbox);
            (index, (sender, Some(inbox)))
        })
        .collect()
}
