//! The timeline: the video in scenes, each with what is said in it and what is seen meanwhile.
//!
//! Pure.

use crate::name::StageId;
use crate::output::results::results::Entry;
use crate::output::results::results::Seen;
use crate::output::results::rounding::rounded;
use crate::output::results::tracks::sights;
use crate::output::results::transcription::SegmentEntry;
use serde::Deserialize;
use serde::Serialize;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

/// The seconds of the longest scene in which nobody speaks.
const LONGEST_SILENCE: f64 = 10.0;

/// The seconds of a scene that has nothing but the last frame.
const SHORTEST: f64 = 1e-3;

/// A segment of speech or a time without, and what is on screen meanwhile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scene {
    /// Seconds.
    pub start: f64,
    /// Seconds.
    pub end: f64,
    /// What is said; absent where nobody speaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// What the stage at the top of the results sees.
    #[serde(flatten)]
    pub on_screen: OnScreen,
    /// What each other detecting stage sees.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stages: BTreeMap<StageId, OnScreen>,
}

/// What a stage sees in a scene.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OnScreen {
    /// Of each class, the most objects in one frame.
    pub seen: BTreeMap<Arc<str>, u64>,
    /// The numbers of the things that are seen, by class, where a stage tracks them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tracks: BTreeMap<Arc<str>, BTreeSet<u64>>,
    /// The frames that were looked at meanwhile, or else, where somebody speaks, the one on screen at
    /// the beginning.
    pub frames: u64,
}

/// What `segments` say and `top` shows, and the `others` of the detecting stages, in a video of
/// `duration` seconds; all are in order of time. There are no more scenes than segments and entries.
pub(in crate::output) fn timeline(
    segments: &[SegmentEntry],
    top: &[Entry],
    others: &BTreeMap<&StageId, &[Entry]>,
    duration: Option<f64>,
) -> Vec<Scene> {
    let scene = |range: Range<f64>, said: Option<String>| Scene {
        start: rounded(range.start, 1e3),
        end: rounded(range.end, 1e3),
        on_screen: on_screen(top, &range, said.is_some()),
        stages: others
            .iter()
            .map(|(id, it)| ((*id).clone(), on_screen(it, &range, said.is_some())))
            .collect(),
        said,
    };
    let Some(last) = top.last() else {
        return Vec::new();
    };
    let end = duration.filter(|end| *end > last.timestamp);
    let end = end.unwrap_or(last.timestamp + SHORTEST);
    let spoken = segments.iter();
    let spoken = spoken.map(|it| scene(it.start..it.end, Some(it.text.clone())));
    let silent = silences(segments, end);
    let silent = silent.iter().flat_map(|silence| pieces(silence, top));
    let mut scenes: Vec<Scene> = spoken.chain(silent.map(|it| scene(it, None))).collect();
    scenes.sort_by(|a, b| a.start.total_cmp(&b.start));
    scenes
}

// The times between segments, and those before and behind them.
fn silences(segments: &[SegmentEntry], end: f64) -> Vec<Range<f64>> {
    let mut silent_from = 0.0_f64;
    let mut silences = Vec::new();
    for segment in segments {
        silences.push(silent_from..segment.start);
        silent_from = silent_from.max(segment.end);
    }
    silences.push(silent_from..end);
    silences
}

// A silence in pieces of equal length that are not too long, but for those without a frame.
fn pieces(silence: &Range<f64>, entries: &[Entry]) -> Vec<Range<f64>> {
    let seconds = silence.end - silence.start;
    let count = (seconds / LONGEST_SILENCE).ceil().max(1.0);
    let border = |at: f64| match at < count {
        true => silence.start + seconds * at / count,
        false => silence.end,
    };
    let mut pieces: Vec<Range<f64>> = Vec::new();
    for entry in between(entries, silence) {
        let mut at = ((entry.timestamp - silence.start) / seconds * count).floor();
        // Where the quotient was rounded over a border.
        if border(at) > entry.timestamp {
            at -= 1.0;
        } else if border(at + 1.0) <= entry.timestamp {
            at += 1.0;
        }
        let piece = border(at)..border(at + 1.0);
        if pieces.last() != Some(&piece) {
            pieces.push(piece);
        }
    }
    pieces
}

// What a stage with these entries sees; while somebody speaks, also what was sampled before.
fn on_screen(entries: &[Entry], range: &Range<f64>, or_before: bool) -> OnScreen {
    let mut meanwhile = between(entries, range);
    if meanwhile.is_empty() && or_before {
        // What was on screen before still is.
        let first = entries.partition_point(|entry| entry.timestamp < range.start);
        let before = first.saturating_sub(1)..first;
        meanwhile = entries.get(before).unwrap_or_default();
    }
    let mut on_screen = OnScreen::default();
    for entry in meanwhile {
        on_screen.add(entry);
    }
    on_screen
}

// The entries from the start of `range` to before its end.
fn between<'a>(entries: &'a [Entry], range: &Range<f64>) -> &'a [Entry] {
    let first = entries.partition_point(|entry| entry.timestamp < range.start);
    let last = entries.partition_point(|entry| entry.timestamp < range.end);
    entries.get(first..last).unwrap_or_default()
}

