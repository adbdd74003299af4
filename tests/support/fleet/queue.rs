//! The queue of an endpoint and its workers, on a clock that moves on with every call, so that
//! nothing depends on how fast anything runs.

use super::fault::Fault;
use std::collections::BTreeMap;

// Calls that a job, or the start of a worker, takes.
const SERVICE: u64 = 3;
const COLD_START: u64 = 6;
const SLOW: u64 = 30;

/// Where a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    Queue,
    Worker { until: u64 },
    Done,
}

#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) images: Vec<u64>,
    /// Whether the images are frames of real videos.
    pub(super) by_content: bool,
    pub(super) fault: Option<Fault>,
    pub(super) at: At,
    pub(super) worker: usize,
    /// How often it was asked for.
    pub(super) asked: u32,
    /// How often it was asked for when it was done.
    pub(super) answered: u32,
    pub(super) cancelled: bool,
    /// Whether the platform has queued it again.
    pub(super) again: bool,
}

impl Job {
    /// Whether whoever asks for it has the right answer, sooner or later.
    pub(super) fn has_answer(&self) -> bool {
        self.is_paid() && !self.fault.is_some_and(Fault::is_unreadable)
    }

    /// Whether nobody may pay for these images again.
    pub(super) fn is_paid(&self) -> bool {
        let images = self.images.len();
        let paid = self.fault.is_none_or(|fault| fault.is_paid(images));
        paid && !self.cancelled
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Worker {
    warm: bool,
    busy: bool,
}

#[derive(Debug)]
pub(super) struct Queue {
    pub(super) jobs: BTreeMap<u64, Job>,
    workers: Vec<Worker>,
    now: u64,
}

impl Queue {
    pub(super) fn new(workers: usize) -> Self {
        Self {
            jobs: BTreeMap::new(),
            workers: vec![Worker::default(); workers],
            now: 0,
        }
    }

    pub(super) fn submit(
        &mut self,
        images: Vec<u64>,
        by_content: bool,
        fault: Option<Fault>,
    ) -> u64 {
        let id = self.jobs.len() as u64;
        self.jobs.insert(
            id,
            Job {
                images,
                by_content,
                fault,
                at: At::Queue,
                worker: 0,
                asked: 0,
                answered: 0,
                cancelled: false,
                again: false,
            },
        );
        id
    }

    /// One call later: workers are done, and take what waits.
    pub(super) fn tick(&mut self) {
        self.now += 1;
        for job in self.jobs.values_mut() {
            let done = matches!(job.at, At::Worker { until } if until <= self.now);
            if done || (job.cancelled && job.at != At::Done) {
                if job.at != At::Queue {
                    self.workers[job.worker].busy = false;
                }
                let again = job.fault == Some(Fault::QueuedAgain) && !job.again;
                job.at = if again { At::Queue } else { At::Done };
                job.again |= again;
            }
        }
        let waiting = self
            .jobs
            .values_mut()
            .filter(|job| job.at == At::Queue && !job.cancelled && job.fault != Some(Fault::Stuck));
        for job in waiting {
            let free = self.workers.iter().position(|worker| !worker.busy);
            let Some(index) = free else { return };
            let worker = &mut self.workers[index];
            let start = if worker.warm { 0 } else { COLD_START };
            let slow = if job.fault == Some(Fault::Slow) {
                SLOW
            } else {
                SERVICE
            };
            *worker = Worker {
                warm: true,
                busy: true,
            };
            job.worker = index;
            job.at = At::Worker {
                until: self.now + start + slow,
            };
        }
    }

    /// One call later, and where a job is then.
    pub(super) fn ask(&mut self, id: u64) -> Option<&mut Job> {
        self.tick();
        let job = self.jobs.get_mut(&id).filter(|job| !job.cancelled)?;
        job.asked += 1;
        job.answered += u32::from(job.at == At::Done);
        Some(job)
    }

    pub(super) fn count(&self, at: impl Fn(At) -> bool) -> usize {
        let jobs = self.jobs.values();
        jobs.filter(|job| at(job.at) && !job.cancelled).count()
    }

    pub(super) fn workers(&self) -> usize {
        self.workers.len()
    }
}
