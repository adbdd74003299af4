//! Tracks: the things of a video, of which the objects in its frames are sights.
//!
//! Pure.

use crate::output::results::results::Entry;
use crate::output::results::results::Object;
use crate::output::results::results::Seen;
use crate::output::results::results::Summary;
use crate::output::results::rounding::rounded;
use crate::recipe::TrackSpec;
use crate::template::Direction;
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

/// How often a line was crossed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineCount {
    /// From the left of who looks along it to the right, by the name of the class.
    pub forward: BTreeMap<Arc<str>, u64>,
    /// The other way.
    pub backward: BTreeMap<Arc<str>, u64>,
}

/// How often the lines and regions of `spec` were passed in `entries`, in `summary`; one that was
/// not stands there too.
pub(in crate::output) fn count_passages(
    summary: &mut Summary,
    spec: &TrackSpec,
    entries: &[Entry],
) {
    let Summary {
        crossed, entered, ..
    } = summary;
    for line in spec.lines.keys() {
        crossed.entry(line.as_str().into()).or_default();
    }
    for region in spec.regions.keys() {
        entered.entry(region.as_str().into()).or_default();
    }
    for (_, object) in entries.iter().flat_map(sights) {
        for (line, way) in &object.crossed {
            let count = crossed.entry(line.clone()).or_default();
            let by_class = match way {
                Direction::Forward => &mut count.forward,
                Direction::Backward => &mut count.backward,
            };
            *by_class.entry(object.class_name.clone()).or_default() += 1;
        }
        for region in &object.entered {
            let by_class = entered.entry(region.clone()).or_default();
            *by_class.entry(object.class_name.clone()).or_default() += 1;
        }
    }
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

#[cfg(test)]
mod tests {
    use super::count_passages;
    use crate::item::Detection;
    use crate::item::Detections;
    use crate::item::Found;
    use crate::item::Moment;
    use crate::item::Sight;
    use crate::name::VideoId;
    use crate::output::results::frames::entry;
    use crate::output::results::results::Summary;
    use crate::recipe::TrackSpec;
    use crate::template::Direction;
    use crate::template::Line;
    use crate::template::Region;
    use crate::time::Pts;
    use serde_json::json;
    use std::collections::BTreeMap;
    use std::sync::Arc;

    // A frame in which a cat crosses a line and comes in at a door.
    fn frame(index: u64, way: Direction, same_as: Option<u64>) -> Detections {
        let cat = Detection {
            class_name: "cat".into(),
            sight: Some(Box::new(Sight {
                track: 1,
                crossed: BTreeMap::from([("gate".into(), way)]),
                entered: vec!["door".into()],
                ..Sight::default()
            })),
            ..Detection::default()
        };
        Detections {
            stage: "track".into(),
            moment: Moment {
                video: VideoId(0),
                index,
                frame_number: index,
                pts: Pts(0),
                seconds: 0.0,
                samples: 1,
                part: None,
            },
            found: Found::Objects(vec![cat]),
            same_as,
        }
    }

    #[test]
    fn what_is_passed_is_counted_once_and_a_line_that_nobody_crosses_stands_there() {
        let line = Line::new(&[[0.5, 0.0], [0.5, 1.0]]).unwrap();
        let region = Region::new(&[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]).unwrap();
        let spec = TrackSpec {
            lines: Arc::new(BTreeMap::from([
                ("gate".to_owned(), line.clone()),
                ("wall".to_owned(), line),
            ])),
            regions: Arc::new(BTreeMap::from([("door".to_owned(), region)])),
            ..TrackSpec::default()
        };
        let frames = [
            frame(0, Direction::Forward, None),
            // It shows what the first one shows, in which the cat crosses.
            frame(1, Direction::Forward, Some(0)),
            frame(2, Direction::Backward, None),
        ];
        let entries = frames.map(|frame| entry(&frame));
        let mut summary = Summary::default();
        count_passages(&mut summary, &spec, &entries);
        let told = json!([summary.crossed, summary.entered]);
        let gate = json!({"forward": {"cat": 1}, "backward": {"cat": 1}});
        let wall = json!({"forward": {}, "backward": {}});
        assert_eq!(
            told,
            json!([{ "gate": gate, "wall": wall }, {"door": {"cat": 2}}])
        );
        assert_eq!(
            json!(entries[1].seen)["detections"][0]["crossed"],
            json!(null)
        );
    }
}
