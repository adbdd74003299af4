//! Tracks of boxes in whatever order, number and place they come.

use crate::engine::FoldState;
use crate::facts::VideoFacts;
use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Detection;
use crate::item::Detections;
use crate::item::Found;
use crate::item::Item;
use crate::item::Moment;
use crate::item::Sight;
use crate::item::Size;
use crate::name::VideoId;
use crate::recipe::ClassRef;
use crate::recipe::TrackMethod;
use crate::recipe::TrackSpec;
use crate::stages::track::assign::Pair;
use crate::stages::track::assign::assign;
use crate::stages::track::tracker::Tracker;
use crate::template::Direction;
use crate::template::Line;
use crate::time::Pts;
use crate::time::TimeRanges;
use proptest::prelude::Just;
use proptest::prelude::Strategy;
use proptest::prelude::prop;
use proptest::prop_assert;
use proptest::prop_assert_eq;
use proptest::proptest;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const METHODS: [TrackMethod; 2] = [TrackMethod::Motion, TrackMethod::Bytetrack];

const FRAME: Size = Size {
    width: 1280,
    height: 720,
};

fn object(class: u32, x: f32, y: f32, side: f32) -> Detection {
    Detection {
        bbox: [x, y, x + side, y + side],
        class,
        class_name: format!("class {class}").into(),
        confidence: 0.8,
        parent: None,
        sight: None,
    }
}

fn spec(method: TrackMethod) -> TrackSpec {
    TrackSpec {
        method,
        min_frames: 1,
        ..TrackSpec::default()
    }
}

fn frame(index: u32, seconds: f64, found: Found) -> Detections {
    Detections {
        stage: "yolo".into(),
        moment: Moment {
            video: VideoId(0),
            index: index.into(),
            frame_number: u64::from(index) * 10,
            pts: Pts(i64::from(index)),
            seconds,
            samples: 1,
            part: None,
        },
        found,
        same_as: None,
    }
}

fn video() -> VideoFacts {
    VideoFacts {
        id: VideoId(0),
        path: "clip.mp4".into(),
        size: FRAME,
        duration: None,
        fps: None,
        codec: String::new(),
        rotation: 0,
        has_sound: false,
        first_frame: None,
        expected_frames: None,
        wanted: TimeRanges::default(),
    }
}

fn tracker(method: TrackMethod) -> Tracker {
    Tracker::new(&spec(method), FRAME)
}

fn track(object: &Detection) -> Option<u64> {
    number(&object.sight.as_deref().cloned())
}

fn number(sight: &Option<Sight>) -> Option<u64> {
    sight.as_ref().map(|sight| sight.track)
}

fn open(spec: &TrackSpec) -> Box<dyn FoldState> {
    let videos = BTreeMap::from([(VideoId(0), (None, video()))]);
    super::track(&"track".into(), spec, &Arc::new(videos)).open(VideoId(0))
}

// The tracks of each frame that `state` gives for `frames`, in the order of the frames.
fn tracked(state: &mut dyn FoldState, frames: impl IntoIterator<Item = Detections>) -> Vec<Found> {
    let mut items = Vec::new();
    for frame in frames {
        items.extend(state.push(Item::Detections(frame)));
    }
    items.extend(state.finish());
    let found = items.into_iter().map(|item| match item {
        Item::Detections(found) => {
            assert_eq!(found.stage.as_str(), "track");
            (found.moment.index, found.found)
        }
        other => panic!("{other}"),
    });
    let found: Vec<_> = found.collect();
    assert!(found.is_sorted_by_key(|(index, _)| *index));
    found.into_iter().map(|(_, found)| found).collect()
}

fn ids(found: &[Found]) -> Vec<Vec<Option<u64>>> {
    let ids = found.iter().map(|found| match found {
        Found::Objects(objects) => objects.iter().map(track).collect(),
        _ => Vec::new(),
    });
    ids.collect()
}

// Two things of one class, 100 px wide, that pass each other at 150 px a second and 1 frame a
// second: no box overlaps the one before.
fn crossing() -> Vec<Detections> {
    let at = |second: u8| {
        let x = 150.0 * f32::from(second);
        let objects = vec![
            object(0, x, 0.0, 100.0),
            object(0, 1200.0 - x, 130.0, 100.0),
        ];
        frame(second.into(), second.into(), Found::Objects(objects))
    };
    (0..9).map(at).collect()
}

