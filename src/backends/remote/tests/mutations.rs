//! Mutations of answers, for tests: replies that servers give, changed until most make no sense.
//!
//! From a seed: `FUZZ_SEED=7 FUZZ_COUNT=500 cargo test --lib any_answer`. Each reply that is never
//! done with, or makes a reader panic, is printed with the failure.

use crate::backends::transport::reply::Reply;
use crate::item::Found;
use crate::speech::Recognition;
use proptest::prelude::Just;
use proptest::prelude::Strategy;
use proptest::prelude::any;
use proptest::prelude::prop;
use proptest::prelude::prop_assert;
use proptest::prelude::prop_oneof;
use proptest::sample::Index;
use proptest::sample::select;
use proptest::test_runner::Config;
use proptest::test_runner::RngSeed;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use serde_json::json;
use std::env;
use std::fs;
use std::path::Path;
use std::time::Duration;
use std::time::Instant;

const USUAL_COUNT: u64 = 300;

/// Longer than any answer takes to read.
const LONGEST: Duration = Duration::from_secs(5);

const MOST_BYTES: usize = 4 << 20;

/// Answers of detectors, as `images` and such: what workers and servers of one's own say.
const OF_FRAMES: [&str; 9] = [
    r#"{"detections":[[{"bbox":[1,2,3,4.5],"confidence":0.5,"class":2,"class_name":"car"}],[]]}"#,
    r#"{"results":[{"detections":[{"bbox":[0,0,10,10],"confidence":1,"class":0,"class_name":"a"}]},[]]}"#,
    r#"[[{"box":[1,2,3,4],"score":"0.9","label":"dog"}],[{"x1":1,"y1":2,"x2":3,"y2":4,"name":"cat"}]]"#,
    r#"{"predictions":[{"x":10,"y":10,"width":4,"height":4,"confidence":0.7,"class":"cat","class_id":3}],"time":0.1}"#,
    r#"{"boxes":[[1,2,3,4]],"scores":[0.5],"labels":[1]}"#,
    r#"{"choices":[{"message":{"content":"{\"objects\": []}"}}],"usage":{"total_tokens":7}}"#,
    r#"{"detections":[[{"bbox":[NaN,2,3,4],"confidence":Infinity,"class":2,"class_name":"car"}],[]]}"#,
    r#"[{"generated_text":"a red circle"}]"#,
    r#"{"text":"\ud83d","objects":[null,{"bbox":{}}]}"#,
];

/// Answers of the API about a job.
const OF_JOBS: [&str; 9] = [
    r#"{"id":"a","status":"COMPLETED","delayTime":120,"executionTime":"2300","workerId":"w1","output":OUTPUT}"#,
    r#"{"id":"a","status":"IN_QUEUE"}"#,
    r#"{"id":"a","status":"IN_PROGRESS","retries":1,"workerId":7}"#,
    r#"{"id":"a","status":"FAILED","error":"{\"error_type\":\"<class 'ValueError'>\",\"error_message\":\"no\"}"}"#,
    r#"{"status":"COMPLETED","output":{"error":{"message":"CUDA out of memory"}}}"#,
    r#"{"id":"a","status":"COMPLETED","output":["OUTPUT"]}"#,
    r#"{"status":"TIMED_OUT"}"#,
    r#"{"error":"job not found"}"#,
    "<html><title>502</title></html>",
];

/// What may stand where something else was.
const ODD: [&str; 26] = [
    "null",
    "true",
    "0",
    "-1",
    "1e308",
    "-1e308",
    "1e999",
    "18446744073709551616",
    "0.1",
    "\"\"",
    "\"NaN\"",
    "\"1:02:03,5\"",
    "\"\\u0000\\u001b[2J\"",
    "\"\u{202e}\u{1f980}\"",
    "[]",
    "{}",
    "[[]]",
    "[null]",
    "{\"error\":\"x\"}",
    "{\"text\":\"a\",\"start\":-1,\"end\":1e9}",
    "[1,2]",
    "[1,2,3,4,5]",
    "{\"bbox\":[5,5,1,1]}",
    "\"[[[[\"",
    "\"1\\n00:00:01,000 --> 00:00:00,500\\nx\\n\"",
    "\"{{ 1 / 0 }}\"",
];

