//! Guesses: where an answer that the recipe does not read has the boxes, so that the user can be
//! told which lines would read it.
//!
//! Handlers name the same things in a few dozen ways. Each guess is tried on the answer itself, and
//! only one that reads all of it is told. Names of a server that are not plain words are passed
//! over: nothing of an answer becomes code.

use crate::backends::remote::mapping::mapping::Mapping;
use crate::backends::remote::mapping::value::Sizes;
use crate::item::Found;
use crate::recipe::AnswerShape;
use crate::recipe::AnswerSpec;
use crate::recipe::BoxFormat;
use crate::recipe::BoxUnit;
use crate::recipe::MappingSpec;
use serde_json::Map;
use serde_json::Value;

/// Values of an answer that are looked at.
const MOST_PLACES: usize = 200;

/// How deep they lie at most.
const DEPTH: usize = 4;

/// Guesses that are tried.
const MOST_TRIED: usize = 500;

const BOXES: &[&str] = &[
    "bbox",
    "box",
    "xyxy",
    "xywh",
    "bounding_box",
    "boundingBox",
    "boundingbox",
    "bndbox",
    "rect",
    "coordinates",
    "coords",
    "location",
    "region",
];
const CLASSES: &[&str] = &[
    "class",
    "class_id",
    "classId",
    "cls",
    "category_id",
    "label_id",
    "class_index",
    "label",
    "category",
];
const NAMES: &[&str] = &[
    "class_name",
    "className",
    "name",
    "label",
    "category",
    "category_name",
    "class",
    "tag",
];
const CONFIDENCES: &[&str] = &[
    "confidence",
    "conf",
    "score",
    "probability",
    "prob",
    "certainty",
];

/// Four fields that are a box together.
const CORNERS: &[([&str; 4], BoxFormat)] = &[
    (["x1", "y1", "x2", "y2"], BoxFormat::Xyxy),
    (["xmin", "ymin", "xmax", "ymax"], BoxFormat::Xyxy),
    (["x_min", "y_min", "x_max", "y_max"], BoxFormat::Xyxy),
    (["left", "top", "right", "bottom"], BoxFormat::Xyxy),
    (["cx", "cy", "w", "h"], BoxFormat::Cxcywh),
    (["cx", "cy", "width", "height"], BoxFormat::Cxcywh),
    (
        ["x_center", "y_center", "width", "height"],
        BoxFormat::Cxcywh,
    ),
    (["left", "top", "width", "height"], BoxFormat::Xywh),
    (["x", "y", "w", "h"], BoxFormat::Xywh),
    (["x", "y", "width", "height"], BoxFormat::Xywh),
];

/// The lines of an `answer` table by which `output` is read, where there are any.
pub(super) fn lines(spec: &MappingSpec, output: &Value, sent: &[Sizes]) -> Option<String> {
    let AnswerShape::Detections(usual) = &spec.answer else {
        return None;
    };
    let guesses = places(output)
        .into_iter()
        .flat_map(|(path, value)| lists(&path, value, sent.len()));
    let guesses = guesses.flat_map(|(list, objects)| described(&list, &objects, usual));
    let reads = |guess: &AnswerSpec| {
        let spec = MappingSpec {
            answer: AnswerShape::Detections(guess.clone()),
            ..spec.clone()
        };
        let found = Mapping::new(&spec).found(output, sent);
        let is_some =
            |found: &Found| matches!(found, Found::Objects(objects) if !objects.is_empty());
        found.is_ok_and(|found| found.iter().any(is_some))
    };
    let guess = guesses.take(MOST_TRIED).find(reads)?;
    Some(written(&guess, &AnswerSpec::default()))
}

