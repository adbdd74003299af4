//! What templates and conditions may name of a video, and of a box that was found.

use crate::facts::VideoFacts;
use crate::item::Detection;
use crate::item::Sight;
use crate::item::Size;
use crate::name::VideoId;
use crate::time::Ratio;
use crate::time::TimeRanges;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::ffi::OsStr;
use std::path::Path;

/// A template over `video` is tried on this one when the recipe is read.
pub(in crate::recipe) const SAMPLE_VIDEO: &str = "videos/sample.mp4";

/// The same for `when`.
pub(in crate::recipe) fn sample_facts() -> VideoFacts {
    VideoFacts {
        id: VideoId(0),
        path: SAMPLE_VIDEO.into(),
        size: Size {
            width: 1920,
            height: 1080,
        },
        duration: Some(60.0),
        fps: Some(Ratio::ONE),
        codec: "h264".to_owned(),
        rotation: 0,
        has_sound: true,
        first_frame: None,
        expected_frames: Some(60),
        wanted: TimeRanges::default(),
    }
}

/// The names of a video: `path`, `folder`, `name` (with its extension) and `stem` (without). Name
/// and stem are one part of a path each, also where the video is called `...mp4`.
pub(in crate::recipe) fn path_values(video: &Path) -> Map<String, Value> {
    let text = |part: Option<&OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let part = |part: Option<&OsStr>| match text(part) {
        // `.` and `..` have no name of their own.
        none if none.is_empty() => "pictures".to_owned(),
        dots if dots.chars().all(|c| c == '.') => "_".repeat(dots.len()),
        name => name,
    };
    let values = [
        ("path", text(Some(video.as_os_str()))),
        ("folder", text(video.parent().map(Path::as_os_str))),
        ("name", part(video.file_name())),
        ("stem", part(video.file_stem())),
    ];
    let values = values.map(|(key, value)| (key.to_owned(), value.into()));
    values.into_iter().collect()
}

/// What `when` may name: `video.duration`, `video.width` and so on.
pub fn condition_values(facts: &VideoFacts) -> Map<String, Value> {
    Map::from_iter([("video".to_owned(), Value::Object(video_values(facts)))])
}

fn video_values(facts: &VideoFacts) -> Map<String, Value> {
    let mut video = path_values(&facts.path);
    let known = [
        ("width", json!(facts.size.width)),
        ("height", json!(facts.size.height)),
        ("duration", json!(facts.duration)),
        ("fps", json!(facts.fps.map(Ratio::to_f64))),
        ("codec", json!(facts.codec)),
        ("rotation", json!(facts.rotation)),
        ("has_sound", json!(facts.has_sound)),
        ("frames", json!(facts.expected_frames)),
    ];
    video.extend(known.map(|(key, value)| (key.to_owned(), value)));
    video
}

/// What a request to a server may name of a video: as [`condition_values`], but for where it lies
/// on this machine.
pub fn request_values(facts: &VideoFacts) -> Map<String, Value> {
    let mut video = video_values(facts);
    video.retain(|name, _| !["path", "folder"].contains(&name.as_str()));
    video
}

/// The names that `filter` has for things that are tracked.
pub const SIGHT_NAMES: [&str; 6] = ["track", "age", "speed", "first", "crossed", "entered"];

/// What `filter` may name of a box in a frame of this size: as [`box_values`], two points as shares
/// of the frame, `centre` and `foot`, the middle of its lower side, and what is known of the thing
/// that it is a sight of. One that is of no thing has the track 0, and has crossed and entered
/// nothing.
pub fn filter_values(found: &Detection, frame: Size) -> Map<String, Value> {
    let [x1, y1, x2, y2] = found.bbox.map(f64::from);
    let (width, height) = (f64::from(frame.width), f64::from(frame.height));
    let middle = f64::midpoint(x1, x2) / width;
    let mut values = box_values(found);
    for (name, y) in [("centre", f64::midpoint(y1, y2)), ("foot", y2)] {
        values.insert(name.to_owned(), json!([middle, y / height]));
    }
    let none = Sight::default();
    let sight = found.sight.as_deref().unwrap_or(&none);
    let known = [
        json!(sight.track),
        json!(sight.age),
        json!(sight.speed),
        json!(sight.first),
        json!(sight.crossed),
        json!(sight.entered),
    ];
    let names = SIGHT_NAMES.map(str::to_owned);
    values.extend(names.into_iter().zip(known));
    values
}

/// What is told of a box; its sides are in pixels of the source.
pub fn box_values(found: &Detection) -> Map<String, Value> {
    let [x1, y1, x2, y2] = found.bbox;
    let (width, height) = (x2 - x1, y2 - y1);
    let values = [
        ("class", json!(found.class)),
        ("class_name", json!(found.class_name)),
        ("confidence", json!(found.confidence)),
        ("bbox", json!(found.bbox)),
        ("width", json!(width)),
        ("height", json!(height)),
        ("area", json!(width * height)),
    ];
    Map::from_iter(values.map(|(key, value)| (key.to_owned(), value)))
}
