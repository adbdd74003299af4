//! A run: from the first task to the last, and what the caller is told meanwhile.

use crate::engine::answers::Answers;
use crate::engine::collect::Collected;
use crate::engine::collect::collect;
use crate::engine::conductor::Conductor;
use crate::engine::conductor::Notification;
use crate::engine::gate::Gate;
use crate::engine::operator::Operator;
use crate::engine::panics::caught;
use crate::engine::stop::StopReason;
use crate::engine::stop::StopSignal;
use crate::engine::tasks;
use crate::engine::tasks::Shared;
use crate::engine::tasks::Started;
use crate::event::Event;
use crate::name::VideoId;
use crate::plan::Plan;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long what runs is collected after a first stop.
const GRACE: Duration = Duration::from_secs(10);

const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// Runs a plan over `videos` and passes everything that happens to `notify`, in order.
///
/// `operators` says what each step does, in the order of [`Plan::steps`]. What a server has accepted
/// in an earlier run is collected before any video is read. Returns when every video that
/// was opened has left the plan; after a [`StopSignal`], what was not done has left it as skipped. Every
/// request passes `gate`; what has an answer among `answers` is not asked again. A panic, wherever it happens, stops the run like a failure.
///
/// # Errors
///
/// Where the machine has no threads left.
pub async fn run(
    plan: &Plan,
    operators: Vec<Operator>,
    videos: &[VideoId],
    stop: &StopSignal,
    gate: &Arc<dyn Gate>,
    answers: &Arc<dyn Answers>,
    notify: &mut dyn FnMut(Notification),
) -> io::Result<()> {
    let exits = plan
        .steps()
        .filter(|(index, _)| plan.edges(*index).is_empty());
    let (reporter, mut conductor) = Conductor::new(exits.count(), answers, stop);
    let (collecting, collected) = Collected::new();
    let shared = Shared {
        reporter,
        stop: stop.clone(),
        gate: Arc::clone(gate),
        answers: Arc::clone(answers),
        collected,
        done: conductor.done(),
    };
    let open = answers.open_tickets().unwrap_or_else(|failure| {
        stop.finish(StopReason::Failed(failure));
        Vec::new()
    });
    let Started { mut tasks, steps } = tasks::start(plan, operators, videos, &shared)?;
    let collect = collect(steps, open, shared.reporter.clone(), collecting);
    tasks::spawn(&mut tasks, stop, collect);
    drop(shared);
    let mut caller = Caller { notify, stop };
    tell(&mut conductor, stop, &mut caller).await;
    // What broke down has stopped the run already.
    while tasks.join_next().await.is_some() {}
    Ok(())
}

// The caller of the run. Where it panics, the run is stopped, and it is told the rest.
struct Caller<'a> {
    notify: &'a mut dyn FnMut(Notification),
    stop: &'a StopSignal,
}

impl Caller<'_> {
    fn hear(&mut self, notification: Notification) {
        if let Err(panic) = caught(|| (self.notify)(notification)) {
            self.stop.finish(StopReason::Failed(panic));
        }
    }
}

// Until the last step is gone. After a first stop it waits a little and then for nothing; for what
// is paid and fits the budget it waits as long as its own time limits let it.
async fn tell(conductor: &mut Conductor, stop: &StopSignal, caller: &mut Caller<'_>) {
    let mut deadline = None;
    loop {
        tokio::select! {
            biased;
            () = stop.stopping(), if deadline.is_none() => {
                caller.hear(Notification::Event(stopping(stop)));
                let grace = if stop.collects() { FOR_EVER } else { GRACE };
                deadline = Some(Instant::now() + grace);
            }
            next = conductor.next() => match next {
                Some(notification) => caller.hear(notification),
                None => return,
            },
            () = until(deadline), if deadline.is_some() => {
                stop.abort();
                deadline = Some(Instant::now() + FOR_EVER);
            }
        }
    }
}

fn stopping(stop: &StopSignal) -> Event {
    let reason = stop.reason();
    Event::Stopping {
        why: reason
            .as_ref()
            .map(StopReason::to_string)
            .unwrap_or_default(),
        help: match reason {
            Some(StopReason::Failed(failure)) => failure.help,
            _ => None,
        },
    }
}

async fn until(deadline: Option<Instant>) {
    if let Some(deadline) = deadline {
        tokio::time::sleep_until(deadline).await;
    }
}