/// One change of a body.
#[derive(Clone, Debug)]
enum Change {
    /// From here, so many bytes are taken out and these put in.
    Bytes(Index, usize, Vec<u8>),
    /// A part of the JSON becomes this.
    Part(Index, Value),
    /// A part becomes a list of so many of it.
    Many(Index, usize),
    /// All of it is wrapped so often.
    Deep(usize),
    /// The JSON becomes a text.
    Text,
}

fn change() -> impl Strategy<Value = Change> {
    let odd = ODD.map(|text| serde_json::from_str(text).unwrap_or(json!(f64::MAX)));
    let bytes = prop_oneof![
        select(ODD.map(|text| text.as_bytes().to_vec()).to_vec()),
        prop::collection::vec(any::<u8>(), 0..6),
    ];
    prop_oneof![
        3 => (any::<Index>(), 0_usize..30, bytes)
            .prop_map(|(at, length, bytes)| Change::Bytes(at, length, bytes)),
        5 => (any::<Index>(), select(odd.to_vec())).prop_map(|(at, odd)| Change::Part(at, odd)),
        2 => (any::<Index>(), prop_oneof![0_usize..4, 100_usize..3_000])
            .prop_map(|(at, many)| Change::Many(at, many)),
        1 => prop_oneof![1_usize..6, 100_usize..5_000].prop_map(Change::Deep),
        1 => Just(Change::Text),
    ]
}

fn apply(body: &mut Vec<u8>, change: Change) {
    if body.len() > MOST_BYTES {
        return;
    }
    let parsed: Option<Value> = serde_json::from_slice(body).ok();
    match (change, parsed) {
        (Change::Bytes(at, length, bytes), _) => {
            let start = at.index(body.len() + 1);
            let end = (start + length).min(body.len());
            body.splice(start..end, bytes);
        }
        (Change::Deep(depth), _) => {
            *body = [&b"[".repeat(depth)[..], body, &b"]".repeat(depth)[..]].concat();
        }
        (Change::Part(at, odd), Some(mut value)) => {
            let at = at.index(parts(&value));
            if let Some(part) = part_at(&mut value, &mut { at }) {
                *part = odd;
            }
            *body = value.to_string().into_bytes();
        }
        (Change::Many(at, many), Some(mut value)) => {
            let at = at.index(parts(&value));
            let most = (1 << 20) / body.len().max(1);
            if let Some(part) = part_at(&mut value, &mut { at }) {
                *part = Value::Array(vec![part.clone(); many.min(most)]);
            }
            *body = value.to_string().into_bytes();
        }
        (Change::Text, Some(value)) => {
            *body = Value::from(value.to_string()).to_string().into_bytes();
        }
        (_, None) => {}
    }
}

fn parts(value: &Value) -> usize {
    1 + match value {
        Value::Array(list) => list.iter().map(parts).sum(),
        Value::Object(fields) => fields.values().map(parts).sum::<usize>(),
        _ => 0,
    }
}

fn part_at<'a>(value: &'a mut Value, at: &mut usize) -> Option<&'a mut Value> {
    if *at == 0 {
        return Some(value);
    }
    *at -= 1;
    match value {
        Value::Array(list) => list.iter_mut().find_map(|part| part_at(part, at)),
        Value::Object(fields) => fields.values_mut().find_map(|part| part_at(part, at)),
        _ => None,
    }
}

