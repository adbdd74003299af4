//! `coco`: a data set as COCO has it (<https://cocodataset.org/#format-data>): frames, boxes with their
//! confidences, and classes.
//!
//! Frames without an answer are no images: they stand under `info.unanswered`.

use super::categories::Categories;
use super::format_file::FormatContent;
use super::format_file::FormatFile;
use super::format_file::Sink;
use super::format_file::Subject;
use super::format_file::Telling;
use super::pictures::answered;
use super::pictures::picture;
use super::seen::unanswered;
use super::sides::left_top_size;
use serde::Serialize;
use std::io::Result;

pub(super) const FILES: &[FormatFile] = &[FormatFile {
    ending: "_coco.json",
    subject: Subject::Frames,
    content: FormatContent::File(write),
}];

// All images are of one video.
const VIDEO: u64 = 1;

// CVAT takes 0 for no class.
const FIRST_CATEGORY: usize = 1;

#[derive(Serialize)]
struct Video<'a> {
    id: u64,
    name: &'a str,
    width: u32,
    height: u32,
    fps: Option<f64>,
    duration: Option<f64>,
}

#[derive(Serialize)]
struct Unanswered {
    frame_number: u64,
    timestamp: f64,
    status: &'static str,
}

#[derive(Serialize)]
struct Image {
    id: u64,
    file_name: String,
    width: u32,
    height: u32,
    video_id: u64,
    frame_id: u64,
    timestamp: f64,
}

#[derive(Serialize)]
struct Annotation {
    id: u64,
    image_id: u64,
    category_id: usize,
    bbox: [f64; 4],
    area: f64,
    iscrowd: u8,
    segmentation: [f64; 0],
    score: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    track_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<u32>,
}

#[derive(Serialize)]
struct Category<'a> {
    id: usize,
    name: &'a str,
}

fn write(out: &mut Sink<'_>, of: &Telling<'_>) -> Result<()> {
    let results = of.results;
    let source = &results.source;
    let categories = Categories::of(results);
    write!(out, "{{\"info\": {{\"description\": ")?;
    serde_json::to_writer(
        &mut *out,
        &format!("boxes that vpipe found in {}", results.video),
    )?;
    write!(out, ", \"stage\": ")?;
    serde_json::to_writer(&mut *out, &results.primary)?;
    let entries = results.detections.iter();
    let frames = entries.filter_map(|entry| {
        Some(Unanswered {
            frame_number: entry.frame_number,
            timestamp: entry.timestamp,
            status: unanswered(entry)?,
        })
    });
    list(out, ", \"unanswered\"", frames)?;
    let video = Video {
        id: VIDEO,
        name: &results.video,
        width: source.width,
        height: source.height,
        fps: source.fps,
        duration: source.duration,
    };
    list(out, "},\n\"videos\"", [video].into_iter())?;
    let images = answered(results).zip(1..).map(|((entry, _), id)| Image {
        id,
        file_name: picture(of.stem, entry) + ".jpg",
        width: source.width,
        height: source.height,
        video_id: VIDEO,
        frame_id: entry.frame_number,
        timestamp: entry.timestamp,
    });
    list(out, ",\n\"images\"", images)?;
    list(out, ",\n\"annotations\"", annotations(of, &categories))?;
    let named = categories.names.iter().enumerate();
    let named = named.map(|(number, name)| Category {
        id: number + FIRST_CATEGORY,
        name,
    });
    list(out, ",\n\"categories\"", named)?;
    writeln!(out, "}}")
}

// Numbered from 1: evaluators take 0 for none.
fn annotations(of: &Telling<'_>, categories: &Categories) -> impl Iterator<Item = Annotation> {
    let frames = answered(of.results).zip(1..);
    let objects =
        frames.flat_map(|((_, objects), image)| objects.iter().map(move |it| (image, it)));
    objects.zip(1..).map(|((image_id, object), id)| {
        let bbox = left_top_size(object);
        Annotation {
            id,
            image_id,
            category_id: categories.number(object) + FIRST_CATEGORY,
            bbox,
            area: ((bbox[2] * bbox[3]) * 1e4).round() / 1e4,
            iscrowd: 0,
            segmentation: [],
            score: object.confidence,
            track_id: object.track,
            parent: object.parent,
        }
    })
}

// A list under a key, an item a line.
fn list<T: Serialize>(out: &mut Sink<'_>, key: &str, items: impl Iterator<Item = T>) -> Result<()> {
    write!(out, "{key}: [")?;
    let mut before = "\n";
    for item in items {
        write!(out, "{before}")?;
        serde_json::to_writer(&mut *out, &item)?;
        before = ",\n";
    }
    write!(out, "]")
}
