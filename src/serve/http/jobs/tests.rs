//! What becomes of jobs as time goes by, on a clock of the test's own.

use super::JobStore;
use super::NotRetried;
use super::Policy;
use super::Refused;
use super::work;
use crate::serve::Handler;
use crate::serve::HandlerFuture;
use crate::serve::Job;
use crate::serve::JobError;
use crate::serve::Updates;
use bytes::Bytes;
use serde_json::Value;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

const KEEP: Duration = Duration::from_secs(60);

// Takes as long as the input says and gives what it says.
struct Sleeper;

impl Handler for Sleeper {
    fn handle<'a>(&'a self, job: &'a Job, _: Updates) -> HandlerFuture<'a> {
        Box::pin(async move {
            let seconds = job.input["seconds"].as_u64().unwrap_or(0);
            sleep(Duration::from_secs(seconds)).await;
            let letters = job.input["letters"].as_u64();
            match (job.input.get("error"), letters) {
                (Some(error), _) => Err(JobError(error.to_string())),
                (None, Some(letters)) => Ok(json!("x".repeat(letters as usize))),
                (None, None) => Ok(job.input["output"].clone()),
            }
        })
    }

    fn streams(&self, _: &Job) -> bool {
        false
    }
}

fn store(waiting: usize, bytes: usize) -> Arc<JobStore> {
    Arc::new(JobStore::new(waiting, bytes))
}

fn at_work(jobs: &Arc<JobStore>) {
    tokio::spawn(work(1, Arc::clone(jobs), Arc::new(Sleeper)));
}

fn submit(jobs: &JobStore, input: Value, policy: &Value) -> Result<String, Refused> {
    let policy = Policy::read(Some(policy)).unwrap();
    let size = jobs.reserve(input.to_string().len()).ok_or(Refused::Full)?;
    jobs.submit(input, size, "", KEEP, policy)
}

fn read(said: Option<Bytes>) -> Value {
    said.map_or(Value::Null, |said| serde_json::from_slice(&said).unwrap())
}

async fn ended(jobs: &JobStore, id: &str) -> Value {
    read(jobs.ended(id, Duration::from_secs(3600)).await)
}

async fn seconds(count: u64) {
    sleep(Duration::from_secs(count)).await;
}

#[tokio::test(start_paused = true)]
async fn a_result_says_how_long_it_took_and_is_kept_for_its_time() {
    let jobs = store(8, 1 << 20);
    let id = submit(&jobs, json!({ "seconds": 3, "output": [1] }), &json!({})).unwrap();
    assert_eq!(
        read(jobs.status(&id)),
        json!({ "id": id, "status": "IN_QUEUE" })
    );
    seconds(2).await;
    at_work(&jobs);
    seconds(1).await;
    let running =
        json!({ "id": id, "status": "IN_PROGRESS", "delayTime": 2000, "workerId": "vpipe-1" });
    assert_eq!(read(jobs.status(&id)), running);
    let done = json!({
        "id": id, "status": "COMPLETED", "delayTime": 2000, "executionTime": 3000,
        "workerId": "vpipe-1", "output": [1],
    });
    assert_eq!(ended(&jobs, &id).await, done);
    seconds(59).await;
    assert_eq!(read(jobs.status(&id)), done);
    seconds(2).await;
    assert_eq!(jobs.status(&id), None);
    assert_eq!(jobs.counts().known, 0);
    assert_eq!(jobs.counts().bytes, 0);
}

#[tokio::test(start_paused = true)]
async fn no_job_runs_or_lives_longer_than_its_policy() {
    let jobs = store(8, 1 << 20);
    at_work(&jobs);
    let hour = json!({ "seconds": 3600 });
    let id = submit(&jobs, hour.clone(), &json!({ "executionTimeout": 5000 })).unwrap();
    let said = ended(&jobs, &id).await;
    assert_eq!(said["status"], "TIMED_OUT");
    assert_eq!(said["executionTime"], 5000);
    assert_eq!(said["error"], "job timed out");
    // The life of a job ends it while it runs, and while it waits.
    let running = submit(&jobs, hour.clone(), &json!({ "ttl": 10_000 })).unwrap();
    let waiting = submit(&jobs, hour, &json!({ "ttl": 9000 })).unwrap();
    seconds(8).await;
    assert_eq!(read(jobs.status(&running))["status"], "IN_PROGRESS");
    assert_eq!(read(jobs.status(&waiting))["status"], "IN_QUEUE");
    seconds(3).await;
    assert_eq!((jobs.status(&running), jobs.status(&waiting)), (None, None));
    // The slot is free for the next one.
    let next = submit(&jobs, json!({ "output": 1 }), &json!({})).unwrap();
    assert_eq!(ended(&jobs, &next).await["output"], 1);
    assert_eq!(jobs.counts().running, 0);
}