fn reply(bodies: Vec<String>) -> impl Strategy<Value = Reply> {
    let status = prop_oneof![
        6 => Just(200_u16),
        1 => select(vec![0, 101, 201, 204, 302, 400, 401, 404, 413, 422, 429, 500, 502, 524, 999]),
    ];
    let media_type = select(vec![
        None,
        Some("application/json"),
        Some("text/plain; charset=utf-8"),
        Some("text/event-stream"),
        Some("\u{1b}[2J"),
    ]);
    let encoding = select(vec![None, None, None, Some("gzip"), Some("\u{7}")]);
    let changes = prop::collection::vec(change(), 0..5);
    (status, media_type, encoding, select(bodies), changes).prop_map(
        |(status, media_type, encoding, body, changes)| {
            let mut body = body.into_bytes();
            changes
                .into_iter()
                .for_each(|change| apply(&mut body, change));
            Reply {
                status,
                media_type: media_type.map(str::to_owned),
                encoding: encoding.map(str::to_owned),
                body: body.into(),
                ..Reply::default()
            }
        },
    )
}

/// Whether `holds`, in a bounded time, for what becomes of `bodies`.
pub(in crate::backends::remote) fn each(bodies: Vec<String>, holds: impl Fn(&Reply)) {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let config = Config {
        cases: u32::try_from(number("FUZZ_COUNT").unwrap_or(USUAL_COUNT)).unwrap(),
        rng_seed: number("FUZZ_SEED").map_or(RngSeed::Random, RngSeed::Fixed),
        failure_persistence: None,
        max_shrink_iters: 500,
        ..Config::default()
    };
    let tried = TestRunner::new(config).run(&reply(bodies), |reply| {
        let begun = Instant::now();
        holds(&reply);
        let taken = begun.elapsed();
        prop_assert!(taken < LONGEST, "{taken:?}");
        Ok(())
    });
    if let Err(failure) = tried {
        let failure = failure.to_string();
        panic!("{}", failure.chars().take(3_000).collect::<String>());
    }
}

/// Bodies about frames.
pub(in crate::backends::remote) fn of_frames() -> Vec<String> {
    OF_FRAMES.map(str::to_owned).to_vec()
}

/// Bodies about jobs, of frames and of sound.
pub(in crate::backends::remote) fn of_jobs() -> Vec<String> {
    let outputs = [of_frames(), of_sound()].concat();
    let is_json = |body: &&String| serde_json::from_str::<Value>(body).is_ok();
    let outputs: Vec<String> = outputs.iter().filter(is_json).cloned().collect();
    let jobs = OF_JOBS.iter().flat_map(|job| {
        let text = |output: &String| json!(output).to_string();
        let filled = outputs.iter().map(move |output| {
            job.replace("\"OUTPUT\"", &text(output))
                .replace("OUTPUT", output)
        });
        let many = if job.contains("OUTPUT") {
            usize::MAX
        } else {
            3
        };
        filled.take(many)
    });
    jobs.collect()
}

/// Bodies about sound: those whose captions tests/cli/speech/answers knows, and the captions.
pub(in crate::backends::remote) fn of_sound() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/speech/answers");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    let files = files.into_iter();
    files
        .map(|file| fs::read_to_string(file).unwrap())
        .collect()
}

/// What is heard has its times in order, and none of them far from the sound.
pub(in crate::backends::remote) fn check_recognition(heard: &Recognition, seconds: f64) {
    let limit = seconds.abs() * 2.0 + 100.0;
    for segment in &heard.segments {
        let words = segment.words.iter().map(|word| (word.start, word.end));
        for (start, end) in words.chain([(segment.start, segment.end)]) {
            assert!(
                start <= end && start >= -limit && end <= limit,
                "{segment:?}"
            );
        }
    }
    let shares = heard.language_probability.iter();
    assert!(shares.copied().all(|share| (0.0..=1.0).contains(&share)));
}

/// What is found has numbers that are some, and shares.
pub(in crate::backends::remote) fn check_found(found: &[Found], sent: usize) {
    assert_eq!(found.len(), sent);
    for one in found {
        if let Found::Objects(objects) = one {
            for object in objects {
                assert!(
                    object.bbox.iter().all(|side| side.is_finite()),
                    "{object:?}"
                );
                assert!((0.0..=1.0).contains(&object.confidence), "{object:?}");
            }
        }
    }
}
