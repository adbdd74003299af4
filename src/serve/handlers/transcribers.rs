//! The speech model's sessions, each on a thread of its own, and the sounds that wait for them.
//!
//! Does not know jobs.

use crate::backends::models::Chosen;
use crate::backends::models::whisper::HeardSegment;
use crate::backends::models::whisper::TranscribeParams;
use crate::backends::models::whisper::Transcriber;
use crate::backends::models::whisper::TranscriberSession;
use crate::failure::Failure;
use crate::recipe::Device;
use crate::serve::handlers::meter::WorkMeter;
use crate::serve::handlers::served::ServingError;
use crate::serve::handlers::served::spawn;
use crate::serve::handlers::sound;
use crate::serve::job::JobError;
use crate::speech::RATE;
use crate::speech::Recognition;
use bytes::Bytes;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Instant;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::sync::watch;
use tokio::task::spawn_blocking;

/// The samples of a sound, which may be transcribed more than once.
pub(super) struct Sound {
    samples: Arc<Vec<f32>>,
    // One of the few that are in memory at once, and that are counted as open.
    _room: OwnedSemaphorePermit,
    _open: OpenSound,
}

impl Sound {
    /// Its length.
    pub(super) fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(RATE)
    }
}

/// What has been heard so far.
#[derive(Clone, Debug, Default)]
pub(super) struct HeardSoFar {
    /// In order of time.
    pub(super) segments: Vec<HeardSegment>,
    /// All up to this second.
    pub(super) until: f64,
}

/// A sound that is being transcribed. Where it is dropped, the session goes on to the next one.
pub(super) struct Hearing {
    heard: watch::Receiver<HeardSoFar>,
    answer: oneshot::Receiver<Result<Recognition, Failure>>,
}

impl Hearing {
    /// What was heard once there is more of it than `known` segments, or more time is over; `None`
    /// where all is.
    pub(super) async fn more(&mut self, known: usize) -> Option<(Vec<HeardSegment>, f64)> {
        self.heard.changed().await.ok()?;
        let heard = self.heard.borrow_and_update();
        let new = heard.segments.get(known..).unwrap_or_default();
        Some((new.to_vec(), heard.until))
    }

    /// All that was heard, with the language.
    pub(super) async fn whole(self) -> Result<(Recognition, Vec<HeardSegment>), JobError> {
        let answer = self.answer.await.map_err(|_gone| ended())?;
        let recognition = answer.map_err(|failure| JobError(failure.message))?;
        let segments = self.heard.borrow().segments.clone();
        Ok((recognition, segments))
    }
}

struct WaitingSound {
    samples: Arc<Vec<f32>>,
    params: TranscribeParams,
    heard: watch::Sender<HeardSoFar>,
    answer: oneshot::Sender<Result<Recognition, Failure>>,
}

/// A speech model that listens to sounds.
pub(super) struct Transcribers {
    transcriber: Transcriber,
    device: Device,
    waiting: mpsc::Sender<WaitingSound>,
    room: Arc<Semaphore>,
    meter: Arc<WorkMeter>,
}

impl Transcribers {
    /// Opens so many sessions.
    pub(super) fn start(
        chosen: Chosen<Transcriber>,
        sessions: usize,
        meter: &Arc<WorkMeter>,
    ) -> Result<Self, ServingError> {
        let (transcriber, (_, device)) = (chosen.model, chosen.computed);
        let sessions = sessions.max(1);
        let (waiting, taken) = mpsc::channel(sessions);
        let taken = Arc::new(Mutex::new(taken));
        for number in 1..=sessions {
            let session = transcriber.session().map_err(ServingError::Session)?;
            let mut lane = Lane {
                transcriber: transcriber.clone(),
                session: Some(session),
                meter: Arc::clone(meter),
            };
            let taken = Arc::clone(&taken);
            spawn(&format!("transcriber {number}"), move || {
                while let Some(sound) = next(&taken) {
                    lane.listen(sound);
                }
            })?;
        }
        Ok(Self {
            transcriber,
            device,
            waiting,
            // One is read while each session listens to another.
            room: Arc::new(Semaphore::new(sessions + 1)),
            meter: Arc::clone(meter),
        })
    }

