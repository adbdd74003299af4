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
        let run = ledger.run_facts(video, &self.compiled.plan, self.stop.reason());
        let results = output::results(self.recipe, &self.compiled.facts, facts, record, run);
        let partial = self.stop.is_stopping() && ledger.is_partial(record, &self.compiled.plan);
        let written = place.write(&results, partial).and_then(|path| {
            if !partial {
                self.write_formats(&results, place)?;
            }
            Ok(path)
        });
        match written {
            Ok(path) => {
                tracing::info!(video = video.0, path = %path.display(), partial, "results written");
                ledger.saved(video, &path, partial, results);
                update(RunUpdate::Saved {
                    video,
                    path,
                    partial,
                });
            }
            Err(error) => ledger.unsaved(video, results.summary, &error.to_string()),
        }
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
                output::write_file(&place.format(*format), text.as_bytes())?;
            }
        }
        Ok(())
    }

    fn facts(&self, video: VideoId) -> Option<&VideoFacts> {
        self.inputs.videos.get(&video).map(|(_, facts)| facts)
    }
}
