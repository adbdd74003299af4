//! Whole results side by side: which frames, transcripts and stages are compared with which.
//!
//! What a run took, when it was and how files are called is not compared, nor what is made of the
//! rest: `summary` and `timeline`.

use crate::name::StageId;
use crate::output::compare::asked::asked;
use crate::output::compare::comparison::Change;
use crate::output::compare::comparison::ChangedPlace;
use crate::output::compare::comparison::Comparison;
use crate::output::compare::comparison::WhatChanged;
use crate::output::compare::comparison::WordCount;
use crate::output::compare::entries::EntryComparison;
use crate::output::compare::entries::Found;
use crate::output::compare::entries::FramesBy;
use crate::output::compare::entries::Objects;
use crate::output::compare::speech;
use crate::output::compare::things;
use crate::output::compare::tolerance::Tolerance;
use crate::output::results::results::FailedItem;
use crate::output::results::results::Results;
use crate::output::results::results::StageOutput;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// What differs between two results beyond `tolerance`.
///
/// Frames are those of one number where both are of the same content, else those of one time.
/// Numbers are taken to be finite and entries to be in order, as
/// [`read_results`](crate::output::read_results) has them and as a run makes them.
pub fn compare(old: &Results, new: &Results, tolerance: &Tolerance) -> Comparison {
    let mut sides = Sides {
        old,
        new,
        tolerance,
        by: match old.source.digest == new.source.digest {
            true => FramesBy::Number,
            false => FramesBy::Time,
        },
        found: Found::default(),
        words: WordCount::default(),
        objects: BTreeMap::new(),
    };
    sides.top();
    sides.stages();
    sides.skipped();
    sides.failures();
    Comparison {
        tolerance: *tolerance,
        asked: asked(old, new),
        changes: sides.found.changes,
        frames: sides.found.frames.count(),
        objects: sides.found.objects.tallies(),
        words: sides.words,
    }
}

struct Sides<'a> {
    old: &'a Results,
    new: &'a Results,
    tolerance: &'a Tolerance,
    by: FramesBy,
    found: Found,
    words: WordCount,
    // Which object is which, by the stage that found them; those at the top have no name.
    objects: BTreeMap<Option<&'a StageId>, Objects>,
}

impl<'a> Sides<'a> {
    // What stands at the top. It may be a copy of what a stage has, which is compared once.
    fn top(&mut self) {
        let (old, new) = (self.old, self.new);
        let is_copy = |results: &Results, output: &StageOutput| match output {
            StageOutput::Detected(detected) => detected.detections == results.detections,
            StageOutput::Recorded { .. } | StageOutput::Transcribed { .. } => false,
        };
        if !self.has_stage_twice(is_copy) {
            let objects = EntryComparison {
                stage: None,
                by: self.by,
                tolerance: self.tolerance,
                parents: None,
            }
            .compare(&old.detections, &new.detections, &mut self.found);
            self.objects.insert(None, objects);
            let changes = things::passages(None, &old.summary, &new.summary);
            self.found.changes.extend(changes);
        }
        let is_copy = |results: &Results, output: &StageOutput| match output {
            StageOutput::Transcribed { transcription } => *transcription == results.transcription,
            StageOutput::Detected(_) | StageOutput::Recorded { .. } => false,
        };
        if !self.has_stage_twice(is_copy) {
            let transcriptions = (&old.transcription, &new.transcription);
            self.speech(None, transcriptions);
        }
    }

    // Whether there is a stage whose output stands at the top of both results.
    fn has_stage_twice(&self, is_copy: impl Fn(&Results, &StageOutput) -> bool) -> bool {
        self.old.stages.iter().any(|(id, output)| {
            let other = self.new.stages.get(id);
            is_copy(self.old, output) && other.is_some_and(|other| is_copy(self.new, other))
        })
    }

