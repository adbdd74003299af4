//! The detector's sessions, each on a thread of its own, and the frames that are made ready for them.
//!
//! Frames are decoded and fitted on other threads while a session works, within a memory. A batch that
//! the model cannot look at together is halved, and no larger one is tried again. Does not know jobs.

use crate::backends::models::yolo::DetectParams;
use crate::backends::models::yolo::Detector;
use crate::backends::models::yolo::DetectorSession;
use crate::backends::models::yolo::FittedFrame;
use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Content;
use crate::item::Detection;
use crate::item::Frame;
use crate::item::Moment;
use crate::item::Size;
use crate::media::Picture;
use crate::name::VideoId;
use crate::serve::handlers::meter::WorkMeter;
use crate::serve::handlers::options::ModelOptions;
use crate::serve::handlers::queue::BatchQueue;
use crate::serve::handlers::queue::Waiting;
use crate::serve::handlers::served::ServingError;
use crate::serve::handlers::served::Tell;
use crate::serve::handlers::served::spawn;
use crate::serve::job::JobError;
use crate::time::Pts;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;
use std::time::Instant;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

/// Megabytes that frames take which are decoded or wait for a session. One that takes more is there
/// alone.
const ROOM: u32 = 1024;

/// Bytes of a pixel while a picture is decoded: as it is coded, converted, and turned.
const DECODED_PIXEL: u64 = 9;

/// What is found in a picture.
pub(super) struct LookedAt {
    /// The surest first.
    pub(super) objects: Vec<Detection>,
    /// The size of the picture as it is shown.
    pub(super) size: Size,
    /// The time that a session took for it; of a batch, its part.
    pub(super) took: Duration,
}

/// A frame that waits for a session.
struct WaitingFrame {
    fitted: FittedFrame,
    params: Arc<DetectParams>,
    answer: oneshot::Sender<Result<(Vec<Detection>, Duration), Failure>>,
    // Given back when it has been looked at.
    _room: OwnedSemaphorePermit,
}

impl Waiting for WaitingFrame {
    fn size(&self) -> Size {
        self.fitted.input()
    }

    fn is_unwanted(&self) -> bool {
        self.answer.is_closed()
    }
}

/// A detector that looks at pictures.
pub(super) struct Detectors {
    detector: Detector,
    queue: Arc<BatchQueue<WaitingFrame>>,
    room: Arc<Semaphore>,
    decoding: Arc<Semaphore>,
}

impl Detectors {
    /// Opens the sessions that `options` ask for, which look at up to `batch` frames at once.
    pub(super) fn start(
        detector: Detector,
        batch: usize,
        options: &ModelOptions,
        meter: &Arc<WorkMeter>,
        tell: &Tell,
    ) -> Result<Self, ServingError> {
        let queue = Arc::new(BatchQueue::new(options.max_wait, Arc::clone(meter)));
        let limits = Arc::new(Limits::new(batch));
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let detectors = Self {
            detector,
            queue,
            room: Arc::new(Semaphore::new(ROOM as usize)),
            decoding: Arc::new(Semaphore::new(cores)),
        };
        for number in 1..=options.sessions.max(1) {
            let session = detectors.detector.session();
            let mut lane = Lane {
                detector: detectors.detector.clone(),
                session: Some(session.map_err(ServingError::Session)?),
                limits: Arc::clone(&limits),
                meter: Arc::clone(meter),
                tell: Arc::clone(tell),
            };
            let queue = Arc::clone(&detectors.queue);
            spawn(&format!("detector {number}"), move || {
                while let Some(frames) = queue.take(|size| lane.most(size)) {
                    lane.look(frames);
                }
            })?;
        }
        Ok(detectors)
    }

    /// The model.
    pub(super) fn detector(&self) -> &Detector {
        &self.detector
    }