// What an answer holds, from the outside in, and what each is called.
fn places(output: &Value) -> Vec<(String, &Value)> {
    let mut places = vec![("output".to_owned(), output)];
    let mut at = 0;
    while let Some((path, value)) = places.get(at).cloned() {
        at += 1;
        if path.matches(['.', '[']).count() >= DEPTH {
            continue;
        }
        match value {
            Value::Object(fields) => {
                let inner = fields
                    .iter()
                    .filter_map(|(name, value)| Some((field(&path, name)?, value)));
                places.extend(inner);
            }
            Value::Array(list) => {
                if let [one] = list.as_slice() {
                    places.push((format!("{path}[0]"), one));
                }
            }
            _ => {}
        }
        places.truncate(MOST_PLACES);
    }
    places
}

fn field(path: &str, name: &str) -> Option<String> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let is_word = name.chars().all(plain)
        && name.starts_with(|it: char| it.is_ascii_alphabetic() || it == '_');
    let is_key = !name.is_empty()
        && name.len() < 50
        && name.chars().all(|it| plain(it) || " -".contains(it));
    match (is_word, is_key) {
        (true, true) => Some(format!("{path}.{name}")),
        (false, true) => Some(format!("{path}['{name}']")),
        (_, false) => None,
    }
}

// Where the frames are, and in a frame its objects.
struct List {
    images: String,
    objects: String,
}

// The lists that may hold one entry for each frame that was sent, and some of their objects.
fn lists<'a>(path: &str, value: &'a Value, sent: usize) -> Vec<(List, Vec<&'a Value>)> {
    let Value::Array(entries) = value else {
        return Vec::new();
    };
    let mut lists = Vec::new();
    let mut add = |images: String, objects: String, found: Vec<&'a Value>| {
        if !found.is_empty() {
            lists.push((List { images, objects }, found));
        }
    };
    if entries.len() == sent {
        let all = entries
            .iter()
            .filter_map(Value::as_array)
            .flatten()
            .collect();
        add(path.to_owned(), "image".to_owned(), all);
        let frames = || entries.iter().filter_map(Value::as_object);
        for name in frames().flat_map(Map::keys).take(MOST_PLACES) {
            let of_name = frames().filter_map(|frame| frame.get(name)?.as_array());
            if let Some(objects) = field("image", name) {
                add(path.to_owned(), objects, of_name.flatten().collect());
            }
        }
    }
    if sent == 1 {
        add(
            format!("[{path}]"),
            "image".to_owned(),
            entries.iter().collect(),
        );
    }
    lists
}

// The ways to read the objects of a list.
fn described(list: &List, objects: &[&Value], usual: &AnswerSpec) -> Vec<AnswerSpec> {
    let Some(object) = objects.first() else {
        return Vec::new();
    };
    let boxes = match object {
        Value::Object(fields) => boxes(fields),
        Value::Array(numbers) if numbers.len() >= 4 => rows(numbers.len()),
        _ => Vec::new(),
    };
    let one = |(bbox, format): (String, BoxFormat)| {
        let fields = object.as_object();
        let word = |names: &[&str], fits: &dyn Fn(&Value) -> bool| {
            let mut names = names.iter();
            let name =
                names.find(|name| fields.is_some_and(|it| it.get(**name).is_some_and(fits)))?;
            Some(format!("object.{name}"))
        };
        let row = |at: usize| object.get(at).map(|_| format!("object[{at}]"));
        let class = word(CLASSES, &Value::is_number).or(row(5));
        let name = word(NAMES, &Value::is_string).or(class.clone());
        let nothing = || "0".to_owned();
        AnswerSpec {
            images: list.images.clone(),
            objects: list.objects.clone(),
            bbox,
            bbox_format: format,
            class: class.unwrap_or_else(nothing),
            class_name: name.unwrap_or_else(|| "'object'".to_owned()),
            confidence: word(CONFIDENCES, &Value::is_number)
                .or(row(4))
                .unwrap_or_else(|| "1".to_owned()),
            ..usual.clone()
        }
    };
    // What is nowhere above one is a share of the frame, not a part of a pixel.
    let units = match objects.iter().all(|object| is_small(object)) {
        true => [BoxUnit::Normalised, BoxUnit::Pixels],
        false => [BoxUnit::Pixels, BoxUnit::Normalised],
    };
    let with_unit = |spec: AnswerSpec| {
        units.map(|bbox_unit| AnswerSpec {
            bbox_unit,
            ..spec.clone()
        })
    };
    boxes.into_iter().map(one).flat_map(with_unit).collect()
}