    // Those that find objects first: crops are cut around these.
    fn stages(&mut self) {
        let (old, new) = (self.old, self.new);
        let all: BTreeSet<&'a StageId> = old.stages.keys().chain(new.stages.keys()).collect();
        let finds = |id: &&StageId| matches!(old.stages.get(*id), Some(StageOutput::Detected(_)));
        let (first, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(finds);
        for id in first.into_iter().chain(rest) {
            match (old.stages.get(id), new.stages.get(id)) {
                (Some(old), Some(new)) => self.stage(id, old, new),
                (Some(_), None) => self.whole(Some(id), WhatChanged::StageLost),
                (None, _) => self.whole(Some(id), WhatChanged::StageGained),
            }
        }
    }

    fn stage(&mut self, id: &'a StageId, old: &StageOutput, new: &StageOutput) {
        let parents = match self.old.recipe.settings.get(id).and_then(first_input) {
            Some(input) => {
                let named = self
                    .objects
                    .iter()
                    .find(|(id, _)| id.is_some_and(|id| id.as_str() == input));
                named
                    .map(|(_, objects)| objects)
                    .or_else(|| self.objects.get(&None))
            }
            None => self.objects.get(&None),
        };
        let entries = EntryComparison {
            stage: Some(id),
            by: self.by,
            tolerance: self.tolerance,
            parents,
        };
        match (old, new) {
            (StageOutput::Detected(old), StageOutput::Detected(new)) => {
                let objects = entries.compare(&old.detections, &new.detections, &mut self.found);
                self.objects.insert(Some(id), objects);
                let changes = things::passages(Some(id), &old.summary, &new.summary);
                self.found.changes.extend(changes);
            }
            (
                StageOutput::Recorded { records: old, .. },
                StageOutput::Recorded { records: new, .. },
            ) => {
                entries.compare(old, new, &mut self.found);
            }
            (
                StageOutput::Transcribed { transcription: old },
                StageOutput::Transcribed { transcription: new },
            ) => self.speech(Some(id), (old, new)),
            // It has become one of another kind.
            _ => {
                self.whole(Some(id), WhatChanged::StageLost);
                self.whole(Some(id), WhatChanged::StageGained);
            }
        }
    }

    fn speech(
        &mut self,
        stage: Option<&StageId>,
        transcriptions: (&crate::output::Transcription, &crate::output::Transcription),
    ) {
        let (changes, words) = (&mut self.found.changes, &mut self.words);
        speech::compare(stage, transcriptions, self.tolerance, changes, words);
    }

    fn skipped(&mut self) {
        let (old, new) = (&self.old.skipped, &self.new.skipped);
        let all: BTreeSet<&StageId> = old.keys().chain(new.keys()).collect();
        for id in all {
            let (old, new) = (old.get(id).cloned(), new.get(id).cloned());
            if old != new {
                self.whole(Some(id), WhatChanged::StageSkipped { old, new });
            }
        }
    }

    // Those of frames and of parts of the sound stand where the frames and the gaps are.
    fn failures(&mut self) {
        let own = |failures: &'a [FailedItem]| -> Vec<&'a FailedItem> {
            let whole = failures.iter().filter(|it| it.item == "video");
            whole.collect()
        };
        let (old, new) = (own(&self.old.failures), own(&self.new.failures));
        for failed in old.iter().filter(|it| !new.contains(it)) {
            let (item, class) = (failed.item.clone(), failed.class);
            self.whole(
                Some(&failed.stage),
                WhatChanged::FailureLost { item, class },
            );
        }
        for failed in new.iter().filter(|it| !old.contains(it)) {
            let (item, class) = (failed.item.clone(), failed.class);
            let what = WhatChanged::FailureGained { item, class };
            self.whole(Some(&failed.stage), what);
        }
    }

    fn whole(&mut self, stage: Option<&StageId>, what: WhatChanged) {
        self.found.changes.push(Change {
            stage: stage.cloned(),
            place: ChangedPlace::Whole {},
            what,
        });
    }
}

// The stage that a stage takes from, such as `yolo` of `yolo.crops`.
fn first_input(settings: &serde_json::Map<String, serde_json::Value>) -> Option<&str> {
    let input = settings.get("inputs")?.get(0)?.as_str()?;
    input.split('.').next()
}
