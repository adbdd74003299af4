//! The calls: what each of them does to the state, and what a fault makes of that.

use super::At;
use super::Call;
use super::Fault;
use super::KEY;
use super::Post;
use super::Shared;
use super::State;
use super::line::cut;
use axum::Json;
use axum::extract::Path;
use axum::extract::Query;
use axum::extract::State as Extracted;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::Response;
use bytes::Bytes;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;
use tokio::time::sleep;
use tokio::time::timeout_at;

type Words = Query<BTreeMap<String, String>>;

/// `job-take` and `job-take-batch`.
pub(super) async fn take(
    Extracted(shared): Extracted<Shared>,
    Path(worker): Path<String>,
    Query(words): Words,
    headers: HeaderMap,
) -> Response {
    let fault = shared.begin(Call::Take, &headers);
    if let Some(response) = refusal(fault) {
        return response;
    }
    if let Fault::Slow(pause) = fault {
        sleep(pause).await;
    }
    let most: usize = words
        .get("batch_size")
        .map_or(1, |size| size.parse().unwrap());
    let end = Instant::now() + shared.hold;
    let mut changes = shared.changes.subscribe();
    let jobs = loop {
        let jobs = shared.change_quietly(|state| state.hand_out(&worker, most, fault));
        if !jobs.is_empty() {
            break jobs;
        }
        if timeout_at(end, changes.changed()).await.is_err() {
            return StatusCode::NO_CONTENT.into_response();
        }
    };
    shared.change(|_| ());
    let body = match words.contains_key("batch_size") {
        true => json!(jobs),
        false => jobs[0].clone(),
    };
    match fault {
        Fault::Cut => cut(),
        Fault::Half => {
            let text = body.to_string();
            let half = text.split_at(text.len() / 2).0.to_owned();
            ([("content-type", "application/json")], half).into_response()
        }
        _ => Json(body).into_response(),
    }
}

/// `job-stop`.
pub(super) async fn stop(
    Extracted(shared): Extracted<Shared>,
    Path(worker): Path<String>,
    headers: HeaderMap,
) -> Response {
    let fault = shared.begin(Call::Stop, &headers);
    if let Some(response) = refusal(fault) {
        return response;
    }
    let end = Instant::now() + shared.hold;
    let mut changes = shared.changes.subscribe();
    loop {
        let stops = shared.change_quietly(|state| state.stops.remove(&worker));
        if let Some(stops) = stops {
            return Json(json!({ "jobsToStop": stops })).into_response();
        }
        if timeout_at(end, changes.changed()).await.is_err() {
            return StatusCode::NO_CONTENT.into_response();
        }
    }
}

/// `ping`.
pub(super) async fn ping(
    Extracted(shared): Extracted<Shared>,
    Path(worker): Path<String>,
    Query(words): Words,
    headers: HeaderMap,
) -> Response {
    let fault = shared.begin(Call::Ping, &headers);
    if let Some(response) = refusal(fault) {
        return response;
    }
    let named = words.get("job_id").map(String::as_str).unwrap_or_default();
    let named = named.split(',').filter(|id| !id.is_empty());
    let named: Vec<String> = named.map(str::to_owned).collect();
    shared.change(|state| state.heard(&worker, named));
    match fault {
        Fault::Cut => cut(),
        _ => StatusCode::OK.into_response(),
    }
}

/// `job-done`, with an answer or with how far a job is.
pub(super) async fn done(
    Extracted(shared): Extracted<Shared>,
    Path((worker, job)): Path<(String, String)>,
    Query(words): Words,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap();
    let call = match body["status"] == "IN_PROGRESS" {
        true => Call::Progress,
        false => Call::Done,
    };
    posted(shared, call, (worker, job), &words, &headers, body).await
}

/// `job-stream`.
pub(super) async fn stream(
    Extracted(shared): Extracted<Shared>,
    Path((worker, job)): Path<(String, String)>,
    Query(words): Words,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap();
    posted(shared, Call::Chunk, (worker, job), &words, &headers, body).await
}

