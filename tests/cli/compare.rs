//! `compare`: what differs, what does not, how it is told, and what is no results file.
//!
//! `compare/results.json` is a whole results file. A file of `compare/pairs/` says what is changed in
//! the old and in the new one, by JSON pointers, and whether they differ then; of `compare/bad/`, each
//! is a file that is not read.

use crate::support::program::Said;
use crate::support::program::vpipe;
use crate::support::repository::ROOT;
use crate::support::snapshots::settings;
use serde::Deserialize;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use tempfile::TempDir;
use vpipe::output::Results;
use vpipe::output::Tolerance;

fn folder(name: &str) -> PathBuf {
    Path::new(ROOT).join("tests/cli/compare").join(name)
}

fn files(name: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder(name)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn stem(path: &Path) -> &str {
    path.file_stem().unwrap().to_str().unwrap()
}

fn base() -> Value {
    serde_json::from_str(&fs::read_to_string(folder("results.json")).unwrap()).unwrap()
}

// Two results, and whether they differ.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    // For those who read it.
    #[serde(default, rename = "why")]
    _why: String,
    differs: bool,
    #[serde(default)]
    options: Vec<String>,
    // What is in the place of what there is, or beside it.
    #[serde(default)]
    old: Map<String, Value>,
    #[serde(default)]
    new: Map<String, Value>,
    // From the new one.
    #[serde(default)]
    removed: Vec<String>,
}

fn set(results: &mut Value, pointer: &str, value: Value) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match results.pointer_mut(parent) {
        Some(Value::Object(fields)) => drop(fields.insert(key.to_owned(), value)),
        Some(Value::Array(items)) => match key.parse::<usize>().unwrap() {
            at if at == items.len() => items.push(value),
            at => items[at] = value,
        },
        _ => panic!("there is no {pointer}"),
    }
}

fn remove(results: &mut Value, pointer: &str) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match results.pointer_mut(parent) {
        Some(Value::Object(fields)) => drop(fields.shift_remove(key).unwrap()),
        Some(Value::Array(items)) => drop(items.remove(key.parse().unwrap())),
        _ => panic!("there is no {pointer}"),
    }
}

fn compare(old: &Value, new: &Value, options: &[&str]) -> Said {
    let place = TempDir::new().unwrap();
    for (name, results) in [("old.json", old), ("new.json", new)] {
        fs::write(place.path().join(name), results.to_string()).unwrap();
    }
    let words = ["compare", "old.json", "new.json"].iter().chain(options);
    vpipe(place.path(), &words.copied().collect::<Vec<_>>())
}

#[test]
fn pairs_are_told_as_people_want_to_read_them() {
    let mut told = String::new();
    let pairs = files("pairs");
    for path in &pairs {
        let pair: Pair = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let (mut old, mut new) = (base(), base());
        pair.old
            .into_iter()
            .for_each(|(at, it)| set(&mut old, &at, it));
        pair.new
            .into_iter()
            .for_each(|(at, it)| set(&mut new, &at, it));
        pair.removed.iter().for_each(|at| remove(&mut new, at));
        let options: Vec<&str> = pair.options.iter().map(String::as_str).collect();
        let said = compare(&old, &new, &options);
        let name = stem(path);
        assert_eq!(said.talk, "", "{name}");
        assert_eq!(
            said.code,
            if pair.differs { 5 } else { 0 },
            "{name}: {}",
            said.out
        );
        if options.is_empty() {
            let [old, new] = [&old, &new].map(|it| Results::deserialize(it).unwrap());
            let back = vpipe::output::compare(&new, &old, &Tolerance::default());
            assert_eq!(back.is_same(), !pair.differs, "{name}, turned round");
        }
        let options = options.join(" ");
        let head = format!("{name} {options}");
        writeln!(
            told,
            "## {} -> {}\n{}",
            head.trim_end(),
            said.code,
            said.out
        )
        .unwrap();
    }
    assert!(pairs.len() >= 25, "where are the pairs?");
    settings().bind(|| insta::assert_snapshot!("compare_pairs", told));
}

#[test]
fn what_is_no_results_file_is_refused_with_a_sentence() {
    let mut told = String::new();
    let good = folder("results.json");
    let good = good.to_str().unwrap();
    let bad = folder("bad");
    let files = files("bad");
    for path in &files {
        let name = path.file_name().unwrap().to_str().unwrap();
        let said = vpipe(&bad, &["compare", good, name]);
        assert_eq!(
            (said.out.as_str(), said.code),
            ("", 2),
            "{name}: {}",
            said.talk
        );
        assert_eq!(vpipe(&bad, &["compare", name, good]).talk, said.talk);
        writeln!(told, "{}", said.talk.trim_end()).unwrap();
    }
    assert!(files.len() >= 25, "where are the files?");
    settings().bind(|| insta::assert_snapshot!("compare_bad", told));
}

