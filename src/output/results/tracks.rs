//! Tracks: the things of a video, of which the objects in its frames are sights.
//!
//! Pure.

use crate::output::results::results::Entry;
use crate::output::results::results::Object;
use crate::output::results::results::Seen;
use crate::output::results::rounding::rounded;
use serde::Deserialize;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One thing, from its first sight to its last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrackEntry {
    /// Its number, which each [`Object`] has that is a sight of it; from 1.
    pub track: u64,
    /// The index of its class in the model.
    pub class: u32,
    /// The name of the class.
    pub class_name: Arc<str>,
    /// When it was seen first, in seconds.
    pub first: f64,
    /// When it was seen last, in seconds.
    pub last: f64,
    /// The frames it was seen in.
    pub frames: u64,
    /// The mean confidence of its sights, to 0.0001.
    pub confidence: f64,
    /// Where it was seen: `[seconds, x, y]`, the centre of each sight in pixels of the source.
    pub path: Vec<[f64; 3]>,
}

/// The things of which `entries`, in order of time, have sights; by their numbers.
pub(in crate::output) fn tracks(entries: &[Entry]) -> Vec<TrackEntry> {
    let mut tracks: BTreeMap<u64, TrackEntry> = BTreeMap::new();
    for entry in entries {
        for (track, object) in sights(entry) {
            let track = tracks
                .entry(track)
                .or_insert_with(|| begun(track, object, entry.timestamp));
            let [x1, y1, x2, y2] = object.bbox;
            let [x, y] = [f64::midpoint(x1, x2), f64::midpoint(y1, y2)].map(|it| rounded(it, 1e2));
            track.path.push([entry.timestamp, x, y]);
            track.last = entry.timestamp;
            track.frames += 1;
            // The sum, until all sights are counted.
            track.confidence += object.confidence;
        }
    }
    let mut tracks: Vec<TrackEntry> = tracks.into_values().collect();
    for track in &mut tracks {
        track.confidence = rounded(track.confidence / track.frames as f64, 1e4);
    }
    tracks
}

/// The objects of `entry` that are sights of things, with the numbers of those.
pub(in crate::output) fn sights(entry: &Entry) -> impl Iterator<Item = (u64, &Object)> {
    let objects = match &entry.seen {
        Seen::Objects { detections, .. } => detections.as_slice(),
        Seen::Record { .. } | Seen::Crops { .. } | Seen::Error { .. } | Seen::Skipped { .. } => &[],
    };
    objects.iter().filter_map(|it| Some((it.track?, it)))
}

fn begun(track: u64, object: &Object, seconds: f64) -> TrackEntry {
    TrackEntry {
        track,
        class: object.class,
        class_name: object.class_name.clone(),
        first: seconds,
        last: seconds,
        frames: 0,
        confidence: 0.0,
        path: Vec::new(),
    }
}

/// How many of `tracks` there are of each class.
pub(in crate::output) fn by_class(tracks: &[TrackEntry]) -> BTreeMap<Arc<str>, u64> {
    let mut counts = BTreeMap::new();
    for track in tracks {
        *counts.entry(track.class_name.clone()).or_default() += 1;
    }
    counts
}