#[test]
fn things_keep_their_ids_where_boxes_do_not_overlap() {
    let found = tracked(&mut *open(&spec(TrackMethod::Motion)), crossing());
    assert_eq!(ids(&found), vec![vec![Some(1), Some(2)]; 9]);
    // They do not with an association that asks for overlap.
    let found = tracked(&mut *open(&spec(TrackMethod::Bytetrack)), crossing());
    assert_eq!(ids(&found)[8], [Some(17), Some(18)]);
}

#[test]
fn a_thing_has_a_track_once_it_was_seen_often_enough() {
    let spec = TrackSpec {
        min_frames: 3,
        ..spec(TrackMethod::Auto)
    };
    let found = tracked(&mut *open(&spec), crossing().into_iter().take(4));
    let none = vec![None, None];
    let both = vec![Some(1), Some(2)];
    assert_eq!(ids(&found), [none.clone(), none, both.clone(), both]);
}

#[test]
fn what_has_no_answer_ends_no_track_before_the_buffer() {
    let thing = |index, seconds| {
        let objects = vec![object(0, 100.0, 100.0, 80.0)];
        frame(index, seconds, Found::Objects(objects))
    };
    let lost = Failure::new(Class::Lost, "gone");
    for (after, id) in [(5.0, 1), (5.1, 2)] {
        let found = tracked(
            &mut *open(&spec(TrackMethod::Motion)),
            [
                thing(0, 0.0),
                frame(1, 1.0, Found::Error(lost.clone())),
                frame(2, 2.0, Found::Skipped("one in two".to_owned())),
                frame(3, 3.0, Found::Objects(Vec::new())),
                thing(4, after),
            ],
        );
        assert_eq!(ids(&found)[4], [Some(id)], "after {after} s");
        assert_eq!(found[1], Found::Error(lost.clone()));
    }
}

#[test]
fn a_still_picture_ends_no_track() {
    for method in METHODS {
        let thing = |index, seconds| {
            let objects = vec![object(0, 100.0, 100.0, 80.0)];
            frame(index, seconds, Found::Objects(objects))
        };
        let repeats = (1..60).map(|index| Detections {
            same_as: Some(0),
            ..frame(index, index.into(), Found::Skipped("it repeats".to_owned()))
        });
        let frames = [thing(0, 0.0)].into_iter().chain(repeats);
        let frames = frames.chain([thing(60, 60.0)]);
        let found = tracked(&mut *open(&spec(method)), frames);
        assert_eq!(ids(&found)[60], [Some(1)]);
    }
}

#[test]
fn classes_are_kept_apart_and_those_that_are_not_named_are_left_out() {
    let spec = TrackSpec {
        classes: vec![ClassRef::Number(0), ClassRef::Name("class 1".into())],
        ..spec(TrackMethod::Motion)
    };
    let at = |index: u32, classes: [u32; 3]| {
        let objects = classes.map(|class| object(class, 100.0, 100.0, 80.0));
        frame(index, index.into(), Found::Objects(objects.into()))
    };
    let found = tracked(&mut *open(&spec), [at(0, [0, 1, 2]), at(1, [2, 1, 0])]);
    let [first, second] = [vec![Some(1), Some(2), None], vec![None, Some(2), Some(1)]];
    assert_eq!(ids(&found), [first, second]);
}

#[test]
fn boxes_of_no_size_and_a_thousand_of_them_are_borne() {
    for method in METHODS {
        let mut tracker = tracker(method);
        let bad = [
            [5.0, 5.0, 5.0, 9.0],
            [9.0, 5.0, 5.0, 9.0],
            [f32::NAN, 0.0, 1.0, 1.0],
            [0.0, 0.0, f32::INFINITY, 1.0],
        ];
        let bad = bad.map(|bbox| Detection {
            bbox,
            ..object(0, 0.0, 0.0, 1.0)
        });
        assert_eq!(tracker.frame(0, 0.0, &bad), [const { None }; 4]);
        let many: Vec<_> = (0..1000)
            .map(|at: u16| object(0, f32::from(at % 40), f32::from(at / 40), 60.0))
            .collect();
        for index in 1..4_u32 {
            let ids = tracker.frame(index.into(), f64::from(index) / 5.0, &many);
            assert!(ids.iter().all(Option::is_some));
        }
    }
}

