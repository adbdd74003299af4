//! One job, from the moment that it is taken until its answer is delivered.
//!
//! It waits for a slot, and gives it back as soon as the work is done: what is told of it and what
//! comes of it is delivered beside the next job.

use crate::serve::handler::Handler;
use crate::serve::job::Job;
use crate::serve::job::JobError;
use crate::serve::job::Update;
use crate::serve::job::Updates;
use crate::serve::worker::delivery::Delivery;
use crate::serve::worker::delivery::Finished;
use crate::serve::worker::held::HeldJob;
use crate::serve::worker::message::HandedJob;
use crate::serve::worker::note::NoteLevel;
use futures_util::FutureExt;
use futures_util::future::join;
use serde_json::Value;
use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::Receiver;
use tokio::time::Instant;

/// What does jobs, one after the other or beside each other.
#[derive(Clone)]
pub(super) struct Attendant {
    pub(super) handler: Arc<dyn Handler>,
    pub(super) delivery: Delivery,
    pub(super) slots: Arc<Semaphore>,
    pub(super) once: bool,
}

impl Attendant {
    /// Does a job and delivers its answer. `room` is given back with the slot.
    pub(super) async fn attend(
        self,
        handed: HandedJob,
        held: HeldJob,
        room: Option<OwnedSemaphorePermit>,
    ) {
        let taken = Instant::now();
        // Never closed; those who wait get one in the order in which they came.
        let slot = Arc::clone(&self.slots).acquire_owned().await.ok();
        let waited = taken.elapsed().as_secs_f64();
        let begun = Instant::now();
        let note = |level, message: String| {
            let notes = &self.delivery.notes;
            notes.tell_of(level, held.id(), message);
        };
        note(NoteLevel::Debug, format!("begun after {waited:.3} s"));
        let (streams, output) = match handed.refusal {
            Some(why) => {
                drop((slot, room));
                (false, Err(why.to_owned()))
            }
            None => self.work(&handed.job, (slot, room)).await,
        };
        // Its answer may wait for long, and an input is large.
        drop(handed);
        let seconds = begun.elapsed().as_secs_f64();
        match &output {
            Ok(_) => note(NoteLevel::Info, format!("done in {seconds:.3} s")),
            Err(why) => note(
                NoteLevel::Error,
                format!("failed after {seconds:.3} s: {why}"),
            ),
        }
        let finished = Finished {
            output,
            streams,
            is_last: self.once,
        };
        let ended = Instant::now();
        if self.delivery.finish(&held, finished).await {
            let seconds = ended.elapsed().as_secs_f64();
            note(NoteLevel::Debug, format!("delivered in {seconds:.3} s"));
        }
    }

    // What comes of a job, and whether it was told in parts. `place` is given back before the last
    // of that is delivered.
    async fn work<P>(&self, job: &Job, place: P) -> (bool, Result<Value, String>) {
        let (updates, told) = Updates::pair();
        let work = async {
            let done = caught(&*self.handler, job, updates).await;
            drop(place);
            done
        };
        let ((streams, output), delivered) = join(work, self.tell(&job.id, told)).await;
        let streams = streams && self.delivery.plane.takes_chunks();
        (streams, delivered.and(output.map_err(|JobError(why)| why)))
    }

    // Delivers what is told of a job, in order, until all of it is there.
    async fn tell(&self, job: &str, mut told: Receiver<Update>) -> Result<(), String> {
        let mut all = Ok(());
        let mut next = told.recv().await;
        while let Some(update) = next {
            next = match update {
                Update::Progress(progress) => {
                    // Of several that wait the last one says most.
                    let (latest, behind) = latest(progress, &mut told);
                    self.delivery.progress(job, &latest).await;
                    match behind {
                        Some(update) => Some(update),
                        None => told.recv().await,
                    }
                }
                Update::Chunk(part) => {
                    if all.is_ok() {
                        all = self.delivery.chunk(job, &part).await;
                    }
                    told.recv().await
                }
            };
        }
        all
    }
}

// The last of the progress that waits in `told`, and what waits behind it.
fn latest(mut progress: Value, told: &mut Receiver<Update>) -> (Value, Option<Update>) {
    loop {
        match told.try_recv() {
            Ok(Update::Progress(later)) => progress = later,
            Ok(part @ Update::Chunk(_)) => return (progress, Some(part)),
            Err(_) => return (progress, None),
        }
    }
}

// What a handler gives, and whether it streams. A panic of it is an error of this job alone.
async fn caught(
    handler: &dyn Handler,
    job: &Job,
    updates: Updates,
) -> (bool, Result<Value, JobError>) {
    let work = async { (handler.streams(job), handler.handle(job, updates).await) };
    let done = AssertUnwindSafe(work).catch_unwind().await;
    done.unwrap_or_else(|panic| {
        let why = format!("vpipe has a defect: {}", words(&*panic));
        (false, Err(JobError(why)))
    })
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let letters = text.unwrap_or("no reason is given").chars();
    letters.filter(|it| !it.is_control()).take(300).collect()
}
