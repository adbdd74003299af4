//! From a record to results: rounding, counting, and what goes where.
//!
//! Pure: the clock, the disk and the run itself are elsewhere.

use crate::facts::Facts;
use crate::facts::Placement;
use crate::facts::StreamFacts;
use crate::facts::VideoFacts;
use crate::facts::truer_length;
use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Detection;
use crate::item::Detections;
use crate::item::Fields;
use crate::item::Found;
use crate::item::Moment;
use crate::item::Record;
use crate::name::StageId;
use crate::output::results::asked::config;
use crate::output::results::asked::recipe_entry;
use crate::output::results::results::CropRecord;
use crate::output::results::results::Detected;
use crate::output::results::results::Entry;
use crate::output::results::results::ErrorText;
use crate::output::results::results::FORMAT;
use crate::output::results::results::FailedItem;
use crate::output::results::results::Model;
use crate::output::results::results::Object;
use crate::output::results::results::Results;
use crate::output::results::results::Run;
use crate::output::results::results::Seen;
use crate::output::results::results::SourceEntry;
use crate::output::results::results::StageOutput;
use crate::output::results::results::StageRun;
use crate::output::results::results::Summary;
use crate::output::results::results::WantedRange;
use crate::output::results::rounding::rounded;
use crate::output::results::timeline::timeline;
use crate::output::results::transcription::Transcription;
use crate::output::results::transcription::unread_rest;
use crate::recipe::Medium;
use crate::recipe::Recipe;
use crate::recipe::Stage;
use crate::speech::Gap;
use std::collections::BTreeMap;
use std::time::Duration;

/// How a run went, as far as one video's file tells it.
#[derive(Clone, Debug, Default)]
pub struct RunFacts {
    /// Local time of the start, such as `2025-10-22 13:12:21`.
    pub processed_at: String,
    /// From the start to this file.
    pub elapsed: Duration,
    /// Why the run ended early.
    pub stopped: Option<String>,
    /// What each stage took.
    pub stages: BTreeMap<StageId, StageRun>,
    /// The stages that could not read the video to its end, and why.
    pub unread: Vec<(StageId, Failure)>,
    /// What reading the video has shown of it.
    pub stream: StreamFacts,
    /// How much of the video was wanted, where that is not all of it.
    pub range: Option<WantedRange>,
}

/// The results of one video.
pub fn results(
    recipe: &Recipe,
    facts: &Facts,
    video: &VideoFacts,
    record: &Record,
    run: RunFacts,
) -> Results {
    let InFrames {
        primary,
        top,
        detected,
        recorded,
    } = in_frames(recipe, record);
    let mut transcribed = transcriptions(record, video, &run);
    let transcription = first_that_listens(recipe, record)
        .and_then(|id| top_of(&mut transcribed, id))
        .unwrap_or_else(|| no_transcription(recipe, facts));
    let timeline = match top.detections.as_slice() {
        [] => Vec::new(),
        entries => timeline(transcription.segments(), entries),
    };
    let summary = Summary {
        segments: transcription.segments().len() as u64,
        gaps: gap_count(record, video, &run),
        ..top.summary
    };
    Results {
        format: FORMAT,
        demo: facts.placements.values().any(is_demo),
        video: video.path.display().to_string(),
        config: config(recipe, facts, primary),
        recipe: recipe_entry(recipe),
        source: source(video, run.stream.length),
        range: run.range,
        models: models(facts),
        summary,
        detections: top.detections,
        transcription,
        timeline,
        skipped: stages_without_frames(recipe, video),
        stages: stage_outputs(detected, recorded, transcribed),
        failures: failures(record, &run),
        processed_at: run.processed_at.clone(),
        processing_time: rounded(run.elapsed.as_secs_f64(), 1e3),
        run: Run {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            errors: error_texts(record, &run),
            damaged_packets: run.stream.damaged,
            stopped: run.stopped,
            stages: run.stages,
        },
    }
}

// What was found in frames: by the stage at the top of the results, and by the others.
struct InFrames<'a> {
    primary: Option<&'a StageId>,
    top: Detected,
    detected: BTreeMap<StageId, Detected>,
    recorded: BTreeMap<StageId, Detected>,
}

