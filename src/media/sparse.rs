//! The quick way: only what the samples need is decoded, groups side by side.
//!
//! One thread reads and plans, others decode; pictures come out in order. Knows nothing of
//! moments or items.

use crate::media::Wanted;
use crate::media::decoder::Decoder;
use crate::media::decoder::Tally;
use crate::media::error::MediaError;
use crate::media::reader::Reader;
use crate::media::shape::Shaper;
use crate::media::shelf::Shelf;
use crate::media::stop::Stop;
use crate::media::syntax::Syntax;
use crate::media::track::Track;
use crate::media::worker;
use crate::media::worker::Outcome;
use crate::media::worker::Shared;
use std::io;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::thread::JoinHandle;

/// Finished pictures that each decoder may be ahead by: about what a group of ten seconds has
/// at one a second, so that decoders rarely wait for each other.
const AHEAD: usize = 8;

/// The most pictures that a [`super::Pictures`] with this many decoders holds besides the one it
/// gives.
pub fn pictures_held(decoders: usize) -> usize {
    // The shelf, one that it always has room for, and one in the hands of each decoder.
    let decoders = decoders.max(1);
    decoders * AHEAD + 1 + decoders
}

/// Threads that sample a stream.
pub(super) struct Sparse {
    shelf: Arc<Shelf<Outcome>>,
    tally: Arc<Mutex<Tally>>,
    stop: Stop,
    threads: Vec<JoinHandle<()>>,
}

impl Sparse {
    /// Begins to sample `track` on `wanted.decoders` threads, and one that reads.
    pub(super) fn start(
        track: Track,
        syntax: Syntax,
        wanted: &Wanted,
        stop: Stop,
    ) -> Result<Self, MediaError> {
        let decoders = wanted.decoders.max(1);
        let mut sparse = Self {
            shelf: Arc::new(Shelf::new(decoders * AHEAD)),
            tally: Arc::default(),
            stop: stop.clone(),
            threads: Vec::new(),
        };
        // Made after `sparse`, whose end waits for threads that wait for this one.
        let (sender, receiver) = sync_channel(decoders);
        let shared = Shared {
            groups: Arc::new(Mutex::new(receiver)),
            shelf: Arc::clone(&sparse.shelf),
            tally: Arc::clone(&sparse.tally),
            stop,
        };
        for _ in 0..decoders {
            let parameters = track.parameters();
            let decoder = Decoder::open(parameters, track.base(), 1, track.path())?;
            let shaper = Shaper::new(wanted.format, wanted.max_side, track.turn());
            let shared = shared.clone();
            sparse.spawn("decoder", move || worker::work(decoder, shaper, &shared))?;
        }
        let reader = Reader::new(track, syntax, wanted, sender, shared.shelf);
        sparse.spawn("reader", move || reader.read())?;
        Ok(sparse)
    }

    /// What became of the next picture that shows samples; waits for it. `None` at the end.
    pub(super) fn next_outcome(&self) -> Option<Outcome> {
        self.shelf.take()
    }

    /// What was decoded in the groups that are done.
    pub(super) fn tally(&self) -> Tally {
        *worker::lock(&self.tally)
    }

    fn spawn(
        &mut self,
        name: &str,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<(), MediaError> {
        let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
        let thread = thread.map_err(|source: io::Error| MediaError::NoThread { source })?;
        self.threads.push(thread);
        Ok(())
    }
}

impl Drop for Sparse {
    fn drop(&mut self) {
        self.stop.abandon();
        self.shelf.close();
        for thread in self.threads.drain(..) {
            // A thread that panicked has left its group unfinished and said so on the shelf.
            thread.join().ok();
        }
    }
}
