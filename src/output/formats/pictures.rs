//! What data sets call the frames of a video, and which of them they leave out.

use super::csv;
use super::format_file::Sink;
use super::seen::unanswered;
use super::table::Cell;
use super::table::Column;
use super::table::ColumnKind;
use crate::name::file_name;
use crate::output::results::results::Entry;
use crate::output::results::results::Object;
use crate::output::results::results::Results;
use crate::output::results::results::Seen;
use std::io::Result;

/// What the longest name of a frame has besides the stem: `_`, a number and an extension.
const LONGEST_ENDING: usize = "_18446744073709551615.jpg".len();

/// The columns of the table of frames without an answer.
const COLUMNS: [Column; 4] = [
    Column::full("image", ColumnKind::Text),
    Column::full("frame_number", ColumnKind::Whole),
    Column::full("timestamp", ColumnKind::Number),
    Column::full("status", ColumnKind::Text),
];

/// The name of the picture of a frame of `stem`, without its extension.
pub(super) fn picture(stem: &str, entry: &Entry) -> String {
    let stem = file_name(stem, LONGEST_ENDING);
    format!("{stem}_{:06}", entry.frame_number)
}

/// The frames that were looked at, with what is in them.
pub(super) fn answered(results: &Results) -> impl Iterator<Item = (&Entry, &[Object])> {
    results
        .detections
        .iter()
        .filter_map(|entry| match &entry.seen {
            Seen::Objects { detections, .. } => Some((entry, detections.as_slice())),
            Seen::Record { .. }
            | Seen::Crops { .. }
            | Seen::Error { .. }
            | Seen::Skipped { .. } => None,
        })
}

/// Writes the frames that a data set leaves out: nobody knows what is in them.
pub(super) fn write_unanswered(out: &mut Sink<'_>, stem: &str, results: &Results) -> Result<()> {
    let entries = results.detections.iter();
    let frames = entries.filter_map(|entry| Some((entry, unanswered(entry)?)));
    let frames = frames.map(|(entry, status)| (picture(stem, entry) + ".jpg", entry, status));
    // One by one, since a row borrows the name.
    csv::write(out, &COLUMNS, std::iter::empty())?;
    for (image, entry, status) in frames {
        csv::write_row(
            out,
            &[
                Cell::Text(&image),
                Cell::Whole(entry.frame_number),
                Cell::Number(entry.timestamp),
                Cell::Text(status),
            ],
        )?;
    }
    Ok(())
}