fn in_frames<'a>(recipe: &'a Recipe, record: &Record) -> InFrames<'a> {
    let primary = primary(recipe, record);
    let files = files(record);
    let outputs = record.detections.iter();
    let outputs = outputs.map(|(id, frames)| (id.clone(), stage_output(frames, &files)));
    let (mut detected, recorded): (BTreeMap<StageId, Detected>, BTreeMap<_, _>) =
        outputs.partition(|(id, _)| detects(recipe, id));
    let top = primary.and_then(|id| top_of(&mut detected, id));
    let mut top = top.unwrap_or_else(|| stage_output(&unsampled(record), &files));
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
    let mut found = in_frames(recipe, record);
    let stages = stage_outputs(found.detected, found.recorded, BTreeMap::new());
    (found.top.detections.pop(), stages)
}

// The output of a stage that stands at the top: there alone, where no other stage has one.
fn top_of<T: Clone>(outputs: &mut BTreeMap<StageId, T>, id: &StageId) -> Option<T> {
    match outputs.len() {
        1 => outputs.remove(id),
        _ => outputs.get(id).cloned(),
    }
}

fn models(facts: &Facts) -> BTreeMap<StageId, Model> {
    let placements = facts.placements.iter();
    placements
        .map(|(id, placement)| (id.clone(), model(placement)))
        .collect()
}

fn transcriptions(
    record: &Record,
    video: &VideoFacts,
    run: &RunFacts,
) -> BTreeMap<StageId, Transcription> {
    let transcripts = record.transcripts.iter();
    transcripts
        .map(|(id, transcript)| {
            let unread = run.unread.iter().find(|(stage, _)| stage == id);
            let unread = unread.map(|(_, failure)| failure);
            let transcription = Transcription::of(transcript, unread, sound_end(video));
            (id.clone(), transcription)
        })
        .collect()
}

fn stage_outputs(
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

fn is_demo(placement: &Placement) -> bool {
    matches!(placement, Placement::Local(local) if local.model.demo)
}

fn source(video: &VideoFacts, read: Option<f64>) -> SourceEntry {
    let duration = truer_length(video.duration, read);
    SourceEntry {
        width: video.size.width,
        height: video.size.height,
        duration: duration.map(|seconds| rounded(seconds, 1e6)),
        fps: video.fps.map(|fps| rounded(fps.to_f64(), 1e6)),
        start_offset: rounded(video.start_offset(), 1e6),
        codec: video.codec.clone(),
        rotation: video.rotation,
        digest: video.digest.clone(),
    }
}

fn model(placement: &Placement) -> Model {
    match placement {
        Placement::Local(local) => Model::Local {
            backend: local.backend.to_string(),
            engine: local.engine.clone(),
            model: local.model.name.clone(),
            digest: local.model.digest.clone(),
        },
        Placement::Remote(remote) => Model::Remote {
            backend: remote.backend.to_string(),
            host: remote.host.clone(),
            model: remote.model.clone(),
        },
        Placement::Skipped { why } => Model::Skipped {
            skipped: why.clone(),
        },
    }
}

fn first_that_listens<'a>(recipe: &'a Recipe, record: &Record) -> Option<&'a StageId> {
    let mut stages = recipe.stages.iter().map(|stage| &stage.id);
    stages.find(|id| record.transcripts.contains_key(id))
}

// What looks has nothing to look at where there is sound alone.
fn stages_without_frames(recipe: &Recipe, video: &VideoFacts) -> BTreeMap<StageId, String> {
    let stages = recipe.stages.iter().filter(|stage| takes_frames(stage));
    let stages = stages.filter(|_| !video.has_frames());
    stages
        .map(|stage| (stage.id.clone(), "there are no frames in it".to_owned()))
        .collect()
}

// Whether it has an answer for each frame.
fn takes_frames(stage: &Stage) -> bool {
    matches!(stage.spec.medium(), Some(Medium::Frames | Medium::Boxes))
}

