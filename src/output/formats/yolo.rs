//! `yolo`: a data set as Ultralytics trains on it: a text file a frame, `data.yaml`, and room for the
//! frames.
//!
//! It has no place for confidences and tracks. A frame in which nothing is has an empty file, and one
//! without an answer has none: those are in `unanswered.csv`.

use super::categories::Categories;
use super::format_file::FormatContent;
use super::format_file::FormatFile;
use super::format_file::Subject;
use super::format_file::Telling;
use super::pictures::answered;
use super::pictures::picture;
use super::pictures::write_unanswered;
use super::sides::part_of_frame;
use crate::output::folder::FolderParts;
use crate::output::folder::NewFolder;
use std::io::Result;
use std::io::Write;
use std::path::Path;

pub(super) const FILES: &[FormatFile] = &[FormatFile {
    ending: "_yolo",
    subject: Subject::Frames,
    content: FormatContent::Folder {
        fill,
        parts: FolderParts {
            folders: &[LABELS],
            is_file: &is_file,
        },
    },
}];

const LABELS: &str = "labels";
const DATA: &str = "data.yaml";
const UNANSWERED: &str = "unanswered.csv";

fn is_file(within: &Path) -> bool {
    let is_label = || within.extension().is_some_and(|it| it == "txt");
    within == Path::new(DATA)
        || within == Path::new(UNANSWERED)
        || within.parent() == Some(Path::new(LABELS)) && is_label()
}

fn fill(folder: &NewFolder<'_>, of: &Telling<'_>) -> Result<()> {
    let categories = Categories::of(of.results);
    let mut data = folder.create(Path::new(DATA))?;
    data.write_all(yaml(of, &categories).as_bytes())?;
    data.flush()?;
    let mut unanswered = folder.create(Path::new(UNANSWERED))?;
    write_unanswered(&mut unanswered, of.stem, of.results)?;
    unanswered.flush()?;
    let source = &of.results.source;
    for (entry, objects) in answered(of.results) {
        let name = picture(of.stem, entry) + ".txt";
        let mut label = folder.create(&Path::new(LABELS).join(name))?;
        for object in objects {
            let part = part_of_frame(object, source.width, source.height);
            if let Some([x, y, width, height]) = part {
                let class = categories.number(object);
                writeln!(label, "{class} {x:.6} {y:.6} {width:.6} {height:.6}")?;
            }
        }
        label.flush()?;
    }
    Ok(())
}

// Where the frames are is as Ultralytics finds them: beside this file.
fn yaml(of: &Telling<'_>, categories: &Categories) -> String {
    let mut text = format!(
        "# Boxes that vpipe found in {}. Put the frames beside them:\n\
         # images/NAME.jpg for labels/NAME.txt. Those of {UNANSWERED} have no answer.\n\
         train: images\nval: images\nnames:\n",
        quoted(&of.results.video)
    );
    for (number, name) in categories.names.iter().enumerate() {
        text += &format!("  {number}: {}\n", quoted(name));
    }
    text
}

// In double quotes, with escapes for what no YAML may hold (1.2, 5.1) and for ends of lines.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                quoted += &escape(letter);
            }
            letter if letter.is_control() => quoted += &escape(letter),
            letter => quoted.push(letter),
        }
    }
    quoted + "\""
}

fn escape(letter: char) -> String {
    format!("\\U{:08X}", u32::from(letter))
}
