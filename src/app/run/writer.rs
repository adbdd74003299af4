//! The results of a run: the file of each video is written when its record leaves the plan.

use crate::app::accounting::budget::Budget;
use crate::app::accounting::ledger::Ledger;
use crate::app::accounting::ledger::WriteOutcome;
use crate::app::compile::Compiled;
use crate::app::inputs::Inputs;
use crate::app::run::growing::GrowingFiles;
use crate::app::run::keeper::Keeper;
use crate::app::run::report::RunUpdate;
use crate::engine::Notification;
use crate::engine::StopReason;
use crate::engine::StopSignal;
use crate::engine::journal::InputState;
use crate::event::Event;
use crate::facts::VideoFacts;
use crate::item::Item;
use crate::item::Record;
use crate::name::VideoId;
use crate::output;
use crate::output::Place;
use crate::output::Results;
use crate::output::RunFacts;
use crate::output::WantedRange;
use crate::output::WriteError;
use crate::output::Written;
use crate::recipe::Recipe;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// Takes in what the conductor says: keeps the ledger, and writes the file of a video when its record
/// comes.
pub(super) struct Writer<'a> {
    pub(super) recipe: &'a Recipe,
    pub(super) compiled: &'a Compiled,
    pub(super) inputs: &'a Inputs,
    pub(super) stop: &'a StopSignal,
    /// How much of each video is wanted, where that is not all of it.
    pub(super) range: Option<WantedRange>,
    pub(super) growing: GrowingFiles,
    pub(super) keeper: &'a Keeper,
    /// Whether everything is asked anew.
    pub(super) fresh: bool,
    /// Records of videos that are still read to find out which they are.
    pub(super) waiting: Vec<Record>,
    pub(super) budget: &'a Budget,
}

impl Writer<'_> {
    pub(super) fn take(
        &mut self,
        said: Notification,
        ledger: &mut Ledger,
        update: &mut dyn FnMut(RunUpdate),
    ) {
        self.write_known(ledger, update);
        match said {
            Notification::Event(event) => {
                ledger.note(&event);
                if let Event::VideoDone { video } = &event
                    && let Some(reason) = self.budget.done(*video)
                {
                    self.stop.finish(reason);
                }
                if let Event::Exchanged { stage, exchange } = &event {
                    self.keeper.spent(stage, exchange, ledger.spending());
                    if let Some(dollars) = ledger.spending().cost() {
                        update(RunUpdate::Spent { dollars });
                    }
                }
                update(RunUpdate::Event(event));
            }
            Notification::Output(Item::Record(record)) => {
                let saved = record.saved.values().flatten();
                saved.for_each(|saved| ledger.file(saved));
                ledger.repeats(&record, &self.compiled.plan);
                self.waiting.push(*record);
                self.write_known(ledger, update);
            }
            Notification::Output(Item::FrameRecord(frame)) => {
                self.growing
                    .add(self.recipe, &frame, self.inputs.places.get(&frame.video));
            }
            Notification::Output(Item::Saved(saved)) => ledger.file(&saved),
            // Nothing else leaves a plan.
            Notification::Output(_) => {}
        }
    }

    /// Writes what still waits, once it is known which videos they are.
    pub(super) fn finish(mut self, ledger: &mut Ledger, update: &mut dyn FnMut(RunUpdate)) {
        for record in std::mem::take(&mut self.waiting) {
            let digest = self.keeper.contents().wait(record.video);
            self.write(&record, digest, ledger, update);
        }
    }

    fn write_known(&mut self, ledger: &mut Ledger, update: &mut dyn FnMut(RunUpdate)) {
        for record in std::mem::take(&mut self.waiting) {
            match self.keeper.contents().digest(record.video) {
                Some(digest) => self.write(&record, digest, ledger, update),
                None => self.waiting.push(record),
            }
        }
    }

    fn write(
        &self,
        record: &Record,
        digest: Result<String, String>,
        ledger: &mut Ledger,
        update: &mut dyn FnMut(RunUpdate),
    ) {
        let video = record.video;
        let digest = match digest {
            Ok(digest) => digest,
            Err(why) => {
                self.keeper.settle(video, InputState::Failed, Some(&why));
                return ledger.fail(video, why);
            }
        };
        let Some((facts, place)) = self.facts(video).zip(self.inputs.places.get(&video)) else {
            return;
        };
        // Where no money was left for it, the run goes on with those before it.
        let no_money = || self.budget.is_closed(video).then_some(StopReason::Budget);
        let (plan, stopped) = (&self.compiled.plan, self.stop.reason().or_else(no_money));
        let is_partial = |reason| ledger.is_partial(record, plan, reason);
        let is_stopped = stopped.as_ref().is_some_and(is_partial);
        let run = RunFacts {
            digest,
            range: self.range.clone(),
            ..ledger.run_facts(video, plan, stopped)
        };
        let results = output::results(self.recipe, &self.compiled.facts, facts, record, run);
        let outcome = self.write_files(&results, place, is_stopped);
        if let Some(why) = &outcome.unwritten {
            tracing::warn!(video = video.0, why, "not written");
        }
        if let Some(path) = &outcome.path {
            let partial = outcome.partial;
            tracing::info!(video = video.0, path = %path.display(), partial, "results written");
            update(RunUpdate::Saved {
                video,
                path: path.clone(),
                partial,
            });
        }
        let why = outcome.unwritten.as_deref();
        let state = match (why, outcome.partial) {
            (Some(_), _) => InputState::Failed,
            (None, true) => InputState::Partial,
            (None, false) => InputState::Done,
        };
        self.keeper.settle(video, state, why);
        ledger.results(video, results, outcome);
    }

    fn write_files(&self, results: &Results, place: &Place, is_stopped: bool) -> WriteOutcome {
        // What was found out before stands there with what that took.
        let is_known = !self.fresh && results.run.cost_usd.is_none();
        let written = match is_known && !is_stopped && place.has(results) {
            true => Ok(Written {
                path: place.complete(),
                partial: false,
                kept: Vec::new(),
            }),
            false => place.write(results, is_stopped),
        };
        match written {
            Ok(written) => {
                let formats = match written.partial {
                    true => Ok(()),
                    false => self.write_formats(results, place),
                };
                WriteOutcome {
                    unwritten: formats
                        .err()
                        .map(|error| unwritten(&error, Some(&written.path))),
                    path: Some(written.path),
                    partial: written.partial,
                    kept: written.kept,
                }
            }
            Err(error) => {
                let path = place.write_elsewhere(results, is_stopped).ok();
                WriteOutcome {
                    unwritten: Some(unwritten(&error, path.as_deref())),
                    path,
                    partial: is_stopped,
                    kept: Vec::new(),
                }
            }
        }
    }

    fn write_formats(&self, results: &Results, place: &Place) -> Result<(), WriteError> {
        let Some(merge) = self.recipe.merge() else {
            return Ok(());
        };
        // What a run has found it writes, whatever ended it.
        let never = AtomicBool::new(false);
        for format in &merge.formats {
            place.write_format(*format, results, &never)?;
        }
        Ok(())
    }

    fn facts(&self, video: VideoId) -> Option<&VideoFacts> {
        self.inputs.videos.get(&video).map(|(_, facts)| facts)
    }
}

// What could not be written, and where its results are.
fn unwritten(error: &WriteError, path: Option<&Path>) -> String {
    match path {
        Some(path) => format!("{error}; the results are kept in {}", path.display()),
        None => format!("{error}; the results could be kept nowhere else"),
    }
}
