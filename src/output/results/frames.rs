//! What was found in frames, as results tell it: entries, their counts, and which stage stands at
//! the top.
//!
//! Pure.

use crate::item::Detection;
use crate::item::Detections;
use crate::item::Fields;
use crate::item::Found;
use crate::item::Moment;
use crate::item::Record;
use crate::name::StageId;
use crate::output::results::known_classes::classes;
use crate::output::results::rare::Rare;
use crate::output::results::results::CropRecord;
use crate::output::results::results::Detected;
use crate::output::results::results::Entry;
use crate::output::results::results::Object;
use crate::output::results::results::Seen;
use crate::output::results::results::StageOutput;
use crate::output::results::results::Summary;
use crate::output::results::rounding::rounded;
use crate::output::results::tracks::by_class;
use crate::output::results::tracks::count_passages;
use crate::output::results::tracks::tracks;
use crate::output::results::transcription::Transcription;
use crate::recipe::Recipe;
use std::collections::BTreeMap;
use std::sync::Arc;

// What was found in frames: by the stage at the top of the results, and by the others.
pub(super) struct InFrames<'a> {
    pub(super) primary: Option<&'a StageId>,
    pub(super) top: Detected,
    pub(super) detected: BTreeMap<StageId, Detected>,
    pub(super) recorded: BTreeMap<StageId, Detected>,
}

/// `declared` says what the model of a stage calls its classes, by their numbers.
pub(super) fn in_frames<'a, 'b>(
    recipe: &'a Recipe,
    record: &Record,
    declared: &dyn Fn(&StageId) -> &'b [Arc<str>],
) -> InFrames<'a> {
    let primary = primary(recipe, record);
    let files = files(record);
    let outputs = record.detections.iter();
    let outputs = outputs.map(|(id, frames)| {
        let mut output = stage_output(frames, &files, declared(id));
        if let Some((.., spec)) = recipe.tracks().find(|(stage, ..)| stage.id == *id) {
            count_passages(&mut output.summary, spec, &output.detections);
        }
        (id.clone(), output)
    });
    let (mut detected, recorded): (BTreeMap<StageId, Detected>, BTreeMap<_, _>) =
        outputs.partition(|(id, _)| detects(recipe, id));
    let top = primary.and_then(|id| top_of(&mut detected, id));
    let mut top = top.unwrap_or_else(|| stage_output(&unsampled(record), &files, &[]));
    if let (None, Some(first)) = (primary, recorded.values().next()) {
        // Nobody was to find boxes: what counts is what was said.
        top.summary = first.summary.clone();
    }
    top.summary.records = recorded.values().map(|it| it.summary.records).sum();
    InFrames {
        primary,
        top,
        detected,
        recorded,
    }
}

/// What results say of the one frame of `record`: the entry at the top, and the outputs of the
/// stages beside it.
pub(in crate::output) fn frame_entry(
    recipe: &Recipe,
    record: &Record,
) -> (Option<Entry>, BTreeMap<StageId, StageOutput>) {
    let mut found = in_frames(recipe, record, &|_| &[]);
    let stages = stage_outputs(found.detected, found.recorded, BTreeMap::new());
    (found.top.detections.pop(), stages)
}

// The output of a stage that stands at the top: there alone, where no other stage has one.
pub(super) fn top_of<T: Clone>(outputs: &mut BTreeMap<StageId, T>, id: &StageId) -> Option<T> {
    match outputs.len() {
        1 => outputs.remove(id),
        _ => outputs.get(id).cloned(),
    }
}

pub(super) fn stage_outputs(
    detected: BTreeMap<StageId, Detected>,
    recorded: BTreeMap<StageId, Detected>,
    transcribed: BTreeMap<StageId, Transcription>,
) -> BTreeMap<StageId, StageOutput> {
    let detected = detected.into_iter();
    let detected = detected.map(|(id, found)| (id, StageOutput::Detected(found)));
    let recorded = recorded.into_iter().map(|(id, found)| {
        let (summary, records) = (found.summary, found.detections);
        (id, StageOutput::Recorded { summary, records })
    });
    let transcribed = transcribed.into_iter();
    let transcribed =
        transcribed.map(|(id, transcription)| (id, StageOutput::Transcribed { transcription }));
    detected.chain(recorded).chain(transcribed).collect()
}

// The stage whose detections stand at the top: the one the recipe names, else its first.
fn primary<'a>(recipe: &'a Recipe, record: &Record) -> Option<&'a StageId> {
    let named = recipe.merge().and_then(|merge| merge.primary.as_ref());
    named.or_else(|| {
        recipe
            .stages
            .iter()
            .filter(|stage| stage.spec.detects())
            .map(|stage| &stage.id)
            .find(|id| record.detections.contains_key(id))
    })
}

