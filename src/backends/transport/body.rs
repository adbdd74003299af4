//! Bodies: each is bounded while it is read, and so are all that are read at the same time.
//!
//! A small body takes what it takes. A larger one waits until there is room for the largest that it
//! may become, so that no two of them wait for each other.

use bytes::Bytes;
use bytes::BytesMut;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;

/// Bytes of all larger bodies that are read at the same time, or of the one that is larger still.
const TOGETHER: usize = 256 << 20;

/// Bytes of a small body.
const SMALL: usize = 256 << 10;

/// The memory for the bodies of a run. Clones are the same.
#[derive(Clone, Debug)]
pub struct BodyBudget {
    free: Arc<Semaphore>,
    bytes: usize,
}

impl Default for BodyBudget {
    fn default() -> Self {
        Self::of(TOGETHER)
    }
}

/// What a body takes of the memory of a run until it is parsed.
#[derive(Clone, Debug, Default)]
pub(in crate::backends) struct Held {
    _permit: Option<Arc<OwnedSemaphorePermit>>,
}

/// Why a body is not read on: it is larger than it may be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLarge;

/// A body that is being read.
#[derive(Debug)]
pub(super) struct BodyReader {
    budget: BodyBudget,
    most: usize,
    bytes: BytesMut,
    held: Option<OwnedSemaphorePermit>,
}

impl BodyBudget {
    fn of(bytes: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(bytes)),
            bytes,
        }
    }

    /// A body of at most `most` bytes; `declared` is how many the server says that it has.
    pub(super) fn read(&self, most: usize, declared: Option<u64>) -> Result<BodyReader, TooLarge> {
        let declared = declared.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        if declared.is_some_and(|declared| declared > most) {
            return Err(TooLarge);
        }
        Ok(BodyReader {
            budget: self.clone(),
            most: declared.unwrap_or(most),
            bytes: BytesMut::new(),
            held: None,
        })
    }
}

impl BodyReader {
    /// Takes the next part, when there is room for it.
    pub(super) async fn push(&mut self, part: &Bytes) -> Result<(), TooLarge> {
        let size = self.bytes.len() + part.len();
        if size > self.most {
            return Err(TooLarge);
        }
        if size > SMALL && self.held.is_none() {
            let most = u32::try_from(self.most.min(self.budget.bytes)).unwrap_or(u32::MAX);
            // Never closed.
            self.held = Arc::clone(&self.budget.free)
                .acquire_many_owned(most)
                .await
                .ok();
        }
        self.bytes.extend_from_slice(part);
        Ok(())
    }

    /// The whole body, and what it takes of the memory.
    pub(super) fn finish(self) -> (Bytes, Held) {
        let _permit = self.held.map(Arc::new);
        (self.bytes.freeze(), Held { _permit })
    }
}

#[cfg(test)]
mod tests {
    use super::BodyBudget;
    use super::SMALL;
    use super::TooLarge;
    use bytes::Bytes;
    use futures_util::future::join_all;
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    #[tokio::test]
    async fn a_body_is_refused_as_soon_as_it_is_too_large() {
        let budget = BodyBudget::default();
        assert_eq!(budget.read(10, Some(11)).err(), Some(TooLarge));
        // It is believed no further than it goes.
        for (most, declared) in [(10, None), (10, Some(10)), (usize::MAX, Some(10))] {
            let mut body = budget.read(most, declared).unwrap();
            assert_eq!(body.push(&Bytes::from_static(b"0123456789")).await, Ok(()));
            assert_eq!(body.push(&Bytes::from_static(b"0")).await, Err(TooLarge));
        }
    }

    // All of them are as large as they may be, and come in parts at the same time.
    #[tokio::test(start_paused = true)]
    async fn all_bodies_together_have_a_bound() {
        let (most, together) = (1 << 20, 4 << 20);
        let budget = BodyBudget::of(together);
        let (now, peak) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let bodies = (0..50).map(|_| async {
            let mut body = budget.read(most, None).unwrap();
            let part = Bytes::from(vec![b' '; 64 << 10]);
            for _ in 0..16 {
                body.push(&part).await.unwrap();
                peak.fetch_max(
                    now.fetch_add(part.len(), Ordering::SeqCst) + part.len(),
                    Ordering::SeqCst,
                );
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            let (bytes, held) = body.finish();
            assert_eq!(bytes.len(), most);
            tokio::time::sleep(Duration::from_millis(10)).await;
            now.fetch_sub(most, Ordering::SeqCst);
            drop(held);
        });
        join_all(bodies).await;
        let bound = together + 50 * SMALL;
        assert!(peak.load(Ordering::SeqCst) <= bound, "{peak:?}");
        assert!(peak.load(Ordering::SeqCst) > together, "{peak:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn small_bodies_wait_for_nothing() {
        let budget = BodyBudget::of(1 << 20);
        let large = Bytes::from(vec![b' '; SMALL + 1]);
        let mut holds_all = budget.read(64 << 20, None).unwrap();
        holds_all.push(&large).await.unwrap();
        let mut small = budget.read(64 << 20, None).unwrap();
        small.push(&Bytes::from(vec![b' '; SMALL])).await.unwrap();
        let mut other = budget.read(64 << 20, None).unwrap();
        let waits = tokio::time::timeout(Duration::from_secs(60), other.push(&large));
        assert!(waits.await.is_err());
        drop(holds_all);
        other.push(&large).await.unwrap();
    }
}
