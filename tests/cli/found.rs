//! Wishes of users, run as recipes. What was found goes on: as files, and to a chat server that is asked about nothing else. The
//! recipes are examples, on the built-in model.

use crate::support::program::vpipe;
use crate::support::program::vpipe_beside;
use crate::support::repository::CLIP;
use crate::support::repository::ROOT;
use crate::support::server::serve;
use axum::Json;
use axum::Router;
use axum::routing::post;
use serde_json::Value;
use serde_json::json;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use tempfile::TempDir;

fn example(name: &str) -> String {
    format!("{ROOT}/recipes/examples/{name}.toml")
}

fn results(folder: &Path) -> Value {
    let text = fs::read_to_string(folder.join("output/clip_results.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

// The clip has a circle in each of its frames: those on the left are looked for.
const FILTER: &str = "filter=\"class_name == vars.who and bbox[0] < 500\"";

// How many circles it lets through.
fn circles(entry: &Value) -> usize {
    let objects = entry["detections"].as_array().unwrap().iter();
    let circles = objects.filter(|object| {
        object["class_name"] == "circle" && object["bbox"][0].as_f64().unwrap() < 500.0
    });
    circles.count()
}

fn files(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn what_was_found_is_saved_and_nothing_else() {
    let folder = TempDir::new().unwrap();
    let recipe = example("found");
    let [of_frames, of_crops] = ["frames", "crops"].map(|stage| format!("{stage}.{FILTER}"));
    let words = [
        "run",
        &recipe,
        CLIP,
        "--var",
        "who=circle",
        "--set",
        &of_frames,
        "--set",
        &of_crops,
    ];
    let said = vpipe(folder.path(), &words);
    assert_eq!(said.code, 0, "{}", said.talk);
    let found = results(folder.path());
    let (mut frames, mut crops) = (Vec::new(), Vec::new());
    for (index, entry) in found["detections"].as_array().unwrap().iter().enumerate() {
        let circles = circles(entry);
        let seconds = entry["timestamp"].as_f64().unwrap();
        let file = format!("{index:06}_{seconds:.3}s.jpg");
        match entry["saved"].as_str() {
            Some(saved) => assert!(circles > 0 && saved.ends_with(&file), "{saved}"),
            None => assert_eq!(circles, 0, "{entry}"),
        }
        frames.extend((circles > 0).then_some(file));
        crops.extend((0..circles).map(|number| format!("{index:06}_{number:03}.jpg")));
    }
    let output = folder.path().join("output/clip");
    assert!(!frames.is_empty() && frames.len() < found["detections"].as_array().unwrap().len());
    assert_eq!(files(&output.join("frames")), frames);
    assert_eq!(files(&output.join("crops")), crops);
    for name in &crops {
        let jpeg = fs::read(output.join("crops").join(name)).unwrap();
        assert!(jpeg.starts_with(b"\xff\xd8"), "{name}");
    }
    let told = format!("crops: {} crops in ", crops.len());
    assert!(said.talk.contains(&told), "{}", said.talk);
    // All of it is known, and a file that is gone is written again.
    fs::remove_file(output.join("crops").join(&crops[0])).unwrap();
    let said = vpipe(folder.path(), &words);
    assert_eq!(said.code, 0, "{}", said.talk);
    assert_eq!(files(&output.join("crops")), crops);
    assert_eq!(results(folder.path())["detections"], found["detections"]);
}

// Red, green and blue of a picture in the given folder, at places of its frame.
fn colours(picture: &Path, width: usize, places: &[(usize, usize)]) -> Vec<[u8; 3]> {
    let decoded = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(picture)
        .args(["-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
        .output();
    let pixels = decoded.unwrap().stdout;
    let at = |(x, y): &(usize, usize)| pixels[(y * width + x) * 3..][..3].try_into().unwrap();
    places.iter().map(at).collect()
}

#[test]
fn what_was_found_is_drawn_where_it_is_asked_for() {
    let folder = TempDir::new().unwrap();
    let recipe = fs::read_to_string(example("found")).unwrap();
    fs::write(folder.path().join("drawn.toml"), &recipe).unwrap();
    let plain = recipe.lines().filter(|line| !line.starts_with("draw"));
    let plain = plain.collect::<Vec<_>>().join("\n");
    fs::write(folder.path().join("plain.toml"), plain).unwrap();
    let run = |output: &str| {
        let file = format!("{output}.toml");
        let words = ["run", &file, CLIP, "--var", "who=circle", "--first", "1s"];
        let png = ["--set", "frames.format=png", "--output-dir", output];
        let said = vpipe(folder.path(), &[&words[..], &png].concat());
        assert_eq!(said.code, 0, "{}", said.talk);
        let text = fs::read_to_string(folder.path().join(output).join("clip_results.json"));
        let found: Value = serde_json::from_str(&text.unwrap()).unwrap();
        let saved = found["detections"][0]["saved"].as_str().unwrap().to_owned();
        (found, folder.path().join(saved))
    };
    let (found, drawn) = run("drawn");
    let (_, plain) = run("plain");
    let classes = found["classes"].as_array().unwrap();
    let width = found["source"]["width"].as_u64().unwrap() as usize;
    let mut counts = [0, 0];
    for object in found["detections"][0]["detections"].as_array().unwrap() {
        let side = |side: usize| object["bbox"][side].as_f64().unwrap();
        let middle = f64::midpoint(side(1), side(3)) as usize;
        let place = [(side(0).round() as usize + 1, middle)];
        let class = classes.iter().find(|it| it["class"] == object["class"]);
        let colour = class.unwrap()["colour"].as_str().unwrap();
        let [shown, before] = [&drawn, &plain].map(|file| {
            let [red, green, blue] = colours(file, width, &place)[0];
            format!("#{red:02x}{green:02x}{blue:02x}")
        });
        let is_wanted =
            object["class_name"] == "circle" && object["confidence"].as_f64() > Some(0.5);
        counts[usize::from(is_wanted)] += 1;
        assert_eq!(shown == colour, is_wanted, "{object}: {shown}, {colour}");
        assert_ne!(before, colour);
    }
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
}

#[test]
fn a_region_is_where_the_feet_are() {
    let folder = TempDir::new().unwrap();
    let recipe = example("region");
    let said = vpipe(
        folder.path(),
        &["run", &recipe, CLIP, "--var", "who=circle"],
    );
    assert_eq!(said.code, 0, "{}", said.talk);
    let found = results(folder.path());
    let entries = found["detections"].as_array().unwrap();
    let width = found["source"]["width"].as_f64().unwrap();
    let is_left = |object: &Value| {
        let side = |side: usize| object["bbox"][side].as_f64().unwrap();
        object["class_name"] == "circle" && (side(0) + side(2)) / 2.0 < width / 2.0
    };
    let mut saved = 0;
    for entry in entries {
        let inside = entry["detections"].as_array().unwrap().iter().any(is_left);
        assert_eq!(entry["saved"].is_string(), inside, "{entry}");
        saved += usize::from(inside);
    }
    assert!(0 < saved && saved < entries.len());
}

#[test]
fn a_start_beyond_the_end_of_a_video_is_an_error() {
    let folder = TempDir::new().unwrap();
    let words = [
        "run",
        "default",
        CLIP,
        "--without",
        "whisper",
        "--set",
        "extract.start=60",
    ];
    let said = vpipe(folder.path(), &words);
    assert_eq!(said.code, 3, "{}", said.talk);
    let why = "ends before 60 s, where `start` of `extract` is";
    assert!(said.talk.contains(why), "{}", said.talk);
    let cured = words.map(|word| word.replace("start=60", "start=24"));
    let cured: Vec<&str> = cured.iter().map(String::as_str).collect();
    let said = vpipe(folder.path(), &cured);
    assert_eq!(said.code, 0, "{}", said.talk);
}

#[test]
fn an_example_for_people_says_what_the_demo_model_knows() {
    let folder = TempDir::new().unwrap();
    let said = vpipe(folder.path(), &["check", &example("found")]);
    assert_eq!(said.code, 2, "{}", said.talk);
    for part in ["`yolo` finds no class `person`", "`circle`"] {
        assert!(said.talk.contains(part), "{}", said.talk);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_server_is_asked_where_somebody_is_seen() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let app = Router::new().route(
        "/v1/chat/completions",
        post(move |Json(body): Json<Value>| {
            counter.fetch_add(1, Ordering::Relaxed);
            async move {
                assert_eq!(body["model"], "llava");
                let content = &body["messages"][0]["content"];
                let image = content[1]["image_url"]["url"].as_str().unwrap();
                assert!(image.starts_with("data:image/jpeg;base64,/9j/"), "{image}");
                Json(json!({ "choices": [{ "message": { "content": "It rolls." } }] }))
            }
        }),
    );
    let url = format!("url={}/v1/chat/completions", serve(app).await);
    let folder = TempDir::new().unwrap();
    let recipe = example("questions");
    let filter = format!("asked.{FILTER}");
    let words = [
        "run",
        &recipe,
        CLIP,
        "--var",
        "who=circle",
        "--var",
        &url,
        "--set",
        &filter,
    ];
    let said = vpipe_beside(folder.path(), &words, &[]).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    let found = results(folder.path());
    let seen = found["detections"].as_array().unwrap();
    let records = found["stages"]["asked"]["records"].as_array().unwrap();
    assert_eq!(seen.len(), records.len());
    let mut with = 0;
    for (seen, record) in seen.iter().zip(records) {
        if circles(seen) > 0 {
            with += 1;
            assert_eq!(record["record"], json!({ "says": "It rolls." }));
            continue;
        }
        let why = match seen["count"].as_u64() {
            Some(0) => "`yolo` found nothing in it",
            _ => "`yolo` found nothing in it that `filter` lets through",
        };
        assert_eq!(record["skipped"], why);
    }
    assert!(0 < with && with < seen.len());
    assert_eq!(asked.load(Ordering::Relaxed), with);
    // Nobody is asked twice.
    let said = vpipe_beside(folder.path(), &words, &[]).await;
    assert_eq!(said.code, 0, "{}", said.talk);
    assert_eq!(asked.load(Ordering::Relaxed), with);
    assert_eq!(results(folder.path())["stages"], found["stages"]);
}

// Two circles are in the first 20 s of the clip, the second from its 13th second on.
#[tokio::test(flavor = "multi_thread")]
async fn a_chat_server_is_asked_once_about_each_thing() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let app = Router::new().route(
        "/v1/chat/completions",
        post(move |Json(_): Json<Value>| {
            counter.fetch_add(1, Ordering::Relaxed);
            async move { Json(json!({ "choices": [{ "message": { "content": "Round." } }] })) }
        }),
    );
    let url = format!("url={}/v1/chat/completions", serve(app).await);
    let folder = TempDir::new().unwrap();
    let recipe = example("once");
    let run = ["run", &recipe, CLIP, "--var", "who=circle", "--var", &url];
    // A run that ends in between, all of it, and all of it again.
    for (first, until_now) in [("6s", 1), ("20s", 2), ("20s", 2)] {
        let words = [&run[..], &["--first", first, "-vv", "--log", "log"]].concat();
        let said = vpipe_beside(folder.path(), &words, &[]).await;
        assert_eq!(said.code, 0, "{}", said.talk);
        assert_eq!(asked.load(Ordering::Relaxed), until_now, "{first}");
    }
    // The last run needed to see no frame.
    let log = fs::read_to_string(folder.path().join("log")).unwrap();
    assert_eq!(log.matches("frames read").count(), 2, "{log}");
    let found = results(folder.path());
    assert_eq!(found["summary"]["tracks"]["circle"], 2);
    let records = found["stages"]["asked"]["records"].as_array().unwrap();
    let seen = found["detections"].as_array().unwrap();
    let mut tracks = Vec::new();
    for (entry, record) in seen.iter().zip(records) {
        for crop in record["crops"].as_array().into_iter().flatten() {
            assert_eq!(crop["record"], json!({ "says": "Round." }));
            let parent = crop["parent"].as_u64().unwrap() as usize;
            let object = &entry["detections"][parent];
            assert_eq!(object["class_name"], "circle");
            tracks.push(object["track"].as_u64().unwrap());
        }
    }
    tracks.sort_unstable();
    let circles = found["tracks"].as_array().unwrap().iter();
    let circles = circles.filter(|it| it["class_name"] == "circle");
    let circles: Vec<u64> = circles.map(|it| it["track"].as_u64().unwrap()).collect();
    assert_eq!(tracks, circles);
}
