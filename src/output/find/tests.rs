//! Moments against times that were worked out by hand.

use super::query::MomentQuery;
use super::searched::parse;
use serde_json::Value;
use serde_json::json;

// A video of which a frame a second was looked at: what is seen in each, as names with confidences.
fn results(seen: &[&[(&str, f64)]], segments: &Value) -> Value {
    let object = |(name, confidence): &(&str, f64)| json!({ "bbox": [0, 0, 1, 1], "class": 0, "class_name": name, "confidence": confidence });
    let entries = seen.iter().enumerate().map(|(at, objects)| {
        let objects: Vec<Value> = objects.iter().map(object).collect();
        json!({ "timestamp": at, "frame_number": at * 30, "detections": objects })
    });
    json!({
        "format": 1,
        "video": "clip.mp4",
        "config": { "fps": 1.0 },
        "detections": entries.collect::<Vec<_>>(),
        "transcription": { "segments": segments },
    })
}

fn found(results: &Value, seen: &[&str], said: &[&str], within: f64) -> Vec<(f64, f64)> {
    let texts = |texts: &[&str]| texts.iter().map(|&it| it.to_owned()).collect();
    let query = MomentQuery {
        seen: texts(seen),
        said: texts(said),
        confidence: 0.5,
        within,
    };
    let searched = parse(results.to_string().as_bytes()).unwrap();
    let moments = super::moments(&query, &searched);
    let round = |time: f64| (time * 1e3).round() / 1e3;
    let ends = moments.iter().map(|it| (round(it.start), round(it.end)));
    ends.collect()
}

#[test]
fn what_is_seen_is_one_moment_until_it_is_gone() {
    let seen: &[&[(&str, f64)]] = &[
        &[],
        &[("Person", 0.9)],
        &[("person", 0.6), ("car", 0.9)],
        &[("person", 0.4)],
        &[("car", 0.6)],
        &[],
        &[],
        &[("person", 0.9)],
    ];
    let results = results(seen, &json!([]));
    assert_eq!(
        found(&results, &["person"], &[], 0.0),
        [(1.0, 3.0), (7.0, 8.0)]
    );
    assert_eq!(found(&results, &["person"], &[], 5.0), [(1.0, 8.0)]);
    assert_eq!(
        found(&results, &["CAR"], &[], 0.5),
        [(2.0, 3.0), (4.0, 5.0)]
    );
    assert_eq!(found(&results, &["person", "car"], &[], 0.0), [(2.0, 3.0)]);
    // The last car is there until 5 s, the last person from 7 s on.
    assert_eq!(found(&results, &["person", "car"], &[], 2.0), [(2.0, 8.0)]);
    assert_eq!(found(&results, &["bus"], &[], 5.0), []);
    assert_eq!(found(&results, &["person", "bus"], &[], 60.0), []);
}

#[test]
fn words_are_found_whole_across_segments_case_and_punctuation_aside() {
    let words = json!([
        { "start": 1.0, "end": 4.0, "text": "A red-hot stove. Red", "words": [
            { "word": "A", "start": 1.0, "end": 1.2 },
            { "word": "red-hot", "start": 1.2, "end": 2.0 },
            { "word": "stove.", "start": 2.0, "end": 2.5 },
            { "word": "Red", "start": 3.5, "end": 4.0 },
        ]},
        { "start": 4.0, "end": 6.0, "text": "circles and a circle!" },
        { "start": 8.0, "end": 9.0, "text": "人群走过红色的圆" },
    ]);
    let results = results(&[], &words);
    let said = |text: &str| found(&results, &[], &[text], 0.0);
    assert_eq!(said("red"), [(1.2, 2.0), (3.5, 4.0)]);
    assert_eq!(said("RED-HOT stove"), [(1.2, 2.5)]);
    assert_eq!(said("red circles"), [(3.5, 6.0)]);
    assert_eq!(said("circle"), [(4.0, 6.0)]);
    assert_eq!(said("circl"), []);
    assert_eq!(said("红色"), [(8.0, 9.0)]);
    assert_eq!(said("hot stove"), [(1.2, 2.5)]);
    assert_eq!(found(&results, &[], &["stove", "circle"], 1.0), []);
    assert_eq!(
        found(&results, &[], &["stove", "circle"], 1.5),
        [(2.0, 5.5)]
    );
}

