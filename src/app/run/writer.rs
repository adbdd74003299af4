//! The results of a run: the file of each video is written when its record leaves the plan.

use crate::app::accounting::ledger::Ledger;
use crate::app::compile::Compiled;
use crate::app::inputs::Inputs;
use crate::app::run::report::RunUpdate;
use crate::engine::Notification;
use crate::engine::StopSignal;
use crate::facts::VideoFacts;
use crate::item::Item;
use crate::item::Record;
use crate::name::VideoId;
use crate::output;
use crate::output::CaptionLayout;
use crate::output::Place;
use crate::output::Results;
use crate::output::WriteError;
use crate::recipe::Recipe;

/// Takes in what the conductor says: keeps the ledger, and writes the file of a video when its record
/// comes.
pub(super) struct Writer<'a> {
    pub(super) recipe: &'a Recipe,
    pub(super) compiled: &'a Compiled,
    pub(super) inputs: &'a Inputs,
    pub(super) stop: &'a StopSignal,
}

impl Writer<'_> {
    pub(super) fn take(
        &mut self,
        said: Notification,
        ledger: &mut Ledger,
        update: &mut dyn FnMut(RunUpdate),
    ) {
        match said {
            Notification::Event(event) => {
                ledger.note(&event);
                update(RunUpdate::Event(event));
            }
            Notification::Output(Item::Record(record)) => {
                let saved = record.saved.values().flatten();
                saved.for_each(|saved| ledger.file(saved));
                ledger.repeats(&record, &self.compiled.plan);
                self.write(&record, ledger, update);
            }
            Notification::Output(Item::Saved(saved)) => ledger.file(&saved),
            // Nothing else leaves a plan, and no stage of this run has tickets to keep.
            Notification::Output(_) | Notification::Accepted { .. } => {}
        }
    }

    fn write(&self, record: &Record, ledger: &mut Ledger, update: &mut dyn FnMut(RunUpdate)) {
        let video = record.video;
        let Some((facts, place)) = self.facts(video).zip(self.inputs.places.get(&video)) else {
            return;
        };
        let (plan, stopped) = (&self.compiled.plan, self.stop.reason());
        let is_partial = |reason| ledger.is_partial(record, plan, reason);
        let partial = stopped.as_ref().is_some_and(is_partial);
        let run = ledger.run_facts(video, plan, stopped);
        let results = output::results(self.recipe, &self.compiled.facts, facts, record, run);
        let (path, unwritten) = match place.write(&results, partial) {
            Ok(path) if partial => (Some(path), None),
            Ok(path) => (Some(path), self.write_formats(&results, place).err()),
            Err(error) => (place.write_elsewhere(&results, partial).ok(), Some(error)),
        };
        let unwritten = unwritten.map(|error| match &path {
            Some(path) => format!("{error}; the results are kept in {}", path.display()),
            None => format!("{error}; the results could be kept nowhere else"),
        });
        if let Some(why) = &unwritten {
            tracing::warn!(video = video.0, why, "not written");
        }
        if let Some(path) = &path {
            tracing::info!(video = video.0, path = %path.display(), partial, "results written");
            update(RunUpdate::Saved {
                video,
                path: path.clone(),
                partial,
            });
        }
        ledger.results(video, path, partial, results, unwritten);
    }

    fn write_formats(&self, results: &Results, place: &Place) -> Result<(), WriteError> {
        let Some(merge) = self.recipe.merge() else {
            return Ok(());
        };
        let layout = CaptionLayout {
            line_width: merge.line_width,
            line_count: merge.line_count,
        };
        for format in &merge.formats {
            if let Some(text) = output::render(results, *format, layout) {
                place.root.write(&place.format(*format), text.as_bytes())?;
            }
        }
        Ok(())
    }

    fn facts(&self, video: VideoId) -> Option<&VideoFacts> {
        self.inputs.videos.get(&video).map(|(_, facts)| facts)
    }
}
