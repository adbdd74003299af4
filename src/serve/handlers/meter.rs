//! What the models have done so far: counters that whoever serves them may show.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What has been done since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MeterReading {
    /// Frames that a detector has looked at.
    pub frames: u64,
    /// How often it was run for them.
    pub batches: u64,
    /// Frames that are decoded and wait for a session now.
    pub waiting_frames: usize,
    /// Sounds that were transcribed.
    pub sounds: u64,
    /// Seconds of sound that were heard.
    pub heard_seconds: f64,
    /// Sounds that wait for a session, or are with one, now.
    pub open_sounds: usize,
    /// Seconds that sessions of both models have worked; of several at once, the sum.
    pub busy_seconds: f64,
}

/// Counts what the models do.
#[derive(Debug, Default)]
pub(super) struct WorkMeter {
    frames: AtomicU64,
    batches: AtomicU64,
    waiting_frames: AtomicUsize,
    sounds: AtomicU64,
    heard_millis: AtomicU64,
    open_sounds: AtomicUsize,
    busy_micros: AtomicU64,
}

impl WorkMeter {
    /// So many frames were looked at together.
    pub(super) fn looked(&self, frames: usize, took: Duration) {
        self.frames.fetch_add(frames as u64, Ordering::Relaxed);
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.worked(took);
    }

    /// So many frames wait.
    pub(super) fn waits(&self, frames: usize) {
        self.waiting_frames.store(frames, Ordering::Relaxed);
    }

    /// A sound of so many seconds was transcribed.
    pub(super) fn heard(&self, seconds: f64, took: Duration) {
        self.sounds.fetch_add(1, Ordering::Relaxed);
        let millis = (seconds * 1e3).round() as u64;
        self.heard_millis.fetch_add(millis, Ordering::Relaxed);
        self.worked(took);
    }

    /// A sound more, or one fewer, is with a session or waits for one.
    pub(super) fn open_sounds(&self) -> &AtomicUsize {
        &self.open_sounds
    }

    fn worked(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.busy_micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// What it shows now.
    pub(super) fn read(&self) -> MeterReading {
        MeterReading {
            frames: self.frames.load(Ordering::Relaxed),
            batches: self.batches.load(Ordering::Relaxed),
            waiting_frames: self.waiting_frames.load(Ordering::Relaxed),
            sounds: self.sounds.load(Ordering::Relaxed),
            heard_seconds: self.heard_millis.load(Ordering::Relaxed) as f64 / 1e3,
            open_sounds: self.open_sounds.load(Ordering::Relaxed),
            busy_seconds: self.busy_micros.load(Ordering::Relaxed) as f64 / 1e6,
        }
    }
}
