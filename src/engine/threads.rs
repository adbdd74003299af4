//! Threads: where a [`Map`] runs, named after its step, each with a state of its own.

use crate::engine::operator::Map;
use crate::engine::operator::MapState;
use crate::engine::panics::caught;
use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Item;
use crate::name::StepId;
use std::io;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::mpsc;
use tokio::sync::oneshot;

struct Job {
    item: Item,
    reply: oneshot::Sender<Result<Vec<Item>, Failure>>,
}

/// The threads of one step. They end when this is dropped and their last item is done.
pub(super) struct MapThreads {
    jobs: mpsc::SyncSender<Job>,
}

impl MapThreads {
    pub(super) fn start(step: &StepId, count: usize, map: &Arc<dyn Map>) -> io::Result<Self> {
        // Permits admit at most `count` items at a time, so sending never blocks.
        let (jobs, queue) = mpsc::sync_channel(count);
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..count {
            let (map, queue) = (Arc::clone(map), Arc::clone(&queue));
            std::thread::Builder::new()
                .name(format!("{step} {number}"))
                .spawn(move || work(&*map, &queue))?;
        }
        Ok(Self { jobs })
    }

    pub(super) async fn map(&self, item: Item) -> Result<Vec<Item>, Failure> {
        let (reply, answer) = oneshot::channel();
        let lost = || Failure::new(Class::Internal, "the thread that worked on it is gone");
        self.jobs
            .send(Job { item, reply })
            .map_err(|_closed| lost())?;
        answer.await.unwrap_or_else(|_closed| Err(lost()))
    }
}

fn work(map: &dyn Map, queue: &Mutex<mpsc::Receiver<Job>>) {
    // Made for the first item, so that a thread that gets none costs nothing.
    let mut state: Option<Box<dyn MapState>> = None;
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        let answer = caught(|| match &mut state {
            Some(state) => state.map(&job.item),
            None => map.state().and_then(|new| state.insert(new).map(&job.item)),
        });
        let answer = answer.unwrap_or_else(|panic| {
            // What a panic has left behind is not used again.
            state = None;
            Err(panic)
        });
        drop(job.item);
        // Nobody waits for the answer any more where the run was aborted.
        job.reply.send(answer).unwrap_or_default();
    }
}