fn boxes(object: &Map<String, Value>) -> Vec<(String, BoxFormat)> {
    let mut boxes = corners("object", object);
    for name in BOXES {
        let at = format!("object.{name}");
        match object.get(*name) {
            Some(Value::Array(list)) if list.len() == 4 => {
                boxes.extend(formats(name).map(|it| (at.clone(), it)));
            }
            Some(Value::Array(list)) if list.len() == 2 => {
                let bbox = format!("[{at}[0][0], {at}[0][1], {at}[1][0], {at}[1][1]]");
                boxes.push((bbox, BoxFormat::Xyxy));
            }
            Some(Value::Object(fields)) => boxes.extend(corners(&at, fields)),
            _ => {}
        }
    }
    boxes
}

fn corners(at: &str, fields: &Map<String, Value>) -> Vec<(String, BoxFormat)> {
    let all = CORNERS
        .iter()
        .filter(|(names, _)| names.iter().all(|name| fields.contains_key(*name)));
    all.map(|([a, b, c, d], format)| (format!("[{at}.{a}, {at}.{b}, {at}.{c}, {at}.{d}]"), *format))
        .collect()
}

// Numbers in a row: a box, then perhaps its confidence and its class.
fn rows(length: usize) -> Vec<(String, BoxFormat)> {
    if length > 6 {
        return Vec::new();
    }
    let bbox = "[object[0], object[1], object[2], object[3]]".to_owned();
    formats("").map(|format| (bbox.clone(), format)).to_vec()
}

fn formats(name: &str) -> [BoxFormat; 3] {
    use BoxFormat::Cxcywh;
    use BoxFormat::Xywh;
    use BoxFormat::Xyxy;
    match name {
        "xywh" => [Cxcywh, Xywh, Xyxy],
        _ => [Xyxy, Xywh, Cxcywh],
    }
}

fn is_small(object: &Value) -> bool {
    let all = |name: &str, value: &Value| !BOXES.contains(&name) || numbers_are_small(value);
    match object {
        Value::Object(fields) => {
            let corner = |name: &str| CORNERS.iter().any(|(names, _)| names.contains(&name));
            fields.iter().all(|(name, value)| {
                all(name, value) && (!corner(name) || numbers_are_small(value))
            })
        }
        Value::Array(row) => row.iter().take(4).all(numbers_are_small),
        _ => true,
    }
}

fn numbers_are_small(value: &Value) -> bool {
    match value {
        Value::Array(list) => list.iter().all(numbers_are_small),
        Value::Object(fields) => fields.values().all(numbers_are_small),
        value => value.as_f64().is_none_or(|number| number.abs() <= 1.0),
    }
}