// What is too large to lie here, or no file.
#[test]
fn what_is_large_or_no_file_is_refused_soon() {
    let place = TempDir::new().unwrap();
    let good = place.path().join("good.json");
    fs::copy(folder("results.json"), &good).unwrap();
    let write = |name: &str, text: &str| fs::write(place.path().join(name), text).unwrap();
    let list = |part: &str, count: usize| {
        format!(
            "{{\"format\": 1, \"detections\": [{}0]}}",
            part.repeat(count)
        )
    };
    write("zeros.json", &list("0,", 50 << 20));
    write("lists.json", &list("[],", 17_000_000));
    write(
        "text.json",
        &format!("{{\"a\": \"{}\"}}", "a".repeat(100 << 20)),
    );
    let objects =
        "{\"bbox\":[0,0,1,1],\"class\":0,\"class_name\":\"a\",\"confidence\":0.5},".repeat(3001);
    let mut crowd = base();
    let objects: Value =
        serde_json::from_str(&format!("[{}]", objects.trim_end_matches(','))).unwrap();
    set(&mut crowd, "/detections/3/detections", objects);
    write("crowd.json", &crowd.to_string());
    let sparse = fs::File::create(place.path().join("sparse.json")).unwrap();
    sparse.set_len(300 << 20).unwrap();
    fs::create_dir(place.path().join("folder")).unwrap();
    for (name, why) in [
        (
            "zeros.json",
            "zeros.json has too much in it: more than 16000000 values",
        ),
        (
            "lists.json",
            "lists.json has too much in it: more than 16000000 values",
        ),
        (
            "text.json",
            "text.json is not the results of a video: it has no `detections`",
        ),
        (
            "crowd.json",
            "crowd.json has too much in it: frame 90 has 3001 objects, and at most 3000",
        ),
        (
            "sparse.json",
            "sparse.json cannot be read: it has more than 268435456 bytes",
        ),
        ("gone.json", "gone.json cannot be read: "),
        ("folder", "folder is a folder, and good.json is not"),
    ] {
        let said = vpipe(place.path(), &["compare", "good.json", name]);
        assert_eq!((said.out.as_str(), said.code), ("", 2), "{name}");
        assert!(
            said.talk.starts_with(&format!("error: {why}")),
            "{}",
            said.talk
        );
        assert!(said.talk.lines().count() <= 3, "{}", said.talk);
    }
}

// Names and texts of a file are shown; what they would do to a terminal, or to the lines, is not done.
#[test]
fn names_and_texts_do_nothing_to_a_terminal() {
    let hostile = "\u{1b}[2Jcar\r\n\u{9b}31m\u{202e}frame 0: all is well";
    let mut new = base();
    set(
        &mut new,
        "/detections/0/detections/1/class_name",
        json!(hostile),
    );
    set(&mut new, "/detections/5/skipped", json!(hostile));
    set(&mut new, "/transcription/language", json!(hostile));
    let said_words = format!("It stops, {hostile} then it turns around.");
    set(
        &mut new,
        "/transcription/segments/1/text",
        json!(said_words),
    );
    let record = "/stages/captions/records/0/record";
    set(
        &mut new,
        &format!("{record}/{}", hostile.replace('/', "")),
        json!(hostile),
    );
    set(&mut new, "/recipe/settings/yolo/conf", json!(hostile));
    set(&mut new, "/models/yolo/model", json!(hostile));
    set(&mut new, "/models/yolo/digest", json!(hostile));
    set(&mut new, "/skipped", json!({ hostile: hostile }));
    let said = compare(&base(), &new, &[]);
    assert_eq!(said.code, 5);
    let obeyed = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!said.out.contains(obeyed), "{:?}", said.out);
    assert!(
        !said
            .out
            .lines()
            .any(|line| line.starts_with("frame 0: all"))
    );
    let long = format!("x{}", "y".repeat(100_000));
    set(
        &mut new,
        "/detections/0/detections/1/class_name",
        json!(long),
    );
    let said = compare(&base(), &new, &[]);
    assert!(said.out.len() < 5_000, "{} letters", said.out.len());
}

