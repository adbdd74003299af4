//! The quick way: only what the samples need is decoded, groups side by side.
//!
//! One thread reads and plans, others decode; frames come out in order. Knows nothing of
//! moments or items.

use crate::media::Wanted;
use crate::media::decode::budget::Budget;
use crate::media::decode::decoder::Decoder;
use crate::media::decode::decoder::Tally;
use crate::media::decode::memory;
use crate::media::decode::reader::Outlet;
use crate::media::decode::reader::Reader;
use crate::media::decode::shelf::Shelf;
use crate::media::decode::worker;
use crate::media::decode::worker::Outcome;
use crate::media::decode::worker::Shared;
use crate::media::error::MediaError;
use crate::media::input::track::Track;
use crate::media::pixels::shape::Shaper;
use crate::media::select::syntax::Syntax;
use crate::media::stop::Stop;
use std::io;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::thread::JoinHandle;

/// Threads that sample a stream.
pub(in crate::media) struct Sparse {
    shelf: Arc<Shelf<Outcome>>,
    budget: Arc<Budget>,
    tally: Arc<Mutex<Tally>>,
    stop: Stop,
    threads: Vec<JoinHandle<()>>,
}

impl Sparse {
    /// Begins to sample `track` on `wanted.decoders` threads, and one that reads.
    pub(in crate::media) fn start(
        track: Track,
        syntax: Syntax,
        wanted: &Wanted,
        stop: Stop,
    ) -> Result<Self, MediaError> {
        let decoders = wanted.decoders.max(1);
        let mut sparse = Self {
            shelf: Arc::new(Shelf::new(memory::ahead(wanted))),
            budget: Budget::new(memory::packets(decoders)),
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
            let shaper = Shaper::new(wanted.format, wanted.max_side, track.display());
            let shared = shared.clone();
            sparse.spawn("decoder", move || worker::work(decoder, shaper, &shared))?;
        }
        let outlet = Outlet::new(sender, shared.shelf, Arc::clone(&sparse.budget));
        let reader = Reader::new(track, syntax, wanted, outlet);
        sparse.spawn("reader", move || reader.read())?;
        Ok(sparse)
    }

    /// What became of the next frame that shows samples; waits for it. `None` at the end.
    pub(in crate::media) fn next_outcome(&self) -> Option<Outcome> {
        self.shelf.take()
    }

    /// What was decoded in the groups that are done.
    pub(in crate::media) fn tally(&self) -> Tally {
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
        self.budget.close();
        for thread in self.threads.drain(..) {
            // A thread that panicked has left its group unfinished and said so on the shelf.
            thread.join().ok();
        }
    }
}
