//! The server: from an address to answers, and to a quiet end.

use crate::serve::http::connections::Connections;
use crate::serve::http::jobs;
use crate::serve::http::jobs::JobStore;
use crate::serve::http::key::Access;
use crate::serve::http::requests::Requests;
use crate::serve::http::routes;
use crate::serve::http::service::Loaded;
use crate::serve::http::service::Service;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How often what is over is forgotten, and how often is looked whether all is done at the end.
const SWEEP: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(20);

/// How long the last results are there for those who ask for them, and how long the last answers
/// may take to be sent.
const LAST_RESULTS: Duration = Duration::from_secs(2);
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// How a server is set up.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Where it listens: `HOST:PORT`.
    pub listen: String,
    /// What a client must know.
    pub key: Option<String>,
    /// Whether it may listen for other machines without a key.
    pub without_key: bool,
    /// Jobs that are done at once.
    pub jobs: usize,
    /// Jobs that may wait.
    pub queue: usize,
    /// What requests, jobs and results may take together, bytes.
    pub memory: usize,
    /// Connections that may be open.
    pub connections: u32,
    /// How long the jobs that run may go on once the server is to end.
    pub drain: Duration,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8000".to_owned(),
            key: None,
            without_key: false,
            jobs: 1,
            queue: 1000,
            memory: 1 << 30,
            connections: 512,
            drain: Duration::from_secs(30),
        }
    }
}

/// Why a server does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is not one of this machine, or another program has it.
    #[error("cannot listen at {address}: {source}")]
    Listen {
        /// As it was given.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// Everyone on the network could use it.
    #[error("{address} is for other machines too, and there is no key")]
    NoKey {
        /// Where it would have listened.
        address: SocketAddr,
    },
}

/// A server that listens.
#[derive(Debug)]
pub struct HttpServer {
    listener: TcpListener,
    address: SocketAddr,
    service: Arc<Service>,
    drain: Duration,
}

impl HttpServer {
    /// Listens; nobody is answered yet.
    ///
    /// # Errors
    ///
    /// Where the address cannot be had, or may not without a key.
    pub async fn bind(options: &ServerOptions) -> Result<Self, ServeError> {
        let unheard = |source| ServeError::Listen {
            address: options.listen.clone(),
            source,
        };
        let listener = TcpListener::bind(&options.listen).await.map_err(unheard)?;
        let address = listener.local_addr().map_err(unheard)?;
        let access = match (&options.key, address.ip().is_loopback()) {
            (Some(key), _) => Access::key(key),
            (None, true) => Access::Local,
            (None, false) if options.without_key => Access::Anyone,
            (None, false) => return Err(ServeError::NoKey { address }),
        };
        let service = Service {
            jobs: Arc::new(JobStore::new(options.queue, options.memory)),
            slots: options.jobs,
            access,
            connections: Connections::new(options.connections),
            requests: Requests::default(),
            loaded: OnceLock::new(),
            closed: AtomicBool::new(false),
            places: Semaphore::new(options.queue),
            most_requests: options.queue,
        };
        Ok(Self {
            listener,
            address,
            service: Arc::new(service),
            drain: options.drain,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `ending` is ready. Jobs wait until `load` has given what does them; then they
    /// are done. At the end the jobs that run are finished, within the time for that.
    ///
    /// # Errors
    ///
    /// The one of `load`.
    pub async fn serve<E>(
        self,
        load: impl Future<Output = Result<Loaded, E>>,
        ending: impl Future<Output = ()>,
    ) -> Result<(), E> {
        let service = self.service;
        let router = routes::router(&service);
        let mut tasks = JoinSet::new();
        let connections = service.connections.clone();
        let listener = self.listener;
        tasks.spawn(async move { connections.accept(listener, router).await });
        tasks.spawn(sweep(Arc::clone(&service.jobs)));
        tokio::pin!(ending);
        let loaded = tokio::select! {
            loaded = load => loaded?,
            () = &mut ending => return Ok(()),
        };
        for slot in 1..=service.slots {
            let jobs = Arc::clone(&service.jobs);
            tasks.spawn(jobs::work(slot, jobs, Arc::clone(&loaded.handler)));
        }
        service.loaded.get_or_init(|| loaded);
        ending.await;
        end(&service, self.drain).await;
        Ok(())
    }
}

async fn sweep(jobs: Arc<JobStore>) {
    let mut seconds = tokio::time::interval(SWEEP);
    loop {
        seconds.tick().await;
        jobs.sweep();
    }
}

// No new jobs; those that run are finished, and their results can still be asked for.
async fn end(service: &Service, drain: Duration) {
    let jobs = &service.jobs;
    service.close();
    if !until(drain, || service.is_at_rest()).await {
        tracing::warn!("jobs were not done in time and are given up");
    }
    until(LAST_RESULTS, || jobs.all_told()).await;
    let closed = tokio::time::timeout(LAST_ANSWERS, service.connections.close()).await;
    if closed.is_err() {
        tracing::debug!("connections were cut");
    }
}

async fn until(limit: Duration, is_so: impl Fn() -> bool) -> bool {
    let end = Instant::now() + limit;
    while !is_so() {
        if Instant::now() >= end {
            return false;
        }
        tokio::time::sleep(LOOK).await;
    }
    true
}
