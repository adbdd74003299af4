//! A slot: does one job after another.

use super::store::JobStore;
use super::store::Outcome;
use super::store::Taken;
use crate::serve::Handler;
use crate::serve::JobError;
use crate::serve::Updates;
use serde_json::Value;
use std::sync::Arc;
use tokio::task::JoinError;
use tokio::task::JoinHandle;

/// Does jobs for as long as it is polled.
pub(in crate::serve::http) async fn work(
    slot: usize,
    jobs: Arc<JobStore>,
    handler: Arc<dyn Handler>,
) {
    loop {
        let taken = jobs.take(slot).await;
        let id = taken.job.id.clone();
        if let Some(outcome) = outcome(taken, &jobs, &handler).await {
            jobs.finish(&id, outcome);
        }
    }
}

// Work that ends with whoever waits for it.
struct Work(JoinHandle<Result<Value, JobError>>);

impl Drop for Work {
    fn drop(&mut self) {
        self.0.abort();
    }
}

// None where nobody wants it any more.
async fn outcome(mut taken: Taken, jobs: &JobStore, handler: &Arc<dyn Handler>) -> Option<Outcome> {
    let (updates, mut told) = Updates::pair();
    let (handler, job) = (Arc::clone(handler), Arc::clone(&taken.job));
    // A task of its own, so that a panic of the handler is the error of this job alone.
    let task = tokio::spawn(async move { handler.handle(&job, updates).await });
    let mut work = Work(task);
    let limit = tokio::time::sleep(taken.limit);
    tokio::pin!(limit);
    let mut listens = true;
    let done = loop {
        tokio::select! {
            biased;
            _ = &mut taken.stop => return None,
            update = told.recv(), if listens => match update {
                Some(update) => if let Err(why) = jobs.hear(&taken.job.id, &update) {
                    return Some(Outcome::Error(why));
                },
                None => listens = false,
            },
            done = &mut work.0 => break done,
            () = &mut limit => return Some(Outcome::TimedOut),
        }
    };
    // What it told with its last breath.
    while let Ok(update) = told.try_recv() {
        if let Err(why) = jobs.hear(&taken.job.id, &update) {
            return Some(Outcome::Error(why));
        }
    }
    Some(of(done))
}

fn of(done: Result<Result<Value, JobError>, JoinError>) -> Outcome {
    match done {
        Ok(Ok(output)) => Outcome::Output(output),
        Ok(Err(JobError(why))) => Outcome::Error(why),
        Err(error) => {
            tracing::error!(%error, "the handler of a job has a defect");
            Outcome::Error("the worker has a defect: the job ended in a panic".to_owned())
        }
    }
}
