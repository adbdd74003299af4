//! What holds for any two results: a result is its own equal, an order changes nothing, and turned
//! round what was lost is gained.

use crate::output::compare::compare;
use crate::output::compare::comparison::Change;
use crate::output::compare::comparison::WhatChanged;
use crate::output::compare::tally::Tally;
use crate::output::compare::tolerance::Tolerance;
use crate::output::results::rare::Rare;
use crate::output::results::results::Object;
use crate::output::results::results::Results;
use proptest::collection::vec;
use proptest::prelude::Just;
use proptest::prelude::Strategy;
use proptest::prelude::prop_assert;
use proptest::prelude::prop_assert_eq;
use proptest::proptest;
use proptest::sample::select;
use serde_json::Value;
use serde_json::json;

// One frame with these objects, and these segments of speech.
fn results(objects: &[Object], segments: &[Vec<&str>]) -> Results {
    let segment = |(id, words): (usize, &Vec<&str>)| {
        json!({
            "id": id, "start": id, "end": id + 1, "text": words.join(" "),
            "avg_logprob": null, "no_speech_prob": null,
        })
    };
    let segments: Vec<Value> = segments.iter().enumerate().map(segment).collect();
    let value = json!({
        "format": 1, "video": "clip.mp4", "processed_at": "", "processing_time": 0.0,
        "config": {"max_workers": null, "batch_size": null, "fps": null, "yolo_conf": null,
            "yolo_iou": null, "yolo_imgsz": null},
        "source": {"width": 1280, "height": 720, "duration": 1.0, "fps": 30.0, "codec": "h264",
            "rotation": 0, "digest": "v1"},
        "models": {}, "summary": {"frames": 1, "failed": 0, "skipped": 0, "objects": 0, "classes": {}},
        "detections": [{"timestamp": 0.0, "frame_number": 0, "detections": objects,
            "count": objects.len()}],
        "transcription": {"language": "en", "language_probability": null, "duration": 9.0,
            "text": "", "segments": segments},
        "failures": [], "run": {"version": "0", "stages": {}},
    });
    serde_json::from_value(value).unwrap()
}

fn object() -> impl Strategy<Value = Object> {
    let place = (
        0.0..900.0_f64,
        0.0..500.0_f64,
        5.0..300.0_f64,
        5.0..200.0_f64,
    );
    let class = select(vec!["person", "car"]);
    (place, class, 0.15..0.95_f64).prop_map(|((x, y, wide, high), class, confidence)| Object {
        bbox: [x, y, x + wide, y + high],
        class: 0,
        class_name: class.into(),
        confidence,
        parent: None,
        track: None,
        crossed: Rare::default(),
        entered: Rare::default(),
    })
}

fn objects() -> impl Strategy<Value = Vec<Object>> {
    vec(object(), 0..12)
}

fn shuffled(
    objects: impl Strategy<Value = Vec<Object>>,
) -> impl Strategy<Value = (Vec<Object>, Vec<Object>)> {
    objects.prop_flat_map(|it| (Just(it.clone()), Just(it).prop_shuffle()))
}

fn words() -> impl Strategy<Value = Vec<&'static str>> {
    vec(select(vec!["the", "red", "circle", "moves", "left"]), 0..40)
}

// Words in segments of so many, the last of the rest.
fn cut<'a>(mut words: &[&'a str], lengths: &[usize]) -> Vec<Vec<&'a str>> {
    let mut segments = Vec::new();
    for length in lengths {
        let (segment, rest) = words.split_at((*length).min(words.len()));
        segments.push(segment.to_vec());
        words = rest;
    }
    segments.push(words.to_vec());
    segments
}

// What changed, in an order that depends on nothing else.
fn sorted(changes: &[Change]) -> Vec<String> {
    let mut sorted: Vec<String> = changes.iter().map(|it| format!("{:?}", it.what)).collect();
    sorted.sort();
    sorted
}

fn turned(change: Change) -> Change {
    let what = match change.what {
        WhatChanged::ObjectLost { object } => WhatChanged::ObjectGained { object },
        WhatChanged::ObjectGained { object } => WhatChanged::ObjectLost { object },
        WhatChanged::ObjectMoved { old, new, iou } => WhatChanged::ObjectMoved {
            old: new,
            new: old,
            iou,
        },
        WhatChanged::ConfidenceChanged { old, new } => {
            WhatChanged::ConfidenceChanged { old: new, new: old }
        }
        WhatChanged::ClassChanged { old, new, iou } => WhatChanged::ClassChanged {
            old: new,
            new: old,
            iou,
        },
        other => other,
    };
    Change { what, ..change }
}

proptest! {
    #[test]
    fn a_result_is_its_own_equal((objects, other) in shuffled(objects()), words in words(), cuts in vec(0..9_usize, 0..6)) {
        let old = results(&objects, &cut(&words, &[]));
        let new = results(&other, &cut(&words, &cuts));
        let found = compare(&old, &new, &Tolerance::default());
        let shifts = |it: &Change| matches!(it.what, WhatChanged::WordsShifted { .. });
        let changes: Vec<&Change> = found.changes.iter().filter(|it| !shifts(it)).collect();
        prop_assert!(changes.is_empty(), "{changes:?}");
        prop_assert_eq!(found.objects.all.both, objects.len() as u64);
        prop_assert_eq!(found.words.edits, 0);
    }

    #[test]
    fn noise_below_a_pixel_is_no_difference(
        noisy in vec((object(), [-0.9..0.9_f64, -0.9..0.9, -0.9..0.9, -0.9..0.9], -0.04..0.04_f64), 0..12),
    ) {
        let old: Vec<Object> = noisy.iter().map(|(object, ..)| object.clone()).collect();
        let new = noisy.into_iter().map(|(mut object, noise, less)| {
            object.bbox.iter_mut().zip(noise).for_each(|(side, noise)| *side += noise);
            object.confidence += less;
            object
        });
        let found = compare(&results(&old, &[]), &results(&new.collect::<Vec<_>>(), &[]), &Tolerance::default());
        prop_assert!(found.is_same(), "{:?}", found.changes);
    }

    #[test]
    fn an_order_changes_nothing(old in objects(), (new, other) in shuffled(objects())) {
        let old = results(&old, &[]);
        let one = compare(&old, &results(&new, &[]), &Tolerance::default());
        let two = compare(&old, &results(&other, &[]), &Tolerance::default());
        prop_assert_eq!(sorted(&one.changes), sorted(&two.changes));
        prop_assert_eq!(one.objects, two.objects);
    }

    #[test]
    fn turned_round_what_was_lost_is_gained(a in objects(), b in objects(), said in words(), other in words()) {
        let (a, b) = (results(&a, &[said]), results(&b, &[other]));
        let there = compare(&a, &b, &Tolerance::default());
        let back = compare(&b, &a, &Tolerance::default());
        let of_objects = |changes: Vec<Change>| -> Vec<Change> {
            let spoken = |it: &Change| matches!(it.what, WhatChanged::WordsChanged { .. } | WhatChanged::WordsShifted { .. });
            changes.into_iter().filter(|it| !spoken(it)).collect()
        };
        let turned: Vec<Change> = of_objects(back.changes).into_iter().map(turned).collect();
        prop_assert_eq!(sorted(&of_objects(there.changes)), sorted(&turned));
        let Tally { both, lost, gained, moved, confidence } = there.objects.all;
        let wanted = Tally { both, lost: gained, gained: lost, moved, confidence };
        prop_assert_eq!(back.objects.all, wanted);
        prop_assert_eq!(there.words.edits, back.words.edits);
    }
}
