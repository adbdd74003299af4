//! Connections: accepted up to a number, and given up where a client says nothing.
//!
//! One that waits for a client can be taken from it when another client comes, so that whoever only
//! holds connections keeps nobody out. axum's own server has none of these bounds.

use axum::Router;
use axum::body::Body;
use axum::body::HttpBody;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::rt::TokioTimer;
use hyper_util::service::TowerToHyperService;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::sync::watch;

/// How long a client may take to say what it wants, from its connection or its last answer on.
const HEAD: Duration = Duration::from_secs(30);

/// What is read ahead of a connection, bytes; so much may the head of a request have.
const AHEAD: usize = 64 << 10;

/// How long to wait where the system accepts no connection, since this process has too many files open.
const PAUSE: Duration = Duration::from_millis(100);

/// The connections of a server; clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Connections {
    places: Arc<Semaphore>,
    most: u32,
    waiting: Arc<Mutex<Waiting>>,
    closing: watch::Sender<bool>,
}

// Those that wait for their client to say something, the longest first.
#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    lines: BTreeMap<u64, Arc<Notify>>,
}

/// A connection, and who waits for whom on it.
#[derive(Debug)]
pub(super) struct Line {
    all: Arc<Mutex<Waiting>>,
    // Its place among those that wait, where it is one of them.
    waits: Mutex<Option<u64>>,
    given_up: Arc<Notify>,
}

impl Connections {
    /// At most so many.
    pub(super) fn new(most: u32) -> Self {
        Self {
            places: Arc::new(Semaphore::new(most as usize)),
            most,
            waiting: Arc::default(),
            closing: watch::Sender::new(false),
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        (self.most as usize).saturating_sub(self.places.available_permits())
    }

    /// Accepts connections for as long as it is polled, and has `router` answer on each.
    pub(super) async fn accept(&self, listener: TcpListener, router: Router) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let place = self.place().await;
                    let line = Arc::new(Line::new(&self.waiting));
                    let closing = self.closing.subscribe();
                    let talk = converse(stream, router.clone(), line, closing);
                    tokio::spawn(async move {
                        talk.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection cannot be accepted");
                    self.give_one_up();
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Ends each connection after the answer that is under way, and waits until all have ended.
    pub(super) async fn close(&self) {
        self.closing.send_replace(true);
        // It is only closed where it is dropped, which it is not.
        let all = self.places.acquire_many(self.most).await;
        drop(all);
    }

    // A place for one more, where need be the one of a connection that waits for its client.
    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        loop {
            let place = Arc::clone(&self.places).acquire_owned();
            if self.places.available_permits() == 0 {
                self.give_one_up();
            }
            if let Ok(place) = tokio::time::timeout(PAUSE, place).await {
                return place.ok();
            }
        }
    }

    fn give_one_up(&self) {
        let oldest = lock(&self.waiting).lines.pop_first();
        if let Some((_, line)) = oldest {
            line.notify_one();
        }
    }
}

impl Line {
    fn new(all: &Arc<Mutex<Waiting>>) -> Self {
        let line = Self {
            all: Arc::clone(all),
            waits: Mutex::new(None),
            given_up: Arc::default(),
        };
        line.wait();
        line
    }

    // The client is to say something.
    fn wait(&self) {
        let mut all = lock(&self.all);
        let number = all.next;
        all.next += 1;
        all.lines.insert(number, Arc::clone(&self.given_up));
        *lock(&self.waits) = Some(number);
    }

    /// The client has said all that it has to say, and waits for an answer: it is not given up.
    pub(super) fn work(&self) {
        let number = lock(&self.waits).take();
        if let Some(number) = number {
            lock(&self.all).lines.remove(&number);
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.work();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

// Answers one request after another, until the client or the server ends it.
async fn converse(
    stream: TcpStream,
    router: Router,
    line: Arc<Line>,
    mut closing: watch::Receiver<bool>,
) {
    // Answers are small; a system that cannot send them at once sends them later.
    stream.set_nodelay(true).unwrap_or_default();
    let router = TowerToHyperService::new(router);
    let service = service_fn(|request: Request<Incoming>| {
        if request.body().is_end_stream() {
            line.work();
        }
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Arc::clone(&line));
        let answer = router.call(request);
        let line = Arc::clone(&line);
        async move {
            let answer = answer.await;
            line.work();
            line.wait();
            answer
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(AHEAD)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let given_up = line.given_up.notified();
    tokio::pin!(given_up);
    let mut is_closing = false;
    loop {
        tokio::select! {
            done = connection.as_mut() => {
                if let Err(error) = done {
                    tracing::debug!(%error, "a connection ended early");
                }
                return;
            }
            () = given_up.as_mut() => return,
            _ = closing.wait_for(|closing| *closing), if !is_closing => {
                is_closing = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}