    /// The model.
    pub(super) fn transcriber(&self) -> &Transcriber {
        &self.transcriber
    }

    /// What it computes on, without its number: `cpu`, `cuda`.
    pub(super) fn device(&self) -> String {
        let device = self.device.to_string();
        device.split(':').next().unwrap_or_default().to_owned()
    }

    /// Reads a sound file, which sentences call `name`.
    pub(super) async fn read(&self, file: Bytes, name: &'static str) -> Result<Sound, JobError> {
        let open = OpenSound::of(&self.meter);
        let room = Arc::clone(&self.room).acquire_owned().await;
        let room = room.map_err(|_closed| ended())?;
        let stop = StopWhenDropped::default();
        let flag = Arc::clone(&stop.0);
        let samples = spawn_blocking(move || sound::samples(&file, name, flag)).await;
        let samples = samples.map_err(|_gone| ended())??;
        Ok(Sound {
            samples: Arc::new(samples),
            _room: room,
            _open: open,
        })
    }

    /// Has a session listen to a sound, once one is free.
    pub(super) async fn hear(
        &self,
        sound: &Sound,
        params: &TranscribeParams,
    ) -> Result<Hearing, JobError> {
        let (heard, hears) = watch::channel(HeardSoFar::default());
        let (answer, answered) = oneshot::channel();
        let waiting = WaitingSound {
            samples: Arc::clone(&sound.samples),
            params: params.clone(),
            heard,
            answer,
        };
        let sent = self.waiting.send(waiting).await;
        sent.map_err(|_closed| ended())?;
        Ok(Hearing {
            heard: hears,
            answer: answered,
        })
    }
}

fn ended() -> JobError {
    JobError("the worker is ending".to_owned())
}

fn next(taken: &Mutex<mpsc::Receiver<WaitingSound>>) -> Option<WaitingSound> {
    let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
    taken.blocking_recv()
}

/// A sound that is counted as open until it is dropped.
struct OpenSound(Arc<WorkMeter>);

impl OpenSound {
    fn of(meter: &Arc<WorkMeter>) -> Self {
        meter.open_sounds().fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(meter))
    }
}

impl Drop for OpenSound {
    fn drop(&mut self) {
        self.0.open_sounds().fetch_sub(1, Ordering::Relaxed);
    }
}

/// Stops what reads on another thread for somebody who does not wait any more.
#[derive(Default)]
struct StopWhenDropped(Arc<AtomicBool>);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// One session, and what it works with.
struct Lane {
    transcriber: Transcriber,
    // Absent where the last one was lost and no other could be made.
    session: Option<TranscriberSession>,
    meter: Arc<WorkMeter>,
}

impl Lane {
    fn listen(&mut self, sound: WaitingSound) {
        let WaitingSound {
            samples,
            params,
            heard,
            answer,
        } = sound;
        if answer.is_closed() {
            return;
        }
        let begun = Instant::now();
        let mut listener = |segments: &[HeardSegment], until: f64| {
            heard.send_modify(|so_far| {
                so_far.segments.extend_from_slice(segments);
                so_far.until = until;
            });
            match answer.is_closed() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        };
        let recognition = self
            .session()
            .and_then(|session| session.transcribe_aloud(&samples, &params, &mut listener));
        if self
            .session
            .as_ref()
            .is_some_and(TranscriberSession::is_lost)
        {
            self.session = None;
        }
        let seconds = samples.len() as f64 / f64::from(RATE);
        self.meter.heard(seconds, begun.elapsed());
        // Nobody waits any more where the job was stopped.
        answer.send(recognition).ok();
    }

    fn session(&mut self) -> Result<&mut TranscriberSession, Failure> {
        Ok(match &mut self.session {
            Some(session) => session,
            none => none.insert(self.transcriber.session()?),
        })
    }
}
