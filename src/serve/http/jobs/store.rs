//! The jobs of a server: a queue of bounded length, what is at work, and results for a while.
//!
//! Whatever happens to a job happens here, under one lock. Does not know what does the jobs.

use super::entry::End;
use super::entry::EndStatus;
use super::entry::Entry;
use super::entry::Execution;
use super::entry::Phase;
use super::ids::Ids;
use super::memory;
use super::memory::Held;
use super::memory::Memory;
use super::memory::Reservation;
use super::policy::Policy;
use super::tally;
use super::tally::Tally;
use crate::serve::Job;
use crate::serve::Update;
use bytes::Bytes;
use serde_json::Value;
use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::oneshot;
use tokio::sync::watch;
use tokio::time::Instant;

/// So many jobs are known at once for each that may wait: most of them are results.
const KNOWN_PER_WAITING: usize = 16;

/// All jobs of a server.
#[derive(Debug)]
pub(in crate::serve::http) struct JobStore {
    jobs: Mutex<Jobs>,
    // Told once for every job that comes into the queue.
    arrived: Notify,
    ids: Ids,
    memory: Memory,
    most_waiting: usize,
}

#[derive(Debug, Default)]
struct Jobs {
    entries: HashMap<String, Entry>,
    queue: VecDeque<String>,
    running: usize,
    tally: Tally,
    closed: bool,
}

/// A job that was taken out of the queue to be done.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) job: Arc<Job>,
    /// How long it may take.
    pub(super) limit: Duration,
    /// Ready once nobody wants it to be done any more.
    pub(super) stop: oneshot::Receiver<()>,
}

/// What came of the work on a job.
#[derive(Debug)]
pub(super) enum Outcome {
    Output(Value),
    Error(String),
    TimedOut,
}

/// Why a job is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::serve::http) enum Refused {
    /// As many wait as may, or as many are known as may be.
    Full,
    /// The server is about to end.
    Closed,
}

/// Why a job is not done again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::serve::http) enum NotRetried {
    Unknown,
    /// It has not failed.
    Status(&'static str),
    Refused(Refused),
}

/// How the jobs of a server are, as numbers.
#[derive(Clone, Debug)]
pub(in crate::serve::http) struct JobCounts {
    pub(in crate::serve::http) waiting: usize,
    pub(in crate::serve::http) running: usize,
    pub(in crate::serve::http) known: usize,
    pub(in crate::serve::http) bytes: usize,
    pub(in crate::serve::http) most_bytes: usize,
    pub(in crate::serve::http) tally: Tally,
}

impl JobStore {
    /// One in which so many jobs may wait, and all together take so many bytes.
    pub(in crate::serve::http) fn new(most_waiting: usize, bytes: usize) -> Self {
        Self {
            jobs: Mutex::default(),
            arrived: Notify::new(),
            ids: Ids::new(),
            memory: Memory::of(bytes),
            most_waiting,
        }
    }

    /// Takes memory, where need be from results that somebody has read.
    pub(in crate::serve::http) fn reserve(&self, bytes: usize) -> Option<Reservation> {
        let reserved = self.memory.reserve(bytes);
        reserved.or_else(|| self.lock().reserve(bytes, &self.memory))
    }

    /// Puts a job into the queue. It is known for `keep` after its end. Gives its id.
    pub(in crate::serve::http) fn submit(
        &self,
        input: Value,
        size: Reservation,
        begin: &str,
        keep: Duration,
        policy: Policy,
    ) -> Result<String, Refused> {
        let id = self.ids.next(begin);
        let now = Instant::now();
        let frames = tally::frames(&input);
        let job = Job {
            id: id.clone(),
            input,
        };
        let entry = Entry {
            id: id.clone(),
            asked: Some((Arc::new(job), size)),
            frames,
            policy,
            keep,
            submitted: now,
            queued: now,
            retries: 0,
            phase: Phase::Queued,
            progress: None,
            chunks: VecDeque::new(),
            told: false,
            changed: watch::Sender::new(()),
        };
        let mut jobs = self.lock();
        jobs.may_enter(self.most_waiting)?;
        jobs.make_room(self.most_waiting)?;
        jobs.queue.push_back(id.clone());
        jobs.entries.insert(id.clone(), entry);
        drop(jobs);
        self.arrived.notify_one();
        Ok(id)
    }

    /// The next job, for the slot of this number, once there is one.
    pub(super) async fn take(&self, slot: usize) -> Taken {
        loop {
            let arrived = self.arrived.notified();
            if let Some(taken) = self.lock().take(slot) {
                // Others may have arrived with it.
                self.arrived.notify_one();
                return taken;
            }
            arrived.await;
        }
    }