    /// What is found in a picture. Where nobody waits for it any more, it is not looked at.
    pub(super) async fn look(
        &self,
        picture: Picture,
        params: &Arc<DetectParams>,
    ) -> Result<LookedAt, JobError> {
        let room = self.room(picture.stated_size(), params.imgsz).await?;
        let coming = self.queue.announce();
        let decoding = Arc::clone(&self.decoding).acquire_owned().await;
        let (detector, imgsz) = (self.detector.clone(), params.imgsz);
        let ready = spawn_blocking(move || {
            let ready = ready(&detector, &picture, imgsz);
            drop(decoding);
            ready
        });
        let (fitted, size) = ready.await.map_err(|_gone| ended())??;
        let (answer, found) = oneshot::channel();
        coming.put(WaitingFrame {
            fitted,
            params: Arc::clone(params),
            answer,
            _room: room,
        });
        let found = found.await.map_err(|_gone| ended())?;
        let (objects, took) = found.map_err(|failure| JobError(failure.message))?;
        Ok(LookedAt {
            objects,
            size,
            took,
        })
    }

    // Room for a picture of this size, and for what it is fitted to.
    async fn room(
        &self,
        stated: Size,
        imgsz: Option<u32>,
    ) -> Result<OwnedSemaphorePermit, JobError> {
        let facts = self.detector.facts();
        let side = imgsz.or(facts.imgsz).unwrap_or(0);
        let input = facts.fixed_size.unwrap_or(Size {
            width: side,
            height: side,
        });
        let bytes = DECODED_PIXEL * stated.pixels() + FittedFrame::bytes(input) as u64;
        let megabytes = u32::try_from(bytes >> 20).unwrap_or(ROOM).clamp(1, ROOM);
        let room = Arc::clone(&self.room).acquire_many_owned(megabytes).await;
        room.map_err(|_closed| ended())
    }
}

impl Drop for Detectors {
    fn drop(&mut self) {
        self.queue.close();
    }
}

fn ended() -> JobError {
    JobError("the worker is ending".to_owned())
}

// The frame of a picture as the model takes it, and the size of the picture.
fn ready(
    detector: &Detector,
    picture: &Picture,
    imgsz: Option<u32>,
) -> Result<(FittedFrame, Size), JobError> {
    let decoded = picture.decode();
    let (size, pixels) = decoded.map_err(|error| JobError(error.to_string()))?;
    let frame = Frame {
        moment: Moment {
            video: VideoId(0),
            index: 0,
            frame_number: 0,
            pts: Pts(0),
            seconds: 0.0,
            samples: 1,
            part: None,
        },
        source: size,
        size,
        content: Ok(Content {
            pixels: Some(pixels),
            jpeg: None,
        }),
    };
    let fitted = detector.fit(&frame, imgsz);
    let fitted = fitted.map_err(|failure| JobError(failure.message))?;
    Ok((fitted, size))
}

/// How much goes through the model at once, as all sessions have found out.
struct Limits {
    batch: usize,
    /// The most pixels of a batch.
    pixels: AtomicU64,
    /// Frames of so many pixels have cost a session and are not tried again.
    fatal: AtomicU64,
}

impl Limits {
    fn new(batch: usize) -> Self {
        Self {
            batch: batch.max(1),
            pixels: AtomicU64::new(u64::MAX),
            fatal: AtomicU64::new(u64::MAX),
        }
    }

    // The most frames of this input size.
    fn most(&self, detector: &Detector, size: Size) -> usize {
        let room = self.pixels.load(Ordering::Relaxed) / size.pixels().max(1);
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        detector.most_at_once(size).min(self.batch).min(room).max(1)
    }

    // From now on no batch has more than so many frames of this size. Whether that is news.
    fn lower(&self, frames: usize, size: Size) -> bool {
        let pixels = frames as u64 * size.pixels();
        self.pixels.fetch_min(pixels, Ordering::Relaxed) > pixels
    }

