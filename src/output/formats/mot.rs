//! `mot`: boxes as the MOTChallenge has them (<https://motchallenge.net/instructions>): frame, thing,
//! left, top, width, height, confidence, and three numbers that mean nothing here. Frames, things and
//! pixels are counted from 1.
//!
//! It has no place for classes, and none for frames without an answer: those are in a table beside it.

use super::format_file::FormatContent;
use super::format_file::FormatFile;
use super::format_file::Sink;
use super::format_file::Subject;
use super::pictures::answered;
use super::pictures::write_unanswered;
use super::sides::left_top_size;
use crate::output::results::results::Results;
use std::io::Result;

pub(super) const FILES: &[FormatFile] = &[
    FormatFile {
        ending: "_mot.txt",
        subject: Subject::Frames,
        content: FormatContent::File(|out, of| write(out, of.results)),
    },
    FormatFile {
        ending: "_mot_unanswered.csv",
        subject: Subject::Frames,
        content: FormatContent::File(|out, of| write_unanswered(out, of.stem, of.results)),
    },
];

fn write(out: &mut Sink<'_>, results: &Results) -> Result<()> {
    for (entry, objects) in answered(results) {
        let frame = u128::from(entry.frame_number) + 1;
        for object in objects {
            match object.track {
                Some(track) => write!(out, "{frame},{track}")?,
                None => write!(out, "{frame},-1")?,
            }
            let [left, top, width, height] = left_top_size(object);
            let [left, top] = [left, top].map(|side| ((side + 1.0) * 1e2).round() / 1e2);
            let confidence = object.confidence;
            writeln!(out, ",{left},{top},{width},{height},{confidence},-1,-1,-1")?;
        }
    }
    Ok(())
}
