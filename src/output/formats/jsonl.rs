//! JSON Lines: what is seen, a line a frame in order, as the entries of the results have it.
//!
//! A line is written at once when its frame is complete, and the whole file again from the results:
//! both are the same.

use super::format_file::FormatContent;
use super::format_file::FormatFile;
use super::format_file::Sink;
use super::format_file::Subject;
use crate::item::Record;
use crate::name::StageId;
use crate::output::results::frames::frame_entry;
use crate::output::results::results::Entry;
use crate::output::results::results::Results;
use crate::output::results::results::Seen;
use crate::output::results::results::StageOutput;
use crate::recipe::Recipe;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io;

/// What a growing file is called until it is whole.
pub(in crate::output) const GROWING: &str = "_results.partial.jsonl";

pub(super) const FILES: &[FormatFile] = &[FormatFile {
    ending: ".jsonl",
    subject: Subject::Frames,
    content: FormatContent::File(|out, of| write(out, of.results)),
}];

#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    entry: &'a Entry,
    // What other stages found, where there are several.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    stages: BTreeMap<&'a StageId, &'a Seen>,
}

/// The line of the one frame of `record`, with its end; `None` where no stage looks at frames.
pub fn frame_line(recipe: &Recipe, record: &Record) -> Option<String> {
    let (entry, stages) = frame_entry(recipe, record);
    let mut out = Vec::new();
    line(&mut out, 0, &entry?, &stages).ok()?;
    String::from_utf8(out).ok()
}

fn write(out: &mut Sink<'_>, results: &Results) -> io::Result<()> {
    for (place, entry) in results.detections.iter().enumerate() {
        line(out, place, entry, &results.stages)?;
    }
    Ok(())
}

// The entries of all stages are of the same frames, so `place` is that of `entry` in each.
fn line(
    out: &mut Sink<'_>,
    place: usize,
    entry: &Entry,
    stages: &BTreeMap<StageId, StageOutput>,
) -> io::Result<()> {
    let stages = stages.iter().filter_map(|(stage, output)| {
        let entries = match output {
            StageOutput::Detected(detected) => &detected.detections,
            StageOutput::Recorded { records, .. } => records,
            StageOutput::Transcribed { .. } => return None,
        };
        Some((stage, &entries.get(place)?.seen))
    });
    let line = Line {
        entry,
        stages: stages.collect(),
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")
}
