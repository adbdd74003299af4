//! `csv`: tables as text (RFC 4180, in UTF-8, lines end with a line feed).
//!
//! Texts are quoted and written as they are, whatever they begin with: a table is data, and what reads
//! it has to be told so. Null is an empty field, and an empty text is `""`.

use super::detections_table;
use super::format_file::FormatContent;
use super::format_file::FormatFile;
use super::format_file::Sink;
use super::format_file::Subject;
use super::speech_table;
use super::table::Cell;
use super::table::Column;
use std::io::Result;

pub(super) const FILES: &[FormatFile] = &[
    FormatFile {
        ending: "_detections.csv",
        subject: Subject::Frames,
        content: FormatContent::File(|out, of| {
            let rows = detections_table::rows(of.results);
            write(out, &detections_table::COLUMNS, rows)
        }),
    },
    FormatFile {
        ending: "_speech.csv",
        subject: Subject::Sound,
        content: FormatContent::File(|out, of| {
            let rows = speech_table::rows(of.results);
            write(out, &speech_table::COLUMNS, rows)
        }),
    },
];

/// Writes a table with the names of its columns above.
pub(super) fn write<'a, const N: usize>(
    out: &mut Sink<'_>,
    columns: &[Column; N],
    rows: impl Iterator<Item = [Cell<'a>; N]>,
) -> Result<()> {
    let names = columns.iter().map(|column| column.name);
    writeln!(out, "{}", names.collect::<Vec<_>>().join(","))?;
    for row in rows {
        write_row(out, &row)?;
    }
    Ok(())
}

/// Writes a row.
pub(super) fn write_row(out: &mut Sink<'_>, row: &[Cell<'_>]) -> Result<()> {
    for (place, cell) in row.iter().enumerate() {
        if place > 0 {
            out.write_all(b",")?;
        }
        match cell {
            Cell::Null => {}
            Cell::Text(text) => write!(out, "\"{}\"", text.replace('"', "\"\""))?,
            Cell::Whole(number) => write!(out, "{number}")?,
            // With a point, so that a column of whole seconds is one of numbers too.
            Cell::Number(number) => write!(out, "{number:?}")?,
        }
    }
    out.write_all(b"\n")
}
