//! The worker: takes jobs while there is room for them, heeds which of them are stopped, and says
//! which it holds.

use crate::failure::Failure;
use crate::serve::handler::Handler;
use crate::serve::worker::attend::Attendant;
use crate::serve::worker::delivery::Delivery;
use crate::serve::worker::held::HeldJobs;
use crate::serve::worker::message::HandedJob;
use crate::serve::worker::note::NoteLevel;
use crate::serve::worker::note::Notes;
use crate::serve::worker::pauses::Growing;
use crate::serve::worker::pauses::Pace;
use crate::serve::worker::plane::ControlPlane;
use crate::serve::worker::plane::MOST_JOBS;
use crate::serve::worker::plane::Taken;
use crate::serve::worker::settings::WorkerSettings;
use std::mem;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio::time::MissedTickBehavior;
use tokio::time::interval;
use tokio::time::sleep;

/// A worker that was not started yet.
pub struct Worker {
    plane: Arc<ControlPlane>,
    attendant: Attendant,
    held: HeldJobs,
    notes: Notes,
    pace: Pace,
    slots: usize,
    // How many jobs are waiting for a slot and at work at most.
    most: usize,
    room: Arc<Semaphore>,
    once: bool,
    interval: Duration,
}

/// Jobs that were taken, and the room for them.
type Hand = (Vec<HandedJob>, OwnedSemaphorePermit);

impl Worker {
    /// A worker that does its jobs by `handler`.
    ///
    /// # Errors
    ///
    /// Where an address of the control plane is none, or no connection can be made.
    pub fn new(
        settings: &WorkerSettings,
        handler: Arc<dyn Handler>,
        notes: Notes,
    ) -> Result<Self, Failure> {
        let plane = ControlPlane::new(settings)?;
        Ok(Self::at(plane, settings, handler, notes))
    }

    /// The same at a control plane that was looked at already.
    pub(super) fn at(
        plane: ControlPlane,
        settings: &WorkerSettings,
        handler: Arc<dyn Handler>,
        notes: Notes,
    ) -> Self {
        let plane = Arc::new(plane);
        let delivery = Delivery {
            plane: Arc::clone(&plane),
            pace: settings.pace.clone(),
            notes: notes.clone(),
        };
        // Whoever begins anew after one job takes no second one.
        let (slots, ahead) = match settings.once {
            true => (1, 0),
            false => (settings.slots.max(1), settings.ahead),
        };
        Self {
            plane,
            attendant: Attendant {
                handler,
                delivery,
                slots: Arc::new(Semaphore::new(slots)),
                once: settings.once,
            },
            held: HeldJobs::default(),
            notes,
            pace: settings.pace.clone(),
            slots,
            most: slots + ahead,
            room: Arc::new(Semaphore::new(slots + ahead)),
            once: settings.once,
            interval: settings.plane.interval,
        }
    }

