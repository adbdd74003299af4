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
use crate::item::Found;
use crate::item::Record;
use crate::name::StageId;
use crate::output::results::asked::config;
use crate::output::results::asked::recipe_entry;
use crate::output::results::frames::InFrames;
use crate::output::results::frames::in_frames;
use crate::output::results::frames::stage_outputs;
use crate::output::results::frames::top_of;
use crate::output::results::known_classes::declared;
use crate::output::results::results::EngineEntry;
use crate::output::results::results::ErrorText;
use crate::output::results::results::FORMAT;
use crate::output::results::results::FailedItem;
use crate::output::results::results::Model;
use crate::output::results::results::Results;
use crate::output::results::results::Run;
use crate::output::results::results::ServerEntry;
use crate::output::results::results::SourceEntry;
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
    /// The share of the video in what the run cost, in US dollars; `None` where nothing was paid.
    pub cost: Option<f64>,
    /// The stages that could not read the video to its end, and why.
    pub unread: Vec<(StageId, Failure)>,
    /// What reading the video has shown of it.
    pub stream: StreamFacts,
    /// The digest of what is in the video.
    pub digest: String,
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
    } = in_frames(recipe, record, &|id| declared(recipe, facts, id));
    let mut transcribed = transcriptions(record, video, &run);
    let transcription = first_that_listens(recipe, record)
        .and_then(|id| top_of(&mut transcribed, id))
        .unwrap_or_else(|| no_transcription(recipe, facts));
    let source = source(video, run.stream.length, run.digest.clone());
    let others = detected.iter().filter(|(id, _)| Some(*id) != primary);
    let others = others.map(|(id, it)| (id, it.detections.as_slice()));
    let said = transcription.segments();
    let timeline = timeline(said, &top.detections, &others.collect(), source.duration);
    let summary = Summary {
        segments: said.len() as u64,
        gaps: gap_count(record, video, &run),
        ..top.summary
    };
    Results {
        format: FORMAT,
        demo: facts.placements.values().any(is_demo),
        video: video.path.display().to_string(),
        config: config(recipe, facts, primary),
        recipe: recipe_entry(recipe),
        source,
        range: run.range.clone(),
        models: models(facts),
        summary,
        primary: primary.cloned(),
        classes: top.classes,
        detections: top.detections,
        tracks: top.tracks,
        transcription,
        timeline,
        skipped: stages_without_frames(recipe, video),
        stages: stage_outputs(detected, recorded, transcribed),
        failures: failures(recipe, record, &run),
        processed_at: run.processed_at.clone(),
        processing_time: rounded(run.elapsed.as_secs_f64(), 1e3),
        run: Run {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            errors: error_texts(recipe, record, &run),
            damaged_packets: run.stream.damaged,
            stopped: run.stopped,
            cost_usd: run.cost.map(|cost| (cost * 1e6).round() / 1e6),
            servers: servers(facts),
            engines: engines(facts),
            stages: run.stages,
        },
    }
}

fn models(facts: &Facts) -> BTreeMap<StageId, Model> {
    let placements = facts.placements.iter();
    placements
        .map(|(id, placement)| (id.clone(), model(placement)))
        .collect()
}

fn engines(facts: &Facts) -> BTreeMap<StageId, EngineEntry> {
    let placements = facts.placements.iter();
    let engine = |(id, placement): (&StageId, &Placement)| match placement {
        // In a replay none computed.
        Placement::Local(local) if !local.engine.is_empty() => {
            let (name, device) = (local.engine.clone(), local.device.clone());
            Some((id.clone(), EngineEntry { name, device }))
        }
        Placement::Local(_) | Placement::Remote(_) | Placement::Skipped { .. } => None,
    };
    placements.filter_map(engine).collect()
}

fn servers(facts: &Facts) -> BTreeMap<StageId, ServerEntry> {
    let placements = facts.placements.iter();
    let server = |(id, placement): (&StageId, &Placement)| match placement {
        // In a replay nobody was asked.
        Placement::Remote(remote) if !remote.host.is_empty() => Some((
            id.clone(),
            ServerEntry {
                host: remote.host.clone(),
                endpoint: remote.endpoint.clone(),
            },
        )),
        Placement::Local(_) | Placement::Remote(_) | Placement::Skipped { .. } => None,
    };
    placements.filter_map(server).collect()
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
            let transcription = Transcription::of(transcript, unread, video);
            (id.clone(), transcription)
        })
        .collect()
}

fn is_demo(placement: &Placement) -> bool {
    matches!(placement, Placement::Local(local) if local.model.demo)
}

fn source(video: &VideoFacts, read: Option<f64>, digest: String) -> SourceEntry {
    let duration = truer_length(video.duration, read);
    SourceEntry {
        width: video.size.width,
        height: video.size.height,
        duration: duration.map(|seconds| rounded(seconds, 1e6)),
        fps: video.fps.map(|fps| rounded(fps.to_f64(), 1e6)),
        start_offset: rounded(video.start_offset(), 1e6),
        codec: video.codec.clone(),
        rotation: video.rotation,
        digest,
    }
}

fn model(placement: &Placement) -> Model {
    match placement {
        Placement::Local(local) => Model::Local {
            backend: local.backend.to_string(),
            model: local.model.name.clone(),
            digest: local.model.digest.clone(),
        },
        Placement::Remote(remote) => Model::Remote {
            backend: remote.backend.to_string(),
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

// Each failure with the item it befell: the sources first, then frame by frame.
fn each_failure<'a>(
    recipe: &'a Recipe,
    record: &'a Record,
    run: &'a RunFacts,
) -> impl Iterator<Item = (&'a StageId, String, &'a Failure)> {
    let unread = run
        .unread
        .iter()
        .map(|(stage, failure)| (stage, "video".to_owned(), failure));
    // What tracks tells again of the frames that its input tells of.
    let is_told = |id: &StageId| {
        let mut tracks = recipe.tracks();
        tracks.any(|(stage, of, _)| stage.id == *id && record.detections.contains_key(of))
    };
    let detections = record.detections.iter().filter(move |(id, _)| !is_told(id));
    let frames = detections.flat_map(|(_, frames)| frames);
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
        Some(unread_rest(speech, video).len())
    });
    (known.count() + rests.sum::<usize>()) as u64
}

fn failures(recipe: &Recipe, record: &Record, run: &RunFacts) -> Vec<FailedItem> {
    each_failure(recipe, record, run)
        .map(|(stage, item, failure)| FailedItem {
            stage: stage.clone(),
            item,
            class: failure.class,
        })
        .collect()
}

fn error_texts(recipe: &Recipe, record: &Record, run: &RunFacts) -> Vec<ErrorText> {
    let mut counts: BTreeMap<(&StageId, Class, &str), u64> = BTreeMap::new();
    for (stage, _, failure) in each_failure(recipe, record, run) {
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