// What is not as ever, a line each.
fn written(guess: &AnswerSpec, usual: &AnswerSpec) -> String {
    let format = match guess.bbox_format {
        BoxFormat::Xyxy => "xyxy",
        BoxFormat::Xywh => "xywh",
        BoxFormat::Cxcywh => "cxcywh",
    };
    let unit = match guess.bbox_unit {
        BoxUnit::Pixels => "pixels",
        BoxUnit::Normalised => "normalised",
    };
    let lines = [
        ("images", guess.images.as_str(), usual.images.as_str()),
        ("objects", &guess.objects, &usual.objects),
        ("bbox", &guess.bbox, &usual.bbox),
        ("bbox_format", format, "xyxy"),
        ("bbox_unit", unit, "pixels"),
        ("class", &guess.class, &usual.class),
        ("class_name", &guess.class_name, &usual.class_name),
        ("confidence", &guess.confidence, &usual.confidence),
    ];
    let other = lines.iter().filter(|(_, guess, usual)| guess != usual);
    let line = |(key, guess, _): &(&str, &str, &str)| match *guess {
        "xywh" => format!("{key} = \"xywh\"  # \"cxcywh\" where x and y are the centre"),
        _ => format!("{key} = \"{guess}\""),
    };
    let lines: Vec<String> = other.map(line).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::lines;
    use crate::backends::remote::mapping::value::Sizes;
    use crate::item::Size;
    use crate::recipe::MappingSpec;
    use serde_json::Value;
    use serde_json::json;

    fn told(output: &Value, sent: usize) -> Option<String> {
        let sizes = Sizes::unscaled(Size {
            width: 100,
            height: 50,
        });
        lines(&MappingSpec::default(), output, &vec![sizes; sent])
    }

    #[test]
    fn the_lines_that_read_an_answer_are_found() {
        let ultralytics = json!({ "name": "car", "class": 2, "confidence": 0.5,
                                  "box": { "x1": 1, "y1": 2, "x2": 30, "y2": 40 } });
        let roboflow = json!({ "x": 50, "y": 25, "width": 20, "height": 10, "class": "car",
                               "class_id": 2, "confidence": 0.5 });
        let share = json!({ "label": "car", "score": 0.5, "box": [0.1, 0.2, 0.3, 0.4] });
        for (output, sent, expected) in [
            (
                json!({ "frames": [[ultralytics], []] }),
                2,
                "images = \"output.frames\"\nobjects = \"image\"\n\
                 bbox = \"[object.box.x1, object.box.y1, object.box.x2, object.box.y2]\"\n\
                 class_name = \"object.name\"",
            ),
            (
                json!({ "detections": [ultralytics, ultralytics], "count": 2 }),
                1,
                "images = \"[output.detections]\"\nobjects = \"image\"\n\
                 bbox = \"[object.box.x1, object.box.y1, object.box.x2, object.box.y2]\"\n\
                 class_name = \"object.name\"",
            ),
            (
                json!([{ "predictions": [roboflow] }, { "predictions": [] }]),
                2,
                "images = \"output\"\nobjects = \"image.predictions\"\n\
                 bbox = \"[object.x, object.y, object.width, object.height]\"\n\
                 bbox_format = \"xywh\"  # \"cxcywh\" where x and y are the centre\n\
                 class = \"object.class_id\"\n\
                 class_name = \"object.class\"",
            ),
            (
                json!({ "data": { "my boxes": [[share], [share]] } }),
                2,
                "images = \"output.data['my boxes']\"\nobjects = \"image\"\n\
                 bbox = \"object.box\"\nbbox_unit = \"normalised\"\nclass = \"0\"\n\
                 class_name = \"object.label\"\nconfidence = \"object.score\"",
            ),
            (
                json!({ "boxes": [[[1, 2, 30, 40, 0.5, 7]]] }),
                1,
                "images = \"output.boxes\"\nobjects = \"image\"\n\
                 bbox = \"[object[0], object[1], object[2], object[3]]\"\n\
                 class = \"object[5]\"\nclass_name = \"object[5]\"\nconfidence = \"object[4]\"",
            ),
        ] {
            assert_eq!(told(&output, sent).as_deref(), Some(expected), "{output}");
        }
    }

    #[test]
    fn nothing_is_told_that_does_not_read_the_answer() {
        for output in [
            json!(null),
            json!({ "message": "hello" }),
            json!({ "frames": [[], []] }),
            json!({ "a'] ~ vars ~ ['": [[{ "box": [1, 2, 3, 4] }]] }),
            json!({ "frames": [[{ "box": [1, 2, 3, 4] }], [{ "box": [1, 2] }]] }),
            json!({ "frames": [[{ "box": [1, 2, 9000, 4] }], []] }),
        ] {
            assert_eq!(told(&output, 2), None, "{output}");
        }
    }
}