    /// A job that is at work tells something.
    ///
    /// # Errors
    ///
    /// Where there is no memory for it: why, as a sentence.
    pub(super) fn hear(&self, id: &str, update: &Update) -> Result<(), String> {
        let value = match update {
            Update::Progress(value) | Update::Chunk(value) => value,
        };
        let text = memory::text(value);
        let size = self.reserve(text.len()).ok_or_else(too_large)?;
        let mut jobs = self.lock();
        let entry = jobs.entries.get_mut(id);
        let Some(entry) = entry.filter(|it| matches!(it.phase, Phase::Running(_))) else {
            return Ok(());
        };
        let held = Held::new(text, size);
        match update {
            Update::Progress(_) => entry.progress = Some(held),
            Update::Chunk(_) => entry.chunks.push_back(held),
        }
        entry.changed.send_replace(());
        Ok(())
    }

    /// The work on a job is over. Where nobody wanted it any more, nothing is noted.
    pub(super) fn finish(&self, id: &str, outcome: Outcome) {
        let (mut status, mut output, mut error) = (EndStatus::TimedOut, None, None);
        match outcome {
            Outcome::TimedOut => error = Some("job timed out".to_owned()),
            Outcome::Error(why) => (status, error) = (EndStatus::Failed, Some(why)),
            Outcome::Output(value) => {
                // What was asked makes room for what came of it.
                self.lock().asks_no_more(id);
                let text = memory::text(&value);
                match self.reserve(text.len()) {
                    Some(size) => {
                        (status, output) = (EndStatus::Completed, Some(Held::new(text, size)));
                    }
                    None => (status, error) = (EndStatus::Failed, Some(too_large())),
                }
            }
        }
        self.lock().end(id, status, output, error);
    }

    /// Ends a job that has not ended; `None` where it is not known. Gives what is said of it.
    pub(in crate::serve::http) fn cancel(&self, id: &str) -> Option<Bytes> {
        let mut jobs = self.lock();
        jobs.known(id)?;
        jobs.queue.retain(|waiting| waiting != id);
        jobs.end(id, EndStatus::Cancelled, None, None);
        jobs.known(id).map(|entry| entry.said())
    }

    /// Puts a job that has failed into the queue again.
    pub(in crate::serve::http) fn retry(&self, id: &str) -> Result<Bytes, NotRetried> {
        let mut jobs = self.lock();
        let entry = jobs.known(id).ok_or(NotRetried::Unknown)?;
        let status = entry.end().map(|end| end.status);
        let failed = matches!(status, Some(EndStatus::Failed | EndStatus::TimedOut));
        if !failed || entry.asked.is_none() {
            return Err(NotRetried::Status(entry.status()));
        }
        let may_enter = jobs.may_enter(self.most_waiting);
        may_enter.map_err(NotRetried::Refused)?;
        let entry = jobs.known(id).ok_or(NotRetried::Unknown)?;
        entry.phase = Phase::Queued;
        entry.queued = Instant::now();
        entry.retries += 1;
        entry.told = false;
        entry.progress = None;
        entry.chunks.clear();
        let said = entry.said();
        jobs.queue.push_back(id.to_owned());
        jobs.tally.retried += 1;
        drop(jobs);
        self.arrived.notify_one();
        Ok(said)
    }

    /// Cancels what waits, and says how many those were.
    pub(in crate::serve::http) fn purge(&self) -> usize {
        let mut jobs = self.lock();
        let waiting = std::mem::take(&mut jobs.queue);
        for id in &waiting {
            jobs.end(id, EndStatus::Cancelled, None, None);
        }
        waiting.len()
    }

    /// What is said of a job, where it is known.
    pub(in crate::serve::http) fn status(&self, id: &str) -> Option<Bytes> {
        self.lock().known(id).map(|entry| {
            entry.told |= entry.end().is_some();
            entry.said()
        })
    }

    /// The same once it has ended, or after `wait`.
    pub(in crate::serve::http) async fn ended(&self, id: &str, wait: Duration) -> Option<Bytes> {
        self.until(id, wait, |entry| entry.end().is_some()).await;
        self.status(id)
    }

    /// What is new of the output of a job, once something is, it has ended, or after `wait`.
    pub(in crate::serve::http) async fn stream(&self, id: &str, wait: Duration) -> Option<Bytes> {
        let is_new = |entry: &Entry| entry.end().is_some() || !entry.chunks.is_empty();
        self.until(id, wait, is_new).await;
        self.lock().known(id).map(|entry| {
            entry.told |= entry.end().is_some();
            entry.streamed()
        })
    }

    async fn until(&self, id: &str, wait: Duration, is_so: impl Fn(&Entry) -> bool) {
        let waiting = async {
            loop {
                let mut changed = match self.lock().known(id) {
                    Some(entry) if !is_so(entry) => entry.changed.subscribe(),
                    _ => return,
                };
                if changed.changed().await.is_err() {
                    return;
                }
            }
        };
        // It is no error that the time is over.
        tokio::time::timeout(wait, waiting).await.unwrap_or(());
    }