// 3,000 frames that all differ, with 40 classes.
#[test]
fn of_very_much_the_first_lines_are_told() {
    let frames = |shift: u32| -> Value {
        let object = |at: u32| {
            let x = f64::from(at * 100 + shift);
            json!({"bbox": [x, 0.0, x + 50.0, 50.0], "class": at, "class_name": format!("class {at}"), "confidence": 0.5})
        };
        let objects: Vec<Value> = (0..40).map(object).collect();
        (0..3000)
            .map(|at| json!({"timestamp": f64::from(at), "frame_number": at * 30, "detections": objects, "count": 40}))
            .collect()
    };
    let (mut old, mut new) = (base(), base());
    set(&mut old, "/detections", frames(0));
    set(&mut new, "/detections", frames(20));
    let words: Vec<String> = (0..90).map(|at| format!("same{at} other{at}")).collect();
    set(
        &mut old,
        "/transcription/segments/1/text",
        json!(words.join(" ")),
    );
    let words: Vec<String> = (0..90).map(|at| format!("same{at} another{at}")).collect();
    set(
        &mut new,
        "/transcription/segments/1/text",
        json!(words.join(" ")),
    );
    let said = compare(&old, &new, &[]);
    settings().bind(|| insta::assert_snapshot!("compare_much", said.out));
}

#[test]
fn json_has_every_difference() {
    let mut new = base();
    set(
        &mut new,
        "/detections/0/detections/1/bbox",
        json!([430.0, 200.0, 630.0, 300.0]),
    );
    remove(&mut new, "/detections/2/detections/1");
    set(
        &mut new,
        "/transcription/segments/1/text",
        json!("It stops, then it runs around."),
    );
    set(
        &mut new,
        "/stages/plates/records/0/crops/0/record/plate",
        json!("AB 13"),
    );
    let said = compare(&base(), &new, &["--json"]);
    assert_eq!((said.code, said.talk.as_str()), (5, ""));
    let value: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(value["comparison"]["changes"].as_array().unwrap().len(), 4);
    settings().bind(|| insta::assert_snapshot!("compare_json", said.out));
    let place = TempDir::new().unwrap();
    let said = vpipe(place.path(), &["compare", "a.json", "b.json", "--json"]);
    assert_eq!((said.code, said.talk.as_str()), (2, ""));
    let value: Value = serde_json::from_str(&said.out).unwrap();
    let error = value["error"].as_str().unwrap();
    assert!(error.starts_with("a.json cannot be read: "), "{error}");
}

#[test]
fn folders_are_compared_file_by_file() {
    let place = TempDir::new().unwrap();
    let mut new = base();
    remove(&mut new, "/detections/2/detections/1");
    for (name, results) in [
        ("old/a_results.json", &base()),
        ("new/a_results.json", &base()),
        ("old/b_results.json", &base()),
        ("new/b_results.json", &new),
        ("old/c_results.json", &base()),
        ("new/d_results.json", &base()),
        ("same/a_results.json", &base()),
    ] {
        let path = place.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, results.to_string()).unwrap();
    }
    fs::write(place.path().join("new/notes.txt"), "not compared").unwrap();
    let said = vpipe(place.path(), &["compare", "old", "new"]);
    assert_eq!((said.code, said.talk.as_str()), (5, ""));
    settings().bind(|| insta::assert_snapshot!("compare_folders", said.out));
    let said = vpipe(place.path(), &["compare", "old", "new", "--json"]);
    let value: Value = serde_json::from_str(&said.out).unwrap();
    let same: Vec<&Value> = value["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["same"])
        .collect();
    assert_eq!(same, [true, false, false, false]);
    assert_eq!((said.code, &value["same"]), (5, &json!(false)));
    let said = vpipe(place.path(), &["compare", "same", "same"]);
    assert_eq!(said.code, 0, "{}", said.out);
    fs::create_dir(place.path().join("none")).unwrap();
    let said = vpipe(place.path(), &["compare", "none", "none"]);
    assert_eq!(said.code, 2);
    assert!(
        said.talk
            .starts_with("error: there are no results in none and none"),
        "{}",
        said.talk
    );
}

#[test]
fn wrong_tolerances_are_told() {
    for (option, value, why) in [
        ("--iou", "1.1", "a number from 0 to 1"),
        ("--iou", "-0.1", "a number from 0 to 1"),
        ("--confidence", "NaN", "a number from 0 to 1"),
        ("--seconds", "-1", "a number, 0 or more"),
        ("--seconds", "inf", "a number, 0 or more"),
        ("--words", "few", "a number, 0 or more"),
    ] {
        let said = compare(&base(), &base(), &[option, value]);
        assert_eq!(said.code, 2, "{option} {value}");
        assert!(said.talk.contains(why), "{}", said.talk);
    }
}
