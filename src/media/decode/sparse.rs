//! The quick way: only what the samples need is decoded, groups side by side.
//!
//! One thread reads and plans, others decode; frames come out in order.

use crate::media::VideoSelection;
use crate::media::decode::budget::PacketBudget;
use crate::media::decode::decoder::DecodeStats;
use crate::media::decode::decoder::Decoder;
use crate::media::decode::memory;
use crate::media::decode::reader::GopQueue;
use crate::media::decode::reader::PacketReader;
use crate::media::decode::reorder::ReorderBuffer;
use crate::media::decode::worker;
use crate::media::decode::worker::FrameOutcome;
use crate::media::decode::worker::WorkerShared;
use crate::media::error::MediaError;
use crate::media::input::track::VideoTrack;
use crate::media::pixels::shape::Shaper;
use crate::media::select::syntax::Syntax;
use crate::media::stop::StopFlag;
use std::io;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::thread::JoinHandle;

/// Threads that sample a stream.
pub(in crate::media) struct SparseDecode {
    buffer: Arc<ReorderBuffer<FrameOutcome>>,
    budget: Arc<PacketBudget>,
    stats: Arc<Mutex<DecodeStats>>,
    stop: StopFlag,
    threads: Vec<JoinHandle<()>>,
}

impl SparseDecode {
    /// Begins to sample `track` on `wanted.decoders` threads, and one that reads.
    pub(in crate::media) fn start(
        track: VideoTrack,
        syntax: Syntax,
        wanted: &VideoSelection,
        stop: StopFlag,
    ) -> Result<Self, MediaError> {
        let decoders = wanted.decoders.max(1);
        let mut sparse = Self {
            buffer: Arc::new(ReorderBuffer::new(memory::ahead(wanted))),
            budget: PacketBudget::new(memory::packets(decoders)),
            stats: Arc::default(),
            stop: stop.clone(),
            threads: Vec::new(),
        };
        // Made after `sparse`, whose end waits for threads that wait for this one.
        let (sender, receiver) = sync_channel(decoders);
        let shared = WorkerShared {
            groups: Arc::new(Mutex::new(receiver)),
            buffer: Arc::clone(&sparse.buffer),
            stats: Arc::clone(&sparse.stats),
            stop,
        };
        for _ in 0..decoders {
            let parameters = track.parameters();
            let most = memory::most_pixels(decoders);
            let decoder = Decoder::open(parameters, track.base(), 1, most, track.path())?;
            let shaper = Shaper::new(wanted.format, wanted.max_side, track.display());
            let shared = shared.clone();
            sparse.spawn("decoder", move || worker::work(decoder, shaper, &shared))?;
        }
        let queue = GopQueue::new(sender, shared.buffer, Arc::clone(&sparse.budget));
        let reader = PacketReader::new(track, syntax, wanted, queue);
        sparse.spawn("reader", move || reader.read())?;
        Ok(sparse)
    }

    /// What became of the next frame that shows samples; waits for it. `None` at the end.
    pub(in crate::media) fn next_outcome(&self) -> Option<FrameOutcome> {
        self.buffer.take()
    }

    /// What was decoded in the groups that are done.
    pub(in crate::media) fn stats(&self) -> DecodeStats {
        *worker::lock(&self.stats)
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

impl Drop for SparseDecode {
    fn drop(&mut self) {
        self.stop.abandon();
        self.buffer.close();
        self.budget.close();
        for thread in self.threads.drain(..) {
            // A thread that panicked has left its group unfinished and said so on the buffer.
            thread.join().ok();
        }
    }
}