#[test]
fn a_phrase_is_found_within_what_was_found_of_it() {
    let words = ["piano", "no", "no", "no"];
    let words = words.iter().zip(0_u8..);
    let words: Vec<Value> = words
        .map(|(word, at)| json!({ "word": word, "start": at, "end": f64::from(at) + 0.5 }))
        .collect();
    let segments = json!([{ "start": 0, "end": 4, "text": "piano no no no", "words": words }]);
    let results = results(&[], &segments);
    assert_eq!(found(&results, &[], &["no no"], 0.0), [(1.0, 3.5)]);
    assert_eq!(found(&results, &[], &["piano no no"], 0.0), [(0.0, 2.5)]);
    assert_eq!(found(&results, &[], &["o no"], 0.0), []);
}

#[test]
fn all_transcripts_are_searched_and_what_they_share_is_told_once() {
    let segments = json!([{ "start": 1, "end": 2, "text": "A red circle." }]);
    let mut results = results(&[], &segments);
    results["stages"]["second"]["transcription"]["segments"] = json!([
        { "start": 1, "end": 2, "text": "A red circle." },
        { "start": 5, "end": 6, "text": "A blue square." },
    ]);
    assert_eq!(found(&results, &[], &["red"], 0.0), [(1.0, 2.0)]);
    assert_eq!(found(&results, &[], &["blue"], 0.0), [(5.0, 6.0)]);
    let query = MomentQuery {
        said: vec!["circle".to_owned()],
        ..MomentQuery::default()
    };
    let searched = parse(results.to_string().as_bytes()).unwrap();
    let moments = super::moments(&query, &searched);
    assert_eq!(moments.len(), 1);
    assert_eq!(moments[0].said, ["A red circle."]);
}

#[test]
fn a_moment_ends_with_its_video() {
    let mut results = results(&[&[], &[("car", 0.9)]], &json!([]));
    assert_eq!(found(&results, &["car"], &[], 0.0), [(1.0, 2.0)]);
    results["source"]["duration"] = json!(1.4);
    assert_eq!(found(&results, &["car"], &[], 0.0), [(1.0, 1.4)]);
    // No recipe asks for so few frames.
    results["config"]["fps"] = json!(1e-300);
    results["source"]["duration"] = json!(null);
    assert_eq!(found(&results, &["car"], &[], 0.0), [(1.0, 2.0)]);
}

#[test]
fn numbers_that_no_run_writes_are_refused() {
    let sound = results(
        &[&[("car", 0.9)], &[("car", 0.9)]],
        &json!([{ "start": 1, "end": 2, "text": "a" }]),
    );
    for (place, number, why) in [
        (
            "/detections/0/detections/0/confidence",
            json!(7),
            "frame 0, confidence: 7",
        ),
        (
            "/detections/0/timestamp",
            json!(1e300),
            "frame 0, timestamp: 1e300",
        ),
        (
            "/detections/0/timestamp",
            json!(9),
            "frame 30 comes after frame 0",
        ),
        (
            "/detections/0/frame_number",
            json!(30),
            "frame 30 comes after frame 30",
        ),
        (
            "/transcription/segments/0/end",
            json!(-1e10),
            "transcription, time: -1e10",
        ),
    ] {
        let mut results = sound.clone();
        *results.pointer_mut(place).unwrap() = number;
        let told = parse(results.to_string().as_bytes())
            .unwrap_err()
            .to_string();
        assert!(told.contains(why), "{place}: {told}");
    }
}

#[test]
fn what_is_seen_and_said_has_to_be_near() {
    let mut seen: Vec<&[(&str, f64)]> = vec![&[]; 30];
    seen[10] = &[("person", 0.9)];
    let segments = json!([
        { "start": 0.0, "end": 3.0, "text": "nothing here" },
        { "start": 14.0, "end": 16.0, "text": "A red circle." },
    ]);
    let results = results(&seen, &segments);
    let near = |within| found(&results, &["person"], &["red circle"], within);
    assert_eq!(near(2.9), []);
    assert_eq!(near(3.0), [(10.0, 16.0)]);
    assert_eq!(near(60.0), [(10.0, 16.0)]);
}

#[test]
fn what_is_no_results_is_refused() {
    for (text, why) in [
        ("", "is empty"),
        ("[1, 2]", "is not the results of a video"),
        ("{\"format\": 1,", "ends in the middle"),
        ("sound", "is not JSON"),
        (
            "{}",
            "is not the results of a video: it has no `detections`",
        ),
        (
            "{\"format\": 1, \"detections\": []}",
            "is not whole: missing field",
        ),
        (
            "{\"format\": 2, \"video\": \"a\", \"detections\": []}",
            "has the format 2",
        ),
        (
            "{\"format\": 1, \"video\": 7, \"detections\": []}",
            "of another kind",
        ),
    ] {
        let told = parse(text.as_bytes()).unwrap_err().to_string();
        assert!(told.contains(why), "{text}: {told}");
    }
}