#[test]
fn times_that_stand_still_or_jump_are_borne() {
    for method in METHODS {
        let mut tracker = tracker(method);
        let thing = [object(0, 10.0, 10.0, 50.0)];
        let mut at = |index, seconds| number(&tracker.frame(index, seconds, &thing)[0]);
        for index in 0..20 {
            assert_eq!(at(index, 3.0), Some(1));
        }
        assert_eq!(at(20, 7_200.0), Some(2));
        assert_eq!(at(21, 0.0), Some(2));
        assert_eq!(at(22, f64::NAN), Some(2));
        assert_eq!(at(23, 1.0), Some(2));
    }
}

#[test]
fn what_is_known_of_a_thing_is_its_age_and_its_speed() {
    for (method, frames_a_second) in [(TrackMethod::Motion, 5), (TrackMethod::Bytetrack, 10)] {
        let mut tracker = tracker(method);
        let mut sight = None;
        // 150 px a second to the right and 200 px down, in boxes of 100 px: 2.5 heights a second.
        for index in 0..40_u16 {
            let seconds = f64::from(index) / f64::from(frames_a_second);
            let [x, y] = [150.0, 200.0].map(|speed| (speed * seconds) as f32);
            let found = tracker.frame(index.into(), 60.0 + seconds, &[object(0, x, y, 100.0)]);
            sight = found.into_iter().next().flatten();
        }
        let sight = sight.unwrap();
        assert_eq!(sight.track, 1, "{method:?}");
        let age = 39.0 / f64::from(frames_a_second);
        assert!((sight.age - age).abs() < 1e-9, "{}", sight.age);
        assert!((sight.speed - 2.5).abs() < 0.1, "{}", sight.speed);
    }
}

#[test]
fn a_line_is_crossed_once_over_gaps_failures_and_repeats() {
    let line = Line::new(&[[0.5, 0.0], [0.5, 1.0]]).unwrap();
    let spec = TrackSpec {
        lines: Arc::new(BTreeMap::from([("gate".to_owned(), line)])),
        ..TrackSpec::default()
    };
    // From x 240 to 1040 in 8 s; the frame at which it passes x 640 is each kind in turn.
    let thing = |index: u16| {
        let x = 190.0 + 100.0 * f32::from(index);
        let objects = vec![object(0, x, 300.0, 100.0)];
        frame(index.into(), index.into(), Found::Objects(objects))
    };
    let lost = Failure::new(Class::Lost, "gone");
    let skipped = Found::Skipped("it repeats".to_owned());
    for found in [
        None,
        Some((Found::Error(lost), None)),
        Some((Found::Objects(Vec::new()), None)),
        Some((skipped, Some(30))),
    ] {
        let mut frames: Vec<Detections> = (0..9).map(thing).collect();
        if let Some((found, same_as)) = found.clone() {
            (frames[4].found, frames[4].same_as) = (found, same_as);
        }
        let found_in = tracked(&mut *open(&spec), frames);
        let mut crossed = Vec::new();
        for (index, found) in found_in.iter().enumerate() {
            let Found::Objects(objects) = found else {
                continue;
            };
            let sights = objects.iter().filter_map(|it| it.sight.as_deref());
            crossed.extend(
                sights
                    .flat_map(|it| it.crossed.clone())
                    .map(|it| (index, it)),
            );
        }
        let gate: Arc<str> = "gate".into();
        // A centre on the line is on its left, which is where the thing goes.
        let at = if found.is_some() { 5 } else { 4 };
        assert_eq!(crossed, [(at, (gate, Direction::Backward))], "{found:?}");
    }
}