    /// Does jobs until `stop`; those that it has by then are done and delivered first, also the one
    /// that was not begun, which the control plane would give to another worker only after pings
    /// have not named it for a while.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        tokio::select! {
            () = self.ping() => {}
            () = self.heed_stops() => {}
            () = self.work(stop) => {}
        }
    }

    async fn work(&self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut jobs = JoinSet::new();
        loop {
            let (taken, mut room) = tokio::select! {
                biased;
                () = &mut stop => break,
                hand = self.take() => hand,
            };
            let is_last = self.once && !taken.is_empty();
            for job in taken {
                // None where more was handed out than was asked for: it is done nevertheless.
                let place = room.split(1);
                self.begin(job, place, &mut jobs);
            }
            while jobs.try_join_next().is_some() {}
            if is_last {
                break;
            }
        }
        let left = self.held.ids().len();
        if left > 0 {
            let message = format!("takes no more; {left} to be done and delivered");
            self.notes.tell(NoteLevel::Info, message);
        }
        while jobs.join_next().await.is_some() {}
    }

    fn begin(&self, job: HandedJob, place: Option<OwnedSemaphorePermit>, jobs: &mut JoinSet<()>) {
        let id = job.job.id.clone();
        let Some(held) = self.held.hold(&id) else {
            let message = "was handed out again while it is here, and is done once";
            self.notes.tell_of(NoteLevel::Warn, &id, message);
            return;
        };
        let work = jobs.spawn(self.attendant.clone().attend(job, held, place));
        self.held.is_done_by(&id, work);
    }

    // Waits for room, and then for jobs.
    async fn take(&self) -> Hand {
        let (mut nothing, mut failed) = (self.pace.nothing.begin(), self.pace.failed.begin());
        loop {
            self.held.room().await;
            let Some(room) = self.room_for_jobs().await else {
                continue;
            };
            let asked = Instant::now();
            let count = room.num_permits();
            let pause = match self.plane.take(count, !self.held.is_empty()).await {
                Ok(Taken::Jobs(jobs, nameless)) => {
                    if nameless > 0 {
                        let message = format!(
                            "jobs without an id that can stand in an address: {nameless}; nobody can answer them"
                        );
                        self.notes.tell(NoteLevel::Error, message);
                    }
                    if !jobs.is_empty() {
                        return (jobs, room);
                    }
                    nothing.next().saturating_sub(asked.elapsed())
                }
                Ok(Taken::Nothing) => {
                    failed = self.pace.failed.begin();
                    nothing.next().saturating_sub(asked.elapsed())
                }
                // It was held open for as long as that may be.
                Err(_) if asked.elapsed() >= self.pace.poll => Duration::ZERO,
                Err(failure) => {
                    let what = "no job is taken";
                    self.after(NoteLevel::Warn, &failure, &mut failed, what)
                }
            };
            sleep(pause).await;
        }
    }

    // As many places as slots are free, or one ahead where none is.
    async fn room_for_jobs(&self) -> Option<OwnedSemaphorePermit> {
        // Never closed.
        let mut room = Arc::clone(&self.room).acquire_owned().await.ok()?;
        let at_work = self.most - self.room.available_permits() - 1;
        let free = self.slots.saturating_sub(at_work).min(MOST_JOBS);
        let more = u32::try_from(free.saturating_sub(1)).unwrap_or_default();
        if let Ok(others) = Arc::clone(&self.room).try_acquire_many_owned(more) {
            room.merge(others);
        }
        Some(room)
    }

    // Ends the work on what nobody wants any more.
    async fn heed_stops(&self) {
        if !self.plane.tells_stops() {
            let message = "the address for jobs has another form than RunPod's: a job that is \
                           cancelled is done to its end";
            self.notes.tell(NoteLevel::Warn, message);
            std::future::pending::<()>().await;
        }
        let (mut nothing, mut failed) = (self.pace.nothing.begin(), self.pace.failed.begin());
        // It is said once, and not each time.
        let mut level = NoteLevel::Warn;
        loop {
            let asked = Instant::now();
            let pause = match self.plane.stopped().await {
                Ok(ids) => {
                    let stopped = ids.iter().filter(|id| self.held.stop(id));
                    let stopped: Vec<&String> = stopped.collect();
                    for id in &stopped {
                        let message = "stopped: it is cancelled or took too long";
                        self.notes.tell_of(NoteLevel::Info, id, message);
                    }
                    (failed, level) = (self.pace.failed.begin(), NoteLevel::Warn);
                    if !stopped.is_empty() {
                        nothing = self.pace.nothing.begin();
                    }
                    nothing.next().saturating_sub(asked.elapsed())
                }
                Err(_) if asked.elapsed() >= self.pace.poll => Duration::ZERO,
                Err(failure) => {
                    let what = "stops are not known";
                    self.after(
                        mem::replace(&mut level, NoteLevel::Debug),
                        &failure,
                        &mut failed,
                        what,
                    )
                }
            };
            sleep(pause).await;
        }
    }

    // Says what is here, whatever else goes on.
    async fn ping(&self) {
        let mut ticks = interval(self.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut was_heard = true;
        loop {
            ticks.tick().await;
            match self.plane.ping(&self.held.ids()).await {
                Ok(()) => was_heard = true,
                Err(failure) => {
                    let level = match was_heard {
                        true => NoteLevel::Warn,
                        false => NoteLevel::Debug,
                    };
                    let message = format!("a ping is not heard: {}", failure.message);
                    self.notes.tell(level, message);
                    was_heard = false;
                }
            }
        }
    }

    // How long is waited after a call that failed.
    fn after(
        &self,
        level: NoteLevel,
        failure: &Failure,
        pauses: &mut Growing,
        what: &str,
    ) -> Duration {
        let pause = match failure.retry_after {
            Some(asked) => asked,
            None => pauses.next(),
        };
        let message = format!(
            "{what}: {}; again in {:.1} s",
            failure.message,
            pause.as_secs_f64()
        );
        self.notes.tell(level, message);
        pause
    }
}
