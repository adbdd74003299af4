//! The timeline: what is said beside what is seen meanwhile.
//!
//! Pure.

use crate::output::results::results::Entry;
use crate::output::results::results::Seen;
use crate::output::results::rounding::rounded;
use crate::output::results::tracks::sights;
use crate::output::results::transcription::SegmentEntry;
use serde::Deserialize;
use serde::Serialize;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A segment of speech, and what is on screen meanwhile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scene {
    /// Seconds.
    pub start: f64,
    /// Seconds.
    pub end: f64,
    /// What is said.
    pub said: String,
    /// What is seen: of each class, the most objects in one frame.
    pub seen: BTreeMap<Arc<str>, u64>,
    /// The numbers of the things that are seen, by class, where a stage tracks them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tracks: BTreeMap<Arc<str>, BTreeSet<u64>>,
    /// The frames that were looked at meanwhile, or else the one on screen at the beginning.
    pub frames: u64,
}

/// What `segments` say beside what `entries` show; both are in order of time.
pub(in crate::output) fn timeline(segments: &[SegmentEntry], entries: &[Entry]) -> Vec<Scene> {
    let scene = |segment: &SegmentEntry| {
        let first = entries.partition_point(|entry| entry.timestamp < segment.start);
        let last = entries.partition_point(|entry| entry.timestamp < segment.end);
        // Nothing was sampled meanwhile: what was on screen before still is.
        let range = match first < last {
            true => first..last,
            false => first.saturating_sub(1)..first,
        };
        let mut scene = Scene {
            start: rounded(segment.start, 1e3),
            end: rounded(segment.end, 1e3),
            said: segment.text.clone(),
            seen: BTreeMap::new(),
            tracks: BTreeMap::new(),
            frames: 0,
        };
        for entry in entries.get(range).unwrap_or_default() {
            let Seen::Objects { detections, .. } = &entry.seen else {
                continue;
            };
            scene.frames += 1;
            let mut counts: BTreeMap<Arc<str>, u64> = BTreeMap::new();
            for object in detections {
                *counts.entry(object.class_name.clone()).or_default() += 1;
            }
            for (track, object) in sights(entry) {
                let of_class = scene.tracks.entry(object.class_name.clone());
                of_class.or_default().insert(track);
            }
            for (class, count) in counts {
                let most = scene.seen.entry(class).or_default();
                *most = count.max(*most);
            }
        }
        scene
    };
    segments.iter().map(scene).collect()
}
