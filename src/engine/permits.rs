//! Permits: how many items a step, and all steps on a backend, may work on at once.
//!
//! Earlier videos have them first, and of one video what asked first: whatever ends a run early
//! leaves whole videos.

use crate::name::VideoId;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use tokio::sync::oneshot;

/// The permits that an item of a step needs.
#[derive(Clone)]
pub(super) struct Permits {
    step: Arc<PermitPool>,
    backend: Option<Arc<PermitPool>>,
}

/// The right to work on one item; given back when dropped.
pub(super) struct Permit {
    _step: PoolPermit,
    _backend: Option<PoolPermit>,
}

impl Permits {
    pub(super) fn new(limit: usize, backend: Option<Arc<PermitPool>>) -> Self {
        Self {
            step: Arc::new(PermitPool::new(limit)),
            backend,
        }
    }

    /// Waits for both permits, the step's first: all steps ask in this order, so none can hold
    /// what another waits for and wait for what it holds.
    pub(super) async fn acquire(&self, video: VideoId) -> Permit {
        let step = self.step.acquire(video).await;
        let backend = match &self.backend {
            Some(backend) => Some(backend.acquire(video).await),
            None => None,
        };
        Permit {
            _step: step,
            _backend: backend,
        }
    }
}

/// A number of permits.
pub(super) struct PermitPool(Mutex<Pool>);

struct Pool {
    free: usize,
    asked: u64,
    // Who waits, by video and by when it asked.
    waiting: BTreeMap<(VideoId, u64), oneshot::Sender<PoolPermit>>,
}

/// One of them; given to whoever waits when dropped.
struct PoolPermit(Arc<PermitPool>);

impl PermitPool {
    pub(super) fn new(limit: usize) -> Self {
        Self(Mutex::new(Pool {
            free: limit,
            asked: 0,
            waiting: BTreeMap::new(),
        }))
    }

    async fn acquire(self: &Arc<Self>, video: VideoId) -> PoolPermit {
        loop {
            let turn = {
                let mut pool = self.lock();
                if pool.free > 0 {
                    pool.free -= 1;
                    return PoolPermit(Arc::clone(self));
                }
                let (sender, turn) = oneshot::channel();
                pool.asked += 1;
                let place = (video, pool.asked);
                pool.waiting.insert(place, sender);
                turn
            };
            // The pool lives as long as whoever waits, so the channel is not closed.
            if let Ok(permit) = turn.await {
                return permit;
            }
        }
    }

    fn give_back(self: &Arc<Self>) {
        let first = {
            let mut pool = self.lock();
            let first = pool.waiting.pop_first();
            if first.is_none() {
                pool.free += 1;
            }
            first
        };
        if let Some((_, first)) = first {
            // Where nobody waits for it any more it comes back and is given to the next.
            drop(first.send(PoolPermit(Arc::clone(self))));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PoolPermit {
    fn drop(&mut self) {
        self.0.give_back();
    }
}

#[cfg(test)]
mod tests {
    use super::PermitPool;
    use crate::name::VideoId;
    use std::sync::Arc;
    use tokio::sync::mpsc;

    #[tokio::test(flavor = "current_thread")]
    async fn earlier_videos_come_first_and_of_one_what_asked_first() {
        let pool = Arc::new(PermitPool::new(1));
        let held = pool.acquire(VideoId(0)).await;
        let (turns, mut order) = mpsc::channel(5);
        let asks = [(2, 'a'), (1, 'b'), (2, 'c'), (0, 'd'), (1, 'e')];
        for (video, name) in asks {
            let (pool, turns) = (Arc::clone(&pool), turns.clone());
            tokio::spawn(async move {
                let permit = pool.acquire(VideoId(video)).await;
                turns.send(name).await.unwrap();
                drop(permit);
            });
            // On one thread, so that it has asked when this goes on.
            tokio::task::yield_now().await;
        }
        drop((held, turns));
        let mut came = String::new();
        while let Some(name) = order.recv().await {
            came.push(name);
        }
        assert_eq!(came, "dbeac");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn what_nobody_waits_for_any_more_is_not_lost() {
        let pool = Arc::new(PermitPool::new(1));
        let held = pool.acquire(VideoId(0)).await;
        let gone = tokio::spawn({
            let pool = Arc::clone(&pool);
            async move { drop(pool.acquire(VideoId(0)).await) }
        });
        tokio::task::yield_now().await;
        gone.abort();
        assert!(gone.await.unwrap_err().is_cancelled());
        drop(held);
        let again = pool.acquire(VideoId(1)).await;
        drop(again);
        assert_eq!(pool.lock().free, 1);
    }
}
