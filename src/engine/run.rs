//! A run: one task a step, joined as the plan says, until the last video is through.

use crate::engine::attempt::Attempts;
use crate::engine::attempt::Worker;
use crate::engine::conductor::Conductor;
use crate::engine::conductor::Said;
use crate::engine::fold::FoldTask;
use crate::engine::gate::Gate;
use crate::engine::lanes::Lanes;
use crate::engine::map::MapTask;
use crate::engine::permits::Permits;
use crate::engine::source::SourceTask;
use crate::engine::stop::Stop;
use crate::engine::wire::Inbox;
use crate::engine::wire::Message;
use crate::engine::wire::Outlets;
use crate::engine::work::Work;
use crate::event::Event;
use crate::name::VideoId;
use crate::plan::Plan;
use crate::plan::Step;
use crate::plan::StepIndex;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How long what runs is collected after a first stop.
const GRACE: Duration = Duration::from_secs(10);

const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// Runs a plan over `videos` and tells `said` everything that happens, in order.
///
/// `works` says what each step does, in the order of [`Plan::steps`]. Returns when every video that was opened has left the
/// plan; after a [`Stop`], what was not done has left it as skipped. Every request passes `gate`.
///
/// # Errors
///
/// Where the machine has no threads left.
pub async fn run(
    plan: &Plan,
    works: Vec<Work>,
    videos: &[VideoId],
    stop: &Stop,
    gate: &Arc<dyn Gate>,
    said: &mut dyn FnMut(Said),
) -> io::Result<()> {
    let exits = plan
        .steps()
        .filter(|(index, _)| plan.edges(*index).is_empty());
    let (reporter, mut conductor) = Conductor::new(exits.count());
    let mut tasks = JoinSet::new();
    let backends: BTreeMap<_, _> = plan
        .backends()
        .iter()
        .map(|(name, &limit)| (name.clone(), Arc::new(Semaphore::new(limit))))
        .collect();
    let mut inboxes = inboxes(plan);
    for ((index, step), work) in plan.steps().zip(works) {
        let edges = plan.edges(index).into_iter();
        let edges = edges
            .filter_map(|(kind, to)| Some((kind, inboxes.get(&to)?.0.clone())))
            .collect();
        let outlets = Outlets {
            edges,
            reporter: reporter.clone(),
        };
        let backend = step
            .backend
            .as_ref()
            .and_then(|name| backends.get(name))
            .cloned();
        let (step, inputs) = (step.clone(), plan.inputs(index));
        let (reporter, stop, gate) = (reporter.clone(), stop.clone(), Arc::clone(gate));
        let inbox = inboxes.get_mut(&index).and_then(|(_, inbox)| inbox.take());
        match (work, inbox) {
            (Work::Source(source), _) => {
                let task = SourceTask {
                    step,
                    source,
                    outlets,
                    reporter,
                    stop,
                };
                tasks.spawn(task.run(videos.to_vec()));
            }
            (Work::Fold(fold), Some(inbox)) => {
                let task = FoldTask {
                    step,
                    fold,
                    inputs,
                    outlets,
                    reporter,
                };
                tasks.spawn(task.run(inbox));
            }
            (work, Some(inbox)) => {
                let permits = Permits::new(step.limit.start, backend);
                let Some(worker) = worker(&step, work)? else {
                    continue;
                };
                let attempts = Arc::new(Attempts {
                    step,
                    worker,
                    permits,
                    reporter,
                    stop,
                    gate,
                    met: AtomicBool::new(false),
                });
                tasks.spawn(
                    MapTask {
                        attempts,
                        inputs,
                        outlets,
                    }
                    .run(inbox),
                );
            }
            (_, None) => {}
        }
    }
    // From here on only the steps hold senders and reporters, so each end is seen.
    drop(inboxes);
    drop(reporter);
    listen(&mut conductor, stop, said).await;
    tasks.join_all().await;
    Ok(())
}

// Until the last step is gone. After a first stop it waits a little and then for nothing; for what
// is paid and fits the budget it waits as long as its own time limits let it.
async fn listen(conductor: &mut Conductor, stop: &Stop, said: &mut dyn FnMut(Said)) {
    let mut deadline = None;
    loop {
        tokio::select! {
            biased;
            () = stop.stopping(), if deadline.is_none() => {
                let why = stop.reason().map(|reason| reason.to_string()).unwrap_or_default();
                said(Said::Event(Event::Stopping { why }));
                let grace = if stop.collects() { FOR_EVER } else { GRACE };
                deadline = Some(Instant::now() + grace);
            }
            next = conductor.next() => match next {
                Some(next) => said(next),
                None => return,
            },
            () = until(deadline), if deadline.is_some() => {
                stop.abort();
                deadline = Some(Instant::now() + FOR_EVER);
            }
        }
    }
}

async fn until(deadline: Option<Instant>) {
    if let Some(deadline) = deadline {
        tokio::time::sleep_until(deadline).await;
    }
}

type Wires = BTreeMap<StepIndex, (mpsc::Sender<Message>, Option<Inbox>)>;

fn inboxes(plan: &Plan) -> Wires {
    plan.steps()
        .map(|(index, step)| {
            let (sender, inbox) = mpsc::channel(step.inbox);
            (index, (sender, Some(inbox)))
        })
        .collect()
}

fn worker(step: &Step, work: Work) -> io::Result<Option<Worker>> {
    Ok(match work {
        Work::Map(map) => {
            let lanes = Lanes::start(&step.id, step.limit.max, &map)?;
            Some(Worker::Threads { lanes, map })
        }
        Work::Call(call) => Some(Worker::Calls(call)),
        Work::Source(_) | Work::Fold(_) => None,
    })
}