#[tokio::test(start_paused = true)]
async fn only_what_has_failed_is_done_again() {
    let jobs = store(8, 1 << 20);
    at_work(&jobs);
    let id = submit(&jobs, json!({ "seconds": 1, "error": "no" }), &json!({})).unwrap();
    let failed = ended(&jobs, &id).await;
    assert_eq!(
        (&failed["status"], &failed["error"]),
        (&json!("FAILED"), &json!("\"no\""))
    );
    let again = read(jobs.retry(&id).ok());
    assert_eq!(
        again,
        json!({ "id": id, "status": "IN_QUEUE", "retries": 1 })
    );
    seconds(2).await;
    let failed = read(jobs.status(&id));
    assert_eq!(
        (&failed["status"], &failed["retries"]),
        (&json!("FAILED"), &json!(1))
    );
    let done = submit(&jobs, json!({ "output": 1 }), &json!({})).unwrap();
    ended(&jobs, &done).await;
    assert_eq!(jobs.retry(&done), Err(NotRetried::Status("COMPLETED")));
    assert_eq!(jobs.retry("nobody"), Err(NotRetried::Unknown));
    assert_eq!(jobs.counts().tally.retried, 1);
}

#[tokio::test(start_paused = true)]
async fn what_waits_and_what_is_known_have_a_number() {
    let jobs = store(2, 1 << 20);
    let one = || submit(&jobs, json!({ "output": 1 }), &json!({}));
    let first = one().unwrap();
    one().unwrap();
    assert_eq!(one(), Err(Refused::Full));
    jobs.cancel(&first).unwrap();
    assert_eq!(read(jobs.status(&first))["status"], "CANCELLED");
    one().unwrap();
    assert_eq!(jobs.purge(), 2);
    // What was cancelled makes room for what comes.
    for _ in 0..100 {
        let id = one().unwrap();
        jobs.cancel(&id).unwrap();
    }
    assert_eq!(jobs.counts().known, 32);
    // Results that nobody has read are kept; those that somebody has make room.
    let mut unread = Vec::new();
    at_work(&jobs);
    while let Ok(id) = one() {
        seconds(1).await;
        unread.push(id);
        assert!(unread.len() < 100);
    }
    assert_eq!(jobs.counts().known, 32);
    assert_eq!(ended(&jobs, &unread[5]).await["output"], 1);
    one().unwrap();
    assert_eq!(jobs.status(&unread[5]), None);
    assert_eq!(read(jobs.status(&unread[4]))["output"], 1);
    jobs.close();
    assert_eq!(one(), Err(Refused::Closed));
}

#[tokio::test(start_paused = true)]
async fn jobs_and_results_have_a_memory() {
    let jobs = store(100, 10_000);
    let long = json!({ "output": "x".repeat(4000) });
    let first = submit(&jobs, long.clone(), &json!({})).unwrap();
    let second = submit(&jobs, long.clone(), &json!({})).unwrap();
    assert_eq!(submit(&jobs, long.clone(), &json!({})), Err(Refused::Full));
    at_work(&jobs);
    assert_eq!(ended(&jobs, &second).await["status"], "COMPLETED");
    // The second one was read, so it makes room; the first one is kept.
    let third = submit(&jobs, long, &json!({})).unwrap();
    assert_eq!(jobs.status(&second), None);
    assert_eq!(
        ended(&jobs, &first).await["output"].as_str().unwrap().len(),
        4000
    );
    assert_eq!(ended(&jobs, &third).await["status"], "COMPLETED");
    let larger = submit(&jobs, json!({ "letters": 20_000 }), &json!({})).unwrap();
    let said = ended(&jobs, &larger).await;
    assert_eq!(said["status"], "FAILED");
    assert!(
        said["error"]
            .as_str()
            .unwrap()
            .contains("larger than the memory"),
        "{said}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_job_is_not_worked_on() {
    let jobs = store(8, 1 << 20);
    at_work(&jobs);
    let id = submit(&jobs, json!({ "seconds": 3600 }), &json!({})).unwrap();
    seconds(7).await;
    let said = read(jobs.cancel(&id));
    assert_eq!(said["status"], "CANCELLED");
    assert_eq!(said["executionTime"], 7000);
    assert!(jobs.is_at_rest());
    let next = submit(&jobs, json!({ "output": 1 }), &json!({})).unwrap();
    assert_eq!(ended(&jobs, &next).await["delayTime"], 0);
    // It stays as it is.
    assert_eq!(read(jobs.cancel(&next))["status"], "COMPLETED");
    assert_eq!(jobs.cancel("nobody"), None);
}