fn detects(recipe: &Recipe, id: &StageId) -> bool {
    let stage = recipe.stage(id);
    stage.is_some_and(|stage| stage.spec.detects())
}

// Where each frame is on the disk, by its index.
fn files(record: &Record) -> BTreeMap<u64, String> {
    let saved = record.saved.values().flatten();
    saved
        .filter_map(|saved| {
            let file = saved.file.as_ref().ok()?;
            Some((saved.moment.index, file.path.display().to_string()))
        })
        .collect()
}

// The frames of a recipe in which nobody looks for boxes.
fn unsampled(record: &Record) -> Vec<Detections> {
    let skipped = |stage: &StageId, moment: &Moment, same_as, why: &str| Detections {
        stage: stage.clone(),
        moment: moment.clone(),
        found: Found::Skipped(why.to_owned()),
        same_as,
    };
    if let Some(frames) = record.detections.values().next() {
        let why = "no stage of this run finds boxes";
        let frames = frames.iter();
        return frames
            .map(|it| skipped(&it.stage, &it.moment, it.same_as, why))
            .collect();
    }
    let why = "no stage of this run looks at frames";
    let saved = record.saved.values().next().into_iter().flatten();
    saved
        .map(|it| skipped(&it.stage, &it.moment, it.same_as, why))
        .collect()
}

/// What was found in one frame, by itself.
pub fn entry(frame: &Detections) -> Entry {
    entry_with(frame, &BTreeMap::new())
}

fn stage_output(
    frames: &[Detections],
    files: &BTreeMap<u64, String>,
    declared: &[Arc<str>],
) -> Detected {
    let entry = |frame| entry_with(frame, files);
    let detections: Vec<Entry> = frames.iter().map(entry).collect();
    let tracks = tracks(&detections);
    Detected {
        summary: Summary {
            tracks: by_class(&tracks),
            ..summary(&detections)
        },
        classes: classes(declared, &detections),
        detections,
        tracks,
    }
}

fn entry_with(frame: &Detections, files: &BTreeMap<u64, String>) -> Entry {
    Entry {
        timestamp: rounded(frame.moment.seconds, 1e6),
        frame_number: frame.moment.frame_number,
        samples: frame.moment.samples,
        same_as: frame.same_as,
        saved: files.get(&frame.moment.index).cloned(),
        seen: match &frame.found {
            Found::Objects(objects) => Seen::Objects {
                detections: objects
                    .iter()
                    .map(|it| object(it, frame.same_as.is_some()))
                    .collect(),
                count: objects.len(),
            },
            Found::Fields(said) => field_records(said),
            Found::Error(failure) => Seen::Error {
                error: failure.class,
            },
            Found::Skipped(why) => Seen::Skipped {
                skipped: why.clone(),
            },
        },
    }
}

fn field_records(said: &[Fields]) -> Seen {
    match said {
        [
            Fields {
                parent: None,
                values,
            },
        ] => Seen::Record {
            record: values.clone(),
        },
        crops => {
            let crops = crops.iter().map(|crop| CropRecord {
                parent: crop.parent.unwrap_or_default(),
                record: crop.values.clone(),
            });
            Seen::Crops {
                crops: crops.collect(),
            }
        }
    }
}

// Nothing is passed in a frame that shows what an earlier one shows.
fn object(detection: &Detection, is_repeat: bool) -> Object {
    let sight = detection.sight.as_deref();
    let passed = sight.filter(|_| !is_repeat);
    Object {
        bbox: detection.bbox.map(|side| rounded(side.into(), 1e2)),
        class: detection.class,
        class_name: detection.class_name.clone(),
        confidence: rounded(detection.confidence.into(), 1e4),
        parent: detection.parent,
        track: sight.map(|sight| sight.track),
        crossed: Rare::from(passed.map(|it| it.crossed.clone()).unwrap_or_default()),
        entered: Rare::from(passed.map(|it| it.entered.clone()).unwrap_or_default()),
    }
}

fn summary(entries: &[Entry]) -> Summary {
    let mut summary = Summary {
        frames: entries.len() as u64,
        ..Summary::default()
    };
    for entry in entries {
        summary.repeated += u64::from(entry.same_as.is_some());
        match &entry.seen {
            Seen::Objects { detections, .. } => {
                summary.objects += detections.len() as u64;
                for object in detections {
                    *summary
                        .classes
                        .entry(object.class_name.clone())
                        .or_default() += 1;
                }
            }
            Seen::Record { .. } | Seen::Crops { .. } => summary.records += 1,
            Seen::Error { .. } => summary.failed += 1,
            Seen::Skipped { .. } => summary.skipped += 1,
        }
    }
    summary
}
