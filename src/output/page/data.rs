//! What the page knows of a video.
//!
//! Pure: results in, a value for JSON out.

use crate::output::page::address::VideoAddress;
use crate::output::page::details::DetailTable;
use crate::output::page::details::details;
use crate::output::page::frames::BoxColumns;
use crate::output::page::frames::FrameColumns;
use crate::output::page::frames::class_names;
use crate::output::page::frames::columns;
use crate::output::page::frames::layers;
use crate::output::page::speech::RecordColumns;
use crate::output::page::speech::SpeechColumns;
use crate::output::page::speech::records;
use crate::output::page::speech::speeches;
use crate::output::page::troubles::Trouble;
use crate::output::page::troubles::troubles;
use crate::output::playback::apart;
use crate::output::results::classes::Colour;
use crate::output::results::results::Results;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// All that the page shows of a video.
#[derive(Serialize)]
pub(super) struct VideoData<'a> {
    name: &'a str,
    address: &'a VideoAddress,
    width: u32,
    height: u32,
    /// Seconds, to the last thing that is known; the player may know better.
    duration: f64,
    fps: Option<f64>,
    /// Seconds from where a player begins to the first frame, from which all times count.
    offset: f64,
    /// Seconds between two samples.
    period: f64,
    stages: Vec<&'a str>,
    classes: Vec<ClassData>,
    frames: FrameColumns,
    boxes: BoxColumns,
    speeches: Vec<SpeechColumns>,
    records: Vec<RecordColumns>,
    troubles: Vec<Trouble>,
    details: Vec<DetailTable>,
}

#[derive(Serialize)]
struct ClassData {
    name: Arc<str>,
    colour: Colour,
}

/// What is told of a video in the list of several.
#[derive(Serialize)]
pub(super) struct ListedVideo<'a> {
    name: &'a str,
    duration: f64,
    objects: u64,
    segments: u64,
    failed: u64,
}

pub(super) fn listed<'a>(results: &Results, name: &'a str) -> ListedVideo<'a> {
    ListedVideo {
        name,
        duration: duration(results),
        objects: results.summary.objects,
        segments: results.summary.segments,
        failed: results.summary.failed + results.summary.gaps,
    }
}

pub(super) fn video_data<'a>(
    results: &'a Results,
    name: &'a str,
    address: &'a VideoAddress,
) -> VideoData<'a> {
    let layers = layers(results);
    let names = class_names(&layers);
    let places = names.iter().cloned().zip(0..);
    let places: BTreeMap<Arc<str>, usize> = places.collect();
    let period = period(results);
    let (frames, boxes) = columns(&layers, &places, period);
    let colour = |name: &Arc<str>| {
        let mut known = layers.iter().flat_map(|layer| layer.classes);
        let known = known.find(|class| class.class_name == *name);
        known.map_or(Colour::of(0), |class| class.colour)
    };
    let classes = names.into_iter().map(|name| ClassData {
        colour: colour(&name),
        name,
    });
    VideoData {
        name,
        address,
        width: results.source.width,
        height: results.source.height,
        duration: duration(results),
        fps: results.source.fps,
        offset: results.source.start_offset,
        period,
        stages: layers.iter().map(|layer| layer.stage).collect(),
        classes: classes.collect(),
        frames,
        boxes,
        speeches: speeches(results),
        records: records(results),
        troubles: troubles(results, &layers, period),
        details: details(results),
    }
}

// Of pictures, the last one is shown as long as any.
fn duration(results: &Results) -> f64 {
    let last = results.detections.last();
    let seen = last.map_or(0.0, |entry| entry.timestamp + period(results));
    let segments = results.transcription.segments().iter();
    let said = segments.map(|segment| segment.end).fold(0.0, f64::max);
    results.source.duration.unwrap_or_else(|| seen.max(said))
}

fn period(results: &Results) -> f64 {
    match results.source.duration {
        Some(_) => apart(results, &results.detections),
        None => 1.0,
    }
}
