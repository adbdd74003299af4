//! Bodies of requests: read whole, within a size, a pace and the memory that there is.

use crate::serve::http::connections::Line;
use crate::serve::http::jobs::JobStore;
use crate::serve::http::jobs::Reservation;
use axum::body::Body;
use axum::body::HttpBody;
use bytes::Bytes;
use futures_util::StreamExt;
use std::time::Duration;
use tokio::time::Instant;

/// What is read and thrown away of a body that is too large, so that a client which is still
/// sending hears why it is refused. One that is larger by more finds the line closed.
const DRAINED: usize = 64 << 20;

/// A body may not come slower than so many bytes a window: 16 KiB a second.
const WINDOW: Duration = Duration::from_secs(10);
const LEAST: usize = 10 * (16 << 10);

/// A body, with the memory that it takes.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) bytes: Vec<u8>,
    _memory: Reservation,
}

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyError {
    TooLarge,
    /// No memory is left for it.
    Full,
    Slow,
    /// The line broke.
    Broken,
}

/// Reads a body of at most so many bytes, the last that a client has to say on `line`.
pub(super) async fn read(
    body: Body,
    most: usize,
    jobs: &JobStore,
    line: &Line,
) -> Result<Read, BodyError> {
    let read = read_within(body, most, jobs).await;
    line.work();
    read
}

async fn read_within(body: Body, most: usize, jobs: &JobStore) -> Result<Read, BodyError> {
    let declared = body.size_hint().lower();
    if declared > (most + DRAINED) as u64 {
        return Err(BodyError::TooLarge);
    }
    let mut memory = jobs.reserve(0).ok_or(BodyError::Full)?;
    let (mut bytes, mut refused) = (Vec::new(), None);
    let (mut parts, mut pace, mut total) = (body.into_data_stream(), Pace::new(), 0);
    while let Some(part) = pace.wait_for(parts.next()).await? {
        let part: Bytes = part.map_err(|_| BodyError::Broken)?;
        pace.came(part.len());
        total += part.len();
        if total > most + DRAINED {
            return Err(BodyError::TooLarge);
        }
        if total > most {
            refused = Some(BodyError::TooLarge);
        }
        if refused.is_none() {
            match jobs.reserve(part.len()) {
                Some(more) => memory.add(more),
                None => refused = Some(BodyError::Full),
            }
        }
        match refused {
            None => bytes.extend_from_slice(&part),
            // What was read of it is no use any more.
            Some(_) => bytes = Vec::new(),
        }
    }
    refused.map_or(
        Ok(Read {
            bytes,
            _memory: memory,
        }),
        Err,
    )
}

// How fast a body comes.
struct Pace {
    window: Instant,
    came: usize,
}

impl Pace {
    fn new() -> Self {
        Self {
            window: Instant::now() + WINDOW,
            came: 0,
        }
    }

    fn came(&mut self, bytes: usize) {
        self.came += bytes;
    }

    async fn wait_for<T>(&mut self, part: impl Future<Output = T>) -> Result<T, BodyError> {
        tokio::pin!(part);
        loop {
            if Instant::now() >= self.window {
                if self.came < LEAST {
                    return Err(BodyError::Slow);
                }
                *self = Self::new();
            }
            if let Ok(part) = tokio::time::timeout_at(self.window, part.as_mut()).await {
                return Ok(part);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::BodyError;
    use super::read_within;
    use crate::serve::http::jobs::JobStore;
    use axum::body::Body;
    use bytes::Bytes;
    use futures_util::stream;
    use std::convert::Infallible;
    use std::time::Duration;
    use tokio::time::Instant;
    use tokio::time::sleep;

    // A body of so many parts, each so long after the one before.
    fn body(parts: usize, bytes: usize, pause: Duration) -> Body {
        Body::from_stream(stream::unfold(0, move |at| async move {
            sleep(pause).await;
            let part = Ok::<_, Infallible>(Bytes::from(vec![b'x'; bytes]));
            (at < parts).then_some((part, at + 1))
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_drips_is_not_waited_for() {
        let jobs = JobStore::new(1, 1 << 30);
        let begun = Instant::now();
        let second = Duration::from_secs(1);
        let read = read_within(body(1000, 1, second), 1 << 20, &jobs).await;
        assert_eq!(read.unwrap_err(), BodyError::Slow);
        assert_eq!(begun.elapsed().as_secs(), 10);
        // One that stalls after a good beginning has one more window.
        let begun = Instant::now();
        let read = read_within(body(2, 10 << 20, 9 * second), 30 << 20, &jobs).await;
        assert_eq!(read.unwrap().bytes.len(), 20 << 20);
        let read = read_within(body(3, 10 << 20, 19 * second), 40 << 20, &jobs).await;
        assert_eq!(read.unwrap_err(), BodyError::Slow);
        assert!(begun.elapsed().as_secs() < 60);
        // A slow line of 32 KiB a second is waited for.
        let read = read_within(body(640, 32 << 10, second), 20 << 20, &jobs).await;
        assert_eq!(read.unwrap().bytes.len(), 20 << 20);
        assert_eq!(jobs.counts().bytes, 0);
    }

    #[tokio::test]
    async fn what_is_too_much_is_read_and_not_kept() {
        let jobs = JobStore::new(1, 1 << 20);
        let at_once = Duration::ZERO;
        let read = read_within(body(3, 1 << 19, at_once), 1 << 20, &jobs).await;
        assert_eq!(read.unwrap_err(), BodyError::TooLarge);
        let read = read_within(body(5, 1 << 18, at_once), 2 << 20, &jobs).await;
        assert_eq!(read.unwrap_err(), BodyError::Full);
        let read = read_within(body(200, 1 << 20, at_once), 1 << 20, &jobs).await;
        assert_eq!(read.unwrap_err(), BodyError::TooLarge);
        assert_eq!(jobs.counts().bytes, 0);
    }
}
