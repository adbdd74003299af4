//! The screen: live rows where a person watches, lines where a file or a pipe does.
//!
//! Draws what [`Progress`] says, when something is said and on a clock of its own, since a run may
//! wait for long. Knows nothing of runs.

use crate::app::RunUpdate;
use crate::cli::bars::Bars;
use crate::cli::live::LiveRows;
use crate::cli::progress::Line;
use crate::cli::progress::Progress;
use crate::cli::progress::Weight;
use crate::cli::streams::talk;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::mpsc::SyncSender;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

// Often enough for bars that move, and for a clock that shows seconds.
const TICK: Duration = Duration::from_millis(100);

/// Where progress is shown; on stderr in any case.
pub(super) struct Screen {
    view: Arc<Mutex<View>>,
    // Ends the clock when it is dropped.
    clock: Option<(SyncSender<()>, JoinHandle<()>)>,
}

impl Screen {
    /// A screen that draws in `rows`. Nothing is drawn where that is not a terminal, or a dumb one.
    pub(super) fn new(quiet: bool, rows: LiveRows) -> Self {
        let is_drawn = !quiet && rows.can_be_drawn();
        let least = match (quiet, is_drawn) {
            (true, _) => Weight::Trouble,
            (false, true) => Weight::Notice,
            (false, false) => Weight::Step,
        };
        let view = Arc::new(Mutex::new(View {
            start: Instant::now(),
            progress: Progress::default(),
            rows: is_drawn.then_some(rows),
            bars: Bars::new(),
            least,
        }));
        let clock = (!quiet).then(|| {
            let view = Arc::clone(&view);
            let (close, closed) = mpsc::sync_channel(0);
            let ticks = move || {
                while closed.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                    locked(&view).tick();
                }
            };
            (close, thread::spawn(ticks))
        });
        Self { view, clock }
    }

    /// Takes in what a run says.
    pub(super) fn update(&self, update: &RunUpdate) {
        locked(&self.view).update(update);
    }

    /// Takes the live rows away, so that what is said next stands alone.
    pub(super) fn close(self) {
        if let Some((close, clock)) = self.clock {
            drop(close);
            // Should it have panicked, that is told as a defect.
            clock.join().unwrap_or_default();
        }
        if let Some(rows) = &locked(&self.view).rows {
            rows.clear();
        }
    }
}

struct View {
    start: Instant,
    progress: Progress,
    rows: Option<LiveRows>,
    bars: Bars,
    least: Weight,
}

impl View {
    fn update(&mut self, update: &RunUpdate) {
        let lines = self.progress.update(update, self.start.elapsed());
        lines.iter().for_each(|line| self.say(line));
    }

    fn tick(&mut self) {
        let now = self.start.elapsed();
        match &self.rows {
            Some(window) => {
                let width = window.width();
                let rows = self.progress.rows(now, width);
                window.draw(self.bars.drawn(&rows, width));
            }
            None => {
                let line = self.progress.bulletin(now);
                line.iter().for_each(|line| self.say(line));
            }
        }
    }

    fn say(&self, line: &Line) {
        if line.weight < self.least {
            return;
        }
        match &self.rows {
            Some(rows) => rows.above(|| talk(&line.text)),
            None => talk(&line.text),
        }
    }
}

fn locked(view: &Mutex<View>) -> MutexGuard<'_, View> {
    view.lock().unwrap_or_else(PoisonError::into_inner)
}