    /// Forgets what is over.
    pub(in crate::serve::http) fn sweep(&self) {
        let now = Instant::now();
        let mut jobs = self.lock();
        let over = jobs.entries.values().filter(|entry| entry.is_over(now));
        let over: Vec<String> = over.map(|entry| entry.id.clone()).collect();
        for id in over {
            jobs.forget(&id);
        }
    }

    /// Accepts no more jobs, and cancels what waits.
    pub(in crate::serve::http) fn close(&self) {
        self.lock().closed = true;
        self.purge();
    }

    /// Whether nothing is at work.
    pub(in crate::serve::http) fn is_at_rest(&self) -> bool {
        self.lock().running == 0
    }

    /// Whether somebody was told of every end.
    pub(in crate::serve::http) fn all_told(&self) -> bool {
        self.lock().entries.values().all(|entry| entry.told)
    }

    /// How all are.
    pub(in crate::serve::http) fn counts(&self) -> JobCounts {
        let jobs = self.lock();
        JobCounts {
            waiting: jobs.queue.len(),
            running: jobs.running,
            known: jobs.entries.len(),
            bytes: self.memory.taken(),
            most_bytes: self.memory.all(),
            tally: jobs.tally.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn too_large() -> String {
    "the output is larger than the memory that this server has left for results".to_owned()
}

impl Jobs {
    // A job that is over is not known, whether or not it was swept away yet.
    fn known(&mut self, id: &str) -> Option<&mut Entry> {
        let entry = self.entries.get(id)?;
        if entry.is_over(Instant::now()) {
            self.forget(id);
        }
        self.entries.get_mut(id)
    }

    // What waits for it, or works on it, learns that it is gone.
    fn forget(&mut self, id: &str) {
        let entry = self.entries.remove(id);
        match entry.map(|entry| entry.phase) {
            Some(Phase::Queued) => self.queue.retain(|waiting| waiting != id),
            Some(Phase::Running(_)) => self.running -= 1,
            Some(Phase::Ended(_)) | None => {}
        }
    }

    fn may_enter(&self, most_waiting: usize) -> Result<(), Refused> {
        if self.closed {
            return Err(Refused::Closed);
        }
        let is_full = self.queue.len() >= most_waiting;
        (!is_full).then_some(()).ok_or(Refused::Full)
    }

    fn make_room(&mut self, most_waiting: usize) -> Result<(), Refused> {
        let most = most_waiting.saturating_mul(KNOWN_PER_WAITING);
        let is_full = self.entries.len() >= most && !self.forget_read();
        (!is_full).then_some(()).ok_or(Refused::Full)
    }

    fn reserve(&mut self, bytes: usize, memory: &Memory) -> Option<Reservation> {
        loop {
            if let Some(reserved) = memory.reserve(bytes) {
                return Some(reserved);
            }
            if bytes > memory.all() || !self.forget_read() {
                return None;
            }
        }
    }

    // Forgets the oldest result that somebody has read, if there is one.
    fn forget_read(&mut self) -> bool {
        let read = self.entries.values().filter(|entry| entry.told);
        let read = read.filter_map(|entry| entry.end().map(|end| (end.at, &entry.id)));
        let Some(id) = read.min().map(|(_, id)| id.clone()) else {
            return false;
        };
        self.forget(&id);
        true
    }

    fn take(&mut self, slot: usize) -> Option<Taken> {
        while let Some(id) = self.queue.pop_front() {
            let Some(entry) = self.known(&id) else {
                continue;
            };
            let Some((job, _)) = &entry.asked else {
                continue;
            };
            let (sender, stop) = oneshot::channel();
            let taken = Taken {
                job: Arc::clone(job),
                limit: entry.policy.execution,
                stop,
            };
            entry.phase = Phase::Running(Execution {
                slot,
                begun: Instant::now(),
                _stop: sender,
            });
            entry.changed.send_replace(());
            self.running += 1;
            return Some(taken);
        }
        None
    }

    fn asks_no_more(&mut self, id: &str) {
        if let Some(entry) = self.entries.get_mut(id) {
            entry.asked = None;
        }
    }

    // What has ended before stays as it is.
    fn end(&mut self, id: &str, status: EndStatus, output: Option<Held>, error: Option<String>) {
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        let at = Instant::now();
        let work = match &entry.phase {
            Phase::Queued => None,
            Phase::Running(execution) => Some((execution.slot, execution.begun)),
            Phase::Ended(_) => return,
        };
        self.running -= usize::from(work.is_some());
        let took = work.map(|(_, begun)| at.saturating_duration_since(begun));
        self.tally.ended(status, took, entry.frames);
        entry.phase = Phase::Ended(End {
            status,
            at,
            work,
            output,
            error,
        });
        entry.progress = None;
        if status == EndStatus::Cancelled {
            entry.asked = None;
            // Whoever wanted it ended knows, and there is nothing to read.
            entry.told = true;
        }
        entry.changed.send_replace(());
    }
}
