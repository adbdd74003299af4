//! A worker at a control plane, both in this process, with pauses of milliseconds.

use super::script::Script;
use crate::control_plane::Call;
use crate::control_plane::ControlPlane;
use crate::control_plane::Fault;
use crate::control_plane::KEY;
use serde_json::json;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use vpipe::serve::worker::Notes;
use vpipe::serve::worker::Pace;
use vpipe::serve::worker::Pauses;
use vpipe::serve::worker::PlaneSettings;
use vpipe::serve::worker::Worker;
use vpipe::serve::worker::WorkerSettings;

/// How long a test may take before it has failed.
const LONGEST: Duration = Duration::from_secs(60);

/// A worker that was started.
pub(crate) struct Started {
    stop: Option<oneshot::Sender<()>>,
    run: JoinHandle<()>,
    notes: Arc<Mutex<Vec<String>>>,
}

/// Pauses that are short enough for a test.
pub(crate) fn quick() -> Pace {
    let milliseconds = Duration::from_millis;
    let pauses = Pauses {
        shortest: milliseconds(1),
        longest: milliseconds(10),
    };
    Pace {
        nothing: pauses,
        failed: pauses,
        refused: milliseconds(10),
        poll: milliseconds(2_000),
        post: milliseconds(500),
        wanted: LONGEST,
    }
}

/// A control plane that holds questions open for a moment.
pub(crate) async fn plane(faults: &[(Call, &[Fault])]) -> ControlPlane {
    ControlPlane::start(Duration::from_millis(200), faults).await
}

/// What a worker of this name is told, with one slot and one job ahead.
pub(crate) fn settings(plane: &ControlPlane, name: &str) -> WorkerSettings {
    let variables = plane.variables(name, Duration::from_millis(20));
    let plane = PlaneSettings::from_variables(&|name| variables.get(name).cloned()).unwrap();
    WorkerSettings {
        plane,
        slots: 1,
        ahead: 1,
        once: false,
        pace: quick(),
    }
}

/// Starts a worker.
pub(crate) fn start(settings: &WorkerSettings, script: &Script) -> Started {
    let notes = Arc::<Mutex<Vec<String>>>::default();
    let noted = Arc::clone(&notes);
    let notes_to = Notes::to(move |note| {
        let job = note.job.as_deref().unwrap_or("-");
        let line = format!("{} {job}: {}", note.level.word(), note.message);
        noted.lock().unwrap().push(line);
    });
    let worker = Worker::new(settings, Arc::new(script.clone()), notes_to).unwrap();
    let (stop, stopped) = oneshot::channel();
    let stopped = async {
        // Whoever only drops it does not stop the worker.
        if stopped.await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    Started {
        stop: Some(stop),
        run: tokio::spawn(worker.run(stopped)),
        notes,
    }
}

impl Started {
    /// Asks the worker to end, as a signal does.
    pub(crate) fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(self) -> Vec<String> {
        within(self.run).await.unwrap();
        let notes = self.notes.lock().unwrap().clone();
        assert!(!notes.join("\n").contains(KEY), "{notes:?}");
        notes
    }

    /// Asks it to end and waits for that.
    pub(crate) async fn end(mut self) -> Vec<String> {
        self.stop();
        self.ended().await
    }

    /// Ends it in the middle of whatever it does, as a machine that goes off does.
    pub(crate) async fn kill(self) {
        self.run.abort();
        assert!(self.run.await.unwrap_err().is_cancelled());
    }
}

/// What `waited` gives; that it takes for ever fails the test.
pub(crate) async fn within<T>(waited: impl Future<Output = T>) -> T {
    tokio::time::timeout(LONGEST, waited).await.unwrap()
}

/// Queues so many jobs.
pub(crate) fn submit(plane: &ControlPlane, count: usize) {
    for number in 0..count {
        plane.submit(&format!("j{number:02}"), json!({ "value": number }));
    }
}

/// Each job was done once and has its own answer, and nothing happened that may not.
pub(crate) fn all_is_right(name: &str, plane: &ControlPlane, scripts: &[Script]) {
    let state = plane.state();
    assert!(state.wrong.is_empty(), "{name}: {:?}", state.wrong);
    for (id, job) in &state.jobs {
        let answer = json!({ "output": { "given": job.input } });
        assert_eq!(job.answer(), Some(&answer), "{name}: {id} {job:?}");
        let begun = scripts.iter().map(|script| {
            let done = script.done();
            done.begun.get(id).copied().unwrap_or_default()
        });
        assert_eq!(begun.sum::<u32>(), 1, "{name}: {id} was begun");
    }
}
