//! A server under test, whose jobs do what their input says.

use super::client::get;
use serde_json::Value;
use serde_json::json;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use vpipe::serve::Handler;
use vpipe::serve::HandlerFuture;
use vpipe::serve::Job;
use vpipe::serve::JobError;
use vpipe::serve::Update;
use vpipe::serve::Updates;
use vpipe::serve::http::HttpServer;
use vpipe::serve::http::Loaded;
use vpipe::serve::http::ServerOptions;

/// Does what inputs say: `progress`, `chunks`, `hold` (until the test lets it go), then `error`, `panic` or
/// `output`.
pub(crate) struct Scripted {
    gate: Semaphore,
    begun: AtomicUsize,
    dropped: AtomicUsize,
}

// Counts work that ends before its end.
struct Held<'a>(&'a AtomicUsize, bool);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(usize::from(!self.1), Ordering::SeqCst);
    }
}

impl Handler for Scripted {
    fn handle<'a>(&'a self, job: &'a Job, updates: Updates) -> HandlerFuture<'a> {
        Box::pin(async move {
            self.begun.fetch_add(1, Ordering::SeqCst);
            let input = &job.input;
            if let Some(progress) = input.get("progress") {
                updates.tell(Update::Progress(progress.clone())).await;
            }
            for chunk in input["chunks"].as_array().into_iter().flatten() {
                updates.tell(Update::Chunk(chunk.clone())).await;
            }
            if input.get("hold").is_some() {
                let mut held = Held(&self.dropped, false);
                self.gate.acquire().await.unwrap().forget();
                held.1 = true;
            }
            assert!(input.get("panic").is_none(), "as the input says");
            match input.get("error") {
                Some(error) => Err(JobError(error.as_str().unwrap().to_owned())),
                None => Ok(input["output"].clone()),
            }
        })
    }

    fn streams(&self, job: &Job) -> bool {
        job.input.get("chunks").is_some()
    }
}

/// A server that serves until it is dropped or ended.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    handler: Arc<Scripted>,
    end: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<Result<(), Infallible>>>,
}

impl Site {
    /// One with the usual options.
    pub(crate) async fn usual() -> Self {
        Self::with(ServerOptions::default()).await
    }

    /// One with these options, at a port that is free.
    pub(crate) async fn with(options: ServerOptions) -> Self {
        let options = ServerOptions {
            listen: "127.0.0.1:0".to_owned(),
            ..options
        };
        let handler = Arc::new(Scripted {
            gate: Semaphore::new(0),
            begun: AtomicUsize::new(0),
            dropped: AtomicUsize::new(0),
        });
        let server = HttpServer::bind(&options).await.unwrap();
        let address = server.address();
        let (end, ending) = oneshot::channel::<()>();
        let loaded = Loaded {
            handler: Arc::clone(&handler) as Arc<dyn Handler>,
            handlers: None,
        };
        let served = tokio::spawn(server.serve(std::future::ready(Ok(loaded)), async {
            ending.await.unwrap_or(());
        }));
        Self {
            address,
            handler,
            end: Some(end),
            served: Some(served),
        }
    }

    /// Lets so many jobs that are held go on.
    pub(crate) fn let_go(&self, jobs: usize) {
        self.handler.gate.add_permits(jobs);
    }

    /// How many jobs were begun.
    pub(crate) fn begun(&self) -> usize {
        self.handler.begun.load(Ordering::SeqCst)
    }

    /// How many held jobs were dropped before their end.
    pub(crate) fn dropped(&self) -> usize {
        self.handler.dropped.load(Ordering::SeqCst)
    }

    /// Asks the server to end; it is over when what this gives is.
    pub(crate) fn begin_end(&mut self) -> impl Future<Output = ()> + use<> {
        self.end.take().unwrap().send(()).unwrap();
        let served = self.served.take().unwrap();
        async {
            served.await.unwrap().unwrap();
        }
    }

    /// Submits a job, and gives its id.
    pub(crate) async fn run(&self, input: &Value) -> String {
        let said =
            super::client::post(self.address, "/v2/any/run", &json!({ "input": input })).await;
        assert_eq!(said.status, 200, "{}", said.text());
        assert_eq!(said.json()["status"], "IN_QUEUE");
        said.json()["id"].as_str().unwrap().to_owned()
    }

    /// What is said of a job.
    pub(crate) async fn status(&self, id: &str) -> Value {
        get(self.address, &format!("/v2/any/status/{id}"))
            .await
            .json()
    }

    /// What is said of a job once it is so.
    pub(crate) async fn until(&self, id: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        within(async {
            loop {
                let said = self.status(id).await;
                if is_so(&said) {
                    return said;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        })
        .await
    }

    /// What is said of a job once it has this status.
    pub(crate) async fn reaches(&self, id: &str, status: &str) -> Value {
        self.until(id, |said| said["status"] == status).await
    }
}

/// What is ready before anybody would give up.
pub(crate) async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), work)
        .await
        .unwrap()
}

/// Waits until it is so.
pub(crate) async fn until(is_so: impl Fn() -> bool) {
    within(async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

/// Waits until it is so, as a server says.
pub(crate) async fn until_async(is_so: impl AsyncFn() -> bool) {
    within(async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}
