//! Formats: what a run found, as the files that other programs read.
//!
//! A format is a file here and an entry of [`OutputFormat`](crate::recipe::OutputFormat); it is made
//! from results alone, so it can be made again later. What files it has and how each is filled is its
//! `FILES`; where they go is said by [`Place`](crate::output::Place).
//!
//! | format | times | lines |
//! |---|---|---|
//! | `srt`, `vtt` | of each caption | at most `line_width` columns wide, at most `line_count` a caption |
//! | `tsv` | milliseconds of each segment | one a segment |
//! | `txt` | none | one a segment |
//! | `jsonl` | seconds of each frame | one a frame, and while the run goes on |
//! | `csv`, `parquet` | seconds | a row an object, and a row for each frame without |
//! | `coco`, `yolo`, `mot` | frames by their numbers | a box each |
//! | `html` | milliseconds | a page, see [`page`](crate::output::page()) |

mod atoms;
pub(super) mod caption;
mod captions;
mod categories;
mod clock;
mod coco;
mod csv;
mod detections_table;
pub(super) mod files;
pub(super) mod format_file;
mod html;
pub(super) mod jsonl;
mod mot;
mod parquet;
mod pictures;
mod schedule;
mod seen;
mod sides;
pub(super) mod speech;
mod speech_table;
mod split;
mod srt;
mod table;
mod text;
mod tsv;
mod txt;
mod vtt;
mod yolo;

#[cfg(test)]
mod tests;