    fn is_fatal(&self, size: Size) -> bool {
        size.pixels() >= self.fatal.load(Ordering::Relaxed)
    }

    // A frame of this size has cost a session. Smaller ones may too: what a session holds that was left
    // behind is lost until the program ends, so there are to be few of them.
    fn cost(&self, size: Size) {
        let fatal = size.pixels() / 4 * 3;
        self.fatal.fetch_min(fatal.max(1), Ordering::Relaxed);
    }
}

/// One session, and what it works with.
struct Lane {
    detector: Detector,
    // Absent where the last one was lost and no other could be made.
    session: Option<DetectorSession>,
    limits: Arc<Limits>,
    meter: Arc<WorkMeter>,
    tell: Tell,
}

impl Lane {
    fn most(&self, size: Size) -> usize {
        self.limits.most(&self.detector, size)
    }

    // Looks at all frames of a batch, in parts where it has to be.
    fn look(&mut self, frames: Vec<WaitingFrame>) {
        let mut parts = vec![frames];
        while let Some(mut frames) = parts.pop() {
            let Some(size) = frames.first().map(Waiting::size) else {
                continue;
            };
            let begun = Instant::now();
            let found = self.found(&frames, size);
            let took = begun.elapsed();
            match found {
                Ok(found) => {
                    self.meter.looked(frames.len(), took);
                    let part = took / u32::try_from(frames.len()).unwrap_or(u32::MAX).max(1);
                    for (frame, objects) in frames.into_iter().zip(found) {
                        // Nobody waits any more where the job was stopped.
                        frame.answer.send(Ok((objects, part))).ok();
                    }
                }
                Err(failure) if frames.len() > 1 => {
                    let half = frames.len() / 2;
                    self.tell_halved(frames.len(), half, size, &failure);
                    let rest = frames.split_off(half);
                    parts.push(rest);
                    parts.push(frames);
                }
                Err(failure) => {
                    for frame in frames {
                        frame.answer.send(Err(failure.clone())).ok();
                    }
                }
            }
        }
    }

    fn found(
        &mut self,
        frames: &[WaitingFrame],
        size: Size,
    ) -> Result<Vec<Vec<Detection>>, Failure> {
        let name = &self.detector.facts().name;
        if self.limits.is_fatal(size) {
            let message = format!("{name} takes no frames of {size} here: ask for a smaller imgsz");
            return Err(Failure::new(Class::OutOfMemory, message));
        }
        let session = match &mut self.session {
            Some(session) => session,
            none => none.insert(self.detector.session()?),
        };
        let asked: Vec<_> = frames
            .iter()
            .map(|frame| (&frame.fitted, &*frame.params))
            .collect();
        let found = session.detect_fitted(&asked);
        if session.is_lost() {
            self.session = None;
            if frames.len() == 1 {
                self.limits.cost(size);
            }
        }
        found
    }

    fn tell_halved(&self, frames: usize, half: usize, size: Size, failure: &Failure) {
        if self.limits.lower(half, size) {
            let message = &failure.message;
            (self.tell)(&format!(
                "{frames} frames of {size} did not go through the model at once ({message}): from now \
                 on it is given {half}"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Limits;
    use crate::item::Size;

    #[test]
    fn limits_go_down_and_stay_there() {
        let size = |side| Size {
            width: side,
            height: side,
        };
        let limits = Limits::new(16);
        assert!(limits.lower(8, size(640)));
        assert!(!limits.lower(8, size(640)));
        assert!(!limits.lower(9, size(640)));
        // Two of this size are as many pixels.
        assert!(!limits.lower(2, size(1280)));
        assert!(limits.lower(1, size(1280)));
        assert!(!limits.is_fatal(size(4096)));
        limits.cost(size(4096));
        assert!(limits.is_fatal(size(4096)) && limits.is_fatal(size(3548)));
        assert!(!limits.is_fatal(size(3547)));
    }
}
