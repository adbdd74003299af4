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

mod atoms;
pub(super) mod caption;
mod captions;
mod clock;
pub(super) mod files;
pub(super) mod format_file;
pub(super) mod jsonl;
mod schedule;
pub(super) mod speech;
mod split;
mod srt;
mod text;
mod tsv;
mod txt;
mod vtt;

#[cfg(test)]
mod tests;