async fn posted(
    shared: Shared,
    call: Call,
    (worker, id): (String, String),
    words: &BTreeMap<String, String>,
    headers: &HeaderMap,
    body: Value,
) -> Response {
    let fault = shared.begin(call, headers);
    let is_named = headers
        .get("x-request-id")
        .is_some_and(|named| named == id.as_str());
    let over = shared
        .state
        .lock()
        .unwrap()
        .jobs
        .get(&id)
        .and_then(|job| job.is_over);
    let refusal = match over {
        Some(status) => refusal(Fault::Status(status)),
        None => refusal(fault),
    };
    let post = Post {
        call,
        worker,
        body,
        is_stream: words["isStream"] == "true",
        was_told: false,
        is_taken: refusal.is_none(),
    };
    let taken = shared.change(|state| {
        if !is_named {
            state.wrong.push(format!("{id}: a post without its id"));
        }
        state.post(&id, post)
    });
    let Some(number) = taken else {
        return (StatusCode::NOT_FOUND, "job not found").into_response();
    };
    if let Some(response) = refusal {
        return response;
    }
    match fault {
        Fault::Cut => return cut(),
        Fault::CutThen(status) => {
            shared.change(|state| state.jobs.get_mut(&id).unwrap().is_over = Some(status));
            return cut();
        }
        Fault::Slow(pause) => sleep(pause).await,
        _ => {}
    }
    shared.change(|state| state.jobs.get_mut(&id).unwrap().posts[number].was_told = true);
    StatusCode::OK.into_response()
}

// What a fault answers in place of doing anything.
fn refusal(fault: Fault) -> Option<Response> {
    Some(match fault {
        Fault::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Fault::TooMany(milliseconds) => {
            let pause = Duration::from_millis(milliseconds)
                .as_secs_f64()
                .to_string();
            let headers = [("retry-after", pause)];
            (StatusCode::TOO_MANY_REQUESTS, headers).into_response()
        }
        Fault::Lost => cut(),
        Fault::Page => {
            let headers = [("content-type", "text/html")];
            (headers, "<html>sign in</html>").into_response()
        }
        Fault::Fine
        | Fault::Cut
        | Fault::CutThen(_)
        | Fault::Slow(_)
        | Fault::Half
        | Fault::Again => return None,
    })
}

impl Shared {
    fn begin(&self, call: Call, headers: &HeaderMap) -> Fault {
        let key = headers.get("authorization");
        let is_right = key.is_some_and(|key| key == KEY);
        self.change(|state| {
            if !is_right {
                state.wrong.push(format!("{call:?} with another key"));
            }
            *state.calls.entry(call).or_default() += 1;
            state.faults.next(call)
        })
    }

    // Without waking who waits for a change: nothing may have changed.
    fn change_quietly<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap())
    }
}

impl State {
    fn hand_out(&mut self, worker: &str, most: usize, fault: Fault) -> Vec<Value> {
        let has = |at: &At| matches!(at, At::Worker(name, _) if name == worker);
        let again = self.jobs.iter().find(|(_, job)| has(&job.at));
        if let (Fault::Again, Some((id, job))) = (fault, again) {
            return vec![json!({ "id": id, "input": job.input })];
        }
        let count = most.min(self.queue.len());
        let ids: Vec<String> = self.queue.drain(..count).collect();
        let hand = |id: String| {
            let job = self.jobs.get_mut(&id).unwrap();
            job.handed += 1;
            job.handed_at.get_or_insert_with(Instant::now);
            job.at = At::Worker(worker.to_owned(), 0);
            json!({ "id": id, "input": job.input, "webhook": null })
        };
        ids.into_iter().map(hand).collect()
    }

    fn heard(&mut self, worker: &str, named: Vec<String>) {
        let mut missed = Vec::new();
        for (id, job) in &mut self.jobs {
            if let At::Worker(name, misses) = &mut job.at
                && name == worker
            {
                let is_named = named.contains(id);
                *misses = if is_named { 0 } else { *misses + 1 };
                if *misses == super::MOST_MISSES {
                    missed.push(id.clone());
                }
            }
        }
        missed.iter().for_each(|id| self.queue_again(id));
        self.named.insert(worker.to_owned(), named);
    }

    // Where it stands among the posts of its job; `None` where there is no such job.
    fn post(&mut self, id: &str, post: Post) -> Option<usize> {
        let job = self.jobs.get_mut(id)?;
        let earlier: Vec<&Post> = job
            .posts
            .iter()
            .filter(|it| it.call == Call::Done && it.is_taken)
            .collect();
        let what = post.call;
        match earlier.last() {
            Some(last) if last.was_told => {
                self.wrong.push(format!("{id}: {what:?} after it was done"));
            }
            // What was not told may come again, and is the same then.
            Some(last) if what == Call::Done && last.body != post.body => {
                self.wrong.push(format!("{id}: two answers that differ"));
            }
            _ => {}
        }
        if what == Call::Done && post.is_taken && job.at != At::Cancelled {
            job.at = At::Answered(post.body.get("output").is_some());
            job.answered_at.get_or_insert_with(Instant::now);
        }
        job.posts.push(post);
        Some(job.posts.len() - 1)
    }
}