#[test]
fn what_is_odd_is_told_once() {
    let mut state = open(&spec(TrackMethod::Auto));
    let thing = |side| Found::Objects(vec![object(0, 100.0, 100.0, side)]);
    let mut told = Vec::new();
    for (index, seconds, side) in [
        (0, 0.0, 50.0),
        (1, 1.0, 0.0),
        (2, 2.0, 0.0),
        (3, 2.0, 50.0),
        (4, 2.0, 50.0),
        (5, 7_202.0, 50.0),
        (6, 99_999_999.0, 50.0),
    ] {
        state.push(Item::Detections(frame(index, seconds, thing(side))));
        told.extend(state.notices());
    }
    assert_eq!(
        told,
        [
            "clip.mp4: boxes of no size are not tracked; the first is in frame 10",
            "clip.mp4: frame 30 is not later than the one before; things are tracked as if no time \
             had passed",
            "clip.mp4: times jump by 2.0 hours at frame 50; no thing is followed over that",
        ]
    );
    // A frame a day is a way to sample.
    let mut state = open(&spec(TrackMethod::Auto));
    for day in 0..5_u32 {
        let found = frame(day, f64::from(day) * 86_400.0, thing(50.0));
        state.push(Item::Detections(found));
    }
    assert!(state.notices().is_empty());
}

#[test]
fn what_is_held_does_not_grow_with_the_video() {
    for method in METHODS {
        let mut tracker = tracker(method);
        let mut most = 0;
        // A new thing in every frame, far from all others: 25 frames are in the buffer of 5 s.
        for index in 0..2_000_u16 {
            let thing = object(0, f32::from(index) * 1_000.0, 0.0, 50.0);
            tracker.frame(index.into(), f64::from(index) / 5.0, &[thing]);
            most = most.max(tracker.held());
        }
        assert!((25..=27).contains(&most), "{most}");
    }
}

#[test]
fn a_buffer_without_an_end_is_no_loop_without_one() {
    let spec = TrackSpec {
        buffer: Duration::from_secs(604_800),
        ..spec(TrackMethod::Bytetrack)
    };
    let mut tracker = Tracker::new(&spec, FRAME);
    tracker.frame(0, 0.0, &[object(0, 10.0, 10.0, 50.0)]);
    tracker.frame(u64::MAX, 600_000.0, &[object(0, 10.0, 10.0, 50.0)]);
}

// All ways to pair tracks and boxes, tried out.
fn most(pairs: &[Pair], from: usize) -> f64 {
    let Some(first) = pairs.get(from) else {
        return 0.0;
    };
    let without = most(pairs, from + 1);
    let rest: Vec<Pair> = pairs[from + 1..]
        .iter()
        .filter(|it| it.track != first.track && it.place != first.place)
        .copied()
        .collect();
    without.max(first.worth + most(&rest, 0))
}

proptest! {
    #[test]
    fn the_order_in_which_answers_come_changes_no_track(
        order in Just((0..40).collect::<Vec<usize>>()).prop_shuffle(),
        places in prop::collection::vec(prop::collection::vec((0..3_u32, 0..900_u16, 0..500_u16, 0..8_u8), 0..6), 40),
        method in prop::sample::select(METHODS.to_vec()),
    ) {
        let frames: Vec<Detections> = places.iter().zip(0..).map(|(boxes, index)| {
            let boxes = boxes.iter();
            let objects = boxes.map(|&(class, x, y, sure)| Detection {
                confidence: f32::from(sure) / 8.0,
                ..object(class, x.into(), y.into(), 70.0)
            });
            frame(index, f64::from(index) / 5.0, Found::Objects(objects.collect()))
        }).collect();
        let in_order = tracked(&mut *open(&spec(method)), frames.clone());
        let shuffled = order.into_iter().map(|at| frames[at].clone());
        prop_assert_eq!(in_order, tracked(&mut *open(&spec(method)), shuffled));
    }

    #[test]
    fn no_other_pairs_are_worth_more(
        pairs in prop::collection::btree_map((0..5_usize, 0..5_usize), 1..100_u8, 0..14),
    ) {
        let pairs: Vec<Pair> = pairs.into_iter().map(|((track, place), worth)| Pair {
            track,
            place,
            worth: f64::from(worth) / 8.0,
        }).collect();
        let chosen = assign(&pairs);
        let worth: f64 = chosen.iter().map(|it| it.worth).sum();
        prop_assert!((worth - most(&pairs, 0)).abs() < 1e-6);
        for (at, one) in chosen.iter().enumerate() {
            for other in &chosen[at + 1..] {
                prop_assert!(one.track != other.track && one.place != other.place);
            }
        }
    }
}