impl OnScreen {
    fn add(&mut self, entry: &Entry) {
        let Seen::Objects { detections, .. } = &entry.seen else {
            return;
        };
        self.frames += 1;
        let mut counts: BTreeMap<Arc<str>, u64> = BTreeMap::new();
        for object in detections {
            *counts.entry(object.class_name.clone()).or_default() += 1;
        }
        for (track, object) in sights(entry) {
            let of_class = self.tracks.entry(object.class_name.clone());
            of_class.or_default().insert(track);
        }
        for (class, count) in counts {
            let most = self.seen.entry(class).or_default();
            *most = count.max(*most);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Scene;
    use super::timeline;
    use crate::name::StageId;
    use crate::output::results::rare::Rare;
    use crate::output::results::results::Entry;
    use crate::output::results::results::Object;
    use crate::output::results::results::Seen;
    use crate::output::results::transcription::SegmentEntry;
    use proptest::prelude::any;
    use proptest::prelude::proptest;
    use std::collections::BTreeMap;

    fn entry(timestamp: f64, classes: &[&str]) -> Entry {
        let object = |class_name: &&str| Object {
            bbox: [0.0, 0.0, 1.0, 1.0],
            class: 0,
            class_name: (*class_name).into(),
            confidence: 0.5,
            parent: None,
            track: None,
            crossed: Rare::default(),
            entered: Rare::default(),
        };
        Entry {
            timestamp,
            frame_number: 0,
            samples: 1,
            same_as: None,
            saved: None,
            seen: Seen::Objects {
                detections: classes.iter().map(object).collect(),
                count: classes.len(),
            },
        }
    }

    fn segment(start: f64, end: f64, text: &str) -> SegmentEntry {
        SegmentEntry {
            id: 0,
            start,
            end,
            text: text.to_owned(),
            avg_logprob: None,
            no_speech_prob: None,
            words: Vec::new(),
        }
    }

    fn told(scenes: &[Scene]) -> Vec<String> {
        let tell = |scene: &Scene| {
            let (said, seen) = (scene.said.as_deref(), &scene.on_screen.seen);
            let frames = scene.on_screen.frames;
            format!("{}-{} {said:?} {seen:?} {frames}", scene.start, scene.end)
        };
        scenes.iter().map(tell).collect()
    }

    #[test]
    fn the_times_without_speech_are_scenes_too() {
        let entries = [
            entry(0.0, &["car"]),
            entry(2.0, &["car", "car"]),
            entry(4.0, &[]),
            entry(29.0, &["dog"]),
        ];
        let segments = [segment(1.0, 3.0, "One."), segment(3.5, 3.6, "Two.")];
        let other = [entry(2.0, &["plate"])];
        let stage = StageId::from("closer");
        let others = BTreeMap::from([(&stage, other.as_slice())]);
        let scenes = timeline(&segments, &entries, &others, Some(30.0));
        // Between 3 s and 3.5 s no frame was sampled. From 3.6 s on are 26.4 s: three pieces of
        // 8.8 s, of which the second has no frame.
        assert_eq!(
            told(&scenes),
            [
                r#"0-1 None {"car": 1} 1"#,
                r#"1-3 Some("One.") {"car": 2} 1"#,
                r#"3.5-3.6 Some("Two.") {"car": 2} 1"#,
                "3.6-12.4 None {} 1",
                r#"21.2-30 None {"dog": 1} 1"#,
            ]
        );
        assert_eq!(scenes[1].stages[&stage].seen["plate"], 1);
        assert_eq!(scenes[4].stages[&stage].frames, 0);
    }

    #[test]
    fn a_picture_is_a_scene() {
        let scenes = timeline(&[], &[entry(0.0, &["car"])], &BTreeMap::new(), None);
        assert_eq!(told(&scenes), [r#"0-0.001 None {"car": 1} 1"#]);
        assert_eq!(timeline(&[], &[], &BTreeMap::new(), Some(9.0)), []);
    }

    proptest! {
        // In all that may be sampled and said: that of a scene of speech may be that of others too.
        #[test]
        fn every_frame_is_in_a_scene(
            steps in proptest::collection::vec(1_u32..40_000, 1..60),
            pauses in proptest::collection::vec((0_u32..20_000, 0_u32..20_000), 0..20),
            is_known in any::<bool>(),
        ) {
            let seconds = |ms: u32| f64::from(ms) / 1e3;
            let times = steps.iter().scan(0, |at, step| {
                *at += step;
                Some(seconds(*at))
            });
            let entries: Vec<Entry> = times.map(|at| entry(at, &["car"])).collect();
            let mut at = 0;
            let segments = pauses.iter().map(|(pause, length)| {
                let start = at + pause;
                at = start + length;
                segment(seconds(start), seconds(at), "Yes.")
            });
            let segments: Vec<SegmentEntry> = segments.collect();
            let end = is_known.then(|| seconds(steps.iter().sum::<u32>() + 5));
            let scenes = timeline(&segments, &entries, &BTreeMap::new(), end);
            let frames = |of: &dyn Fn(&Scene) -> bool| {
                let scenes = scenes.iter().filter(|it| of(it));
                scenes.map(|it| it.on_screen.frames).sum::<u64>()
            };
            let is_spoken = |at: f64| segments.iter().any(|it| it.start <= at && at < it.end);
            let silent = entries.iter().filter(|it| !is_spoken(it.timestamp)).count();
            assert_eq!(frames(&|it| it.said.is_none()), silent as u64);
            assert!(scenes.len() <= segments.len() + entries.len());
            assert!(scenes.iter().all(|it| it.said.is_some() || it.end - it.start < 10.002));
        }
    }
}