fn gaps(record: &Record) -> impl Iterator<Item = (&StageId, &Gap)> {
    let said = record.transcripts.values();
    let said = said.filter_map(|it| Some((&it.stage, it.said.as_ref().ok()?)));
    said.flat_map(|(stage, speech)| speech.gaps.iter().map(move |gap| (stage, gap)))
}

fn no_transcription(recipe: &Recipe, facts: &Facts) -> Transcription {
    let why = recipe
        .stages
        .iter()
        .filter(|stage| stage.spec.medium() == Some(Medium::Sound))
        .find_map(|stage| match facts.placements.get(&stage.id) {
            Some(Placement::Skipped { why }) => Some(why.clone()),
            _ => None,
        });
    Transcription::Skipped {
        skipped: why.unwrap_or_else(|| "no stage of the recipe listens".to_owned()),
    }
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

fn stage_output(frames: &[Detections], files: &BTreeMap<u64, String>) -> Detected {
    let entry = |frame| entry_with(frame, files);
    let detections: Vec<Entry> = frames.iter().map(entry).collect();
    Detected {
        summary: summary(&detections),
        detections,
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
                detections: objects.iter().map(object).collect(),
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

fn object(detection: &Detection) -> Object {
    Object {
        bbox: detection.bbox.map(|side| rounded(side.into(), 1e2)),
        class: detection.class,
        class_name: detection.class_name.clone(),
        confidence: rounded(detection.confidence.into(), 1e4),
        parent: detection.parent,
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

// Each failure with the item it befell: the sources first, then frame by frame.
fn each_failure<'a>(
    record: &'a Record,
    run: &'a RunFacts,
) -> impl Iterator<Item = (&'a StageId, String, &'a Failure)> {
    let unread = run
        .unread
        .iter()
        .map(|(stage, failure)| (stage, "video".to_owned(), failure));
    let frames = record.detections.values().flatten();
    let unanswered = frames.filter_map(|frame| match &frame.found {
        Found::Error(failure) => {
            let item = format!("frame {}", frame.moment.frame_number);
            Some((&frame.stage, item, failure))
        }
        Found::Objects(_) | Found::Fields(_) | Found::Skipped(_) => None,
    });
    let files = record.saved.values().flatten();
    let unsaved = files.filter_map(|saved| match &saved.file {
        Err(failure) if failure.class != Class::Stopped => {
            let item = format!("frame {}", saved.moment.frame_number);
            Some((&saved.stage, item, failure))
        }
        Ok(_) | Err(_) => None,
    });
    let unheard = gaps(record).filter(|(_, gap)| gap.failure.class != Class::Stopped);
    let unheard = unheard.map(|(stage, gap)| (stage, gap.item.clone(), &gap.failure));
    unread.chain(unanswered).chain(unsaved).chain(unheard)
}

fn gap_count(record: &Record, video: &VideoFacts, run: &RunFacts) -> u64 {
    let known = gaps(record).filter(|(_, gap)| gap.failure.class != Class::Stopped);
    let rests = run.unread.iter().filter_map(|(stage, _)| {
        let speech = record.transcripts.get(stage)?.said.as_ref().ok()?;
        unread_rest(speech, sound_end(video))
    });
    (known.count() + rests.count()) as u64
}

// Where the sound that is transcribed should end, in seconds from the first frame.
fn sound_end(video: &VideoFacts) -> Option<f64> {
    video.heard().map(|length| video.heard_from + length)
}

fn failures(record: &Record, run: &RunFacts) -> Vec<FailedItem> {
    each_failure(record, run)
        .map(|(stage, item, failure)| FailedItem {
            stage: stage.clone(),
            item,
            class: failure.class,
        })
        .collect()
}

fn error_texts(record: &Record, run: &RunFacts) -> Vec<ErrorText> {
    let mut counts: BTreeMap<(&StageId, Class, &str), u64> = BTreeMap::new();
    for (stage, _, failure) in each_failure(record, run) {
        *counts
            .entry((stage, failure.class, &failure.message))
            .or_default() += 1;
    }
    counts
        .into_iter()
        .map(|((stage, class, text), items)| ErrorText {
            stage: stage.clone(),
            class,
            items,
            text: text.to_owned(),
        })
        .collect()
}

#[cfg(test)]
pub(in crate::output) mod tests;
