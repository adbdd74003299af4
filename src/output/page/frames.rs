//! The sampled frames of a video and the boxes in them, column by column: of all stages that find
//! boxes, those of a frame together.
//!
//! Pure. Numbers are whole: times in milliseconds, coordinates in tenths of a pixel, confidences in
//! thousandths.

use crate::output::playback::shown_until;
use crate::output::results::classes::ClassEntry;
use crate::output::results::results::Entry;
use crate::output::results::results::Object;
use crate::output::results::results::Results;
use crate::output::results::results::Seen;
use crate::output::results::results::StageOutput;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What one stage says of each frame; the stage at the top of results of one has no name there.
pub(super) struct Layer<'a> {
    pub(super) stage: &'a str,
    pub(super) entries: &'a [Entry],
    pub(super) classes: &'a [ClassEntry],
}

/// The stages that find boxes: those under `stages`, else the one at the top.
pub(super) fn layers(results: &Results) -> Vec<Layer<'_>> {
    let detected = results
        .stages
        .iter()
        .filter_map(|(id, output)| match output {
            StageOutput::Detected(detected) => Some(Layer {
                stage: id.as_str(),
                entries: &detected.detections,
                classes: &detected.classes,
            }),
            StageOutput::Recorded { .. } | StageOutput::Transcribed { .. } => None,
        });
    let layers: Vec<Layer<'_>> = detected.collect();
    match layers.is_empty() {
        true => vec![Layer {
            stage: "",
            entries: &results.detections,
            classes: &results.classes,
        }],
        false => layers,
    }
}

/// The frames, in order.
#[derive(Default, Serialize)]
pub(super) struct FrameColumns {
    times: Vec<i64>,
    /// When each does not stand for what is on screen any more.
    ends: Vec<i64>,
    numbers: Vec<u64>,
    /// 1 where a stage that finds boxes has an answer, else 0.
    answered: Vec<u8>,
    /// How many of the boxes are in it.
    counts: Vec<usize>,
}

/// The boxes, frame by frame.
#[derive(Default, Serialize)]
pub(super) struct BoxColumns {
    /// The place of its class among those of the video.
    classes: Vec<usize>,
    left: Vec<i64>,
    top: Vec<i64>,
    right: Vec<i64>,
    bottom: Vec<i64>,
    confidences: Vec<i64>,
    /// The number of the thing, or 0; empty where nothing is tracked.
    tracks: Vec<u64>,
    /// The place of its stage; empty where there is one.
    stages: Vec<usize>,
}

struct MergedFrame<'a> {
    seconds: f64,
    samples: u64,
    answered: bool,
    objects: Vec<(usize, &'a Object)>,
}

/// The frames of all `layers` with their boxes, whose classes have the places that `classes` says.
/// Samples are so many seconds `apart`.
pub(super) fn columns(
    layers: &[Layer<'_>],
    classes: &BTreeMap<Arc<str>, usize>,
    apart: f64,
) -> (FrameColumns, BoxColumns) {
    let (mut frames, mut boxes) = (FrameColumns::default(), BoxColumns::default());
    let merged = merged(layers);
    let mut objects = merged.values().flat_map(|frame| &frame.objects);
    let is_tracked = objects.any(|(_, object)| object.track.is_some());
    let mut later = merged.values().skip(1).map(|next| next.seconds);
    for (number, frame) in &merged {
        frames.times.push(milliseconds(frame.seconds));
        let end = shown_until(frame.seconds, frame.samples, later.next(), apart);
        frames.ends.push(milliseconds(end));
        frames.numbers.push(*number);
        frames.answered.push(frame.answered.into());
        frames.counts.push(frame.objects.len());
        for (stage, object) in &frame.objects {
            boxes.add(object, classes);
            if is_tracked {
                boxes.tracks.push(object.track.unwrap_or_default());
            }
            if layers.len() > 1 {
                boxes.stages.push(*stage);
            }
        }
    }
    (frames, boxes)
}

impl BoxColumns {
    fn add(&mut self, object: &Object, classes: &BTreeMap<Arc<str>, usize>) {
        let class = classes.get(&object.class_name).copied();
        let [left, top, right, bottom] = object.bbox.map(|side| whole(side, 10.0));
        self.classes.push(class.unwrap_or_default());
        self.left.push(left);
        self.top.push(top);
        self.right.push(right);
        self.bottom.push(bottom);
        self.confidences.push(whole(object.confidence, 1e3));
    }
}

fn merged<'a>(layers: &[Layer<'a>]) -> BTreeMap<u64, MergedFrame<'a>> {
    let mut frames: BTreeMap<u64, MergedFrame<'a>> = BTreeMap::new();
    for (stage, layer) in layers.iter().enumerate() {
        for entry in layer.entries {
            let frame = frames.entry(entry.frame_number).or_insert(MergedFrame {
                seconds: entry.timestamp,
                samples: entry.samples,
                answered: false,
                objects: Vec::new(),
            });
            if let Seen::Objects { detections, .. } = &entry.seen {
                frame.answered = true;
                let objects = detections.iter().map(|object| (stage, object));
                frame.objects.extend(objects);
            }
        }
    }
    frames
}

/// The names of the classes of which there are boxes, those with the most first.
pub(super) fn class_names(layers: &[Layer<'_>]) -> Vec<Arc<str>> {
    let mut counts: BTreeMap<&Arc<str>, u64> = BTreeMap::new();
    for entry in layers.iter().flat_map(|layer| layer.entries) {
        if let Seen::Objects { detections, .. } = &entry.seen {
            for object in detections {
                *counts.entry(&object.class_name).or_default() += 1;
            }
        }
    }
    let mut names: Vec<(&Arc<str>, u64)> = counts.into_iter().collect();
    names.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    names.into_iter().map(|(name, _)| name.clone()).collect()
}

/// Seconds in whole milliseconds.
pub(super) fn milliseconds(seconds: f64) -> i64 {
    whole(seconds, 1e3)
}

fn whole(value: f64, parts: f64) -> i64 {
    (value * parts).round() as i64
}
